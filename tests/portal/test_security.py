"""What keeps people's sign-in, codes and pages theirs."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
import tempfile
from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.apps import apps
from django.core import mail
from django.core.cache import cache
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path, reverse
from tests.cast import NOW, PASSWORD, Cast, sign_in
from tests.portal.access_table import TABLE, For
from tests.portal.world import World, end

from commonwatt.accounts import actions, people
from commonwatt.metering.actions import create_meter, new_claim_code
from commonwatt.portal.entry import REFUSAL

POLICY = {
    "default-src 'self'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self' data:",
    "font-src 'self'",
    "connect-src 'self'",
    "object-src 'none'",
    "base-uri 'none'",
    "form-action 'self'",
    "frame-ancestors 'none'",
}
HEADERS = {
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


@pytest.fixture(autouse=True)
def _forget_attempts() -> None:
    cache.clear()


def fails(_request: HttpRequest) -> HttpResponse:
    """A page with a mistake in it."""
    raise RuntimeError("a mistake")


urlpatterns = [path("fails/", fails), path("", include("commonwatt.ops.urls"))]


def policy_of(response: Any) -> set[str]:
    """The parts of a page's content policy."""
    return {part.strip() for part in response.headers["Content-Security-Policy"].split(";")}


def log_in(client: Client, *, password: str = PASSWORD, email: str = "ana@example.org", **more: str) -> Any:
    """Send the sign-in form."""
    return client.post(reverse("account_login"), {"login": email, "password": password, **more})


def is_signed_in(client: Client) -> bool:
    """Whether the browser opens the account page."""
    return client.get(reverse("portal:account")).status_code == 200


@pytest.mark.parametrize("name", [name for name, route in TABLE.items() if route.look is not For.NOBODY])
def test_every_page_has_the_strict_policy(cast: Cast, name: str, settings: Any) -> None:
    """Every page, for whoever may open it, forbids scripts and styles of its own or from elsewhere, and being framed."""
    settings.ACCOUNT_RATE_LIMITS = False
    route, world = TABLE[name], World(cast)
    client = sign_in(Client(), cast.user("otto"))
    response = client.get(reverse(name, args=route.arguments(world, route.holders[0])))
    assert policy_of(response) == POLICY
    assert {header: response.headers[header] for header in HEADERS} == HEADERS
    if response.streaming:
        end(response)
    elif response.headers["Content-Type"].startswith("text/html"):
        page = response.content.decode()
        assert not re.search(r"\sstyle=|\son[a-z]+=\"|<style|<script(?![^>]*(?:\ssrc=|application/json))", page)


@pytest.mark.urls(__name__)
def test_error_pages_have_it_too(cast: Cast) -> None:
    """Not found, not allowed, too old a form, a failure: those pages are as strict, and show nothing of what went wrong."""
    client = Client(raise_request_exception=False)
    pages = {
        404: client.get("/no-such-page/"),
        500: client.get("/fails/"),
        403: Client(enforce_csrf_checks=True).post(reverse("account_login")),
    }
    for status, response in pages.items():
        assert (response.status_code, policy_of(response)) == (status, POLICY)
        assert "mistake" not in response.content.decode().replace("by mistake", "")


def test_cookies_and_headers_of_an_https_install() -> None:
    """With an https address cookies travel only encrypted, scripts cannot read them, and browsers remember to use https."""
    script = (
        "import json; from commonwatt.ops import django_settings as s; print(json.dumps([s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE,"
        " s.SESSION_COOKIE_HTTPONLY, s.CSRF_COOKIE_HTTPONLY, s.SESSION_COOKIE_SAMESITE, s.CSRF_COOKIE_SAMESITE, s.SECURE_HSTS_SECONDS,"
        " s.ACCOUNT_DEFAULT_HTTP_PROTOCOL, s.DEBUG]))"
    )
    with tempfile.TemporaryDirectory() as folder:
        environment = {"PATH": os.environ["PATH"], "COMMONWATT_DATA_DIR": folder, "COMMONWATT_BASE_URL": "https://energy.example.org"}
        done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == [True, True, True, True, "Lax", "Lax", 31_536_000, "https", False]


