"""Mail leaves once, comes back when the server was down, and is given up when nobody wants it."""

from __future__ import annotations

import signal
import subprocess
import sys
from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail as django_mail
from pytest_django import DjangoAssertNumQueries
from pytest_django.fixtures import Settings
from tests.notify.smtp_server import mail_server
from tests.notify.test_messages import person, tell

from commonwatt.accounts.models import User
from commonwatt.notify import actions, queries
from commonwatt.notify.mail import MailRun, send_waiting_mail
from commonwatt.notify.models import Delivery, Message

NOW = datetime(2026, 3, 29, 1, 0, tzinfo=UTC)


def use_server(settings: Settings, port: int) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_USE_TLS = "127.0.0.1", port, False
    settings.BASE_URL = "https://energy.example.org"


@pytest.mark.django_db
def test_mail_carries_the_news_the_page_and_a_lasting_id(settings: Settings) -> None:
    """Ana's mail says what is asked, links to the page, and has an id by which a repeat is known; sent once, it is not sent again."""
    with mail_server() as mailbox:
        use_server(settings, mailbox.port)
        tell(person("Ana"))
        assert queries.is_mail_due(now=NOW) is True
        assert send_waiting_mail(now=NOW) == MailRun(sent=1, postponed=0, given_up=0)
        assert queries.is_mail_due(now=NOW) is False
        assert send_waiting_mail(now=NOW + timedelta(days=1)) == MailRun(sent=0, postponed=0, given_up=0)
    (receiver, mail) = mailbox.received[0]
    assert len(mailbox.received) == 1
    assert (receiver, mail["Subject"], mail["Auto-Submitted"]) == ("ana@example.org", "An event on Monday", "auto-generated")
    assert mail["Message-ID"] == f"<{Message.objects.get().public_id}@energy.example.org>"
    assert mail.get_payload().startswith("Use less from 17:00.\n\nhttps://energy.example.org/events/evt_1\n\n-- \n")


@pytest.mark.django_db
def test_a_server_that_is_down_postpones_without_losing_or_using_up(settings: Settings) -> None:
    """While the mail server is down, one mail is tried and the others keep their place; when it is back, everybody's mail arrives."""
    with mail_server() as mailbox:
        port = mailbox.port
    use_server(settings, port)
    tell(person("Ana"), person("Bram"), person("Chloe"))
    assert send_waiting_mail(now=NOW) == MailRun(sent=0, postponed=1, given_up=0)
    assert sorted(Delivery.objects.filter(transport="email").values_list("attempts", flat=True)) == [0, 0, 1]
    with mail_server(port) as mailbox:
        assert send_waiting_mail(now=NOW + timedelta(seconds=59)).sent == 2
        assert send_waiting_mail(now=NOW + timedelta(seconds=60)).sent == 1
    assert sorted(receiver for receiver, _ in mailbox.received) == ["ana@example.org", "bram@example.org", "chloe@example.org"]


@pytest.mark.django_db
def test_a_refusal_for_good_is_given_up_and_a_passing_one_is_tried_again(settings: Settings) -> None:
    """An address that does not exist is given up at once; a full mailbox is tried again; neither keeps Chloe's mail from leaving."""
    with mail_server() as mailbox:
        use_server(settings, mailbox.port)
        mailbox.answers = {"ana@example.org": "550 no such person", "bram@example.org": "452 mailbox full"}
        tell(person("Ana"), person("Bram"), person("Chloe"))
        assert send_waiting_mail(now=NOW) == MailRun(sent=1, postponed=1, given_up=1)
        assert queries.mail_counts() == queries.MailCounts(waiting=1, given_up=1)
        del mailbox.answers["bram@example.org"]
        assert send_waiting_mail(now=NOW + timedelta(minutes=1)) == MailRun(sent=1, postponed=0, given_up=0)
    assert [receiver for receiver, _ in mailbox.received] == ["chloe@example.org", "bram@example.org"]


@pytest.mark.django_db
def test_attempts_are_bounded(settings: Settings) -> None:
    """A mailbox that stays full is tried eight times over two days, each wait longer than the last, and then given up."""
    with mail_server() as mailbox:
        use_server(settings, mailbox.port)
        mailbox.answers = {"ana@example.org": "452 mailbox full"}
        tell(person("Ana"))
        at, waits = NOW, []
        send_waiting_mail(now=at)
        while (waiting := Delivery.objects.filter(transport="email", state="waiting").first()) is not None:
            assert waiting.next_attempt_at is not None
            waits.append(waiting.next_attempt_at - at)
            at = waiting.next_attempt_at
            send_waiting_mail(now=at)
    assert [wait // timedelta(minutes=1) for wait in waits] == [1, 5, 30, 120, 480, 720, 1440]
    assert Delivery.objects.get(transport="email").error == ("SMTPRecipientsRefused: {'ana@example.org': (452, b'mailbox full')}")


@pytest.mark.django_db
def test_a_closed_account_gets_no_mail(settings: Settings) -> None:
    """Mail that waited when Ana closed her account never leaves."""
    ana = person("Ana")
    tell(ana)
    User.objects.filter(pk=ana.pk).update(is_active=False)
    assert send_waiting_mail(now=NOW) == MailRun(sent=0, postponed=0, given_up=0)
    assert django_mail.outbox == []


@pytest.mark.django_db(transaction=True)
def test_a_killed_sender_loses_no_mail(child_environment: dict[str, str]) -> None:
    """A process killed while it sends leaves that mail to be taken up again once its time is over, and not before."""
    tell(person("Ana"), person("Bram"))
    program = """
import os, signal, django
django.setup()
from datetime import UTC, datetime
from django.core.mail.backends import filebased
from commonwatt.notify.mail import send_waiting_mail
def die(self, messages):
    os.kill(os.getpid(), signal.SIGKILL)
filebased.EmailBackend.send_messages = die
send_waiting_mail(now=datetime(2026, 3, 29, 1, 0, tzinfo=UTC))
"""
    child = subprocess.run([sys.executable, "-c", program], env=child_environment, check=False)
    assert child.returncode == -signal.SIGKILL
    assert send_waiting_mail(now=NOW + timedelta(minutes=4)).sent == 1
    assert send_waiting_mail(now=NOW + timedelta(minutes=5)).sent == 1
    assert sorted(mail.to[0] for mail in django_mail.outbox) == ["ana@example.org", "bram@example.org"]


@pytest.mark.django_db
def test_telling_a_thousand_people_takes_a_handful_of_statements(django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    """Telling every participant of a large program costs a fixed number of statements per five hundred people."""
    people = User.objects.bulk_create(User(email=f"p{number}@example.org", password="!", created_at=NOW) for number in range(1000))
    with django_assert_max_num_queries(40):
        told = actions.tell(user_ids=[one.pk for one in people], cause="c", subject="s", body="b", address="", now=NOW)
    assert told == 1000
