"""May an event be called, and what must it become: the decisions alone, without a database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonwatt.demand_response.choices import EventStatus, SignalType, TargetKind
from commonwatt.demand_response.messages import violation_text
from commonwatt.demand_response.plan import (
    EventPlan,
    EventRequest,
    Limits,
    Rule,
    Signal,
    SignalInterval,
    SiteFacts,
    Target,
    Violation,
    decide_event,
    held_span,
    is_open,
    steps_due,
)

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
LIMITS = Limits(notice=timedelta(hours=2), shortest=timedelta(minutes=30), longest=timedelta(hours=4), events_per_day=1, events_per_year=20)
EVERYONE = (Target(kind=TargetKind.EVERYONE),)
REQUEST = EventRequest(starts_at=NOW + timedelta(hours=5), ends_at=NOW + timedelta(hours=7), targets=EVERYONE, reason="Evening peak")
HOME = SiteFacts(
    site_id=7,
    name="Ana's home",
    time_zone="Europe/London",
    has_agreed=True,
    is_busy=False,
    called_that_day=0,
    called_that_year=3,
    meter_intervals_s=(900,),
)


def rules(outcome: EventPlan | tuple[object, ...]) -> list[Rule]:
    """The rules that a decision says are broken."""
    assert not isinstance(outcome, EventPlan)
    return [violation.rule for violation in outcome]


def decide(request: EventRequest = REQUEST, *sites: SiteFacts, not_enrolled: tuple[str, ...] = ()) -> EventPlan | tuple[object, ...]:
    """The decision at noon on 2 March 2026."""
    return decide_event(limits=LIMITS, request=request, sites=sites or (HOME,), not_enrolled=not_enrolled, now=NOW)


def test_a_proper_event_is_planned_with_level_one_for_all_who_agreed() -> None:
    """Without signals the event asks for level 1 throughout; who has not agreed to the newest terms is not called."""
    waiting = replace(HOME, site_id=3, name="Chloe's home", has_agreed=False)
    office = replace(HOME, site_id=2, name="Office")
    plan = decide(REQUEST, HOME, waiting, office)
    assert isinstance(plan, EventPlan)
    assert plan.site_ids == (2, 7)
    assert (plan.starts_at, plan.ends_at) == (REQUEST.starts_at, REQUEST.ends_at)
    assert plan.signals == (Signal(signal_type=SignalType.SIMPLE, intervals=(SignalInterval(start_s=0, length_s=7200, value=1.0),)),)


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        ({"starts_at": NOW, "ends_at": NOW + timedelta(hours=1)}, [Rule.IN_THE_PAST]),
        ({"starts_at": NOW + timedelta(minutes=105), "ends_at": NOW + timedelta(hours=3)}, [Rule.SHORT_NOTICE]),
        ({"ends_at": REQUEST.starts_at}, [Rule.ENDS_BEFORE_START]),
        ({"ends_at": REQUEST.starts_at + timedelta(minutes=15)}, [Rule.TOO_SHORT]),
        ({"ends_at": REQUEST.starts_at + timedelta(minutes=255)}, [Rule.TOO_LONG]),
        ({"starts_at": REQUEST.starts_at + timedelta(minutes=10)}, [Rule.NOT_ALIGNED]),
        ({"ends_at": REQUEST.ends_at + timedelta(seconds=1)}, [Rule.NOT_ALIGNED]),
        ({"targets": ()}, [Rule.NO_TARGETS]),
        ({"target_kw": 0.0}, [Rule.TARGET_NOT_POSITIVE]),
        ({"target_kw": float("nan")}, [Rule.TARGET_NOT_POSITIVE]),
        ({"reason": "x" * 201}, [Rule.REASON_TOO_LONG]),
    ],
)
def test_each_broken_rule_of_a_request_is_named(change: dict[str, object], broken: list[Rule]) -> None:
    """An operator is told exactly what is wrong with the request, and nothing else."""
    assert rules(decide(replace(REQUEST, **change))) == broken  # type: ignore[arg-type]  # fields of many types


def test_notice_is_kept_to_the_second() -> None:
    """With two hours of notice promised, an event in exactly two hours may be called, and a second earlier it may not."""
    limits = replace(LIMITS, notice=REQUEST.starts_at - NOW)
    for late, is_planned in ((timedelta(0), True), (timedelta(seconds=1), False)):
        outcome = decide_event(limits=limits, request=REQUEST, sites=(HOME,), now=NOW + late)
        assert isinstance(outcome, EventPlan) == is_planned


@pytest.mark.parametrize(
    ("change", "broken"),
    [
        ({"is_busy": True}, Rule.OVERLAP),
        ({"called_that_day": 1}, Rule.TOO_OFTEN_A_DAY),
        ({"called_that_year": 20}, Rule.TOO_OFTEN_A_YEAR),
        ({"has_agreed": False}, Rule.NOBODY_TO_CALL),
    ],
)
def test_what_stands_in_a_sites_way_is_named(change: dict[str, object], broken: Rule) -> None:
    """One site that may not be called stops the event, and its name is said."""
    outcome = decide(REQUEST, replace(HOME, **change))  # type: ignore[arg-type]  # fields of many types
    assert rules(outcome) == [broken]
    if broken is not Rule.NOBODY_TO_CALL:
        assert not isinstance(outcome, EventPlan)
        assert outcome[0].facts["names"] == ("Ana's home",)


def test_a_site_named_by_itself_must_be_enrolled_and_have_agreed() -> None:
    """Who is chosen one by one is never left out silently."""
    request = replace(REQUEST, targets=(Target(kind=TargetKind.SITE, id=7),))
    assert rules(decide(request, replace(HOME, has_agreed=False))) == [Rule.NOT_AGREED]
    assert rules(decide_event(limits=LIMITS, request=request, sites=(), not_enrolled=("Chloe's home",), now=NOW)) == [Rule.NOT_ENROLLED]


def test_alignment_is_asked_of_the_local_clock() -> None:
    """Half past eleven in UTC is five o'clock in India: a whole hour there, and not one in London."""
    request = replace(REQUEST, starts_at=datetime(2026, 3, 3, 11, 30, tzinfo=UTC), ends_at=datetime(2026, 3, 3, 13, 30, tzinfo=UTC))
    hourly = replace(HOME, meter_intervals_s=(3600,))
    assert isinstance(decide(request, replace(hourly, time_zone="Asia/Kolkata")), EventPlan)
    assert rules(decide(request, hourly)) == [Rule.NOT_ALIGNED, Rule.NOT_ALIGNED]


