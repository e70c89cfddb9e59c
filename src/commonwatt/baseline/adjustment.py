"""The same-day adjustment: the hours before the event say how much the event day differs from the days chosen."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from commonwatt.baseline.arrays import BoolArray, CodeArray, FloatArray, IntArray
from commonwatt.baseline.inputs import EventDay
from commonwatt.baseline.reasons import AdjustmentStatus
from commonwatt.baseline.rules import AdditiveAdjustment, Adjustment, AdjustmentKind, NoAdjustment, RatioAdjustment
from commonwatt.baseline.selection import STEP_KWH, readable

# A factor that exceeds its limit by rounding noise only is not called capped; the figure is the limit either way.
_NOISE = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True)
class SameDay:
    """The adjustment of each meter, all (meters,).

    Attributes:
        metered_kwh: Event day's energy in the window; NaN if any reading of it is missing. [kWh]
        expected_kwh: Unadjusted baseline of the window. [kWh]
        raw: Factor, or offset in kWh per interval, before limits; NaN where it cannot be computed.
        applied: The same after limits; where it cannot be computed 1 for a factor and 0 for an offset.
        status: AdjustmentStatus.
    """

    metered_kwh: FloatArray
    expected_kwh: FloatArray
    raw: FloatArray
    applied: FloatArray
    status: CodeArray

    def apply(self, *, kind: AdjustmentKind, profile_kwh: FloatArray) -> FloatArray:
        """The profile with the adjustment in every interval, (meters, intervals). [kWh]"""
        applied = self.applied[:, np.newaxis]
        return profile_kwh * applied if kind is AdjustmentKind.RATIO else profile_kwh + applied


def window_of(*, adjustment: Adjustment, first: int, interval_minutes: int) -> slice | AdjustmentStatus:
    """The adjustment's intervals for an event that starts at interval `first`, or why there are none."""
    if isinstance(adjustment, NoAdjustment):
        return AdjustmentStatus.NONE
    start, start_rest = divmod(adjustment.window_start_minutes, interval_minutes)
    end, end_rest = divmod(adjustment.window_end_minutes, interval_minutes)
    if start_rest or end_rest:
        return AdjustmentStatus.NOT_WHOLE_INTERVALS
    if start > first:
        return AdjustmentStatus.OUTSIDE_DAY
    return slice(first - start, first - end)


def same_day(
    *,
    adjustment: Adjustment,
    window: slice | AdjustmentStatus,
    event: EventDay,
    unadjusted_kwh: FloatArray,
    has_days: BoolArray,
    interval_minutes: int,
) -> SameDay:
    """Compute the adjustment of every meter.

    Args:
        adjustment: The rule's adjustment.
        window: Its intervals on the event day, or why there are none (see `window_of`).
        event: The event day.
        unadjusted_kwh: Mean of the chosen days, (meters, intervals). [kWh]
        has_days: Where there is one, (meters,).
        interval_minutes: Length of an interval.
    """
    neutral = 1.0 if adjustment.kind is AdjustmentKind.RATIO else 0.0
    if isinstance(adjustment, NoAdjustment) or isinstance(window, AdjustmentStatus):
        reason = window if isinstance(window, AdjustmentStatus) else AdjustmentStatus.NONE
        return _without(np.where(has_days, reason, AdjustmentStatus.NO_DAYS), neutral=neutral)
    load_kwh = event.load_kwh[:, window]
    is_complete: BoolArray = np.logical_and.reduce(readable(load_kwh, event.valid[:, window]), axis=1)
    metered = np.where(is_complete[:, np.newaxis], load_kwh, np.nan).sum(axis=1)
    expected = np.where(has_days, unadjusted_kwh[:, window].sum(axis=1), np.nan)
    problem = np.where(is_complete, AdjustmentStatus.NONE, AdjustmentStatus.MISSING_READINGS)
    if isinstance(adjustment, RatioAdjustment):
        problem[is_complete] = _ratio_problem(metered, expected)[is_complete]
    problem[~has_days] = AdjustmentStatus.NO_DAYS
    known = problem == AdjustmentStatus.NONE
    raw = np.full(metered.shape, np.nan)
    low: FloatArray | float
    high: FloatArray | float
    if isinstance(adjustment, RatioAdjustment):
        np.divide(metered, expected, out=raw, where=known)
        low, high = _ratio_limits(adjustment)
    else:
        raw[known] = (metered[known] - expected[known]) / load_kwh.shape[1]
        low, high = _offset_limits(adjustment, unadjusted_kwh[:, event.window], interval_minutes)
    return SameDay(
        metered_kwh=metered,
        expected_kwh=expected,
        raw=raw,
        applied=np.where(known, np.clip(raw, low, high), neutral),
        status=np.where(known, _cap_status(raw, low, high), problem).astype(np.uint8),
    )


def _without(status: IntArray, *, neutral: float) -> SameDay:
    unknown = np.full(status.shape, np.nan)
    return SameDay(
        metered_kwh=unknown,
        expected_kwh=unknown,
        raw=unknown,
        applied=np.full(status.shape, neutral),
        status=status.astype(np.uint8),
    )


def _ratio_problem(metered: FloatArray, expected: FloatArray) -> IntArray:
    """Energy that flows both ways has no meaningful ratio; nor has anything over nothing."""
    reasons = [
        ((metered < 0) | (expected <= -STEP_KWH), AdjustmentStatus.NEGATIVE_LOAD),
        (expected < STEP_KWH, AdjustmentStatus.ZERO_BASELINE),
    ]
    return np.select([where for where, _ in reasons], [code for _, code in reasons], AdjustmentStatus.NONE)


def _ratio_limits(adjustment: RatioAdjustment) -> tuple[float, float]:
    low, high = adjustment.ratio_min, adjustment.ratio_max
    return 0.0 if low is None else low, np.inf if high is None else high


def _offset_limits(adjustment: AdditiveAdjustment, event_kwh: FloatArray, interval_minutes: int) -> tuple[FloatArray, FloatArray]:
    """The least and the greatest offset, in kWh per interval, (meters,)."""
    limit = np.full(len(event_kwh), np.inf)
    if adjustment.offset_max_kw is not None:
        limit = np.minimum(limit, adjustment.offset_max_kw * interval_minutes / 60)
    if adjustment.offset_max_share is not None:
        # fmin: a meter without a baseline has no share, and no offset either.
        limit = np.fmin(limit, adjustment.offset_max_share * np.abs(event_kwh.mean(axis=1)))
    return np.zeros_like(limit) if adjustment.upward_only else -limit, limit


def _cap_status(raw: FloatArray, low: FloatArray | float, high: FloatArray | float) -> IntArray:
    slack = _NOISE * np.abs(raw)
    reasons = [
        (raw > high + slack, AdjustmentStatus.CAPPED_HIGH),
        (raw < low - slack, AdjustmentStatus.CAPPED_LOW),
    ]
    return np.select([where for where, _ in reasons], [code for _, code in reasons], AdjustmentStatus.APPLIED)
