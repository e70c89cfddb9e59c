"""People are told once, in the portal and by mail, and only they can read it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from commonwatt.accounts.access import NotFound, Viewer, viewer_for
from commonwatt.accounts.models import User
from commonwatt.notify import actions, queries
from commonwatt.notify.access import access_message
from commonwatt.notify.models import Delivery, Message

NOW = datetime(2026, 3, 29, 1, 0, tzinfo=UTC)


def person(name: str) -> User:
    return User.objects.create_user(f"{name.lower()}@example.org", name=name, created_at=NOW)


def tell(*people: User, cause: str = "event.issued:evt_1:0", subject: str = "An event on Monday", now: datetime = NOW) -> int:
    ids = [one.pk for one in people]
    return actions.tell(user_ids=ids, cause=cause, subject=subject, body="Use less from 17:00.", address="/events/evt_1", now=now)


@pytest.mark.django_db
def test_telling_twice_is_telling_once() -> None:
    """When the same news is delivered twice, Ana and Bram have one message each, with one copy in the portal and one by mail."""
    ana, bram = person("Ana"), person("Bram")
    assert tell(ana, bram, ana) == 2
    assert tell(ana, bram) == 0
    assert queries.unread_count(ana.pk) == 1
    page = queries.inbox(bram.pk)
    assert [(m.subject, m.body, m.address, m.created_at, m.is_unread) for m in page.items] == [
        ("An event on Monday", "Use less from 17:00.", "/events/evt_1", NOW, True)
    ]
    copies = Delivery.objects.order_by("message__user_id", "transport").values_list("message__user_id", "transport", "state")
    assert list(copies) == [
        (ana.pk, "email", "waiting"),
        (ana.pk, "portal", "sent"),
        (bram.pk, "email", "waiting"),
        (bram.pk, "portal", "sent"),
    ]


@pytest.mark.django_db
def test_whoever_joins_late_is_told_too() -> None:
    """Telling again after a person was added reaches that person and nobody twice."""
    ana, bram = person("Ana"), person("Bram")
    assert tell(ana) == 1
    assert tell(ana, bram) == 1
    assert queries.unread_count(ana.pk) == 1


@pytest.mark.django_db
def test_closed_accounts_and_unknown_people_are_left_out() -> None:
    """Nobody writes to a closed account, and an id that no longer exists stops nothing."""
    ana, bram = person("Ana"), person("Bram")
    User.objects.filter(pk=bram.pk).update(is_active=False)
    assert actions.tell(user_ids=[ana.pk, bram.pk, 10**9], cause="c", subject="s", body="b", address="", now=NOW) == 1
    assert Message.objects.filter(user=bram).count() == 0


@pytest.mark.django_db
def test_who_switched_mail_off_is_told_in_the_portal_only() -> None:
    """Without mail, a message still waits in the portal; switched on again, mail comes again."""
    ana = person("Ana")
    actions.set_preference(user_id=ana.pk, transport="email", wanted=False)
    assert queries.wants_mail(ana.pk) is False
    tell(ana)
    assert list(Delivery.objects.values_list("transport", flat=True)) == ["portal"]
    actions.set_preference(user_id=ana.pk, transport="email", wanted=True)
    assert queries.wants_mail(ana.pk) is True
    tell(ana, cause="event.cancelled:evt_1:1")
    assert queries.mail_counts() == queries.MailCounts(waiting=1, given_up=0)
    with pytest.raises(actions.NotATransportOfChoice, match="'portal' cannot be switched on or off"):
        actions.set_preference(user_id=ana.pk, transport="portal", wanted=False)


@pytest.mark.django_db
def test_a_subject_is_one_line() -> None:
    """A program's name with a line break in it cannot add a header to a mail."""
    ana = person("Ana")
    tell(ana, subject="Peak\r\nBcc: chloe@example.org " + "x" * 300)
    subject = queries.inbox(ana.pk).items[0].subject
    assert subject.startswith("Peak Bcc: chloe@example.org xxx")
    assert len(subject) == 200


@pytest.mark.django_db
def test_only_its_reader_reads_and_marks_a_message() -> None:
    """Ana reads her message and it counts as read from then on; for Bram, Chloe, Otto and a visitor there is no such message."""
    ana, chloe = person("Ana"), person("Chloe")
    otto = Viewer(user_id=person("Otto").pk, name="Otto", email="otto@example.org", is_operator=True, is_operator_administrator=True)
    visitor = Viewer(user_id=None, name="", email="")
    tell(ana)
    public_id = queries.inbox(ana.pk).items[0].public_id
    for stranger in (viewer_for(chloe), otto, visitor):
        with pytest.raises(NotFound):
            access_message(stranger, public_id, now=NOW)
        with pytest.raises(NotFound):
            actions.mark_read(actor=stranger, public_id=public_id, now=NOW)
    assert queries.unread_count(ana.pk) == 1

    seen_at = NOW + timedelta(hours=2)
    actions.mark_read(actor=viewer_for(ana), public_id=public_id, now=seen_at)
    actions.mark_read(actor=viewer_for(ana), public_id=public_id, now=seen_at + timedelta(hours=1))
    assert access_message(viewer_for(ana), public_id, now=NOW).read_at == seen_at
    assert queries.unread_count(ana.pk) == 0


@pytest.mark.django_db
def test_the_inbox_is_newest_first_in_pages() -> None:
    """Ana's 30 messages fill two pages, the newest on top; marking all as read leaves Bram's alone."""
    ana, bram = person("Ana"), person("Bram")
    for number in range(30):
        tell(ana, cause=f"c{number}", subject=f"News {number}", now=NOW + timedelta(minutes=number))
    tell(bram)
    first, second = queries.inbox(ana.pk), queries.inbox(ana.pk, page=2)
    assert (first.total, first.pages, first.number, second.number) == (30, 2, 1, 2)
    assert [message.subject for message in first.items + second.items] == [f"News {number}" for number in range(29, -1, -1)]
    assert actions.mark_all_read(actor=viewer_for(ana), now=NOW + timedelta(hours=1)) == 30
    assert (queries.unread_count(ana.pk), queries.unread_count(bram.pk)) == (0, 1)
