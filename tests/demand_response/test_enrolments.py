"""Joining a program, what is agreed to, and leaving it."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta

import pytest
from tests.cast import NOW, Cast
from tests.demand_response.world import World, draft, flat, local, make_world, record

from commonwatt.accounts import actions as accounts
from commonwatt.accounts.access import Forbidden, NotFound, Viewer
from commonwatt.accounts.queries import audit_of
from commonwatt.demand_response import actions, queries
from commonwatt.demand_response.choices import Choice, OptSource
from commonwatt.demand_response.plan import Rule
from commonwatt.outbox.queries import entries_after

pytestmark = pytest.mark.django_db


@pytest.fixture
def world(cast: Cast) -> World:
    """A program with terms of one version."""
    return make_world(cast)


def agree(world: World, actor: Viewer, *, version: int = 1, text: str | None = None) -> None:
    """Agree to these words for Ana's home."""
    words = world.program.terms.consent_text if text is None else text
    actions.enrol(
        actor=actor,
        site_id=world.cast.home_site.id,
        program_id=world.program.id,
        terms_version=version,
        consent_text_digest=hashlib.sha256(words.encode()).hexdigest(),
        now=NOW,
    )


def test_consent_is_kept_word_for_word(world: World) -> None:
    """Bram, who shares the home, agrees: the words, their digest, his name and the moment are kept, logged and audited; a repeat adds nothing."""
    cast = world.cast
    world.meter(cast.home_site)
    agree(world, cast.bram)
    agree(world, cast.bram)
    (enrolment,) = queries.enrolments_of(customer_ids=[cast.home.id])
    assert (enrolment.site_id, enrolment.agreed_version, enrolment.needs_consent) == (cast.home_site.id, 1, False)
    (consent,) = queries.consents_of([enrolment.id])[enrolment.id]
    words = "Use less when asked; you are credited for what you saved."
    assert (consent.text, consent.given_by_name, consent.given_at, consent.terms_version) == (words, "Bram", NOW, 1)
    assert consent.text_digest == hashlib.sha256(words.encode()).hexdigest() == world.program.terms.consent_digest
    assert [entry.kind for entry in entries_after(0, 100) if entry.subject_kind == "enrolment"] == ["enrolment.started"]
    trail = [item for item in audit_of(customer_id=cast.home.id).items if item.object_kind == "enrolment"]
    assert [(item.action, item.actor and item.actor.id) for item in reversed(trail)] == [
        ("enrolment.started", cast.bram.user_id),
        ("consent.given", cast.bram.user_id),
    ]


def test_nobody_can_agree_for_somebody_else(world: World) -> None:
    """A stranger does not learn that the site exists; the operator sees it and cannot consent; a mere member of an organisation neither."""
    cast = world.cast
    world.meter(cast.home_site)
    world.meter(cast.office)
    with pytest.raises(NotFound):
        agree(world, cast.chloe)
    with pytest.raises(Forbidden):
        agree(world, cast.otto)
    with pytest.raises(Forbidden):
        actions.enrol(
            actor=cast.milo,
            site_id=cast.office.id,
            program_id=world.program.id,
            terms_version=1,
            consent_text_digest=world.program.terms.consent_digest,
            now=NOW,
        )
    assert queries.enrolments_of(only_current=False) == []


def test_only_the_newest_terms_can_be_agreed_to_and_only_as_written(world: World) -> None:
    """Other words, or terms that were replaced while the page was open, are no consent."""
    cast = world.cast
    world.meter(cast.home_site)
    with pytest.raises(actions.ConsentDiffers):
        agree(world, cast.ana, text="I agree to nothing.")
    actions.revise_terms(actor=cast.otto, program_id=world.program.id, terms=draft(consent_text="New words."), now=NOW)
    with pytest.raises(actions.ConsentOutdated, match=r"version 1.*Please read version 2"):
        agree(world, cast.ana)
    assert queries.enrolments_of(only_current=False) == []
    agree(world, cast.ana, version=2, text="New words.")
    assert queries.enrolments_of(site_ids=[cast.home_site.id])[0].agreed_version == 2


