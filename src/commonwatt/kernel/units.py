"""Watt-hours at rest, kilowatt-hours in the numbers: the only place where one becomes the other."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation

import numpy as np
from numpy.typing import NDArray

WH_PER_KWH = 1000


def kwh_from_wh(energy_wh: NDArray[np.int64]) -> NDArray[np.float64]:
    """Whole watt-hours as float64 kilowatt-hours; same shape. [kWh]"""
    return energy_wh.astype(np.float64) / WH_PER_KWH


def wh_from_kwh(energy_kwh: NDArray[np.float64]) -> NDArray[np.int64]:
    """Kilowatt-hours quantised to whole watt-hours, half to even; same shape. [Wh]

    Raises:
        ValueError: On NaN or infinity, which no integer can say.
    """
    if not np.isfinite(energy_kwh).all():
        raise ValueError("energy to be quantised must be finite; settle gaps before pricing")
    return np.rint(energy_kwh * WH_PER_KWH).astype(np.int64)


def parse_amount(text: str, *, per_unit: int) -> int:
    """A decimal text in a larger unit as whole base units, half to even, e.g. "0.1235" kWh with per_unit=1000 -> 124 Wh.

    Raises:
        ValueError: If the text is not a finite decimal number.
    """
    try:
        value = Decimal(text)
    except InvalidOperation as error:
        raise ValueError(f"{text!r} is not a number") from error
    if not value.is_finite():
        raise ValueError(f"{text!r} is not a finite number")
    return int((value * per_unit).to_integral_value(ROUND_HALF_EVEN))


def mean_power_w(energy_wh: int, length_s: int) -> float:
    """The mean power over an interval. [W]"""
    return energy_wh * 3600 / length_s
