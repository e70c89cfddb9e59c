"""One's own account: profile, browsers, messages, the trail of what one did, and closing it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import reverse
from tests.cast import NOW, PASSWORD, Cast, sign_in

from commonwatt.accounts import people
from commonwatt.notify.queries import wants_mail
from commonwatt.portal.sessions import browser_of, forget_ended

FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0"
ACCOUNT = "portal:account"


def log_in(**headers: str) -> Client:
    """A browser in which Ana signs in with her password."""
    client = Client(**headers)
    client.post(reverse("account_login"), {"login": "ana@example.org", "password": PASSWORD})
    return client


def texts(response: Any) -> list[str]:
    """The messages that a page shows."""
    return [str(message) for message in response.context["messages"]]


def test_the_profile_decides_how_one_is_called_and_shown_times(cast: Cast, client: Client) -> None:
    """Ana changes her name and time zone; the next page greets her by it and shows times in that zone."""
    sign_in(client, cast.user("ana"))
    answer = client.post(reverse(ACCOUNT), {"name": "Ana Peeters", "time_zone": "Asia/Tokyo", "language": "en"}, follow=True)
    assert texts(answer) == ["Your profile is saved."]
    page = answer.content.decode()
    assert "Account of Ana Peeters" in page
    assert 'data-zone="Asia/Tokyo"' in page
    wrong = client.post(reverse(ACCOUNT), {"name": "Ana", "time_zone": "Mars/Olympus"})
    assert "time_zone" in wrong.context["form"].errors
    assert cast.user("ana").time_zone == "Asia/Tokyo"


def test_without_a_choice_times_are_the_operators(cast: Cast, client: Client) -> None:
    """Whoever chose no zone sees the operator's, here Brussels."""
    sign_in(client, cast.user("bram"))
    assert 'data-zone="Europe/Brussels"' in client.get(reverse(ACCOUNT)).content.decode()


def test_browsers_are_listed_and_signed_out(cast: Cast) -> None:
    """Ana sees her two browsers, this one first; she signs the other out, and it is."""
    other, here = log_in(HTTP_USER_AGENT=FIREFOX, REMOTE_ADDR="192.0.2.7"), log_in()
    sessions = here.get(reverse(ACCOUNT)).context["sessions"]
    assert [(view.ip, view.browser, view.is_current) for view in sessions] == [
        ("127.0.0.1", "An unknown browser", True),
        ("192.0.2.7", "Firefox on Windows", False),
    ]
    here.post(reverse("portal:account_session_end", args=[sessions[1].id]))
    assert other.get(reverse(ACCOUNT)).status_code == 302
    assert len(here.get(reverse(ACCOUNT)).context["sessions"]) == 1


def test_nobody_signs_out_somebody_else(cast: Cast) -> None:
    """Chloe can sign out neither Ana's browser nor one that never was, and both answer alike."""
    ana = log_in()
    chloe = sign_in(Client(), cast.user("chloe"))
    number = UserSession.objects.get(user_id=cast.ana.person_id).pk
    for wanted in (number, number + 1000):
        assert chloe.post(reverse("portal:account_session_end", args=[wanted])).status_code == 404
    assert ana.get(reverse(ACCOUNT)).status_code == 200


def test_signing_out_everywhere(cast: Cast) -> None:
    """One button signs Ana out in every browser, this one too; Bram stays."""
    other, here, bram = log_in(), log_in(), sign_in(Client(), cast.user("bram"))
    assert here.post(reverse("portal:account_sessions_end")).headers["Location"] == reverse("account_login")
    assert [client.get(reverse(ACCOUNT)).status_code for client in (other, here, bram)] == [302, 302, 200]
    assert not UserSession.objects.filter(user_id=cast.ana.person_id).exists()


def test_a_visit_puts_off_the_sign_out_now_and_then(cast: Cast, django_assert_num_queries: Any) -> None:
    """The first page after five minutes saves the session anew; the next page writes nothing."""
    client = log_in()
    session = client.session
    session["seen_s"] -= 301
    session.set_expiry(datetime.now(UTC) + timedelta(minutes=1))
    session.save()
    client.get(reverse("portal:help"))
    renewed = client.session["seen_s"]
    assert renewed > session["seen_s"]
    # The session, the person, what they belong to (2), their unread messages.
    with django_assert_num_queries(5):
        client.get(reverse("portal:help"))
    assert client.session["seen_s"] == renewed


