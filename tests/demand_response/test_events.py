"""The life of an event: who is called, who answers, when it begins and ends, and what is told about it."""

from __future__ import annotations

from datetime import timedelta
from typing import ClassVar

import pytest
from django.db import IntegrityError, transaction
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from tests.cast import NOW, Cast
from tests.demand_response.world import BRUSSELS, World, draft, local, make_world

from commonwatt.accounts.access import Forbidden, NotFound, Right
from commonwatt.demand_response import access, actions, notices, queries
from commonwatt.demand_response.choices import Choice, EventStatus, OptSource, TargetKind
from commonwatt.demand_response.models import Participant
from commonwatt.demand_response.plan import Rule
from commonwatt.demand_response.views import EventView
from commonwatt.outbox.queries import entries_after

pytestmark = pytest.mark.django_db
STARTS_AT = local("2026-11-20 17:00")
ENDS_AT = STARTS_AT + timedelta(hours=2)
SECOND = timedelta(seconds=1)


@pytest.fixture
def world(cast: Cast) -> World:
    """Ana's and Chloe's homes have meters and are enrolled; the office has one and is not."""
    world = make_world(cast)
    for site in (cast.home_site, cast.other_site, cast.office):
        world.meter(site, interval_s=900)
    for site in (cast.home_site, cast.other_site):
        world.enrol(site, now=NOW - timedelta(days=1))
    return world


def kinds(event: EventView) -> list[str]:
    """What the change log says of an event."""
    return [entry.kind for entry in entries_after(0, 1000) if entry.subject_id == event.public_id]


def broken(refusal: pytest.ExceptionInfo[actions.EventRefused]) -> list[Rule]:
    """The rules that a refusal names."""
    return [violation.rule for violation in refusal.value.violations]


def test_an_event_calls_everyone_enrolled_a_group_or_a_site(world: World) -> None:
    """Participants are fixed when the event is called; each site is called once, however many targets mean it."""
    cast = world.cast
    everyone = world.call(STARTS_AT, reason="Cold evening", target_kw=1.5)
    assert [row.site_id for row in queries.participants_of(everyone.id)] == [cast.home_site.id, cast.other_site.id]
    assert (everyone.status, everyone.participants, everyone.opted_out, everyone.target_kw) == (EventStatus.UPCOMING, 2, 0, 1.5)
    assert kinds(everyone) == ["event.issued"]
    (signal,) = queries.signals_of(everyone.id)
    assert (signal.signal_type, signal.intervals) == ("SIMPLE", ({"start_s": 0, "length_s": 7200, "value": 1.0},))
    group = actions.create_group(actor=cast.otto, name="East", site_ids=[cast.home_site.id, cast.office.id], now=NOW)
    request = actions.EventRequest(
        starts_at=STARTS_AT + timedelta(days=1),
        ends_at=ENDS_AT + timedelta(days=1),
        targets=(actions.Target(kind=TargetKind.GROUP, id=group.id), actions.Target(kind=TargetKind.SITE, id=cast.home_site.id)),
    )
    both = actions.issue_event(actor=cast.otto, program_id=world.program.id, request=request, now=NOW)
    assert [row.site_id for row in queries.participants_of(both.id)] == [cast.home_site.id]
    assert [(target.kind, target.name) for target in queries.targets_of(both.id)] == [("group", "East"), ("site", "Home")]


def test_what_was_refused_has_left_no_trace(world: World) -> None:
    """A site that is not enrolled, a time that is taken, too many events: no event, no participant, no log entry."""
    cast = world.cast
    first = world.call(STARTS_AT)
    before = entries_after(0, 1000)
    with pytest.raises(actions.EventRefused, match="Main building is not enrolled in the program"):
        world.call(STARTS_AT + timedelta(days=1), sites=[cast.office])
    with pytest.raises(actions.EventRefused) as refusal:
        world.call(ENDS_AT - timedelta(hours=1))
    assert broken(refusal) == [Rule.OVERLAP]
    with pytest.raises(NotFound):
        actions.issue_event(
            actor=cast.ana,
            program_id=world.program.id,
            request=actions.EventRequest(starts_at=STARTS_AT, ends_at=ENDS_AT, targets=(actions.Target(kind=TargetKind.EVERYONE),)),
            now=NOW,
        )
    assert [view.id for view in queries.events_page().items] == [first.id]
    assert entries_after(0, 1000) == before
    assert Participant.objects.count() == 2


