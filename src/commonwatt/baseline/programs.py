"""The rules that ship: rulebooks as dated parameter sets, each with its source and how sure we are of it.

Certainty: "read" in the rule text or in working code; "secondary" in a description of it; "general" knowledge of a
public rulebook, to be checked against the current manual before a claim of compliance.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

import msgspec

from commonwatt.baseline.rules import (
    AdditiveAdjustment,
    Adjustment,
    AllDays,
    BaselineRule,
    DayKind,
    DayPool,
    DayScheme,
    Exclusions,
    HighestDays,
    HolidayCalendar,
    NoAdjustment,
    RankBy,
    RatioAdjustment,
    Selection,
    WhenShort,
    WhenUnknown,
)

_VERSION = date(2026, 11, 21)

_WEEKDAYS_AND_THE_REST = DayScheme(
    weekdays=(
        DayKind.WEEKDAY,
        DayKind.WEEKDAY,
        DayKind.WEEKDAY,
        DayKind.WEEKDAY,
        DayKind.WEEKDAY,
        DayKind.WEEKEND_OR_HOLIDAY,
        DayKind.WEEKEND_OR_HOLIDAY,
    ),
    holiday=DayKind.WEEKEND_OR_HOLIDAY,
    calendar=HolidayCalendar.PROGRAM,
)
_PJM_DAYS = DayScheme(
    weekdays=(
        DayKind.WEEKDAY,
        DayKind.WEEKDAY,
        DayKind.WEEKDAY,
        DayKind.WEEKDAY,
        DayKind.WEEKDAY,
        DayKind.SATURDAY,
        DayKind.SUNDAY_OR_HOLIDAY,
    ),
    holiday=DayKind.SUNDAY_OR_HOLIDAY,
    calendar=HolidayCalendar.NERC,
)


def _pool(kind: DayKind, *, size: int, minimum: int, select: Selection, low_usage_share: float | None = None) -> DayPool:
    return DayPool(
        kind=kind,
        look_back_days=45,
        first_day_offset=1,
        size=size,
        minimum=minimum,
        when_short=WhenShort.READMIT_EVENT_DAYS,
        rank_by=RankBy.EVENT_WINDOW,
        select=select,
        exclude=Exclusions(event_days=True, holidays=False, clock_change_days=True, low_usage_share=low_usage_share),
    )


_TEN_OF_TEN = BaselineRule(
    key="10-of-10",
    version=_VERSION,
    title="Mean of the 10 latest like days",
    source=(
        "CAISO day matching 10-in-10: look-back 45 days, event and outage days out (secondary); at least 5 weekdays; "
        "4 of 4 weekend days or holidays; below the minimum event days of highest load come back (general). "
        "Clock-change days are left out, as the GB rule P376 does (secondary)."
    ),
    day_scheme=_WEEKDAYS_AND_THE_REST,
    pools=(
        _pool(DayKind.WEEKDAY, size=10, minimum=5, select=AllDays()),
        _pool(DayKind.WEEKEND_OR_HOLIDAY, size=4, minimum=4, select=AllDays()),
    ),
    adjustment=NoAdjustment(),
    floor_at_zero=True,
)

_HIGH_FIVE_OF_TEN = BaselineRule(
    key="high-5-of-10",
    version=_VERSION,
    title="Mean of the 5 highest of the 10 latest like days",
    source=(
        "The common core of CAISO's residential 5-in-10 and NYISO's weekday rule: the 5 days of highest load in the "
        "event's hours among 10; weekends and holidays 2 of 3, as NYISO (general). Without NYISO's start two days "
        "before the event and without its low-usage test. High days pay for chance: homes are over-paid."
    ),
    day_scheme=_WEEKDAYS_AND_THE_REST,
    pools=(
        _pool(DayKind.WEEKDAY, size=10, minimum=5, select=HighestDays(days=5)),
        _pool(DayKind.WEEKEND_OR_HOLIDAY, size=3, minimum=3, select=HighestDays(days=2)),
    ),
    adjustment=NoAdjustment(),
    floor_at_zero=True,
)

_PJM = BaselineRule(
    key="pjm-high-4-of-5",
    version=_VERSION,
    title="PJM: mean of the 4 highest of the 5 latest like days",
    source=(
        "PJM economic customer baseline, 3 day types: 4 highest of 5 weekdays within 45 days, 2 highest of 3 Saturdays, "
        "2 highest of 3 Sundays or NERC holidays (secondary, general); event days out, and days whose mean in the "
        "event's hours is below 25 % of the pool's (secondary); at least 4 weekdays or 2 of the others, else event days of "
        "highest load come back (general). PJM itself uses it with the symmetric additive adjustment."
    ),
    day_scheme=_PJM_DAYS,
    pools=(
        _pool(DayKind.WEEKDAY, size=5, minimum=4, select=HighestDays(days=4), low_usage_share=0.25),
        _pool(DayKind.SATURDAY, size=3, minimum=2, select=HighestDays(days=2), low_usage_share=0.25),
        _pool(DayKind.SUNDAY_OR_HOLIDAY, size=3, minimum=2, select=HighestDays(days=2), low_usage_share=0.25),
    ),
    adjustment=NoAdjustment(),
    floor_at_zero=True,
)

# Three hours, ending one hour before the event: PJM's hours, and those of CAISO's older rule (secondary).
_RATIO_20 = RatioAdjustment(
    window_start_minutes=240,
    window_end_minutes=60,
    when_unknown=WhenUnknown.UNADJUSTED,
    ratio_min=0.8,
    ratio_max=1.2,
)
_ADDITIVE = AdditiveAdjustment(
    window_start_minutes=240,
    window_end_minutes=60,
    when_unknown=WhenUnknown.UNADJUSTED,
    offset_max_kw=None,
    offset_max_share=None,
    upward_only=False,
)


def _variant(rule: BaselineRule, suffix: str, words: str, adjustment: Adjustment) -> BaselineRule:
    return msgspec.structs.replace(rule, key=rule.key + suffix, title=f"{rule.title}, {words}", adjustment=adjustment)


def _all_rules() -> dict[str, BaselineRule]:
    rules: dict[str, BaselineRule] = {}
    for rule in (_TEN_OF_TEN, _HIGH_FIVE_OF_TEN, _PJM):
        for variant in (
            rule,
            _variant(rule, "+ratio20", "adjusted by up to 20 % to the hours before the event", _RATIO_20),
            _variant(rule, "+additive", "moved to the load before the event", _ADDITIVE),
        ):
            rules[variant.key] = variant
    return rules


RULES: Mapping[str, BaselineRule] = MappingProxyType(_all_rules())
"""The shipped rules by key: "10-of-10", "high-5-of-10", "pjm-high-4-of-5", each also "+ratio20" and "+additive"."""
