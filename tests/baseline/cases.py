"""Small fleets for the baseline tests, and a way to say them in a line or two."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import numpy as np

from commonwatt.baseline.engine import EventDay, History
from commonwatt.baseline.rules import (
    Adjustment,
    AllDays,
    BaselineRule,
    DayKind,
    DayPool,
    DayScheme,
    Exclusions,
    HolidayCalendar,
    NoAdjustment,
    RankBy,
    Selection,
    WhenShort,
)

MONDAY = date(2026, 6, 15)

EVERY_DAY = DayScheme(weekdays=(DayKind.ANY_DAY,) * 7, holiday=None, calendar=HolidayCalendar.PROGRAM)


def pool(
    *,
    kind: DayKind = DayKind.ANY_DAY,
    size: int = 3,
    minimum: int = 1,
    look_back_days: int = 30,
    first_day_offset: int = 1,
    when_short: WhenShort = WhenShort.NO_BASELINE,
    rank_by: RankBy = RankBy.EVENT_WINDOW,
    select: Selection = AllDays(),  # noqa: B008  # frozen
    event_days: bool = True,
    holidays: bool = False,
    clock_change_days: bool = True,
    low_usage_share: float | None = None,
) -> DayPool:
    """A pool with most things left as they are."""
    return DayPool(
        kind=kind,
        look_back_days=look_back_days,
        first_day_offset=first_day_offset,
        size=size,
        minimum=minimum,
        when_short=when_short,
        rank_by=rank_by,
        select=select,
        exclude=Exclusions(event_days=event_days, holidays=holidays, clock_change_days=clock_change_days, low_usage_share=low_usage_share),
    )


def rule(
    *pools: DayPool,
    scheme: DayScheme = EVERY_DAY,
    adjustment: Adjustment = NoAdjustment(),  # noqa: B008  # frozen
    floor_at_zero: bool = True,
) -> BaselineRule:
    """A rule that treats all days alike unless told otherwise."""
    return BaselineRule(
        key="test",
        version=date(2026, 1, 1),
        title="A rule for a test",
        source="This test",
        day_scheme=scheme,
        pools=pools or (pool(),),
        adjustment=adjustment,
        floor_at_zero=floor_at_zero,
    )


def history(
    load_kwh: Sequence[Sequence[Sequence[float]]] | np.ndarray,
    *,
    until: date = MONDAY,
    valid: np.ndarray | None = None,
    holidays: Sequence[date] = (),
    irregular: Sequence[date] = (),
    event_days: Sequence[date] = (),
) -> History:
    """Days that end on the day before `until`, (meters, days, intervals)."""
    load = np.array(load_kwh, dtype=np.float64)
    meters, days, intervals = load.shape
    dates = [until - timedelta(days=days - index) for index in range(days)]
    return History(
        load_kwh=load,
        valid=np.ones(load.shape, dtype=np.bool_) if valid is None else valid,
        dates=np.array(dates, dtype="datetime64[D]"),
        holidays=np.array([day in holidays for day in dates], dtype=np.bool_),
        irregular_days=np.array([day in irregular for day in dates], dtype=np.bool_),
        excluded=np.tile(np.array([day in event_days for day in dates], dtype=np.bool_), (meters, 1)),
        interval_minutes=1440 // intervals,
    )


def event_day(
    load_kwh: Sequence[Sequence[float]] | np.ndarray,
    *,
    first: int,
    last: int,
    on: date = MONDAY,
    valid: np.ndarray | None = None,
    is_holiday: bool = False,
    irregular: bool = False,
) -> EventDay:
    """An event on the day after the history."""
    load = np.array(load_kwh, dtype=np.float64)
    return EventDay(
        date=on,
        first=first,
        last=last,
        load_kwh=load,
        valid=np.ones(load.shape, dtype=np.bool_) if valid is None else valid,
        is_holiday=is_holiday,
        irregular=irregular,
    )
