"""How good a baseline is, on windows without an event, where the truth is known.

The error is baseline minus metered, so a positive bias over-pays. All figures are per meter: means over meters would be
ruled by small loads.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from commonwatt.baseline.arrays import BoolArray, FloatArray, IntArray
from commonwatt.baseline.inputs import BaselineInputError
from commonwatt.baseline.selection import readable

PJM_RRMSE_LIMIT = 0.20
"""PJM certifies a baseline whose relative error is at most this over some sixty days (Manual 11, read in secondary text)."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Accuracy:
    """Error measures per meter, (meters,); NaN where nothing was compared, or the metered mean is not above zero.

    Attributes:
        compared: Number of values compared.
        rrmse: Root of the mean squared error, over the mean metered (PJM).
        cvrmse: The same with n - parameters in place of n (ASHRAE Guideline 14); NaN where that leaves nothing.
        nmbe: Sum of errors over sum of metered: the money measure, the share over- or under-paid.
    """

    compared: IntArray
    rrmse: FloatArray
    cvrmse: FloatArray
    nmbe: FloatArray


def accuracy(*, baseline_kwh: FloatArray, metered_kwh: FloatArray, valid: BoolArray, parameters: int = 0) -> Accuracy:
    """Compare baselines with what was metered.

    Args:
        baseline_kwh: (meters, values), any number of windows in a row. [kWh] NaN is not compared.
        metered_kwh: Same shape. [kWh]
        valid: Where there is a reading, same shape.
        parameters: Fitted parameters of the baseline; day matching has none.
    Raises:
        BaselineInputError: If the shapes differ or are not two-dimensional.
    """
    if baseline_kwh.ndim != 2 or not baseline_kwh.shape == metered_kwh.shape == valid.shape:
        shapes = f"{baseline_kwh.shape}, {metered_kwh.shape} and {valid.shape}"
        raise BaselineInputError(f"baseline_kwh, metered_kwh and valid must share one shape (meters, values), got {shapes}")
    known = readable(metered_kwh, valid) & readable(baseline_kwh, valid)
    error = np.subtract(baseline_kwh, metered_kwh, out=np.zeros_like(baseline_kwh), where=known)
    count: IntArray = known.sum(axis=1)
    total: FloatArray = np.where(known, metered_kwh, 0.0).sum(axis=1)
    squares: FloatArray = (error**2).sum(axis=1)
    mean = _ratio(total, count)
    mean[~(mean > 0)] = np.nan
    return Accuracy(
        compared=count,
        rrmse=np.sqrt(_ratio(squares, count)) / mean,
        cvrmse=np.sqrt(_ratio(squares, count - parameters)) / mean,
        nmbe=_ratio(error.sum(axis=1), count) / mean,
    )


def _ratio(numerator: FloatArray, denominator: IntArray) -> FloatArray:
    """NaN where the denominator is not positive."""
    ratio: FloatArray = np.full(numerator.shape, np.nan)
    np.divide(numerator, denominator, out=ratio, where=denominator > 0)
    return ratio