def test_events_may_touch_but_not_overlap_and_count_by_local_day_and_year(world: World) -> None:
    """Two a day are allowed: the second may start when the first ends, a third must wait for the next day in Brussels."""
    world.call(STARTS_AT)
    world.call(ENDS_AT)
    with pytest.raises(actions.EventRefused) as refusal:
        world.call(local("2026-11-20 23:00"), 0.5)
    assert broken(refusal) == [Rule.TOO_OFTEN_A_DAY]
    world.call(local("2026-11-21 00:00"), 0.5)
    actions.revise_terms(actor=None, program_id=world.program.id, terms=draft(events_per_year=3, consent_text="New."), now=NOW)
    world.program = queries.program(world.program.id)
    for site in (world.cast.home_site, world.cast.other_site):
        world.enrol(site)
    with pytest.raises(actions.EventRefused) as yearly:
        world.call(local("2026-12-31 22:00"), 0.5)
    assert broken(yearly) == [Rule.TOO_OFTEN_A_YEAR]
    assert world.call(local("2027-01-01 00:00"), 0.5).participants == 2


def test_a_cancelled_event_frees_its_sites_and_does_not_count(world: World) -> None:
    """Called, cancelled in time, called anew at the same hour: three times on one day, with two allowed."""
    cast = world.cast
    for _ in range(2):
        event = world.call(STARTS_AT)
        cancelled = actions.cancel_event(actor=cast.otto, event_id=event.id, reason=" Not needed ", now=NOW + timedelta(hours=2))
        assert (cancelled.status, cancelled.cancel_reason, cancelled.modification_number) == (EventStatus.CANCELLED, "Not needed", 1)
        assert not cancelled.took_place
        assert kinds(event) == ["event.issued", "event.cancelled"]
    again = world.call(STARTS_AT)
    assert again.participants == 2


def test_an_event_begins_and_ends_on_the_second(world: World) -> None:
    """A second before its start it is to come, at its start it runs, at its end it is over; looking twice changes nothing."""
    event = world.call(STARTS_AT)
    assert queries.next_transition_at() == STARTS_AT
    assert actions.advance_events(now=STARTS_AT - SECOND) == []
    assert actions.advance_events(now=STARTS_AT) == [f"activated {event.public_id}"]
    assert actions.advance_events(now=STARTS_AT) == []
    assert queries.next_transition_at() == ENDS_AT
    assert actions.advance_events(now=ENDS_AT - SECOND) == []
    assert queries.event(event.id).status is EventStatus.ACTIVE
    assert actions.advance_events(now=ENDS_AT) == [f"completed {event.public_id}"]
    assert queries.event(event.id).status is EventStatus.COMPLETED
    assert queries.next_transition_at() is None
    assert kinds(event) == ["event.issued", "event.activated", "event.completed"]
    assert [step.kind for step in queries.timeline(event.id)] == ["issued", "activated", "completed"]


def test_after_a_standstill_an_event_passes_through_both_steps(world: World) -> None:
    """A worker that comes back a day later begins and ends what it missed, in order."""
    event = world.call(STARTS_AT)
    assert actions.advance_events(now=ENDS_AT + timedelta(days=1)) == [f"activated {event.public_id}", f"completed {event.public_id}"]


def test_over_is_over(world: World) -> None:
    """By the clock, even where nobody has recorded it yet: an event that has ended can neither be cancelled nor answered."""
    cast = world.cast
    event = world.call(STARTS_AT)
    with pytest.raises(actions.EventIsOver):
        actions.cancel_event(actor=cast.otto, event_id=event.id, reason="Late", now=ENDS_AT)
    with pytest.raises(actions.EventIsOver):
        answer(world, event, Choice.OUT, now=ENDS_AT)
    actions.cancel_event(actor=cast.otto, event_id=event.id, reason="In time", now=ENDS_AT - SECOND)
    with pytest.raises(actions.EventIsOver):
        actions.cancel_event(actor=cast.otto, event_id=event.id, reason="Twice", now=ENDS_AT - SECOND)
    with pytest.raises(actions.EventIsOver):
        answer(world, event, Choice.OUT, now=ENDS_AT - SECOND)
    assert queries.event(event.id).took_place


