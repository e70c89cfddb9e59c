"""A baseline rule told to the people whose money depends on it, made from the rule itself."""

from __future__ import annotations

from collections.abc import Iterator

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as later
from django.utils.translation import ngettext

from commonwatt.baseline.rules import (
    AdditiveAdjustment,
    AllDays,
    BaselineRule,
    DayKind,
    DayPool,
    HighestDays,
    LowestDays,
    MiddleDays,
    NoAdjustment,
    RankBy,
    RatioAdjustment,
    WhenShort,
    WhenUnknown,
)
from commonwatt.settlement.words import duration_text, figure

_KINDS: dict[DayKind, Promise] = {
    DayKind.ANY_DAY: later("On any day"),
    DayKind.WEEKDAY: later("On weekdays"),
    DayKind.SATURDAY: later("On Saturdays"),
    DayKind.SUNDAY_OR_HOLIDAY: later("On Sundays and public holidays"),
    DayKind.WEEKEND_OR_HOLIDAY: later("On weekends and public holidays"),
}
_RANKS: dict[RankBy, Promise] = {
    RankBy.EVENT_WINDOW: later("in the hours of the event"),
    RankBy.WHOLE_DAY: later("over the whole day"),
}
_SHORT: dict[WhenShort, Promise] = {
    WhenShort.NO_BASELINE: later("with fewer there is no baseline"),
    WhenShort.SHRINK: later("with fewer, those that there are count"),
    WhenShort.EXTEND: later("with fewer, older days are taken"),
    WhenShort.READMIT_EVENT_DAYS: later("with fewer, days with events of the highest use are taken"),
}


def rule_in_words(rule: BaselineRule) -> tuple[str, ...]:
    """The rule as sentences, one thing each: for every kind of day how days are found, then the adjustment, then the floor."""
    return tuple(_sentences(rule))


def _sentences(rule: BaselineRule) -> Iterator[str]:
    for pool in rule.pools:
        yield _found(pool)
        yield _picked(pool)
    left_out = {pool.kind: ", ".join(_left_out(pool)) for pool in rule.pools}
    if len(set(left_out.values())) == 1:
        yield _("Left out are %(days)s.") % {"days": left_out[rule.pools[0].kind]}
    else:
        for kind, days in left_out.items():
            yield _("%(kind)s, left out are %(days)s.") % {"kind": _KINDS[kind], "days": days}
    yield from _adjusted(rule)
    if rule.floor_at_zero:
        yield _("A baseline below zero counts as zero.")


def _found(pool: DayPool) -> str:
    text = ngettext(
        "%(kind)s, the latest such day is taken, from at most %(reach)s before the event.",
        "%(kind)s, the %(size)d latest such days are taken, from at most %(reach)s before the event.",
        pool.size,
    )
    found = text % {"kind": _KINDS[pool.kind], "size": pool.size, "reach": _days(pool.look_back_days)}
    if pool.minimum == pool.size == 1:
        return found
    at_least = _("At least %(days)s are needed; %(otherwise)s.") % {"days": _days(pool.minimum), "otherwise": _SHORT[pool.when_short]}
    return f"{found} {at_least}"


def _picked(pool: DayPool) -> str:
    rank = _RANKS[pool.rank_by]
    match pool.select:
        case AllDays():
            return _("The baseline is their mean, interval by interval.")
        case HighestDays(days=days):
            text = _("The baseline is the mean of the %(days)s with the highest use %(rank)s.")
            return text % {"days": _days(days), "rank": rank}
        case LowestDays(days=days):
            text = _("The baseline is the mean of the %(days)s with the lowest use %(rank)s.")
            return text % {"days": _days(days), "rank": rank}
        case MiddleDays(dropped_each_end=dropped):
            text = _("The baseline is the mean without the %(days)s with the highest and the %(days)s with the lowest use %(rank)s.")
            return text % {"days": _days(dropped), "rank": rank}


def _left_out(pool: DayPool) -> Iterator[str]:
    if pool.exclude.event_days:
        yield _("days with events")
    if pool.exclude.holidays:
        yield _("public holidays")
    if pool.exclude.clock_change_days:
        yield _("days on which the clocks change")
    if (share := pool.exclude.low_usage_share) is not None:
        yield _("days with less than %(share)s of the usual use in the hours of the event") % {"share": _percent(share)}
    yield _("days with readings missing in the hours that count")


def _adjusted(rule: BaselineRule) -> Iterator[str]:
    adjustment = rule.adjustment
    if isinstance(adjustment, NoAdjustment):
        yield _("The baseline is not adjusted to the day of the event.")
        return
    span = {"first": duration_text(adjustment.window_start_minutes), "last": duration_text(adjustment.window_end_minutes)}
    if adjustment.window_end_minutes:
        hours = _("the time from %(first)s to %(last)s before the event") % span
    else:
        hours = _("the %(first)s before the event") % span
    if isinstance(adjustment, RatioAdjustment):
        text = _("The baseline is then multiplied by how much was used in %(hours)s, compared with the same hours of those days.")
        yield text % {"hours": hours}
        yield from _ratio_limits(adjustment)
    else:
        text = _("What was used in %(hours)s beyond the same hours of those days is then added to the baseline, or taken off it.")
        yield text % {"hours": hours}
        yield from _offset_limits(adjustment)
    if adjustment.when_unknown is WhenUnknown.UNADJUSTED:
        yield _("Where this cannot be computed, the baseline stays as it is.")
    else:
        yield _("Where this cannot be computed, there is no baseline.")


def _ratio_limits(adjustment: RatioAdjustment) -> Iterator[str]:
    low = None if adjustment.ratio_min is None else figure(adjustment.ratio_min, 2)
    high = None if adjustment.ratio_max is None else figure(adjustment.ratio_max, 2)
    if low is not None and high is not None:
        yield _("The factor is held between %(low)s and %(high)s.") % {"low": low, "high": high}
    elif low is not None:
        yield _("The factor is at least %(low)s.") % {"low": low}
    elif high is not None:
        yield _("The factor is at most %(high)s.") % {"high": high}


def _offset_limits(adjustment: AdditiveAdjustment) -> Iterator[str]:
    if adjustment.upward_only:
        yield _("It only ever raises the baseline.")
    if adjustment.offset_max_kw is not None:
        yield _("It is at most %(power)s\u00a0kW.") % {"power": figure(adjustment.offset_max_kw, 2)}
    if adjustment.offset_max_share is not None:
        yield _("It is at most %(share)s of the baseline.") % {"share": _percent(adjustment.offset_max_share)}


def _days(count: int) -> str:
    return ngettext("%(count)d day", "%(count)d days", count) % {"count": count}


def _percent(share: float) -> str:
    return f"{figure(share * 100, 0)}\u00a0%"