def test_the_sign_in_cookie(cast: Cast, client: Client, settings: Any) -> None:
    """The cookie of a session is closed to scripts and to other sites, and secure where the install is."""
    settings.SESSION_COOKIE_SECURE = True
    cookie = log_in(client).cookies[settings.SESSION_COOKIE_NAME]
    assert (cookie["httponly"], cookie["samesite"], cookie["secure"]) == (True, "Lax", True)


def test_a_planted_session_is_worth_nothing(cast: Cast) -> None:
    """A session key that somebody planted in Ana's browser before she signed in does not get them in afterwards."""
    ana, thief = Client(), Client()
    ana.get(reverse("account_login"))
    session = ana.session
    session["planted"] = "yes"
    session.save()
    planted = session.session_key
    ana.cookies["commonwatt_session"] = planted
    log_in(ana)
    assert is_signed_in(ana)
    assert ana.session.session_key != planted
    thief.cookies["commonwatt_session"] = planted
    assert not is_signed_in(thief)


@pytest.mark.parametrize(
    "target",
    ["https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)", "http:evil.example"],
)
def test_nobody_is_led_elsewhere(cast: Cast, client: Client, target: str) -> None:
    """After signing in or out one lands on our pages, whatever address was slipped into the link."""
    assert log_in(client, next=target).headers["Location"] == reverse("portal:home")
    assert client.post(reverse("account_logout"), {"next": target}).headers["Location"] == reverse("portal:landing")
    page = Client().get(f"//evil.example{reverse('portal:account')}")
    assert not page.headers.get("Location", "").startswith("//")


def test_after_signing_in_one_comes_to_the_page_one_wanted(cast: Cast, client: Client) -> None:
    """A page that asked Ana to sign in is where she comes out."""
    wanted = reverse("portal:organisation_members", args=[cast.home.public_id])
    asked = client.get(wanted).headers["Location"]
    assert asked == f"{reverse('account_login')}?next={wanted}"
    assert log_in(client, next=wanted).headers["Location"] == wanted


def test_a_reset_tells_nothing_about_accounts(cast: Cast) -> None:
    """Asking for a new password looks the same for an account and for none; the mail alone tells them apart."""
    pages = []
    for email in ("ana@example.org", "nobody@example.org"):
        client = Client()
        answer = client.post(reverse("account_reset_password"), {"email": email})
        pages.append((answer.status_code, answer.headers["Location"], client.get(answer.headers["Location"]).content))
    private = re.compile(rb'"X-CSRFToken": "[^"]*"|value="[^"]*"')
    assert pages[0][:2] == pages[1][:2]
    assert private.sub(b"", pages[0][2]) == private.sub(b"", pages[1][2])
    assert [message.subject for message in mail.outbox] == ["Set a new password", "There is no account with this address"]


def test_a_reset_link_works_once_and_signs_everybody_out(cast: Cast, client: Client) -> None:
    """Ana sets a new password by mail: browsers signed in before are not any more, and the link is used up."""
    before = sign_in(Client(), cast.user("ana"))
    client.post(reverse("account_reset_password"), {"email": "Ana@Example.org"})
    found = re.search(r"http://127\.0\.0\.1:8000(\S+/key/\S+)", mail.outbox[0].body)
    assert found is not None
    form = client.get(found[1], follow=True)
    new = {"password1": "green kettle on friday", "password2": "green kettle on friday"}
    assert client.post(form.wsgi_request.path, new).status_code == 302
    assert not is_signed_in(before)
    assert not is_signed_in(client)
    again = Client().get(found[1], follow=True)
    assert again.context["token_fail"]
    assert log_in(Client()).status_code == 200
    assert log_in(Client(), password=new["password1"]).status_code == 302
    assert mail.outbox[-1].subject == "Your password was set anew"


