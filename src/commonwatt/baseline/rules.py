"""Baseline rules as data: what a market's rulebook says, field by field, in frozen objects that are stored as JSON.

One engine runs them all (`commonwatt.baseline.engine`). A rule is stored with every program and every settlement, so
these objects only ever grow: a field added later gets a default that keeps the old meaning, and no field moves.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Annotated, Any, ClassVar, TypeAlias

import msgspec

Days: TypeAlias = Annotated[int, msgspec.Meta(ge=1)]
Minutes: TypeAlias = Annotated[int, msgspec.Meta(ge=0)]
Share: TypeAlias = Annotated[float, msgspec.Meta(gt=0, le=1)]
Positive: TypeAlias = Annotated[float, msgspec.Meta(gt=0)]
NotNegative: TypeAlias = Annotated[float, msgspec.Meta(ge=0)]
Text: TypeAlias = Annotated[str, msgspec.Meta(min_length=1)]


class BaselineRuleError(ValueError):
    """A rule that cannot be one; the message names the field, what it got and what it takes."""


class DayKind(StrEnum):
    """Which days are alike. A scheme says which of these a date is."""

    ANY_DAY = "any_day"
    WEEKDAY = "weekday"
    SATURDAY = "saturday"
    SUNDAY_OR_HOLIDAY = "sunday_or_holiday"
    WEEKEND_OR_HOLIDAY = "weekend_or_holiday"


class HolidayCalendar(StrEnum):
    """Whose public holidays count."""

    PROGRAM = "program"  # those of the program's own country or region
    NERC = "nerc"  # the six of the North American Electric Reliability Corporation


class WhenShort(StrEnum):
    """What happens when fewer days than the minimum are found."""

    NO_BASELINE = "no_baseline"
    SHRINK = "shrink"  # use what there is, from one day on
    EXTEND = "extend"  # look further back, up to the minimum, as far as readings were given
    READMIT_EVENT_DAYS = "readmit_event_days"  # up to the minimum, those of highest load in the event's hours first


class RankBy(StrEnum):
    """What days are compared by."""

    EVENT_WINDOW = "event_window"  # energy in the hours of the event
    WHOLE_DAY = "whole_day"  # energy of the whole local day


class AdjustmentKind(StrEnum):
    """How the event day's own load before the event moves the baseline."""

    NONE = "none"
    RATIO = "ratio"
    ADDITIVE = "additive"


class WhenUnknown(StrEnum):
    """What happens when the adjustment cannot be computed."""

    UNADJUSTED = "unadjusted"  # the unadjusted baseline counts, and the adjustment's status says why
    NO_BASELINE = "no_baseline"