def test_an_event_is_cancelled_with_a_reason(world: World) -> None:
    """Everyone called is told why: without words, or with too many, nothing happens."""
    event = world.call(STARTS_AT)
    for reason in ("", "   ", "x" * 201):
        with pytest.raises(actions.ReasonMissing):
            actions.cancel_event(actor=world.cast.otto, event_id=event.id, reason=reason, now=NOW)
    assert queries.event(event.id).status is EventStatus.UPCOMING


def answer(world: World, event: EventView, choice: Choice, *, now: object = None, who: str = "ana") -> None:
    """Somebody answers for Ana's home."""
    actions.opt(
        event_id=event.id,
        site_id=world.cast.home_site.id,
        choice=choice,
        source=OptSource.PERSON,
        actor=getattr(world.cast, who),
        now=now or NOW + timedelta(hours=2),  # type: ignore[arg-type]  # a moment
    )


def test_every_answer_is_kept_and_the_newest_stands(world: World) -> None:
    """Ana skips, Bram takes her place in the household and joins again, then skips: three answers, and saying it twice is once."""
    event = world.call(STARTS_AT)
    for who, choice in (("ana", Choice.OUT), ("ana", Choice.OUT), ("bram", Choice.IN), ("ana", Choice.OUT)):
        answer(world, event, choice, who=who)
    assert [(item.choice, item.given_by_name) for item in queries.opts_of(event.id)] == [("out", "Ana"), ("in", "Bram"), ("out", "Ana")]
    assert [row.choice for row in queries.participants_of(event.id)] == ["out", ""]
    assert queries.event(event.id).opted_out == 1
    assert kinds(event) == ["event.issued", *["event.opted"] * 3]
    actions.opt(
        event_id=event.id,
        site_id=world.cast.home_site.id,
        choice=Choice.IN,
        source=OptSource.VEN_3,
        actor=None,
        now=NOW + timedelta(hours=3),
    )
    assert [(item.source, item.given_by_name) for item in queries.opts_of(event.id)][-1] == (OptSource.VEN_3, "")


def test_who_may_see_and_answer_an_event(world: World) -> None:
    """Those whose site was called see it; a stranger does not learn of it; only who acts for the site answers; only the desk changes it."""
    cast = world.cast
    event = world.call(STARTS_AT, sites=[cast.home_site])
    site = cast.home_site.public_id
    for viewer in (cast.ana, cast.bram, cast.otto, cast.pia):
        assert access.access_event(viewer, event.public_id, now=NOW).id == event.id
    for viewer in (cast.chloe, cast.olga, cast.wim):
        with pytest.raises(NotFound):
            access.access_event(viewer, event.public_id, now=NOW)
        with pytest.raises(NotFound):
            access.access_participant(viewer, event.public_id, site, Right.CHANGE, now=NOW)
    with pytest.raises(Forbidden):
        access.access_event(cast.ana, event.public_id, Right.CHANGE, now=NOW)
    assert access.access_event(cast.pia, event.public_id, Right.CHANGE, now=NOW).id == event.id
    with pytest.raises(NotFound):
        answer(world, event, Choice.OUT, who="chloe")
    with pytest.raises(NotFound):
        access.access_participant(cast.otto, event.public_id, cast.other_site.public_id, now=NOW)
    assert kinds(event) == ["event.issued"]


def test_members_of_an_organisation_see_and_its_administrators_answer(world: World) -> None:
    """Milo sees the office's event and may not answer it; Olga may."""
    cast = world.cast
    world.enrol(cast.office)
    event = world.call(STARTS_AT, sites=[cast.office])
    assert access.access_event(cast.milo, event.public_id, now=NOW).id == event.id
    with pytest.raises(Forbidden):
        access.access_participant(cast.milo, event.public_id, cast.office.public_id, Right.CHANGE, now=NOW)
    with pytest.raises(Forbidden):
        actions.opt(event_id=event.id, site_id=cast.office.id, choice=Choice.OUT, source=OptSource.PERSON, actor=cast.milo, now=NOW)
    part = access.access_participant(cast.olga, event.public_id, cast.office.public_id, Right.CHANGE, now=NOW)
    assert (part.site_id, part.customer_id) == (cast.office.id, cast.organisation.id)


