"""Prices in micros per kWh, amounts in nanos: price times watt-hours is then exact."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

NANOS_PER_UNIT = 1_000_000_000
MICROS_PER_UNIT = 1_000_000
NANOS_PER_CENT = 10_000_000


def amount_nanos(energy_wh: int, price_micros_per_kwh: int) -> int:
    """Price energy, exactly: Wh times micros per kWh is nanos."""
    return energy_wh * price_micros_per_kwh


def payout_cents(balance_nanos: int) -> tuple[int, int]:
    """Whole cents to pay out of a balance, and the nanos to carry: 0 <= carry < one cent.

    Raises:
        ValueError: For a negative balance: a debt is not paid out.
    """
    if balance_nanos < 0:
        raise ValueError(f"a balance of {balance_nanos} nanos cannot be paid out")
    return divmod(balance_nanos, NANOS_PER_CENT)


def split_by_weight(total: int, weights: Sequence[int]) -> list[int]:
    """Parts in proportion to the weights that add up to the total, by largest remainder; ties go to the earlier part.

    Raises:
        ValueError: If the total or a weight is negative, or no weight is positive.
    """
    if total < 0 or not weights or min(weights) < 0 or sum(weights) == 0:
        raise ValueError(f"cannot split {total} by weights {list(weights)!r}")
    whole = sum(weights)
    parts = [total * weight // whole for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda i: (-(total * weights[i] % whole), i))
    for index in by_remainder[: total - sum(parts)]:
        parts[index] += 1
    return parts


def decimal_from_nanos(nanos: int) -> Decimal:
    """The amount in whole currency units, exactly (nine decimals)."""
    return Decimal(nanos).scaleb(-9)


def decimal_from_micros(micros: int) -> Decimal:
    """The price in currency units per kWh, exactly (six decimals)."""
    return Decimal(micros).scaleb(-6)