class RulePart(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What all parts of a rule share: frozen, hashable, and strict when read from JSON."""


class DayScheme(RulePart, frozen=True):
    """Which kind each date is: one kind per weekday, Monday first, and one for public holidays."""

    weekdays: tuple[DayKind, DayKind, DayKind, DayKind, DayKind, DayKind, DayKind]
    holiday: DayKind | None  # None: a holiday is an ordinary day of its weekday
    calendar: HolidayCalendar

    @property
    def kinds(self) -> frozenset[DayKind]:
        """All kinds that a date can be."""
        return frozenset(self.weekdays if self.holiday is None else (*self.weekdays, self.holiday))


class AllDays(RulePart, frozen=True, tag_field="pick", tag="all"):
    """The whole pool."""


class HighestDays(RulePart, frozen=True, tag_field="pick", tag="highest"):
    """The days of the pool that rank highest; on a tie the newer day."""

    days: Days


class LowestDays(RulePart, frozen=True, tag_field="pick", tag="lowest"):
    """The days of the pool that rank lowest; on a tie the newer day."""

    days: Days


class MiddleDays(RulePart, frozen=True, tag_field="pick", tag="middle"):
    """The pool without so many of its highest and as many of its lowest days; on a tie the newer day stays."""

    dropped_each_end: Days


Selection: TypeAlias = AllDays | HighestDays | LowestDays | MiddleDays


class Exclusions(RulePart, frozen=True):
    """Which days never enter the pool. Days with a reading missing in the hours that count never do."""

    event_days: bool  # days on which this meter took part in an event, or had an outage
    holidays: bool  # holidays, whatever kind of day the scheme makes them
    clock_change_days: bool  # days of 23 or 25 hours
    low_usage_share: Share | None  # days whose event-hours energy is below this share of the pool's mean


class DayPool(RulePart, frozen=True):
    """How the days are found for events on one kind of day."""

    kind: DayKind
    look_back_days: Days  # calendar days before the event
    first_day_offset: Days  # 1: from the day before the event; 2: from the day before that
    size: Days
    minimum: Days
    when_short: WhenShort
    rank_by: RankBy
    select: Selection
    exclude: Exclusions

    def __post_init__(self) -> None:
        """Refuse a pool that could never be filled."""
        if self.minimum > self.size:
            raise BaselineRuleError(f"minimum must be at most size ({self.size}), got {self.minimum}")
        if self.first_day_offset > self.look_back_days:
            raise BaselineRuleError(f"first_day_offset must be at most look_back_days ({self.look_back_days}), got {self.first_day_offset}")
        match self.select:
            case HighestDays(days=days) | LowestDays(days=days) if days > self.size:
                raise BaselineRuleError(f"select.days must be at most size ({self.size}), got {days}")
            case MiddleDays(dropped_each_end=dropped) if 2 * dropped >= self.size:
                raise BaselineRuleError(f"select.dropped_each_end leaves no day of {self.size}, got {dropped}")
            case _:
                pass


class NoAdjustment(RulePart, frozen=True, tag_field="kind", tag="none"):
    """The mean of the chosen days counts as it is."""

    kind: ClassVar[AdjustmentKind] = AdjustmentKind.NONE
    when_unknown: ClassVar[WhenUnknown] = WhenUnknown.UNADJUSTED


class _Window(RulePart, frozen=True):
    """Hours of the event day before the event: 240 to 60 minutes is three hours, ending one hour before it."""

    window_start_minutes: Minutes
    window_end_minutes: Minutes
    when_unknown: WhenUnknown

    def _check_window(self) -> None:
        if self.window_start_minutes <= self.window_end_minutes:
            raise BaselineRuleError(
                "window_start_minutes counts back from the event's start and must be more than window_end_minutes "
                f"({self.window_end_minutes}), got {self.window_start_minutes}"
            )


class RatioAdjustment(_Window, frozen=True, tag_field="kind", tag="ratio"):
    """Multiply by the window's metered energy over its baseline, within limits. `ratio_min=1` only ever raises."""

    kind: ClassVar[AdjustmentKind] = AdjustmentKind.RATIO
    ratio_min: NotNegative | None
    ratio_max: Positive | None

    def __post_init__(self) -> None:
        """Refuse an empty window and crossed limits."""
        self._check_window()
        if self.ratio_min is not None and self.ratio_max is not None and self.ratio_min > self.ratio_max:
            raise BaselineRuleError(f"ratio_min must be at most ratio_max ({self.ratio_max}), got {self.ratio_min}")


class AdditiveAdjustment(_Window, frozen=True, tag_field="kind", tag="additive"):
    """Add the window's mean metered power minus its baseline, within limits; the tighter of two limits holds."""

    kind: ClassVar[AdjustmentKind] = AdjustmentKind.ADDITIVE
    offset_max_kw: Positive | None
    offset_max_share: Positive | None  # of the unadjusted baseline's mean over the event
    upward_only: bool

    def __post_init__(self) -> None:
        """Refuse an empty window."""
        self._check_window()


Adjustment: TypeAlias = NoAdjustment | RatioAdjustment | AdditiveAdjustment


class BaselineRule(RulePart, frozen=True):
    """One rulebook's way to a baseline, as of one date."""

    key: Text
    version: date  # of this parameter set: it changes whenever a figure here does
    title: Text
    source: Text  # the rulebook, and how sure we are of its reading
    day_scheme: DayScheme
    pools: tuple[DayPool, ...]  # one per kind of day that events may fall on
    adjustment: Adjustment
    floor_at_zero: bool  # False for sites that may export

    def __post_init__(self) -> None:
        """Refuse pools that clash or that no date could ask for."""
        kinds = [pool.kind for pool in self.pools]
        if len(set(kinds)) < len(kinds) or not kinds:
            raise BaselineRuleError(f"pools must hold one pool per kind of day, at least one; got {kinds}")
        if unknown := set(kinds) - self.day_scheme.kinds:
            raise BaselineRuleError(f"pools name kinds that day_scheme never gives: {sorted(unknown)}")

    def pool_for(self, kind: DayKind) -> DayPool | None:
        """The pool for events on this kind of day; None where the rule has none."""
        return next((pool for pool in self.pools if pool.kind == kind), None)


def rule_to_dict(rule: BaselineRule) -> dict[str, Any]:
    """The rule as plain JSON values; `rule_from_dict` gives back an equal rule."""
    # Through JSON itself, so that a rule just made and one read back from a database look the same (lists, no tuples).
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(rule))  # Any: JSON
    return plain


def rule_from_dict(data: Mapping[str, Any]) -> BaselineRule:  # Any: JSON
    """Read a rule from plain JSON values, strictly: no field unknown, none left out.

    Raises:
        BaselineRuleError: The message names the field by its path, as `$.pools[0].size`.
    """
    try:
        return msgspec.convert(dict(data), BaselineRule)
    except msgspec.ValidationError as error:
        raise BaselineRuleError(f"This is not a baseline rule: {error}") from error