def test_links_in_mail_lead_to_the_install(cast: Cast, client: Client) -> None:
    """Whatever name of ours the request used, mail names the install's address; a foreign name is refused."""
    client.post(reverse("account_reset_password"), {"email": "ana@example.org"}, headers={"host": "localhost"})
    assert "http://127.0.0.1:8000/auth/password/reset/key/" in mail.outbox[0].body
    assert "localhost" not in mail.outbox[0].body
    refused = client.post(reverse("account_reset_password"), {"email": "ana@example.org"}, headers={"host": "evil.example"})
    assert refused.status_code == 400
    assert len(mail.outbox) == 1


def test_passwords_cannot_be_tried_one_after_the_other(cast: Cast) -> None:
    """After five wrong passwords for one address even the right one waits, from wherever it comes; others are not held up."""
    for attempt in range(5):
        assert log_in(Client(REMOTE_ADDR=f"192.0.2.{attempt}"), password="wrong").status_code == 200
    refused = log_in(Client(REMOTE_ADDR="192.0.2.99"))
    assert refused.status_code == 200
    assert "Too many failed login attempts" in refused.content.decode()
    assert log_in(Client(REMOTE_ADDR="192.0.2.99"), email="bram@example.org").status_code == 302


def test_codes_cannot_be_tried_by_those_signed_in(cast: Cast) -> None:
    """Ten codes a minute on the page of codes and in invitations' addresses together; then the right one is refused too."""
    client = sign_in(Client(), cast.user("chloe"))
    code = actions.invite(actor=None, customer_id=cast.organisation.id, role="member", email="", now=NOW)
    for attempt in range(5):
        wrong = f"0000-0000-0000-{attempt:04}"
        assert str(REFUSAL) in str(client.post(reverse("portal:claim"), {"code": wrong}).context["form"].errors)
        assert client.get(reverse("portal:accept_invitation", args=[wrong])).status_code == 400
    assert client.get(reverse("portal:accept_invitation", args=[code])).status_code == 400
    assert client.post(reverse("portal:accept_invitation", args=[code])).status_code == 400
    assert cast.viewer("chloe") == cast.chloe
    cache.clear()
    assert client.post(reverse("portal:accept_invitation", args=[code])).status_code == 302


def test_whoever_hurries_is_asked_to_wait(cast: Cast, client: Client) -> None:
    """After five resets for one address within a minute a page of ours says so, as strict as any other, and no mail is sent."""
    for _ in range(5):
        client.post(reverse("account_reset_password"), {"email": "ana@example.org"})
    answer = client.post(reverse("account_reset_password"), {"email": "ana@example.org"})
    assert (answer.status_code, policy_of(answer)) == (429, POLICY)
    assert "Too many tries in a short time" in answer.content.decode()
    assert len(mail.outbox) == 5


def test_changing_the_password_signs_out_everywhere_else(cast: Cast, client: Client) -> None:
    """Ana changes her password here: here she stays signed in, her other browser is signed out, and a mail tells her."""
    other = Client()
    log_in(other)
    log_in(client)
    assert (
        client.post(reverse("account_change_password"), {"oldpassword": "x", "password1": "a" * 12, "password2": "a" * 12}).status_code
        == 200
    )
    assert is_signed_in(other)
    new = "green kettle on friday"
    answer = client.post(reverse("account_change_password"), {"oldpassword": PASSWORD, "password1": new, "password2": new})
    assert answer.headers["Location"] == reverse("portal:account")
    assert is_signed_in(client)
    assert not is_signed_in(other)
    assert [session.is_current for session in client.get(reverse("portal:account")).context["sessions"]] == [True]
    assert mail.outbox[-1].subject == "Your password was changed"


