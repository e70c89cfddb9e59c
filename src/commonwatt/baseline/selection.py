"""Which past days count, per meter: eligible days, then the pool, then the selection.

Inside, candidate days are held newest first, so that "the newest so many" is a running count and a stable sort keeps the
newer day on a tie.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import numpy as np

from commonwatt.baseline.arrays import BoolArray, CodeArray, FloatArray, IntArray
from commonwatt.baseline.inputs import EventDay, History
from commonwatt.baseline.reasons import DayStatus, Note
from commonwatt.baseline.rules import (
    AllDays,
    DayKind,
    DayPool,
    DayScheme,
    HighestDays,
    LowestDays,
    MiddleDays,
    RankBy,
    Selection,
    WhenShort,
)

# Days are compared in steps of a milliwatt-hour. Meters report whole watt-hours, so equal days stay equal whatever the
# order of summation was, and rounding noise never decides who is paid what.
STEP_KWH = 1e-6
# No meter counts a terawatt-hour in an interval: such a figure is a fault, and counts as no reading, as NaN does.
MOST_KWH = 1e9

_CANDIDATE = 255
_MONDAY_OF_EPOCH = 3  # 1970-01-01 was a Thursday


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenDays:
    """The days behind the baseline.

    Attributes:
        status: DayStatus of every day of the history, (meters, days).
        ranking_kwh: What the days were compared by, NaN where a day was no candidate, (meters, days). [kWh]
        found: Days in the pool, (meters,).
        is_enough: Whether the pool suffices; if not, no day is selected, (meters,).
        picked: Indexes of the selected days, newest first, (meters, most selected); filled up with zeros.
        in_use: Where `picked` holds a day, same shape.
        notes: Bits of Note, (meters,).
    """

    status: CodeArray
    ranking_kwh: FloatArray
    found: IntArray
    is_enough: BoolArray
    picked: IntArray
    in_use: BoolArray
    notes: CodeArray


@dataclass(frozen=True, slots=True, kw_only=True)
class _Candidates:
    """Days that may be alike, newest first: indexes into the history, and facts per meter."""

    index: IntArray  # (candidates,)
    in_reach: BoolArray  # (candidates,), False only where the rule may look further back
    is_complete: BoolArray  # (meters, candidates)
    is_event_day: BoolArray  # (meters, candidates)
    event_steps: FloatArray  # energy in the event's hours, in whole steps, (meters, candidates)
    rank_steps: FloatArray  # what days are ranked by, likewise


def readable(load_kwh: FloatArray, valid: BoolArray) -> BoolArray:
    """Where there is a reading that can be computed with, same shape. False for NaN, infinities and absurd amounts."""
    plausible: BoolArray = np.abs(load_kwh) <= MOST_KWH
    return plausible & valid


def flag(where: BoolArray, note: Note) -> CodeArray:
    """The note's bit wherever it applies, same shape."""
    return np.where(where, note, 0).astype(np.uint8)


def day_kind(*, scheme: DayScheme, date: dt.date, is_holiday: bool) -> DayKind:
    """The kind of one date."""
    return scheme.holiday if is_holiday and scheme.holiday is not None else scheme.weekdays[date.weekday()]


def no_days(history: History) -> ChosenDays:
    """For an event on a kind of day that the rule does not know."""
    meters, days, _ = history.load_kwh.shape
    return ChosenDays(
        status=np.full((meters, days), DayStatus.NOT_LOOKED_AT, dtype=np.uint8),
        ranking_kwh=np.full((meters, days), np.nan),
        found=np.zeros((meters,), dtype=np.int64),
        is_enough=np.zeros((meters,), dtype=np.bool_),
        picked=np.zeros((meters, 0), dtype=np.int64),
        in_use=np.zeros((meters, 0), dtype=np.bool_),
        notes=np.zeros((meters,), dtype=np.uint8),
    )