def test_closed_programs_and_foreign_groups_and_enrolments_are_not_there(world: World) -> None:
    """What is not theirs to know of, people do not find; what they may see, they may not change."""
    cast = world.cast
    (enrolment,) = queries.enrolments_of(customer_ids=[cast.home.id])
    assert access.access_enrolment(cast.bram, enrolment.public_id, Right.CHANGE, now=NOW).id == enrolment.id
    assert access.access_enrolment(cast.otto, enrolment.public_id, now=NOW).id == enrolment.id
    with pytest.raises(Forbidden):
        access.access_enrolment(cast.otto, enrolment.public_id, Right.CHANGE, now=NOW)
    with pytest.raises(NotFound):
        access.access_enrolment(cast.chloe, enrolment.public_id, now=NOW)
    assert access.access_program(cast.olga, world.program.public_id, now=NOW).id == world.program.id
    actions.edit_program(actor=None, program_id=world.program.id, name="Evening peak", description="", is_open=False, now=NOW)
    for viewer in (cast.ana, cast.otto):
        assert access.access_program(viewer, world.program.public_id, now=NOW).id == world.program.id
    with pytest.raises(NotFound):
        access.access_program(cast.olga, world.program.public_id, now=NOW)
    with pytest.raises(Forbidden):
        access.access_program(cast.ana, world.program.public_id, Right.CHANGE, now=NOW)
    group = actions.create_group(actor=cast.otto, name="East", site_ids=[cast.home_site.id], now=NOW)
    assert access.access_group(cast.pia, group.public_id, Right.CHANGE, now=NOW) == group
    with pytest.raises(NotFound):
        access.access_group(cast.ana, group.public_id, now=NOW)
    for find in (access.access_program, access.access_group, access.access_enrolment, access.access_event):
        with pytest.raises(NotFound):
            find(cast.otto, "no_such_thing", now=NOW)


def test_pages_list_the_events_of_ones_own_sites(world: World) -> None:
    """Ana sees hers, the latest first; the desk sees all; pages hold so many."""
    cast = world.cast
    hers = [world.call(STARTS_AT + timedelta(days=day), sites=[cast.home_site]) for day in range(3)]
    other = world.call(STARTS_AT, sites=[cast.other_site])
    page = queries.events_page(customer_ids=[cast.home.id], page_size=2)
    assert ([view.id for view in page.items], page.pages, page.total) == ([hers[2].id, hers[1].id], 2, 3)
    assert [view.id for view in queries.events_page(customer_ids=[cast.home.id], page=2, page_size=2).items] == [hers[0].id]
    assert queries.events_page(statuses=[EventStatus.COMPLETED]).total == 0
    actions.advance_events(now=STARTS_AT)
    assert {view.id for view in queries.events_page(statuses=[EventStatus.ACTIVE]).items} == {hers[0].id, other.id}
    assert [view.id for view in queries.open_events(customer_ids=[cast.other_home.id])] == [other.id]
    assert queries.people_to_tell(hers[0].id) == sorted([cast.ana.person_id, cast.bram.person_id])


def test_settling_waits_for_readings(world: World) -> None:
    """An hour after the end a completed event may be settled; one cancelled half-way an hour after that; one cancelled before never."""
    whole = world.call(STARTS_AT, sites=[world.cast.home_site])
    half = world.call(STARTS_AT, sites=[world.cast.other_site])
    never = world.call(STARTS_AT + timedelta(days=1))
    actions.cancel_event(actor=None, event_id=half.id, reason="Enough", now=STARTS_AT + timedelta(hours=1))
    actions.cancel_event(actor=None, event_id=never.id, reason="Not needed", now=STARTS_AT)
    actions.advance_events(now=ENDS_AT)
    hour = timedelta(hours=1)
    assert queries.events_ready_to_settle(now=STARTS_AT + 2 * hour - SECOND) == []
    assert queries.events_ready_to_settle(now=STARTS_AT + 2 * hour) == [half.id]
    assert queries.events_ready_to_settle(now=ENDS_AT + hour) == [half.id, whole.id]
    calls = queries.called_sites(since=STARTS_AT, until=STARTS_AT + timedelta(days=2))
    assert [(call.event_id, call.site_id) for call in calls] == [(whole.id, world.cast.home_site.id), (half.id, world.cast.other_site.id)]


