"""The baseline of one event for many meters: eligible days, pool, selection, mean, adjustment, limits, floor.

Every intermediate is in the result, so that a statement can show, and a stranger recompute, how each figure came about.
Bad data never raises: it has a named reason (`commonwatt.baseline.reasons`). Rounding is left to the settlement.

Order and fields after the day-matching rulebooks of CAISO, PJM, NYISO, ISO-NE, MISO, AEMO, Elia and Elexon (P376).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from commonwatt.baseline.adjustment import same_day, window_of
from commonwatt.baseline.arrays import BoolArray, CodeArray, DateArray, FloatArray, IntArray
from commonwatt.baseline.inputs import BaselineInputError, EventDay, History, check_same_meters
from commonwatt.baseline.reasons import AdjustmentStatus, Note, Verdict
from commonwatt.baseline.rules import BaselineRule, DayPool, RankBy, WhenUnknown
from commonwatt.baseline.selection import ChosenDays, choose_days, day_kind, flag, no_days, readable

__all__ = ["BaselineInputError", "BaselineResult", "EventDay", "History", "compute"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BaselineResult:
    """The baseline of each meter and how it came about. Meters and days in the order given.

    Attributes:
        rule: The rule that was run.
        dates: Dates of the history, (days,).
        day_status: DayStatus of each day, (meters, days).
        ranking_kwh: What days were compared by, NaN where a day was no candidate, (meters, days). [kWh]
        days_found: Days in the pool, (meters,); against the pool's `minimum` it says how many were missing.
        unadjusted_kwh: Mean of the selected days for the whole day, (meters, intervals). [kWh] NaN where none of
            them has a reading, which can happen only outside the hours that count.
        lowest_kwh, highest_kwh: Extremes of the selected days, likewise.
        adjustment_metered_kwh, adjustment_expected_kwh: Event day and unadjusted baseline in the adjustment's
            hours, (meters,). [kWh]
        adjustment_raw: Factor, or offset in kWh per interval, before limits; NaN where there is none, (meters,).
        adjustment: The one applied: after limits, and 1 or 0 where there is none, (meters,).
        adjustment_status: AdjustmentStatus, (meters,).
        adjusted_kwh: Adjusted, floored baseline for the whole day, for drawing, (meters, intervals). [kWh]
        baseline_kwh: The baseline: adjusted in the event's intervals and unadjusted elsewhere, floored,
            (meters, intervals). [kWh] NaN throughout unless the verdict is OK; then never NaN within the event.
        verdict: Verdict, (meters,).
        notes: Bits of Note, (meters,); see `reasons.notes_in`.
    """

    rule: BaselineRule
    dates: DateArray
    day_status: CodeArray
    ranking_kwh: FloatArray
    days_found: IntArray
    unadjusted_kwh: FloatArray
    lowest_kwh: FloatArray
    highest_kwh: FloatArray
    adjustment_metered_kwh: FloatArray
    adjustment_expected_kwh: FloatArray
    adjustment_raw: FloatArray
    adjustment: FloatArray
    adjustment_status: CodeArray
    adjusted_kwh: FloatArray
    baseline_kwh: FloatArray
    verdict: CodeArray
    notes: CodeArray


def compute(rule: BaselineRule, history: History, event: EventDay) -> BaselineResult:
    """Compute the baseline of every meter for one event on one local day.

    Readings of the event day matter in the adjustment's hours only. For an event over midnight the caller lets all days start
    at another hour, so that the event lies on one of them.

    Raises:
        BaselineInputError: If history and event day do not hold the same meters and intervals.
    """
    check_same_meters(history, event)
    kind, minutes = rule.adjustment.kind, history.interval_minutes
    window = window_of(adjustment=rule.adjustment, first=event.first, interval_minutes=minutes)
    pool = rule.pool_for(day_kind(scheme=rule.day_scheme, date=event.date, is_holiday=event.is_holiday))
    chosen = _choose(rule, pool, history, event, window)
    days = _average(history, chosen)
    adjustment = same_day(
        adjustment=rule.adjustment,
        window=window,
        event=event,
        unadjusted_kwh=days.mean_kwh,
        has_days=chosen.is_enough,
        interval_minutes=minutes,
    )
    verdict = _verdict(rule, pool, has_days=chosen.is_enough, adjustment_status=adjustment.status)
    adjusted = adjustment.apply(kind=kind, profile_kwh=days.mean_kwh)
    baseline = days.mean_kwh.copy()
    baseline[:, event.window] = adjusted[:, event.window]
    baseline[verdict != Verdict.OK] = np.nan
    is_below: BoolArray = (np.fmin.reduce(baseline[:, event.window], axis=1) < 0) & rule.floor_at_zero
    clock_change = np.uint8(Note.CLOCK_CHANGE_EVENT if event.irregular else 0)
    floor = 0.0 if rule.floor_at_zero else -np.inf
    return BaselineResult(
        rule=rule,
        dates=history.dates,
        day_status=chosen.status,
        ranking_kwh=chosen.ranking_kwh,
        days_found=chosen.found,
        unadjusted_kwh=days.mean_kwh,
        lowest_kwh=days.lowest_kwh,
        highest_kwh=days.highest_kwh,
        adjustment_metered_kwh=adjustment.metered_kwh,
        adjustment_expected_kwh=adjustment.expected_kwh,
        adjustment_raw=adjustment.raw,
        adjustment=adjustment.applied,
        adjustment_status=adjustment.status,
        adjusted_kwh=np.maximum(adjusted, floor),
        baseline_kwh=np.maximum(baseline, floor),
        verdict=verdict,
        notes=chosen.notes | days.notes | flag(is_below, Note.FLOORED) | clock_change,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Days:
    """The selected days of each meter, interval by interval, (meters, intervals), and what is odd about them."""

    mean_kwh: FloatArray
    lowest_kwh: FloatArray
    highest_kwh: FloatArray
    notes: CodeArray


def _choose(rule: BaselineRule, pool: DayPool | None, history: History, event: EventDay, window: slice | AdjustmentStatus) -> ChosenDays:
    if pool is None:
        return no_days(history)
    hours = [event.window]
    if isinstance(window, slice):
        hours.append(window)
    if pool.rank_by is RankBy.WHOLE_DAY:
        hours = [slice(None)]
    return choose_days(pool=pool, scheme=rule.day_scheme, history=history, event=event, hours=hours)


def _average(history: History, chosen: ChosenDays) -> _Days:
    """Mean and extremes of the selected days. Day by day: the fleet's whole history never exists twice in memory."""
    meters, _, intervals = history.load_kwh.shape
    rows: IntArray = np.arange(meters, dtype=np.int64)
    total, count = np.zeros((meters, intervals)), np.zeros((meters, intervals))
    lowest, highest = np.full((meters, intervals), np.nan), np.full((meters, intervals), np.nan)
    for place in range(chosen.picked.shape[1]):  # newest first
        day = chosen.picked[:, place]
        load = history.load_kwh[rows, day]
        known = readable(load, history.valid[rows, day]) & chosen.in_use[:, place, np.newaxis]
        total += np.where(known, load, 0.0)
        count += known
        load = np.where(known, load, np.nan)
        lowest, highest = np.fmin(lowest, load), np.fmax(highest, load)
    mean = np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
    least, most = np.fmin.reduce(lowest, axis=1), np.fmax.reduce(highest, axis=1)
    return _Days(
        # Rounding could carry the mean of equal figures past them by one bit.
        mean_kwh=np.clip(mean, lowest, highest),
        lowest_kwh=lowest,
        highest_kwh=highest,
        notes=flag((least == 0) & (most == 0), Note.ALL_ZERO)
        | flag((least == most) & (most != 0), Note.CONSTANT)
        | flag(least < 0, Note.NEGATIVE),
    )


def _verdict(rule: BaselineRule, pool: DayPool | None, *, has_days: BoolArray, adjustment_status: CodeArray) -> CodeArray:
    verdict = np.where(has_days, Verdict.OK, Verdict.TOO_FEW_DAYS if pool else Verdict.NO_RULE_FOR_DAY)
    if rule.adjustment.when_unknown is WhenUnknown.NO_BASELINE:
        is_unknown = adjustment_status > AdjustmentStatus.NO_DAYS
        verdict[has_days & is_unknown] = Verdict.NO_ADJUSTMENT
    return verdict.astype(np.uint8)
