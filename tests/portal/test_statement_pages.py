"""Statements, messages, and the list of one's meters."""

from __future__ import annotations

import csv
from datetime import date, timedelta

import pytest
from django.test import Client
from django.urls import reverse
from tests.cast import NOW, Cast, sign_in
from tests.demand_response.world import World, flat, local, make_world, record, record_at

from commonwatt.demand_response.actions import advance_events
from commonwatt.kernel.time import epoch_seconds
from commonwatt.metering.queries import meter_view
from commonwatt.metering.values import MeterView
from commonwatt.notify import queries as notify
from commonwatt.notify.actions import tell
from commonwatt.settlement.actions import correct_for_readings, settle_event
from commonwatt.settlement.queries import statement_of_event

STARTS_AT = local("2026-11-19 17:00")


@pytest.fixture
def world(cast: Cast) -> World:
    """A program at 25.03 cents."""
    return make_world(cast, price_micros_per_kwh=250_300)


@pytest.fixture
def meter(world: World) -> MeterView:
    """Ana's meter: 1 kWh every hour, and in the event's two hours 0.7 and 1.1. She takes part in the program."""
    meter = world.meter(world.cast.home_site)
    world.enrol(world.cast.home_site, now=local("2026-11-01 12:00"))
    record(meter, date(2026, 10, 26), date(2026, 11, 18), flat(1000))
    record_at(meter, [epoch_seconds(STARTS_AT), epoch_seconds(STARTS_AT) + 3600], [700, 1100])
    return meter


@pytest.fixture
def statement(world: World, meter: MeterView) -> str:
    """The number of Ana's statement of the event."""
    event = world.call(STARTS_AT)
    advance_events(now=NOW)
    settle_event(event_id=event.id, now=NOW)
    found = statement_of_event(event_id=event.id, customer_id=world.cast.home.id)
    assert found is not None
    return found.public_id


def test_a_statement_explains_every_interval(client: Client, cast: Cast, statement: str) -> None:
    """0.3 kWh at 25.03 cents are 7.509 cents: 7 to pay out and 0.509 carried. The hour in which more was used counts as zero."""
    sign_in(client, cast.user("ana"))
    response = client.get(reverse("portal:statement", args=[statement]))
    (section,) = response.context["sections"]
    assert section["table"]["rows"] == [
        ["17:00–18:00", "1.000", "0.700", "0.300", "0.300", "0.2503", "0.07509", ""],
        ["18:00–19:00", "1.000", "1.100", "−0.100", "0.000", "0.2503", "0.00", "More was used than the baseline."],
    ]
    assert section["table"]["footer"] == ["Sum", "2.000", "1.800", "0.200", "0.300", "", "0.07509", ""]
    assert response.context["total_text"] == "€0.07"
    assert response.context["carry_text"] == "EUR 0.00509 is less than a cent and carried to the next payout."
    assert response.context["exact_total"] == "EUR 0.07509"
    assert [row["label"] for row in section["used"]][:2] == ["Wed 18 Nov", "Tue 17 Nov"]
    assert len(section["used"]) == 10
    assert f"ingest sequence {response.context['detail'].ingest_sequence}." in response.content.decode()
    holiday = [row["text"] for row in section["refused"] if row["label"] == "Wed 11 Nov"]
    assert holiday == ["A public holiday."]


def test_the_csv_adds_up_to_the_statement(client: Client, cast: Cast, statement: str) -> None:
    """The same lines with exact decimals, for the customer and the operator; a stranger finds nothing."""
    address = reverse("portal:statement_csv", args=[statement])
    for name in ("ana", "otto"):
        sign_in(client, cast.user(name))
        rows = list(csv.DictReader(client.get(address).content.decode().splitlines()))
        assert [(row["delivered_wh"], row["credited_wh"], row["amount"]) for row in rows] == [
            ("300", "300", "0.075090000"),
            ("-100", "0", "0.000000000"),
        ]
    for name in ("chloe", "olga"):
        sign_in(client, cast.user(name))
        assert client.get(address).status_code == 404