def choose_days(*, pool: DayPool, scheme: DayScheme, history: History, event: EventDay, hours: list[slice]) -> ChosenDays:
    """Find the days that the rule picks for each meter.

    Args:
        pool: The part of the rule for this kind of event day; `scheme` says which days are of that kind.
        history: Past days.
        event: The event day.
        hours: Intervals in which a day must be complete.
    """
    status = _facts(pool=pool, scheme=scheme, history=history, event=event)
    days = _candidates(pool=pool, status=status, history=history, event=event, hours=hours)
    in_pool, is_low, notes = _fill_pool(pool=pool, days=days)
    found: IntArray = in_pool.sum(axis=1)
    selected = _select(pool.select, in_pool, days.rank_steps)
    least = 1 if pool.when_short is WhenShort.SHRINK else pool.minimum
    is_enough: BoolArray = (found >= least) & selected.any(axis=1)
    selected &= is_enough[:, np.newaxis]
    notes |= flag(is_enough & (found < pool.size), Note.FEWER_DAYS)
    meters = history.load_kwh.shape[0]
    full_status = np.tile(status, (meters, 1))
    full_status[:, days.index] = _reasons(days, in_pool=in_pool, is_low=is_low, is_enough=is_enough, selected=selected)
    ranking_kwh = np.full(full_status.shape, np.nan)
    ranking_kwh[:, days.index] = np.where(days.is_complete, days.rank_steps * STEP_KWH, np.nan)
    picked, in_use = _as_indexes(selected, days.index)
    return ChosenDays(
        status=full_status,
        ranking_kwh=ranking_kwh,
        found=found,
        is_enough=is_enough,
        picked=picked,
        in_use=in_use,
        notes=np.where(is_enough, notes, 0).astype(np.uint8),
    )


def _facts(*, pool: DayPool, scheme: DayScheme, history: History, event: EventDay) -> CodeArray:
    """What rules a date out for every meter, (days,); _CANDIDATE where nothing does. Too-old days that the rule may
    fall back on are candidates.
    """
    dates, holidays = history.dates, history.holidays
    age = (np.datetime64(event.date, "D") - dates).astype(np.int64)
    weekday_alike = np.array([kind is pool.kind for kind in scheme.weekdays])
    by_weekday = weekday_alike[(dates.astype(np.int64) + _MONDAY_OF_EPOCH) % 7]
    is_alike = by_weekday if scheme.holiday is None else np.where(holidays, scheme.holiday is pool.kind, by_weekday)
    # "Holiday" is said of days that would be alike if they were not one; elsewhere the weekday is the plainer reason.
    ruled_out = np.where(is_alike, pool.exclude.holidays, by_weekday)
    may_extend = pool.when_short is WhenShort.EXTEND
    reasons = [
        (age <= 0, DayStatus.AFTER_EVENT),
        (age < pool.first_day_offset, DayStatus.TOO_RECENT),
        ((age > pool.look_back_days) & (not may_extend), DayStatus.TOO_OLD),
        (holidays & ruled_out, DayStatus.HOLIDAY),
        (~is_alike, DayStatus.OTHER_DAY_KIND),
        (history.irregular_days & pool.exclude.clock_change_days, DayStatus.CLOCK_CHANGE),
    ]
    return np.select([where for where, _ in reasons], [code for _, code in reasons], _CANDIDATE).astype(np.uint8)


def _candidates(*, pool: DayPool, status: CodeArray, history: History, event: EventDay, hours: list[slice]) -> _Candidates:
    index = np.flatnonzero(status == _CANDIDATE)[::-1]
    oldest = np.datetime64(event.date, "D") - pool.look_back_days
    is_complete = np.ones((history.load_kwh.shape[0], len(index)), dtype=np.bool_)
    for span in hours:
        is_complete &= readable(history.load_kwh[:, index, span], history.valid[:, index, span]).all(axis=-1)
    ranked = event.window if pool.rank_by is RankBy.EVENT_WINDOW else slice(None)
    return _Candidates(
        index=index,
        in_reach=history.dates[index] >= oldest,
        is_complete=is_complete,
        is_event_day=history.excluded[:, index] & pool.exclude.event_days,
        event_steps=_steps(history.load_kwh[:, index, event.window], is_complete),
        rank_steps=_steps(history.load_kwh[:, index, ranked], is_complete),
    )


def _steps(load_kwh: FloatArray, is_complete: BoolArray) -> FloatArray:
    """Energy per meter and day in whole steps, zero for incomplete days. Exact, so the order of summing is no matter."""
    known = np.where(is_complete[..., np.newaxis], load_kwh, 0.0)
    steps: FloatArray = np.rint(known / STEP_KWH).sum(axis=-1)
    return steps