@pytest.mark.parametrize(
    "intervals",
    [
        [(0, 3600), (3600, 1800)],
        [(0, 3600), (4000, 3200)],
        [(100, 7100)],
        [(0, 7200), (7200, 0)],
        [],
    ],
)
def test_signals_fill_the_event_without_gaps(intervals: list[tuple[int, int]]) -> None:
    """A signal that starts late, ends early or leaves a hole is refused; given twice, too."""
    parts = tuple(SignalInterval(start_s=start, length_s=length, value=1.0) for start, length in intervals)
    signal = Signal(signal_type=SignalType.ELECTRICITY_PRICE, intervals=parts)
    assert rules(decide(replace(REQUEST, signals=(signal,)))) == [Rule.SIGNAL_WITH_GAPS]
    whole = replace(signal, intervals=(SignalInterval(start_s=0, length_s=7200, value=0.31),))
    assert isinstance(decide(replace(REQUEST, signals=(whole,))), EventPlan)
    assert rules(decide(replace(REQUEST, signals=(whole, whole)))) == [Rule.SIGNAL_TWICE]


def test_violations_are_told_in_words() -> None:
    """An operator reads what is wrong and what to do, times on the program's clock."""
    summer = datetime(2026, 7, 1, 12, 0, tzinfo=UTC)
    request = replace(REQUEST, starts_at=summer + timedelta(hours=1), ends_at=summer + timedelta(hours=3))
    busy = tuple(replace(HOME, site_id=number, name=f"Home {number}", is_busy=True) for number in range(1, 6))
    outcome = decide_event(limits=LIMITS, request=request, sites=busy, now=summer)
    assert not isinstance(outcome, EventPlan)
    assert [violation_text(violation, time_zone="Europe/London") for violation in outcome] == [
        "The program promises 120 minutes of notice. The event can start on Wednesday, 1 July 2026 at 15:00 or later.",
        "5 sites are already called by another event at that time: Home 1, Home 2, Home 3 and 2 others.",
    ]