def test_people_are_told_in_their_sites_time(world: World) -> None:
    """Everyone in the home is told once per step, in local time; who opted out hears of a cancellation, and not of the start."""
    cast = world.cast
    event = world.call(STARTS_AT, reason="Cold evening")
    told = notices.event_notices(event_id=event.id, kind="event.issued")
    assert [notice.customer_id for notice in told] == [cast.home.id, cast.other_home.id]
    assert set(told[0].user_ids) == {cast.ana.user_id, cast.bram.user_id}
    assert told[0].subject == "Use less electricity: Friday, 20 November 2026, 17:00 to 19:00"
    assert told[0].body.split("\n\n") == [
        "Evening peak calls on Home: please use less electricity on Friday, 20 November 2026, 17:00 to 19:00 (Europe/Brussels time).",
        "Reason: Cold evening",
        "Using less than expected is credited with 0.25 EUR per kWh.",
        "You take part unless you say otherwise. To skip this event, open its page and choose “Not this time”.",
    ]
    answer(world, event, Choice.OUT)
    assert [notice.customer_id for notice in notices.event_notices(event_id=event.id, kind="event.activated")] == [cast.other_home.id]
    actions.cancel_event(actor=None, event_id=event.id, reason="Line repaired", now=STARTS_AT + SECOND)
    cancelled = notices.event_notices(event_id=event.id, kind="event.cancelled")
    assert [notice.customer_id for notice in cancelled] == [cast.home.id, cast.other_home.id]
    assert cancelled[0].body.split("\n\n") == [
        "The event of Evening peak for Home on Friday, 20 November 2026, 17:00 to 19:00 was cancelled: Line repaired",
        "What you had saved until then still counts.",
    ]
    assert len({notice.cause for notice in (*told, *cancelled)}) == 4
    assert notices.event_notices(event_id=event.id, kind="event.opted") == []
    (ours, _theirs) = notices.terms_notices(program_id=world.program.id, version=2)
    assert ours.subject == "Evening peak has new terms"


def test_the_database_itself_keeps_a_site_out_of_two_events(world: World) -> None:
    """Should all code above it forget: the constraint refuses the second span, and lets touching and empty ones pass."""
    first, second = world.call(STARTS_AT, 1), world.call(STARTS_AT + timedelta(hours=1), 1)
    row = Participant.objects.get(event_id=second.id, site_id=world.cast.home_site.id)
    with pytest.raises(IntegrityError, match="participant_spans_do_not_overlap"), transaction.atomic():
        Participant.objects.filter(pk=row.pk).update(from_at=STARTS_AT + timedelta(minutes=59))
    Participant.objects.filter(pk=row.pk).update(from_at=STARTS_AT, until_at=STARTS_AT)
    assert queries.participants_of(first.id)[0].site_id == world.cast.home_site.id


