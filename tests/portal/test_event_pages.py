"""Events and programs as their participants meet them: told before, followed while they run, explained after."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from tests.cast import Cast, StoppedClock, sign_in
from tests.demand_response.world import World, draft, flat, local, make_world, record, record_at

from commonwatt.demand_response import actions, queries
from commonwatt.demand_response.views import EventView
from commonwatt.kernel.time import epoch_seconds
from commonwatt.metering.values import MeterView
from commonwatt.portal.middleware import use_clock
from commonwatt.settlement.actions import settle_event

STARTS_AT = local("2026-11-20 17:00")
TERMS_URL = "portal:program"


def at(instant: datetime) -> None:
    """Let it be then: on the pages, and for events that begin and end."""
    use_clock(StoppedClock(instant))
    actions.advance_events(now=instant)


@pytest.fixture
def world(cast: Cast) -> World:
    """A program at 25 cents."""
    return make_world(cast)


@pytest.fixture
def meter(world: World) -> MeterView:
    """Ana's meter, which used 1 kWh every hour; she takes part in the program."""
    meter = world.meter(world.cast.home_site)
    record(meter, date(2026, 10, 19), date(2026, 11, 19), flat(1000))
    world.enrol(world.cast.home_site, now=local("2026-11-01 12:00"))
    return meter


@pytest.fixture
def event(world: World, meter: MeterView) -> EventView:
    """Two hours from five, called at one."""
    return world.call(STARTS_AT, reason="Cold and still")


def page(client: Client, event: EventView) -> Any:
    """The page of the event."""
    response = client.get(reverse("portal:event", args=[event.public_id]))
    assert response.status_code == 200
    return response


def test_before_an_event_it_says_what_is_expected_and_what_one_may_earn(client: Client, cast: Cast, event: EventView) -> None:
    """2 kWh are expected; a fifth less would be 0.4 kWh, which at 25 cents are 10 cents."""
    sign_in(client, cast.user("ana"))
    context = page(client, event).context
    assert context["board"].expected_wh == 2000
    assert (context["could_wh"], context["could_earn"], context["could_is_theirs"]) == (400, "€0.10", False)
    assert context["price"] == "€0.25/kWh"
    assert [place.site.name for place in context["places"]] == ["Home"]
    assert "Cold and still" in page(client, event).content.decode()


def test_during_an_event_it_says_what_was_delivered(client: Client, cast: Cast, event: EventView, meter: MeterView) -> None:
    """In the first hour 0.7 of 1 kWh were used: 0.3 kWh delivered, 7.5 cents so far, 40 minutes left."""
    at(STARTS_AT)
    record_at(meter, [epoch_seconds(STARTS_AT)], [700], now=STARTS_AT + timedelta(hours=1))
    at(STARTS_AT + timedelta(minutes=80))
    sign_in(client, cast.user("ana"))
    response = page(client, event)
    board = response.context["board"]
    assert (board.baseline_wh, board.metered_wh, board.delivered_wh) == (1000, 700, 300)
    assert response.context["credit"] == "€0.08"  # 7.5 cents, half to even
    assert response.context["left_text"] == "40\u00a0min"
    assert (response.context["passed_s"], response.context["length_s"]) == (4800, 7200)
    chart = response.context["chart"]
    assert chart["window"] == {"start": "2026-11-20T16:00:00Z", "end": "2026-11-20T18:00:00Z"}
    here = chart["start"].index("2026-11-20T16:00:00Z")
    assert (chart["baseline_wh"][here], chart["metered_wh"][here], chart["metered_wh"][here + 1]) == (1000, 700, None)
    assert f'sse-connect="{reverse("portal:event_live", args=[event.public_id])}"' in response.content.decode()


def test_after_an_event_it_leads_to_the_statement(client: Client, cast: Cast, event: EventView, meter: MeterView) -> None:
    """First the figures are provisional, then they are settled and the statement is linked; nothing is live any more."""
    at(STARTS_AT)
    record_at(meter, [epoch_seconds(STARTS_AT), epoch_seconds(STARTS_AT) + 3600], [700, 900], now=STARTS_AT + timedelta(hours=2))
    at(STARTS_AT + timedelta(hours=2))
    sign_in(client, cast.user("ana"))
    waiting = page(client, event).content.decode()
    assert "The figures are provisional" in waiting
    assert "sse-connect" not in waiting
    settle_event(event_id=event.id, now=STARTS_AT + timedelta(hours=3))
    settled = page(client, event)
    assert settled.context["settled"] == "€0.1000"
    (statement,) = settled.context["statements"]
    assert reverse("portal:statement", args=[statement["statement"].public_id]) in settled.content.decode()


