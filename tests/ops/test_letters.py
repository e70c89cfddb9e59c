"""Who is told what: every member whom it concerns, once, in words, with the page it leads to."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction
from django.urls import reverse
from tests.cast import NOW, Cast, make_cast
from tests.settlement.world import SETTLED_AT, World, make_world

from commonwatt.notify.models import Message
from commonwatt.ops.deliverers import deliver_to_people
from commonwatt.outbox.actions import append
from commonwatt.settlement import recording
from commonwatt.settlement.models import Statement


def deliver() -> None:
    """Pass every entry of the log."""
    while deliver_to_people(NOW):
        pass


def told(**who: int) -> list[tuple[str, str]]:
    """Subjects and addresses of a person's messages, in the order of writing."""
    return list(Message.objects.filter(user_id=who["user_id"]).order_by("pk").values_list("subject", "address"))


def ids(cast: Cast, *names: str) -> set[int]:
    return {getattr(cast, name).user_id for name in names}


@pytest.mark.django_db(transaction=True)
def test_members_of_called_sites_hear_of_an_event_and_nobody_else() -> None:
    """Ana, Bram, Chloe and the organisation's members hear that an event was called, began and ended; who waits or was refused does not."""
    world = make_world()
    deliver()
    event = world.facts.public_id
    messages = Message.objects.filter(cause__startswith="event.")
    assert set(messages.values_list("user_id", flat=True)) == ids(world.cast, "ana", "bram", "chloe", "olga", "milo")
    for user_id in ids(world.cast, "ana", "milo"):
        assert [address for _subject, address in told(user_id=user_id)] == [reverse("portal:event", args=[event])] * 3
    count = Message.objects.count()
    deliver()
    assert Message.objects.count() == count


@pytest.mark.django_db(transaction=True)
def test_a_credit_and_its_correction_are_told_with_amount_and_statement() -> None:
    """Ana's household reads how much it was credited for which energy, and later by how much that was corrected."""
    world = make_world()
    deliver()
    Message.objects.all().delete()
    _record(world, [500, 500, 500, 500], sequence=10)
    _record(world, [500, 500, 500, 900], sequence=11)
    deliver()
    (credit, statement), (correction, same) = told(user_id=world.cast.bram.user_id or 0)
    assert credit == "Evening peak: €0.50 credited"
    assert correction == "Evening peak: your credit was corrected by −€0.10"
    assert statement == same
    assert statement == reverse("portal:statement", args=[Statement.objects.get(customer_id=world.cast.home.id).public_id])
    body = Message.objects.filter(user_id=world.cast.bram.user_id).order_by("pk")[0].body
    assert body.startswith("The event has been settled: 2.00\u00a0kWh less than your baseline counted, worth €0.50.\n")
    assert set(Message.objects.values_list("user_id", flat=True)) == ids(world.cast, "ana", "bram")


def _record(world: World, metered: list[int | None], *, sequence: int) -> None:
    part = world.part("ana", [1.0, 1.0, 1.0, 1.0], metered)
    recording.record(delivery=world.measured(part, sequence=sequence), now=SETTLED_AT + timedelta(minutes=sequence))


def _log(cast: Cast, kind: str, *, customer_id: int, who: str, status: str) -> None:
    payload = {"customer_id": customer_id, "user_id": getattr(cast, who).user_id, "status": status, "role": "member"}
    with transaction.atomic():
        append(kind=kind, subject_kind="membership", subject_id="mem_1", payload=payload, now=NOW)


@pytest.mark.django_db(transaction=True)
def test_who_decides_hears_of_a_request_and_who_asked_of_the_decision() -> None:
    """Olga hears that Wim wants to join her organisation; Wim hears that he may, Rosa that she may not."""
    cast = make_cast()
    deliver()
    Message.objects.all().delete()
    organisation = cast.organisation
    _log(cast, "membership.requested", customer_id=organisation.id, who="wim", status="pending")
    _log(cast, "membership.decided", customer_id=organisation.id, who="wim", status="approved")
    _log(cast, "membership.decided", customer_id=organisation.id, who="rosa", status="rejected")
    deliver()
    assert told(user_id=cast.olga.user_id or 0) == [
        (f"Wim asks to join {organisation.name}", reverse("portal:organisation_members", args=[organisation.public_id]))
    ]
    assert told(user_id=cast.wim.user_id or 0) == [(f"You are now a member of {organisation.name}", reverse("portal:home"))]
    assert told(user_id=cast.rosa.user_id or 0) == [(f"Your request to join {organisation.name} was declined", reverse("portal:home"))]
    assert Message.objects.count() == 3


@pytest.mark.django_db(transaction=True)
def test_a_request_of_somebody_who_left_tells_nobody() -> None:
    """When the account was closed before the letter was written, there is nothing to decide, and the other letters go on."""
    cast = make_cast()
    deliver()
    Message.objects.all().delete()
    with transaction.atomic():
        payload = {"customer_id": cast.organisation.id, "user_id": 10**9, "status": "pending", "role": "member"}
        append(kind="membership.requested", subject_kind="membership", subject_id="mem_1", payload=payload, now=NOW)
    _log(cast, "membership.decided", customer_id=cast.organisation.id, who="wim", status="approved")
    deliver()
    assert set(Message.objects.values_list("user_id", flat=True)) == ids(cast, "wim")