def test_a_correction_is_a_line_of_its_own(client: Client, cast: Cast, meter: MeterView, statement: str) -> None:
    """A later reading that says less was used adds its difference, and the total follows."""
    record_at(meter, [epoch_seconds(STARTS_AT)], [600], now=NOW + timedelta(hours=1))
    correct_for_readings(now=NOW + timedelta(days=2))
    sign_in(client, cast.user("ana"))
    entries = client.get(reverse("portal:statement", args=[statement])).context["entries"]
    assert [(entry["is_correction"], entry["amount_text"]) for entry in entries] == [(False, "EUR 0.07509"), (True, "EUR 0.02503")]
    listed = client.get(reverse("portal:statements_of", args=[cast.home.public_id]))
    assert "€0.1001" in listed.content.decode()
    assert "1 correction" in listed.content.decode()


def test_the_list_sums_up(client: Client, cast: Cast, statement: str) -> None:
    """What was credited in all, the savings rate and how calls were answered; who has nothing yet is told when something comes."""
    sign_in(client, cast.user("ana"))
    response = client.get(reverse("portal:statements"), follow=True)
    assert response.context["balances"] == ["€0.0751"]
    assert response.context["savings"].rate.ratio == 0.1
    assert "1 of 1 calls" in response.content.decode()
    sign_in(client, cast.user("chloe"))
    assert "No statements yet" in client.get(reverse("portal:statements"), follow=True).content.decode()


def test_messages_are_opened_and_read(client: Client, cast: Cast) -> None:
    """Opening a message marks it as read and leads where it points; all can be marked at once; nobody opens another's."""
    for cause in ("a", "b"):
        tell(user_ids=[cast.ana.person_id], cause=cause, subject=f"About {cause}", body="Text", address="/help/", now=NOW)
    newest = notify.inbox(cast.ana.person_id).items[0]
    address = reverse("portal:message_open", args=[newest.public_id])
    sign_in(client, cast.user("bram"))
    assert client.post(address).status_code == 404
    sign_in(client, cast.user("ana"))
    assert "About a" in client.get(reverse("portal:messages")).content.decode()
    assert notify.unread_count(cast.ana.person_id) == 2  # looking at the list reads nothing
    assert client.post(address).headers["Location"] == "/help/"
    assert notify.unread_count(cast.ana.person_id) == 1
    client.post(reverse("portal:messages_read"))
    assert notify.unread_count(cast.ana.person_id) == 0


def test_a_message_leads_only_to_pages_of_ours(client: Client, cast: Cast) -> None:
    """Whatever a message's address says, opening it leaves nobody on another site."""
    tell(user_ids=[cast.ana.person_id], cause="x", subject="S", body="B", address="//evil.example/", now=NOW)
    sign_in(client, cast.user("ana"))
    address = reverse("portal:message_open", args=[notify.inbox(cast.ana.person_id).items[0].public_id])
    assert client.post(address).headers["Location"] == reverse("portal:messages")


def test_meters_and_their_names(client: Client, cast: Cast, world: World, meter: MeterView) -> None:
    """Each site lists its meters with their newest reading; the household names them, a stranger does not."""
    waiting = world.meter(cast.home_site)
    address = reverse("portal:meter_rename", args=[meter.public_id])
    sign_in(client, cast.user("chloe"))
    assert client.post(address, {"name": "Mine"}).status_code == 404
    sign_in(client, cast.user("bram"))
    client.post(address, {"name": "Heat pump"})
    client.post(address, {"name": "x" * 121})
    named = meter_view(meter.id)
    assert named is not None
    assert named.name == "Heat pump"
    response = client.get(reverse("portal:meters"), follow=True)
    (place,) = response.context["places"]
    assert [(row["meter"].id, row["latest"] is None) for row in place["meters"]] == [(meter.id, False), (waiting.id, True)]
    assert "Waiting for the first reading" in response.content.decode()