def test_every_rule_has_words() -> None:
    """No refusal leaves an operator without a sentence."""
    facts = {"minutes": 15, "earliest_at": NOW, "names": ("A", "B"), "count": 2, "limit": 1, "signal": "SIMPLE", "characters": 200}
    for rule in Rule:
        text = violation_text(Violation(rule=rule, field="starts_at", facts=facts), time_zone="UTC")
        assert text.endswith(".")
        assert "%(" not in text


moments = st.datetimes(min_value=datetime(2026, 1, 1), max_value=datetime(2027, 1, 1)).map(lambda at: at.replace(tzinfo=UTC))  # noqa: DTZ001


@given(start=moments, minutes=st.integers(1, 1380), looks=st.lists(moments, max_size=6))
def test_however_often_one_looks_the_event_ends_up_where_the_clock_says(start: datetime, minutes: int, looks: list[datetime]) -> None:
    """Looking often, late or twice makes no difference: an event is under way from its start, and over from its end."""
    end = start + timedelta(minutes=minutes)
    status, passed = EventStatus.UPCOMING, []
    for now in sorted(looks):
        for step in steps_due(status=status, starts_at=start, ends_at=end, now=now):
            status = step
            passed.append(step)
        expected = EventStatus.UPCOMING if now < start else EventStatus.ACTIVE if now < end else EventStatus.COMPLETED
        assert status is expected
        assert steps_due(status=status, starts_at=start, ends_at=end, now=now) == ()
    assert passed == [EventStatus.ACTIVE, EventStatus.COMPLETED][: len(passed)]


@given(start=moments, minutes=st.integers(1, 1380), at=moments)
def test_a_cancelled_event_never_moves_and_holds_its_sites_no_longer(start: datetime, minutes: int, at: datetime) -> None:
    """Cancelled before the start it holds nobody; cancelled half-way it held them until then."""
    end = start + timedelta(minutes=minutes)
    assert steps_due(status=EventStatus.CANCELLED, starts_at=start, ends_at=end, now=at) == ()
    assert not is_open(status=EventStatus.CANCELLED, ends_at=end, now=at)
    assert is_open(status=EventStatus.UPCOMING, ends_at=end, now=at) == (at < end)
    held_from, held_until = held_span(starts_at=start, ends_at=end, cancelled_at=at)
    assert held_from == start <= held_until <= end
    assert (held_until == start) == (at <= start)
    assert held_span(starts_at=start, ends_at=end, cancelled_at=None) == (start, end)


site_facts = st.builds(
    SiteFacts,
    site_id=st.integers(1, 50),
    name=st.just("Home"),
    time_zone=st.sampled_from(["Europe/London", "America/New_York", "Asia/Kolkata"]),
    has_agreed=st.booleans(),
    is_busy=st.booleans(),
    called_that_day=st.integers(0, 2),
    called_that_year=st.integers(18, 21),
    meter_intervals_s=st.sampled_from([(), (900,), (1800, 3600)]),
)


@given(
    sites=st.lists(site_facts, max_size=6, unique_by=lambda site: site.site_id), delay=st.integers(-60, 600), length=st.integers(-10, 300)
)
def test_a_plan_keeps_every_promise_made_to_participants(sites: list[SiteFacts], delay: int, length: int) -> None:
    """Whatever is asked: if it is planned, then with notice, within the lengths, and nobody is called too often, twice or unasked."""
    start = NOW + timedelta(minutes=delay)
    request = replace(REQUEST, starts_at=start, ends_at=start + timedelta(minutes=length))
    outcome = decide_event(limits=LIMITS, request=request, sites=sites, now=NOW)
    called = [site for site in sites if site.has_agreed]
    may = (
        start >= NOW + LIMITS.notice
        and LIMITS.shortest <= request.ends_at - start <= LIMITS.longest
        and bool(called)
        and not any(site.is_busy or site.called_that_day >= 1 or site.called_that_year >= 20 for site in called)
        and all(_on_local_grid(at, site) for at in (start, request.ends_at) for site in called)
    )
    assert isinstance(outcome, EventPlan) == may
    if isinstance(outcome, EventPlan):
        assert list(outcome.site_ids) == sorted(site.site_id for site in called)


def _on_local_grid(at: datetime, site: SiteFacts) -> bool:
    local = at.astimezone(ZoneInfo(site.time_zone))
    return all((local.hour * 60 + local.minute) * 60 % step == 0 for step in site.meter_intervals_s)