def test_new_terms_need_new_consent_for_new_events_only(world: World) -> None:
    """An event that was called keeps its terms; until Ana agrees to the new ones she is not called again; her enrolment stays one."""
    cast = world.cast
    world.meter(cast.home_site)
    world.enrol(cast.home_site)
    called = world.call(local("2026-11-21 17:00"))
    actions.revise_terms(
        actor=cast.otto, program_id=world.program.id, terms=draft(consent_text="New words.", price_micros_per_kwh=1), now=NOW
    )
    assert queries.event(called.id).price_micros_per_kwh == 250_000
    (enrolment,) = queries.enrolments_of(customer_ids=[cast.home.id])
    assert enrolment.needs_consent
    with pytest.raises(actions.EventRefused) as refusal:
        world.call(local("2026-11-22 17:00"))
    assert [violation.rule for violation in refusal.value.violations] == [Rule.NOBODY_TO_CALL]
    with pytest.raises(actions.EventRefused, match="Home has not agreed to the program's newest terms yet"):
        world.call(local("2026-11-22 17:00"), sites=[cast.home_site])
    agree(world, cast.ana, version=2, text="New words.")
    assert world.call(local("2026-11-22 17:00")).terms_version == 2
    (renewed,) = queries.enrolments_of(customer_ids=[cast.home.id], only_current=False)
    assert (renewed.id, renewed.agreed_version) == (enrolment.id, 2)
    assert [consent.terms_version for consent in queries.consents_of([enrolment.id])[enrolment.id]] == [2, 1]
    kinds = [entry.kind for entry in entries_after(0, 100) if entry.kind.startswith(("enrolment", "terms"))]
    assert kinds == ["enrolment.started", "terms.revised", "enrolment.renewed"]


def test_leaving_skips_what_is_to_come_and_keeps_what_was(world: World) -> None:
    """Ana leaves while one event runs and another is to come: she finishes the first, skips the second, and is not called again."""
    cast = world.cast
    world.meter(cast.home_site)
    enrolment = world.enrol(cast.home_site)
    running, coming = world.call(local("2026-11-20 17:00")), world.call(local("2026-11-21 17:00"), now=NOW)
    now = local("2026-11-20 18:00")
    actions.advance_events(now=now)
    with pytest.raises(NotFound):
        actions.leave_program(actor=cast.chloe, enrolment_id=enrolment.id, now=now)
    with pytest.raises(Forbidden):
        actions.leave_program(actor=cast.otto, enrolment_id=enrolment.id, now=now)
    left = actions.leave_program(actor=cast.ana, enrolment_id=enrolment.id, now=now)
    again = actions.leave_program(actor=cast.ana, enrolment_id=enrolment.id, now=now + timedelta(hours=1))
    assert left == again
    assert (left.ended_at, left.agreed_version, left.needs_consent) == (now, None, False)
    assert [row.choice for event in (running, coming) for row in queries.participants_of(event.id)] == ["", Choice.OUT]
    (answer,) = queries.opts_of(coming.id)
    assert (answer.source, answer.choice, answer.at) == (OptSource.LEFT, Choice.OUT, now)
    assert [step.text for step in queries.timeline(coming.id)] == ["The event was called.", "Left the program."]
    with pytest.raises(actions.EventRefused, match="Nobody of those chosen is enrolled"):
        world.call(local("2026-11-22 17:00"))
    back = world.enrol(cast.home_site, now=now + timedelta(hours=2))
    assert back.id != enrolment.id
    assert world.call(local("2026-11-22 17:00")).participants == 1


def test_an_event_that_has_begun_is_finished_even_if_nobody_recorded_its_start(world: World) -> None:
    """Ana leaves a minute after the start, before any worker has looked: the clock says that the event is under way."""
    world.meter(world.cast.home_site)
    enrolment = world.enrol(world.cast.home_site)
    running = world.call(local("2026-11-20 17:00"))
    actions.leave_program(actor=world.cast.ana, enrolment_id=enrolment.id, now=local("2026-11-20 17:01"))
    assert [row.choice for row in queries.participants_of(running.id)] == [""]


def test_eligibility_says_what_was_found_before_anybody_agrees(world: World) -> None:
    """71 % of the hours of the last 15 days: enough to enrol, not yet to be credited; without a meter not even that."""
    cast = world.cast
    now = local("2026-11-20 12:00")
    nothing = queries.eligibility(site_id=cast.home_site.id, program_id=world.program.id, now=now)
    assert (nothing.may_enrol, nothing.is_ready, nothing.coverage) == (False, False, None)
    assert [reason.text for reason in nothing.reasons if not reason.holds] == [
        "There is no meter at this site yet. Claim one with the code you were given."
    ]
    with pytest.raises(actions.NotEligible, match="There is no meter at this site yet"):
        agree(world, cast.ana)
    meter = world.meter(cast.home_site)
    # 257 of the 360 hours of 5 to 19 November: 71.4 %
    record(meter, date(2026, 11, 5), date(2026, 11, 19), lambda day, hour: 1 if ((day.day - 5) * 24 + hour) < 257 else None)
    some = queries.eligibility(site_id=cast.home_site.id, program_id=world.program.id, now=now)
    assert (some.may_enrol, some.is_ready, some.coverage) == (True, False, 257 / 360)
    assert some.reasons[-1].text == (
        "We have 71 % of the hours of the last 15 days, 80 % needed. "
        "You can enrol now; events are credited once there are enough readings to compare with."
    )
    agree(world, cast.ana)
    record(meter, date(2026, 11, 5), date(2026, 11, 19), flat(1))
    whole = queries.eligibility(site_id=cast.home_site.id, program_id=world.program.id, now=now)
    assert (whole.is_ready, whole.coverage) == (True, 1.0)
    assert whole.reasons[-1].text == "We have 100 % of the hours of the last 15 days, 80 % needed."