class EventLife(RuleBasedStateMachine):
    """Operators call and cancel, people answer, the clock goes on and workers look at it: in any order, for two homes."""

    world: ClassVar[World]

    def __init__(self) -> None:
        """A model that knows each event's span, its answer and when it was cancelled; every example is undone at its end."""
        super().__init__()
        self.now = STARTS_AT
        self.model: dict[int, dict[str, object]] = {}
        self.example = transaction.atomic()
        self.example.__enter__()

    def teardown(self) -> None:
        """Undo the example."""
        transaction.set_rollback(True)
        self.example.__exit__(None, None, None)

    def open_ones(self) -> list[int]:
        """Events that can still be changed, by the model."""
        return [key for key, it in self.model.items() if it["cancelled"] is None and self.now < it["ends"]]  # type: ignore[operator]  # moments

    @rule(hours=st.integers(1, 5), quarters=st.integers(1, 12))
    def call(self, hours: int, quarters: int) -> None:
        """Everybody is called; refused exactly if it overlaps or is the fourth of its day."""
        starts = self.now + timedelta(hours=hours)
        ends = starts + timedelta(minutes=15 * quarters)
        held = [it for it in self.model.values() if it["until"] > it["starts"]]  # type: ignore[operator]  # moments
        overlaps = any(it["starts"] < ends and starts < it["until"] for it in held)  # type: ignore[operator]  # moments
        same_day = sum(_day(it["starts"]) == _day(starts) for it in held)
        expected = ([Rule.OVERLAP] if overlaps else []) + ([Rule.TOO_OFTEN_A_DAY] if same_day >= 3 else [])
        if expected:
            with pytest.raises(actions.EventRefused) as refusal:
                self.world.call(starts, quarters / 4, now=self.now)
            assert broken(refusal) == expected
        else:
            event = self.world.call(starts, quarters / 4, now=self.now)
            self.model[event.id] = {"starts": starts, "ends": ends, "until": ends, "cancelled": None, "choice": "", "status": "upcoming"}

    @rule(minutes=st.sampled_from([15, 60, 120, 600]))
    def pass_time(self, minutes: int) -> None:
        """The clock goes on."""
        self.now += timedelta(minutes=minutes)

    @rule()
    def look(self) -> None:
        """A worker brings every event to where the clock says, and a second one finds nothing left to do."""
        actions.advance_events(now=self.now)
        assert actions.advance_events(now=self.now) == []
        for it in self.model.values():
            if it["cancelled"] is None:
                it["status"] = "upcoming" if self.now < it["starts"] else "active" if self.now < it["ends"] else "completed"  # type: ignore[operator]  # moments

    @precondition(lambda self: self.model)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        """Any event: refused exactly if it is over."""
        key = data.draw(st.sampled_from(sorted(self.model)))
        if key not in self.open_ones():
            with pytest.raises(actions.EventIsOver):
                actions.cancel_event(actor=None, event_id=key, reason="Why not", now=self.now)
            return
        actions.cancel_event(actor=None, event_id=key, reason="Why not", now=self.now)
        it = self.model[key]
        it.update(cancelled=self.now, status="cancelled", until=max(self.now, it["starts"]))  # type: ignore[type-var]  # moments

    @precondition(lambda self: self.model)
    @rule(data=st.data(), choice=st.sampled_from(Choice))
    def opt(self, data: st.DataObject, choice: Choice) -> None:
        """Ana answers for her home: refused exactly if the event is over."""
        key = data.draw(st.sampled_from(sorted(self.model)))
        if key not in self.open_ones():
            with pytest.raises(actions.EventIsOver):
                answer(self.world, queries.event(key), choice, now=self.now)
            return
        answer(self.world, queries.event(key), choice, now=self.now)
        self.model[key]["choice"] = choice

    @invariant()
    def everything_is_as_the_model_says(self) -> None:
        """Status, answers and held spans; and the log tells each event's life in order."""
        for key, it in self.model.items():
            view = queries.event(key)
            assert (view.status, view.cancelled_at) == (it["status"], it["cancelled"])
            assert queries.participants_of(key)[0].choice == it["choice"]
            spans = set(Participant.objects.filter(event_id=key).values_list("from_at", "until_at"))
            assert spans == {(it["starts"], it["until"])}
            steps = [kind for kind in kinds(view) if kind != "event.opted"]
            lives = {
                "upcoming": [["event.issued"]],
                "active": [["event.issued", "event.activated"]],
                "completed": [["event.issued", "event.activated", "event.completed"]],
                "cancelled": [["event.issued", "event.cancelled"], ["event.issued", "event.activated", "event.cancelled"]],
            }
            assert steps in lives[str(view.status)]


def _day(at: object) -> object:
    return at.astimezone(BRUSSELS).date()  # type: ignore[attr-defined]  # a moment


def test_no_order_of_steps_breaks_an_event(cast: Cast) -> None:
    """Whatever operators, people, workers and the clock do, in whatever order, the record is what happened."""
    EventLife.world = make_world(cast, notice_minutes=0, events_per_day=3)
    for site in (cast.home_site, cast.other_site):
        EventLife.world.meter(site, interval_s=900)
        EventLife.world.enrol(site, now=NOW - timedelta(days=1))
    run_state_machine_as_test(EventLife, settings=settings(max_examples=25, stateful_step_count=25, deadline=None))