def test_skipping_and_joining(client: Client, cast: Cast, event: EventView) -> None:
    """Ana skips and joins again; a stranger cannot answer for her, nor see the event; after the end nothing can be answered."""
    address = reverse("portal:event_answer", args=[event.public_id, cast.home_site.public_id])
    sign_in(client, cast.user("chloe"))
    assert client.post(address, {"choice": "out"}).status_code == 404
    assert [row.choice for row in queries.participants_of(event.id)] == [""]
    sign_in(client, cast.user("ana"))
    for choice in ("out", "in"):
        assert client.post(address, {"choice": choice}).status_code == 302
        assert [row.choice for row in queries.participants_of(event.id)] == [choice]
    refused = client.post(address, {"choice": "perhaps"}, follow=True)
    assert "Choose whether to take part." in refused.content.decode()
    at(STARTS_AT + timedelta(hours=2))
    over = client.post(address, {"choice": "out"}, follow=True)
    assert [row.choice for row in queries.participants_of(event.id)] == ["in"]
    assert "alert" in over.content.decode() or "note-danger" in over.content.decode()


def test_the_operator_sees_every_site(client: Client, cast: Cast, world: World, event: EventView) -> None:
    """Who works at the desk sees all that were called, and answers for nobody by accident."""
    sign_in(client, cast.user("otto"))
    context = page(client, event).context
    assert [place.site.id for place in context["places"]] == [cast.home_site.id]
    assert not context["places"][0].may_act
    assert client.get(reverse("portal:events")).context["ahead"][0]["event"].public_id == event.public_id


def test_lists_hold_only_what_is_theirs(client: Client, cast: Cast, event: EventView) -> None:
    """Ana finds her event, Chloe an empty page that says what to do."""
    sign_in(client, cast.user("ana"))
    assert event.public_id in client.get(reverse("portal:events")).content.decode()
    sign_in(client, cast.user("chloe"))
    strange = client.get(reverse("portal:events")).content.decode()
    assert event.public_id not in strange
    assert "No events yet" in strange


def test_a_program_says_what_it_asks_and_pays(client: Client, cast: Cast, world: World) -> None:
    """The terms in words, an example in the program's own price, the consent word for word."""
    sign_in(client, cast.user("chloe"))
    response = client.get(reverse(TERMS_URL, args=[world.program.public_id]))
    text = response.content.decode()
    assert "0.600\u00a0kWh × €0.25/kWh = €0.1500" in response.context["example"]
    assert "at most 100 events a year" in text
    assert "Use less when asked; you are credited for what you saved." in text
    (place,) = response.context["page"].items
    assert [(reason.code, reason.holds) for reason in place["eligibility"].reasons] == [("program_open", True), ("has_meter", False)]


def test_joining_needs_the_agreement_and_leaving_is_free(client: Client, cast: Cast, world: World) -> None:
    """Without the tick, or with another text, nobody is enrolled; with it Chloe is, and she can leave at any time."""
    world.meter(cast.other_site)
    program = world.program
    address = reverse("portal:program_enrol", args=[program.public_id, cast.other_site.public_id])
    agreed = {"agreed": "yes", "terms_version": "1", "consent_digest": program.terms.consent_digest}

    def enrolled() -> list[int]:
        return [one.site_id for one in queries.enrolments_of(customer_ids=[cast.other_home.id])]

    sign_in(client, cast.user("chloe"))
    for form in (
        {**agreed, "agreed": ""},
        {**agreed, "consent_digest": "0" * 64},
        {**agreed, "terms_version": "7"},
        {**agreed, "terms_version": "x"},
    ):
        client.post(address, form)
        assert enrolled() == []
    sign_in(client, cast.user("otto"))
    assert client.post(address, agreed).status_code == 403  # may see the place, not agree for it
    sign_in(client, cast.user("ana"))
    assert client.post(address, agreed).status_code == 404
    assert enrolled() == []
    sign_in(client, cast.user("chloe"))
    client.post(address, agreed)
    assert enrolled() == [cast.other_site.id]
    enrolment = queries.enrolments_of(customer_ids=[cast.other_home.id])[0]
    client.post(reverse("portal:program_leave", args=[enrolment.public_id]))
    assert enrolled() == []


def test_new_terms_wait_for_agreement(client: Client, cast: Cast, world: World, meter: MeterView) -> None:
    """When terms change, the list and the program's page say so, and agreeing to the new ones settles it."""
    actions.revise_terms(
        actor=cast.otto, program_id=world.program.id, terms=draft(consent_text="Another text."), now=local("2026-11-02 12:00")
    )
    sign_in(client, cast.user("ana"))
    assert "New terms to agree to" in client.get(reverse("portal:programs")).content.decode()
    response = client.get(reverse(TERMS_URL, args=[world.program.public_id]))
    assert "Another text." in response.content.decode()
    assert response.context["page"].items[0]["enrolment"].needs_consent
    form = {"agreed": "yes", "terms_version": "2", "consent_digest": response.context["program"].terms.consent_digest}
    client.post(reverse("portal:program_enrol", args=[world.program.public_id, cast.home_site.public_id]), form)
    assert not queries.enrolments_of(customer_ids=[cast.home.id])[0].needs_consent