def test_ended_sessions_are_forgotten(cast: Cast) -> None:
    """Sessions past their end go, with the note of their browser; others stay."""
    log_in()
    gone = UserSession.objects.get(session_key=log_in().session.session_key)
    Session.objects.filter(session_key=gone.session_key).update(expire_date=datetime.now(UTC) - timedelta(seconds=1))
    assert forget_ended() == 1
    assert (Session.objects.count(), UserSession.objects.count()) == (1, 1)
    assert not UserSession.objects.filter(pk=gone.pk).exists()


@pytest.mark.parametrize(
    ("says", "means"),
    [
        (FIREFOX, "Firefox on Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1 (KHTML) Version/18 Safari/605.1", "Safari on macOS"),
        ("Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML) Chrome/140.0 Mobile Safari/537.36", "Chrome on Android"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        ("curl/8.5.0", "An unknown browser"),
    ],
)
def test_browsers_are_called_by_their_names(says: str, means: str) -> None:
    """What a browser says of itself is shown as people call it."""
    assert browser_of(says) == means


def test_mail_is_a_choice(cast: Cast, client: Client) -> None:
    """Ana turns mail off and on again; Bram's choice is his own."""
    sign_in(client, cast.user("ana"))
    assert wants_mail(cast.ana.person_id)
    client.post(reverse("portal:account_notifications"), {})
    assert not wants_mail(cast.ana.person_id)
    assert not client.get(reverse(ACCOUNT)).context["mail_form"].initial["mail"]
    assert wants_mail(cast.bram.person_id)
    client.post(reverse("portal:account_notifications"), {"mail": "on"})
    assert wants_mail(cast.ana.person_id)


def test_what_one_did_is_there_to_read(cast: Cast, client: Client, django_assert_num_queries: Any) -> None:
    """Olga reads what she did, newest first, in words; nothing of others' doing stands there."""
    sign_in(client, cast.user("olga"))
    with django_assert_num_queries(7):
        page = client.get(reverse("portal:account_trail"))
    assert [(line.act, line.what) for line in page.context["lines"]] == [
        ("Membership decided", "Turned down"),
        ("Joined by invitation", "Administrator"),
    ]


def test_closing_needs_somebody_who_takes_over(cast: Cast, client: Client) -> None:
    """Olga, the only administrator, is told to hand over first; Milo closes his account at once."""
    sign_in(client, cast.user("olga"))
    refused = client.post(reverse("portal:account_close"), follow=True)
    assert texts(refused) == ["You are the only administrator of something that others use. Make somebody else one first."]
    assert cast.viewer("olga") == cast.olga
    milo = sign_in(Client(), cast.user("milo"))
    closed = milo.post(reverse("portal:account_close"), follow=True)
    assert texts(closed) == ["Your account is closed, and what named you is erased."]
    assert cast.user("milo").email.endswith("@closed.invalid")


def test_closing_asks_for_the_password_again(cast: Cast) -> None:
    """A browser that Ana left open cannot close her account."""
    client = log_in()
    asked = client.post(reverse("portal:account_close"))
    assert asked.headers["Location"].startswith(reverse("account_reauthenticate"))
    assert cast.viewer("ana") == cast.ana


def test_the_account_page_asks_a_fixed_number_of_queries(cast: Cast, client: Client, django_assert_num_queries: Any) -> None:
    """However many browsers and places somebody has, their page costs the same."""
    log_in()
    sign_in(client, cast.user("ana"))
    # Session, person, membership (2), mail choice, browsers (2), places, unread messages.
    with django_assert_num_queries(9):
        client.get(reverse(ACCOUNT))


def test_the_first_operator_chooses_a_password(cast: Cast, client: Client) -> None:
    """The one-time link shows a form, refuses a weak password, signs in with a good one, and then works no more."""
    _person, token = people.create_operator(email="first@example.org", name="First", role="administrator", now=NOW)
    address = reverse("portal:sign_in_link", args=[token])
    assert client.get(address).status_code == 200
    weak = client.post(address, {"password": "password12"})
    assert "password" in weak.context["form"].errors
    answer = client.post(address, {"password": "a kettle of blue fish"})
    assert answer.headers["Location"] == reverse("portal:home")
    assert client.get(reverse("portal:operator_staff")).status_code == 200
    assert UserSession.objects.count() == 1
    used = Client().get(address)
    assert (used.status_code, "This link no longer works" in used.content.decode()) == (400, True)
    assert Client().post(address, {"password": "another blue kettle"}).status_code == 400
