"""The decisions behind the actions: may this event be called, what must it become now, may it still be changed. Pure."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from commonwatt.demand_response.choices import EventStatus, SignalType, TargetKind

REASON_LENGTH = 200
_MINUTE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One aim of an event: everyone enrolled, or the group or site of this id."""

    kind: TargetKind
    id: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SignalInterval:
    """What is asked for during part of an event; `start_s` counts from the event's start."""

    start_s: int
    length_s: int
    value: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """A level, a price or a set point per interval; the intervals fill the event without gaps."""

    signal_type: SignalType
    intervals: tuple[SignalInterval, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRequest:
    """What an operator asks for. Without signals the event asks for level 1 throughout."""

    starts_at: datetime
    ends_at: datetime
    targets: tuple[Target, ...]
    signals: tuple[Signal, ...] = ()
    reason: str = ""
    is_test: bool = False
    target_kw: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a program's terms allow."""

    notice: timedelta
    shortest: timedelta
    longest: timedelta
    events_per_day: int
    events_per_year: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteFacts:
    """An enrolled site that the targets name.

    Attributes:
        name: What people call it, for the words of a refusal.
        has_agreed: Whether it agreed to the terms that the event would be called under.
        is_busy: Whether another event, of any program, holds it at some moment of the requested span.
        called_that_day, called_that_year: Events of this program it is called for on that day and in that year.
        meter_intervals_s: How long the readings of its meters last. [s]
    """

    site_id: int
    name: str
    time_zone: str
    has_agreed: bool
    is_busy: bool
    called_that_day: int
    called_that_year: int
    meter_intervals_s: tuple[int, ...]


class Rule(StrEnum):
    """What an event can break."""

    ENDS_BEFORE_START = "ends_before_start"
    IN_THE_PAST = "in_the_past"
    SHORT_NOTICE = "short_notice"
    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    NOT_ALIGNED = "not_aligned"
    NO_TARGETS = "no_targets"
    NOBODY_TO_CALL = "nobody_to_call"
    NOT_ENROLLED = "not_enrolled"
    NOT_AGREED = "not_agreed"
    OVERLAP = "overlap"
    TOO_OFTEN_A_DAY = "too_often_a_day"
    TOO_OFTEN_A_YEAR = "too_often_a_year"
    SIGNAL_WITH_GAPS = "signal_with_gaps"
    SIGNAL_TWICE = "signal_twice"
    TARGET_NOT_POSITIVE = "target_not_positive"
    REASON_TOO_LONG = "reason_too_long"


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """A rule that is broken, the field it belongs to, and the facts; `messages.violation_text` puts it into words."""

    rule: Rule
    field: str
    facts: Mapping[str, object] = dataclasses.field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPlan:
    """An event that may be called: when, asking what, of whom (ascending site ids)."""

    starts_at: datetime
    ends_at: datetime
    signals: tuple[Signal, ...]
    site_ids: tuple[int, ...]


def decide_event(
    *,
    limits: Limits,
    request: EventRequest,
    sites: Sequence[SiteFacts],
    not_enrolled: Sequence[str] = (),
    now: datetime,
) -> EventPlan | tuple[Violation, ...]:
    """The plan of an event, or every rule that it breaks.

    Args:
        sites: The enrolled sites that the targets name, each once. Those that have not agreed to the newest terms are not called.
        not_enrolled: Names of sites that were named one by one and are not enrolled.
    """
    called = [site for site in sites if site.has_agreed]
    violations = [
        *_span_violations(limits, request, now),
        *_request_violations(request),
        *_target_violations(request, sites, called, not_enrolled),
        *_site_violations(limits, request, called),
    ]
    if violations:
        return tuple(violations)
    return EventPlan(
        starts_at=request.starts_at,
        ends_at=request.ends_at,
        signals=request.signals or (whole_event_level(request, 1),),
        site_ids=tuple(sorted(site.site_id for site in called)),
    )


def whole_event_level(request: EventRequest, level: int) -> Signal:
    """The plain signal: one level from start to end."""
    length_s = int((request.ends_at - request.starts_at).total_seconds())
    whole = SignalInterval(start_s=0, length_s=length_s, value=float(level))
    return Signal(signal_type=SignalType.SIMPLE, intervals=(whole,))


def steps_due(*, status: EventStatus, starts_at: datetime, ends_at: datetime, now: datetime) -> tuple[EventStatus, ...]:
    """The states an event must pass through by now, in order; empty when it is where it should be.

    The start belongs to the event and the end does not: at `starts_at` it is under way, at `ends_at` it is over.
    """
    steps = []
    if status is EventStatus.UPCOMING and starts_at <= now:
        steps.append(EventStatus.ACTIVE)
    if (status is EventStatus.ACTIVE or steps) and ends_at <= now:
        steps.append(EventStatus.COMPLETED)
    return tuple(steps)


def is_open(*, status: EventStatus, ends_at: datetime, now: datetime) -> bool:
    """Whether it can still be cancelled or answered: not cancelled, and not over by the clock, whatever was recorded so far."""
    return status in {EventStatus.UPCOMING, EventStatus.ACTIVE} and now < ends_at


def held_span(*, starts_at: datetime, ends_at: datetime, cancelled_at: datetime | None) -> tuple[datetime, datetime]:
    """From when until when an event holds its sites; an empty span if it was cancelled before its start."""
    until = ends_at if cancelled_at is None else min(max(cancelled_at, starts_at), ends_at)
    return starts_at, until


def _span_violations(limits: Limits, request: EventRequest, now: datetime) -> Iterable[Violation]:
    length = request.ends_at - request.starts_at
    if length <= timedelta(0):
        yield Violation(rule=Rule.ENDS_BEFORE_START, field="ends_at")
    elif length < limits.shortest:
        yield Violation(rule=Rule.TOO_SHORT, field="ends_at", facts={"minutes": limits.shortest // _MINUTE})
    elif length > limits.longest:
        yield Violation(rule=Rule.TOO_LONG, field="ends_at", facts={"minutes": limits.longest // _MINUTE})
    if request.starts_at <= now:
        yield Violation(rule=Rule.IN_THE_PAST, field="starts_at")
    elif request.starts_at < now + limits.notice:
        facts = {"minutes": limits.notice // _MINUTE, "earliest_at": now + limits.notice}
        yield Violation(rule=Rule.SHORT_NOTICE, field="starts_at", facts=facts)


def _request_violations(request: EventRequest) -> Iterable[Violation]:
    if len({signal.signal_type for signal in request.signals}) < len(request.signals):
        yield Violation(rule=Rule.SIGNAL_TWICE, field="signals")
    length_s = (request.ends_at - request.starts_at).total_seconds()
    for signal in request.signals:
        if not _fills(signal.intervals, length_s):
            yield Violation(rule=Rule.SIGNAL_WITH_GAPS, field="signals", facts={"signal": signal.signal_type.value})
    # Not "<= 0": a NaN is not positive either.
    if request.target_kw is not None and not 0 < request.target_kw < float("inf"):
        yield Violation(rule=Rule.TARGET_NOT_POSITIVE, field="target_kw")
    if len(request.reason) > REASON_LENGTH:
        yield Violation(rule=Rule.REASON_TOO_LONG, field="reason", facts={"characters": REASON_LENGTH})


def _fills(intervals: Sequence[SignalInterval], length_s: float) -> bool:
    reached = 0
    for interval in intervals:
        if interval.start_s != reached or interval.length_s <= 0:
            return False
        reached += interval.length_s
    return reached == length_s


def _target_violations(
    request: EventRequest, sites: Sequence[SiteFacts], called: Sequence[SiteFacts], not_enrolled: Sequence[str]
) -> Iterable[Violation]:
    if not request.targets:
        yield Violation(rule=Rule.NO_TARGETS, field="targets")
        return
    if not_enrolled:
        yield Violation(rule=Rule.NOT_ENROLLED, field="targets", facts=_named(not_enrolled))
    one_by_one = {target.id for target in request.targets if target.kind is TargetKind.SITE}
    if waiting := [site.name for site in sites if site.site_id in one_by_one and not site.has_agreed]:
        yield Violation(rule=Rule.NOT_AGREED, field="targets", facts=_named(waiting))
    elif not called and not not_enrolled:
        yield Violation(rule=Rule.NOBODY_TO_CALL, field="targets")


def _site_violations(limits: Limits, request: EventRequest, called: Sequence[SiteFacts]) -> Iterable[Violation]:
    checks: tuple[tuple[Rule, str, Callable[[SiteFacts], bool], int], ...] = (
        (Rule.OVERLAP, "starts_at", lambda site: site.is_busy, 0),
        (Rule.TOO_OFTEN_A_DAY, "starts_at", lambda site: site.called_that_day >= limits.events_per_day, limits.events_per_day),
        (Rule.TOO_OFTEN_A_YEAR, "starts_at", lambda site: site.called_that_year >= limits.events_per_year, limits.events_per_year),
    )
    for rule, field_name, is_broken, limit in checks:
        if broken := [site.name for site in called if is_broken(site)]:
            yield Violation(rule=rule, field=field_name, facts={**_named(broken), "limit": limit})
    for field_name, instant in (("starts_at", request.starts_at), ("ends_at", request.ends_at)):
        if intervals_s := {step for site in called for step in site.meter_intervals_s if not _is_aligned(instant, site.time_zone, step)}:
            yield Violation(rule=Rule.NOT_ALIGNED, field=field_name, facts={"minutes": max(intervals_s) / 60})


def _is_aligned(instant: datetime, time_zone: str, interval_s: int) -> bool:
    """Whether the instant is where an interval starts: intervals are counted from local midnight."""
    local = instant.astimezone(ZoneInfo(time_zone))
    return (local.hour * 3600 + local.minute * 60 + local.second) % interval_s == 0 and local.microsecond == 0


def _named(names: Sequence[str]) -> dict[str, object]:
    return {"names": tuple(sorted(names)), "count": len(names)}
