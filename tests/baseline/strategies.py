"""Random rules and random small fleets."""

from __future__ import annotations

from datetime import date, timedelta

import hypothesis.extra.numpy as hnp
import numpy as np
from hypothesis import strategies as st
from tests.baseline.cases import EVERY_DAY

from commonwatt.baseline.engine import EventDay, History
from commonwatt.baseline.programs import RULES
from commonwatt.baseline.rules import (
    AdditiveAdjustment,
    AllDays,
    BaselineRule,
    DayKind,
    DayPool,
    Exclusions,
    HighestDays,
    LowestDays,
    MiddleDays,
    NoAdjustment,
    RankBy,
    RatioAdjustment,
    WhenShort,
    WhenUnknown,
)

MISSING = -99  # marks a gap in the random readings


@st.composite
def pools(draw: st.DrawFn, kind: DayKind) -> DayPool:
    """Any pool."""
    look_back = draw(st.integers(1, 25))
    size = draw(st.integers(1, 6))
    ends = [st.builds(MiddleDays, dropped_each_end=st.integers(1, (size - 1) // 2))] if size > 2 else []
    return DayPool(
        kind=kind,
        look_back_days=look_back,
        first_day_offset=draw(st.integers(1, min(look_back, 3))),
        size=size,
        minimum=draw(st.integers(1, size)),
        when_short=draw(st.sampled_from(WhenShort)),
        rank_by=draw(st.sampled_from(RankBy)),
        select=draw(
            st.one_of(
                st.just(AllDays()),
                st.builds(HighestDays, days=st.integers(1, size)),
                st.builds(LowestDays, days=st.integers(1, size)),
                *ends,
            )
        ),
        exclude=draw(
            st.builds(
                Exclusions,
                event_days=st.booleans(),
                holidays=st.booleans(),
                clock_change_days=st.booleans(),
                low_usage_share=st.sampled_from([None, 0.25, 0.75]),
            )
        ),
    )


WINDOWS = st.sampled_from([(240, 0), (240, 120), (480, 240), (360, 120), (90, 0)])
LIMITS = st.sampled_from([None, 0.25, 1.5])


@st.composite
def adjustments(draw: st.DrawFn) -> NoAdjustment | RatioAdjustment | AdditiveAdjustment:
    """Any adjustment, over windows that may or may not fit the meter and the day."""
    start, end = draw(WINDOWS)
    unknown = draw(st.sampled_from(WhenUnknown))
    ratio = RatioAdjustment(
        window_start_minutes=start,
        window_end_minutes=end,
        when_unknown=unknown,
        ratio_min=draw(st.sampled_from([None, 0.75, 1.0])),
        ratio_max=draw(st.sampled_from([None, 1.25])),
    )
    additive = AdditiveAdjustment(
        window_start_minutes=start,
        window_end_minutes=end,
        when_unknown=unknown,
        offset_max_kw=draw(st.sampled_from([None, 0.0005])),
        offset_max_share=draw(LIMITS),
        upward_only=draw(st.booleans()),
    )
    return draw(st.sampled_from([NoAdjustment(), ratio, additive]))


@st.composite
def rules(draw: st.DrawFn) -> BaselineRule:
    """Any rule: every day alike, or the kinds of day of a shipped rule."""
    scheme = draw(st.sampled_from([EVERY_DAY, RULES["10-of-10"].day_scheme, RULES["pjm-high-4-of-5"].day_scheme]))
    kinds = draw(st.sets(st.sampled_from(sorted(scheme.kinds)), min_size=1))
    return BaselineRule(
        key="random",
        version=date(2026, 1, 1),
        title="Random",
        source="Random",
        day_scheme=scheme,
        pools=tuple(draw(pools(kind)) for kind in sorted(kinds)),
        adjustment=draw(adjustments()),
        floor_at_zero=draw(st.booleans()),
    )


@st.composite
def fleets(draw: st.DrawFn, most_days: int = 20) -> tuple[History, EventDay]:
    """A few meters with two-hour intervals, small whole watt-hours (so that ties abound), gaps and odd days."""
    meters, days, intervals = draw(st.integers(1, 3)), draw(st.integers(0, most_days)), 12
    amounts = st.one_of(st.integers(0, 4), st.integers(-2, 9), st.sampled_from([MISSING, 0, 5]))
    load = draw(hnp.arrays(np.int64, (meters, days, intervals), elements=amounts))
    today = draw(hnp.arrays(np.int64, (meters, intervals), elements=amounts))
    event_on = date(2026, 6, 15) + timedelta(days=draw(st.integers(0, 6)))
    ages = sorted(draw(st.sets(st.integers(-1, 26), min_size=days, max_size=days)), reverse=True)
    flags = hnp.arrays(np.bool_, days, elements=st.sampled_from([False, False, False, True]))
    first = draw(st.integers(0, intervals - 1))
    history = History(
        load_kwh=np.where(load == MISSING, np.nan, load) / 1000,
        valid=load != MISSING,
        dates=np.array([event_on - timedelta(days=age) for age in ages], dtype="datetime64[D]"),
        holidays=draw(flags),
        irregular_days=draw(flags),
        excluded=draw(hnp.arrays(np.bool_, (meters, days), elements=st.sampled_from([False, False, True]))),
        interval_minutes=1440 // intervals,
    )
    event = EventDay(
        date=event_on,
        first=first,
        last=draw(st.integers(first + 1, intervals)),
        load_kwh=np.where(today == MISSING, np.inf, today) / 1000,
        valid=today != MISSING,
        is_holiday=draw(st.booleans()),
        irregular=draw(st.booleans()),
    )
    return history, event