def test_changing_the_address_asks_for_the_password(cast: Cast, client: Client) -> None:
    """A browser left open does not give the account away: the address changes only after the password, and once confirmed."""
    log_in(client)
    change = {"email": "ana@elsewhere.example", "action_add": ""}
    answer = client.post(reverse("account_email"), change)
    assert answer.headers["Location"].startswith(reverse("account_reauthenticate"))
    assert mail.outbox == []
    client.post(answer.headers["Location"], {"password": PASSWORD})
    assert cast.user("ana").email == "ana@example.org"
    found = re.search(r"http://127\.0\.0\.1:8000(\S+/confirm-email/\S+)", mail.outbox[0].body)
    assert found is not None
    client.post(found[1])
    assert cast.user("ana").email == "ana@elsewhere.example"
    assert [message.to for message in mail.outbox[1:]] == [["ana@example.org"]], "the old address is told"


def test_what_one_saw_is_not_kept_for_others(cast: Cast, client: Client) -> None:
    """After Ana has signed out, neither the browser nor a proxy shows her pages again."""
    sign_in(client, cast.user("ana"))
    for name in ("portal:account", "portal:organisation"):
        assert "no-store" in client.get(reverse(name), follow=True).headers["Cache-Control"]
    assert "Cache-Control" not in Client().get(reverse("portal:landing")).headers


def test_a_closed_account_is_signed_out_and_stays_so(cast: Cast, client: Client) -> None:
    """Chloe closes her account: every browser of hers is out, her password opens nothing, and her address is free again."""
    other = Client()
    log_in(other, email="chloe@example.org")
    sign_in(client, cast.user("chloe"))
    assert client.post(reverse("portal:account_close")).headers["Location"] == reverse("portal:landing")
    assert not is_signed_in(client)
    assert not is_signed_in(other)
    assert log_in(Client(), email="chloe@example.org").status_code == 200
    assert UserSession.objects.filter(user_id=cast.chloe.person_id).count() == 0


def test_secrets_are_kept_and_logged_nowhere(cast: Cast, caplog: pytest.LogCaptureFixture) -> None:
    """Claim codes, invitations, one-time links and passwords: used by people, then found in no table and no log line."""
    caplog.set_level(logging.DEBUG)
    meter = create_meter(actor=None, number="E1", name="", interval_s=900, quantities=["energy_import"], installed_on=None, now=NOW)
    claim = new_claim_code(actor=cast.otto, meter_id=meter.id, now=NOW)
    invitation = actions.invite(actor=cast.olga, customer_id=cast.organisation.id, role="member", email="", now=NOW)
    token = people.new_sign_in_link(email="pia@example.org", now=NOW)
    dora, pia, olga = Client(), Client(), sign_in(Client(), cast.user("olga"))
    dora.get(reverse("account_signup"), {"code": claim})
    dora.post(
        reverse("account_signup"), {"code": claim, "name": "Dora", "email": "dora@example.org", "password1": "purple kettle on monday"}
    )
    dora.get(reverse("portal:accept_invitation", args=[invitation]))
    pia.get(reverse("portal:sign_in_link", args=[token]))
    pia.post(reverse("portal:sign_in_link", args=[token]), {"password": "yellow kettle on sunday"})
    shown = olga.post(
        reverse("portal:organisation_invite", args=[cast.organisation.public_id]), {"role": "member", "email": "eve@example.org"}
    )
    sent = shown.context["code"]
    assert sent in mail.outbox[-1].body
    chloe = sign_in(Client(), cast.user("chloe"))
    chloe.post(reverse("portal:claim"), {"code": invitation})
    assert cast.organisation.id in cast.viewer("chloe").member_of
    kept = "".join(str(list(model._default_manager.values())) for model in apps.get_models())
    sessions = "".join(str(row.get_decoded()) for row in apps.get_model("sessions", "Session").objects.all())
    logged = "".join(record.getMessage() for record in caplog.records)
    secrets = [claim, invitation, token, sent, "purple kettle on monday", "yellow kettle on sunday"]
    secrets += [code.replace("-", "") for code in (claim, invitation, sent)]
    places = (("a table", kept), ("a session", sessions), ("the log", logged))
    assert [(secret, place) for secret in secrets for place, text in places if secret in text] == []
    assert "dora@example.org" in kept, "the search looks where it should"