def test_coverage_counts_the_hours_that_there_were(world: World) -> None:
    """The week of the spring clock change lacks an hour that nobody could have metered: complete is complete."""
    meter = world.meter(world.cast.home_site)
    record(meter, date(2026, 3, 16), date(2026, 3, 31), flat(1))
    found = queries.eligibility(site_id=world.cast.home_site.id, program_id=world.program.id, now=local("2026-04-01 09:00"))
    assert found.coverage == 1.0


def test_a_closed_program_takes_nobody_new(world: World) -> None:
    """Who is in stays in and may agree to new terms; who is not cannot join."""
    cast = world.cast
    world.meter(cast.home_site)
    world.meter(cast.other_site)
    world.enrol(cast.home_site)
    actions.edit_program(
        actor=cast.otto, program_id=world.program.id, name="Evening peak", description="Full for now.", is_open=False, now=NOW
    )
    with pytest.raises(actions.NotEligible, match="takes no new participants"):
        world.enrol(cast.other_site)
    actions.revise_terms(actor=cast.otto, program_id=world.program.id, terms=draft(consent_text="New words."), now=NOW)
    agree(world, cast.ana, version=2, text="New words.")
    assert [view.site_id for view in queries.enrolments_of(program_id=world.program.id)] == [cast.home_site.id]


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"longest_minutes": 10}, "longest_minutes"),
        ({"longest_minutes": 1381}, "longest_minutes"),
        ({"shortest_minutes": 0}, "shortest_minutes"),
        ({"events_per_day": 0}, "events_per_day"),
        ({"price_micros_per_kwh": -1}, "price_micros_per_kwh"),
        ({"coverage_percent": 101}, "coverage_percent"),
        ({"consent_text": "  "}, "consent_text"),
    ],
)
def test_terms_that_make_no_sense_are_refused(world: World, change: dict[str, object], field: str) -> None:
    """The operator is told which figure to change, and the terms in force stay."""
    with pytest.raises(actions.ProgramRefused) as refusal:
        actions.revise_terms(actor=world.cast.otto, program_id=world.program.id, terms=draft(**change), now=NOW)
    assert refusal.value.field == field
    assert [terms.version for terms in queries.terms_of(world.program.id)] == [1]


@pytest.mark.parametrize(
    ("change", "field"),
    [({"name": "Evening peak"}, "name"), ({"name": " "}, "name"), ({"currency": "eur"}, "currency"), ({"time_zone": "Mars"}, "time_zone")],
)
def test_programs_that_cannot_be_are_refused(world: World, change: dict[str, str], field: str) -> None:
    """A taken name, a currency or a zone that is none."""
    fields = {"name": "Morning", "description": "", "currency": "EUR", "time_zone": "Europe/Brussels", **change}
    with pytest.raises(actions.ProgramRefused) as refusal:
        actions.create_program(actor=world.cast.otto, terms=draft(), now=NOW, **fields)  # type: ignore[arg-type]  # all text
    assert refusal.value.field == field
    assert len(queries.programs()) == 1


def test_programs_and_groups_are_the_operators_work(world: World) -> None:
    """Ana cannot make, change or group anything; the desk can."""
    ana, otto, site = world.cast.ana, world.cast.otto, world.cast.home_site
    with pytest.raises(NotFound):
        actions.revise_terms(actor=ana, program_id=world.program.id, terms=draft(), now=NOW)
    with pytest.raises(NotFound):
        actions.create_group(actor=ana, name="Mine", site_ids=[site.id], now=NOW)
    group = actions.create_group(actor=otto, name="East", site_ids=[site.id, site.id], now=NOW)
    assert group.site_ids == (site.id,)
    with pytest.raises(actions.ProgramRefused):
        actions.create_group(actor=otto, name="East", site_ids=[], now=NOW)
    other = accounts.create_site(
        actor=None, customer_id=world.cast.home.id, name="Shed", time_zone="Europe/Brussels", country="BE", now=NOW
    )
    assert actions.set_group_sites(actor=otto, group_id=group.id, site_ids=[other.id], now=NOW).site_ids == (other.id,)
    assert [view.site_ids for view in queries.groups()] == [(other.id,)]
