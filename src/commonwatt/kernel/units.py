"""Watt-hours at rest, kilowatt-hours in the numbers: the only place where one becomes the other."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

WH_PER_KWH = 1000

_EXACT_FLOAT = 2.0**53  # beyond it float64 no longer counts single watt-hours
_ROOM_FOR_MILLIONTHS = 2.0**30
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,9})?", re.ASCII)
_LONGEST_NUMBER = 64
_LARGEST_POWER = 18
_TOO_LARGE = 2**63  # for a database's integer


def kwh_from_wh(energy_wh: NDArray[np.int64]) -> NDArray[np.float64]:
    """Whole watt-hours as float64 kilowatt-hours; same shape. [kWh]"""
    return energy_wh.astype(np.float64) / WH_PER_KWH


def wh_from_kwh(energy_kwh: NDArray[np.float64]) -> NDArray[np.int64]:
    """Kilowatt-hours quantised to whole watt-hours, half to even; same shape. [Wh]

    The mean of ten whole watt-hours ends in an exact half once in ten times, and float64 has it a little above or below: what
    differs from a half by less than a millionth of a watt-hour is one, so that whoever computes with fractions gets the same.

    Raises:
        ValueError: On NaN or infinity, which no integer can say, and beyond 2**53 Wh, where float64 skips watt-hours.
    """
    energy_wh = energy_kwh * WH_PER_KWH
    # Larger amounts have no room left for a millionth; numpy would round them twice.
    energy_wh = np.rint(np.where(np.abs(energy_wh) < _ROOM_FOR_MILLIONTHS, np.round(energy_wh, 6), energy_wh))
    if not (np.abs(energy_wh) <= _EXACT_FLOAT).all():  # NaN compares false, so it fails this too
        raise ValueError("energy to be quantised must be finite and below 2**53 Wh; settle gaps before pricing")
    return energy_wh.astype(np.int64)


def parse_amount(text: str, *, per_unit: int) -> int:
    """A decimal text in a larger unit as whole base units, half to even, e.g. "0.1235" kWh with per_unit=1000 -> 124 Wh.

    Exact at any number of decimals: the text is never rounded before the one rounding to base units.

    Raises:
        ValueError: If the text is not a plain decimal number ("12", "-0.5", "1.2e3"), or too large for a database.
    """
    text = text.strip()
    if len(text) > _LONGEST_NUMBER or not _NUMBER.fullmatch(text):
        raise ValueError(f"{text[:_LONGEST_NUMBER]!r} is not a number; write it like 1234.5")
    value = Decimal(text)
    # Before Fraction would write out a power of ten with a billion digits.
    if not value or value.adjusted() < -2 * _LARGEST_POWER:
        return 0
    amount = round(Fraction(value) * per_unit) if value.adjusted() <= _LARGEST_POWER else _TOO_LARGE
    if abs(amount) >= _TOO_LARGE:
        raise ValueError(f"{text!r} is too large")
    return amount


def mean_power_w(energy_wh: int, length_s: int) -> float:
    """The mean power over an interval. [W]"""
    return energy_wh * 3600 / length_s
