"""A second way to the same baseline: one meter, plain Python, dates and exact fractions, no arrays.

Written from the rulebook's words and not from the engine, so that the two can only agree by being right (or by sharing
a misunderstanding of the words, which the hand-computed examples are for).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction

from commonwatt.baseline.rules import (
    AdditiveAdjustment,
    AllDays,
    BaselineRule,
    DayPool,
    HighestDays,
    LowestDays,
    MiddleDays,
    RankBy,
    RatioAdjustment,
    WhenShort,
    WhenUnknown,
)


@dataclass
class PastDay:
    """One day of one meter; None where a reading is missing."""

    date: date
    load_wh: list[int | None]
    is_holiday: bool = False
    is_irregular: bool = False
    is_event_day: bool = False


@dataclass
class Call:
    """The event day of one meter."""

    date: date
    first: int
    last: int
    load_wh: list[int | None]
    is_holiday: bool = False


@dataclass
class Answer:
    """What the naive way found; energies in Wh."""

    verdict: str
    status: dict[date, str]
    found: int = 0
    notes: set[str] = field(default_factory=set)
    factor: Fraction | None = None
    raw: Fraction | None = None
    adjustment: str = "NO_DAYS"
    mean: list[Fraction | None] = field(default_factory=list)
    baseline: list[Fraction | None] = field(default_factory=list)


def kind_of(rule: BaselineRule, day: date, is_holiday: bool) -> str:
    """The kind of a date."""
    scheme = rule.day_scheme
    if is_holiday and scheme.holiday is not None:
        return scheme.holiday
    return scheme.weekdays[day.weekday()]


def why_not(rule: BaselineRule, pool: DayPool, day: PastDay, call: Call, hours: list[int]) -> str | None:
    """Why a day is not eligible, apart from low usage; None if it is."""
    age = (call.date - day.date).days
    if age <= 0:
        return "AFTER_EVENT"
    if age < pool.first_day_offset:
        return "TOO_RECENT"
    if age > pool.look_back_days and pool.when_short is not WhenShort.EXTEND:
        return "TOO_OLD"
    alike, alike_if_no_holiday = (kind_of(rule, day.date, flag) == pool.kind for flag in (day.is_holiday, False))
    if day.is_holiday and ((alike_if_no_holiday and not alike) or (alike and pool.exclude.holidays)):
        return "HOLIDAY"
    if not alike:
        return "OTHER_DAY_KIND"
    if day.is_irregular and pool.exclude.clock_change_days:
        return "CLOCK_CHANGE"
    if day.is_event_day and pool.exclude.event_days:
        return "EVENT_DAY"
    if any(day.load_wh[i] is None for i in hours):
        return "INCOMPLETE"
    return None


def energy(day: PastDay, intervals: range) -> int:
    """Energy of a complete span."""
    return sum(day.load_wh[i] or 0 for i in intervals)


def newest(days: list[PastDay], size: int, share: float | None, event: range) -> tuple[list[PastDay], list[PastDay]]:
    """The newest days, without those of low usage, and those."""
    low: list[PastDay] = []
    while True:
        pool = [day for day in days if day not in low][:size]
        if share is None or not pool:
            return pool, low
        mean = Fraction(sum(energy(day, event) for day in pool), len(pool))
        dropped = [day for day in pool if mean > 0 and energy(day, event) < Fraction(share) * mean]
        if not dropped:
            return pool, low
        low += dropped


def pick(pool: DayPool, days: list[PastDay], rank: range) -> list[PastDay]:
    """The selection; `days` newest first."""
    upwards = sorted(days, key=lambda day: (energy(day, rank), -day.date.toordinal()))
    downwards = sorted(days, key=lambda day: (-energy(day, rank), -day.date.toordinal()))
    match pool.select:
        case AllDays():
            return days
        case HighestDays(days=count):
            return downwards[:count]
        case LowestDays(days=count):
            return upwards[:count]
        case MiddleDays(dropped_each_end=count):
            oldest_first_of_ties = sorted(days, key=lambda day: (-energy(day, rank), day.date.toordinal()))
            left = oldest_first_of_ties[count:]
            return sorted(left, key=lambda day: (energy(day, rank), day.date.toordinal()))[count:]


def naive(rule: BaselineRule, history: list[PastDay], call: Call, interval_minutes: int) -> Answer:
    """The baseline of one meter for one event."""
    pool = rule.pool_for(kind_of(rule, call.date, call.is_holiday))  # type: ignore[arg-type]  # a StrEnum's member
    if pool is None:
        return Answer("NO_RULE_FOR_DAY", {day.date: "NOT_LOOKED_AT" for day in history})
    window = adjustment_window(rule, call, interval_minutes)
    intervals = range(len(call.load_wh))
    event = range(call.first, call.last)
    rank = event if pool.rank_by is RankBy.EVENT_WINDOW else intervals
    hours = sorted({*event, *rank, *(window if isinstance(window, range) else ())})

    newest_first = sorted(history, key=lambda day: day.date, reverse=True)
    reasons = {day.date: why_not(rule, pool, day, call, hours) for day in newest_first}
    near = [day for day in newest_first if (call.date - day.date).days <= pool.look_back_days]
    chosen, low = newest([day for day in near if reasons[day.date] is None], pool.size, pool.exclude.low_usage_share, event)
    missing = pool.minimum - len(chosen)
    notes: set[str] = set()
    if missing > 0 and pool.when_short is WhenShort.READMIT_EVENT_DAYS:
        spare = [day for day in near if reasons[day.date] == "EVENT_DAY" and all(day.load_wh[i] is not None for i in hours)]
        spare.sort(key=lambda day: (-energy(day, event), -day.date.toordinal()))
        chosen = sorted(chosen + spare[:missing], key=lambda day: day.date, reverse=True)
        notes = {"EVENT_DAYS_READMITTED"} if spare else notes
    if missing > 0 and pool.when_short is WhenShort.EXTEND:
        every = [day for day in newest_first if reasons[day.date] is None]
        chosen, low = newest(every, pool.minimum, pool.exclude.low_usage_share, event)
        notes = {"LOOK_BACK_EXTENDED"} if any(day not in near for day in chosen) else notes
    used = pick(pool, chosen, rank)
    if len(chosen) < (1 if pool.when_short is WhenShort.SHRINK else pool.minimum):
        used = []

    status: dict[date, str] = {}
    for day in newest_first:
        reason = reasons[day.date]
        if day in used:
            status[day.date] = "SELECTED_EVENT_DAY" if reason == "EVENT_DAY" else "SELECTED"
        elif day in chosen:
            status[day.date] = "NOT_SELECTED" if used else "POOL_TOO_SMALL"
        elif day not in near and reason in (None, "EVENT_DAY", "INCOMPLETE"):
            status[day.date] = "TOO_OLD"
        elif day in low:
            status[day.date] = "LOW_USAGE"
        else:
            status[day.date] = reason or "NOT_NEEDED"
    answer = Answer("OK" if used else "TOO_FEW_DAYS", status, found=len(chosen))
    if used:
        answer.notes = notes | ({"FEWER_DAYS"} if len(chosen) < pool.size else set())
        answer.notes |= odd(used)
        average(rule, answer, used, call, window, interval_minutes)
    return answer


def adjustment_window(rule: BaselineRule, call: Call, interval_minutes: int) -> range | str:
    """The adjustment's intervals, or why there are none."""
    if not isinstance(rule.adjustment, RatioAdjustment | AdditiveAdjustment):
        return "NONE"
    start, end = rule.adjustment.window_start_minutes, rule.adjustment.window_end_minutes
    if start % interval_minutes or end % interval_minutes:
        return "NOT_WHOLE_INTERVALS"
    if call.first * interval_minutes < start:
        return "OUTSIDE_DAY"
    return range(call.first - start // interval_minutes, call.first - end // interval_minutes)


def odd(used: list[PastDay]) -> set[str]:
    """What is odd about the days used."""
    loads = {load for day in used for load in day.load_wh if load is not None}
    notes = {"NEGATIVE"} if min(loads) < 0 else set[str]()
    if len(loads) == 1:
        notes.add("ALL_ZERO" if loads == {0} else "CONSTANT")
    return notes


def average(rule: BaselineRule, answer: Answer, used: list[PastDay], call: Call, window: range | str, minutes: int) -> None:
    """Fill in mean, adjustment and baseline."""
    for i in range(len(call.load_wh)):
        known = [load for day in used if (load := day.load_wh[i]) is not None]
        answer.mean.append(Fraction(sum(known), len(known)) if known else None)
    adjust(rule, answer, call, window, minutes)
    answer.baseline = list(answer.mean)
    lowest = Fraction(0)
    for i in range(call.first, call.last):
        mean = answer.mean[i]
        assert mean is not None
        if answer.factor is not None:
            answer.baseline[i] = mean * answer.factor if isinstance(rule.adjustment, RatioAdjustment) else mean + answer.factor
        lowest = min(lowest, answer.baseline[i] or Fraction(0))
    if rule.floor_at_zero:
        answer.baseline = [None if value is None else max(value, Fraction(0)) for value in answer.baseline]
    is_unknown = answer.raw is None and answer.adjustment != "NONE"
    if is_unknown and rule.adjustment.when_unknown is WhenUnknown.NO_BASELINE:
        answer.verdict = "NO_ADJUSTMENT"
        answer.baseline = [None] * len(answer.mean)
    elif rule.floor_at_zero and lowest < 0:
        answer.notes.add("FLOORED")


def adjust(rule: BaselineRule, answer: Answer, call: Call, window: range | str, minutes: int) -> None:
    """Fill in the adjustment: factor, or Wh per interval."""
    if isinstance(window, str):
        answer.adjustment = window
        return
    metered = [call.load_wh[i] for i in window]
    expected = sum((answer.mean[i] or Fraction(0) for i in window), Fraction(0))
    if any(load is None for load in metered):
        answer.adjustment = "MISSING_READINGS"
        return
    total = sum(load or 0 for load in metered)
    rule_adjustment = rule.adjustment
    low: Fraction | None
    high: Fraction | None
    if isinstance(rule_adjustment, RatioAdjustment):
        if total < 0 or expected < 0:
            answer.adjustment = "NEGATIVE_LOAD"
            return
        if expected == 0:
            answer.adjustment = "ZERO_BASELINE"
            return
        answer.raw = total / expected
        low = None if rule_adjustment.ratio_min is None else Fraction(rule_adjustment.ratio_min)
        high = None if rule_adjustment.ratio_max is None else Fraction(rule_adjustment.ratio_max)
    else:
        assert isinstance(rule_adjustment, AdditiveAdjustment)
        answer.raw = (total - expected) / len(window)
        event = [answer.mean[i] or Fraction(0) for i in range(call.first, call.last)]
        limits: list[Fraction] = []
        if rule_adjustment.offset_max_kw is not None:
            limits.append(Fraction(rule_adjustment.offset_max_kw) * 1000 * minutes / 60)
        if rule_adjustment.offset_max_share is not None:
            limits.append(Fraction(rule_adjustment.offset_max_share) * abs(sum(event, Fraction(0))) / len(event))
        high = min(limits) if limits else None
        low = Fraction(0) if rule_adjustment.upward_only else (-high if high is not None else None)
    answer.factor, answer.adjustment = answer.raw, "APPLIED"
    noise = abs(answer.raw) / 10**9
    if high is not None and answer.raw > high:
        answer.factor, answer.adjustment = high, "CAPPED_HIGH" if answer.raw > high + noise else "APPLIED"
    if low is not None and answer.raw < low:
        answer.factor, answer.adjustment = low, "CAPPED_LOW" if answer.raw < low - noise else "APPLIED"