def _fill_pool(*, pool: DayPool, days: _Candidates) -> tuple[BoolArray, BoolArray, CodeArray]:
    """The pool, the low-usage days dropped on the way, both (meters, candidates), and notes, (meters,)."""
    share = pool.exclude.low_usage_share
    usable = days.is_complete & ~days.is_event_day
    in_pool, is_low = _newest(usable & days.in_reach, days.event_steps, size=pool.size, low_share=share)
    missing = pool.minimum - in_pool.sum(axis=1)
    notes = np.zeros(len(missing), dtype=np.uint8)
    if pool.when_short is WhenShort.READMIT_EVENT_DAYS:
        spare = days.is_complete & days.is_event_day & days.in_reach
        readmitted = _highest(spare, days.event_steps, missing[:, np.newaxis])
        in_pool |= readmitted
        notes |= flag(np.logical_or.reduce(readmitted, axis=1), Note.EVENT_DAYS_READMITTED)
    elif pool.when_short is WhenShort.EXTEND and (missing > 0).any():
        wider, wider_low = _newest(usable, days.event_steps, size=pool.minimum, low_share=share)
        short = missing[:, np.newaxis] > 0
        in_pool, is_low = np.where(short, wider, in_pool), np.where(short, wider_low, is_low)
        notes |= flag(np.logical_or.reduce(in_pool & ~days.in_reach, axis=1), Note.LOOK_BACK_EXTENDED)
    return in_pool, is_low, notes


def _newest(eligible: BoolArray, event_steps: FloatArray, *, size: int, low_share: float | None) -> tuple[BoolArray, BoolArray]:
    """The newest eligible days up to `size`, and the days dropped because their energy is low beside the others'.

    A dropped day is replaced by the next older one and the mean taken anew, until no day of the pool is low. Where the
    mean is zero or negative "low" has no meaning, and nothing is dropped.
    """
    is_low = np.zeros_like(eligible)
    while True:
        left = eligible & ~is_low
        in_pool = left & (np.cumsum(left, axis=1) <= size)
        if low_share is None:
            return in_pool, is_low
        total = np.where(in_pool, event_steps, 0.0).sum(axis=1, keepdims=True)
        count = in_pool.sum(axis=1, keepdims=True)
        low_now = in_pool & (event_steps * count < low_share * total) & (total > 0)
        if not low_now.any():
            return in_pool, is_low
        is_low |= low_now


def _select(selection: Selection, in_pool: BoolArray, rank_steps: FloatArray) -> BoolArray:
    """The days of the pool that the rule averages, (meters, candidates)."""
    match selection:
        case AllDays():
            return in_pool.copy()
        case HighestDays(days=days):
            return _highest(in_pool, rank_steps, days)
        case LowestDays(days=days):
            return _highest(in_pool, -rank_steps, days)
        case MiddleDays(dropped_each_end=count):
            # Looked at oldest first, the older day of a tie is the one that goes.
            kept, steps = in_pool[:, ::-1], rank_steps[:, ::-1]
            kept = kept & ~_highest(kept, steps, count)
            kept = kept & ~_highest(kept, -steps, count)
            return kept[:, ::-1]


def _highest(among: BoolArray, steps: FloatArray, count: int | IntArray) -> BoolArray:
    """The `count` days of highest energy, the earlier column on a tie; `count` may differ by meter, (meters, 1)."""
    order = np.argsort(np.where(among, -steps, np.inf), axis=1, kind="stable")
    place = np.empty_like(order)
    places: IntArray = np.arange(order.shape[1], dtype=np.int64)
    np.put_along_axis(place, order, places[np.newaxis, :], axis=1)
    return among & (place < count)


def _reasons(days: _Candidates, *, in_pool: BoolArray, is_low: BoolArray, is_enough: BoolArray, selected: BoolArray) -> CodeArray:
    reasons = [
        (~days.in_reach & ~in_pool, DayStatus.TOO_OLD),
        (days.is_event_day & ~in_pool, DayStatus.EVENT_DAY),
        (~days.is_complete, DayStatus.INCOMPLETE),
        (is_low, DayStatus.LOW_USAGE),
        (~in_pool, DayStatus.NOT_NEEDED),
        (in_pool & ~is_enough[:, np.newaxis], DayStatus.POOL_TOO_SMALL),
        (selected & days.is_event_day, DayStatus.SELECTED_EVENT_DAY),
        (selected, DayStatus.SELECTED),
    ]
    codes = np.select([where for where, _ in reasons], [code for _, code in reasons], DayStatus.NOT_SELECTED)
    return codes.astype(np.uint8)


def _as_indexes(selected: BoolArray, index: IntArray) -> tuple[IntArray, BoolArray]:
    """The selected days as indexes into the history, newest first, and where there is one; (meters, most selected)."""
    counts = selected.sum(axis=1)
    most = int(counts.max(initial=0))
    in_use = np.arange(most)[np.newaxis, :] < counts[:, np.newaxis]
    order = np.argsort(~selected, axis=1, kind="stable")[:, :most]
    return np.where(in_use, index[order], 0), in_use
