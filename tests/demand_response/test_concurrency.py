"""Two people, or two workers, at the same moment: real threads, real connections, real locks."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection
from tests.cast import NOW, Cast, make_cast
from tests.demand_response.world import World, draft, local, make_world

from commonwatt.demand_response import actions, queries
from commonwatt.demand_response.choices import Choice, OptSource
from commonwatt.demand_response.plan import Rule
from commonwatt.outbox.queries import entries_after

pytestmark = pytest.mark.django_db(transaction=True)
STARTS_AT = local("2026-11-20 17:00")


def at_once(*acts: Callable[[], object]) -> list[object]:
    """Do these at the same moment, each on a connection of its own; what each returned, or the exception it raised."""
    barrier = Barrier(len(acts))

    def run(act: Callable[[], object]) -> object:
        try:
            barrier.wait(timeout=30)
            return act()
        except Exception as error:  # noqa: BLE001 (the test looks at it)
            return error
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


@pytest.fixture
def world() -> World:
    """Ana's home is enrolled in two programs."""
    cast: Cast = make_cast()
    world = make_world(cast, events_per_day=10)
    world.meter(cast.home_site)
    world.enrol(cast.home_site, now=NOW - timedelta(days=1))
    return world


@pytest.mark.parametrize("attempt", range(2))
def test_two_operators_cannot_call_one_home_for_the_same_hour(world: World, attempt: int) -> None:
    """Six operators, two programs, overlapping hours, one moment: one event is called, five are told that the home is taken."""
    cast = world.cast
    other = actions.create_program(
        actor=None, name="Other", description="", currency="EUR", time_zone="Europe/Brussels", terms=draft(events_per_day=10), now=NOW
    )
    world.enrol(cast.home_site, program=other, now=NOW - timedelta(days=1))
    outcomes = at_once(
        *(
            lambda program=program, quarter=quarter: world.call(STARTS_AT + timedelta(hours=quarter), 3, program=program)
            for quarter in (0, 1, 2)
            for program in (world.program, other)
        )
    )
    refused = [outcome for outcome in outcomes if isinstance(outcome, actions.EventRefused)]
    assert len(refused) == 5, outcomes
    assert all([violation.rule for violation in refusal.violations] == [Rule.OVERLAP] for refusal in refused)
    assert queries.events_page().total == 1
    assert [entry.kind for entry in entries_after(0, 100) if entry.subject_kind == "event"] == ["event.issued"]


def test_two_workers_advance_an_event_once(world: World) -> None:
    """Four workers look at the same second: the event begins and ends once."""
    event = world.call(STARTS_AT)
    outcomes = at_once(*[lambda: actions.advance_events(now=STARTS_AT + timedelta(hours=3))] * 4)
    assert sorted(outcomes, key=lambda done: len(str(done))) == [
        [],
        [],
        [],
        [f"activated {event.public_id}", f"completed {event.public_id}"],
    ]
    kinds = [entry.kind for entry in entries_after(0, 100) if entry.subject_kind == "event"]
    assert kinds == ["event.issued", "event.activated", "event.completed"]


def test_cancelling_while_it_begins_and_is_answered(world: World) -> None:
    """An operator cancels, a worker begins the event and Ana answers, all at once: no step is lost, none comes after the cancellation."""
    cast = world.cast
    event = world.call(STARTS_AT)
    outcomes = at_once(
        lambda: actions.cancel_event(actor=cast.otto, event_id=event.id, reason="Enough", now=STARTS_AT),
        lambda: actions.advance_events(now=STARTS_AT),
        lambda: actions.opt(
            event_id=event.id, site_id=cast.home_site.id, choice=Choice.OUT, source=OptSource.PERSON, actor=cast.ana, now=STARTS_AT
        ),
    )
    unexpected = [outcome for outcome in outcomes if isinstance(outcome, Exception) and not isinstance(outcome, actions.EventIsOver)]
    assert unexpected == []
    kinds = [entry.kind for entry in entries_after(0, 100) if entry.subject_kind == "event"]
    assert kinds[-1] == "event.cancelled"
    assert queries.event(event.id).status == "cancelled"


def test_agreeing_twice_at_once_is_one_enrolment(world: World) -> None:
    """Ana and Bram press the button at the same moment: the home is enrolled once, with one consent."""
    cast = world.cast
    other = actions.create_program(
        actor=None, name="Other", description="", currency="EUR", time_zone="Europe/Brussels", terms=draft(), now=NOW
    )

    def agree(who: str) -> object:
        return actions.enrol(
            actor=getattr(cast, who),
            site_id=cast.home_site.id,
            program_id=other.id,
            terms_version=1,
            consent_text_digest=other.terms.consent_digest,
            now=NOW,
        )

    outcomes = at_once(lambda: agree("ana"), lambda: agree("bram"))
    assert outcomes[0] == outcomes[1]
    (enrolment,) = queries.enrolments_of(program_id=other.id)
    assert len(queries.consents_of([enrolment.id])[enrolment.id]) == 1
