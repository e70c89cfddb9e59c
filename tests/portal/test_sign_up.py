"""Signing up, from the first form to the first page: a code, an address that is yours, and nothing that tells on others."""

from __future__ import annotations

import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from tests.cast import NOW, PASSWORD, Cast

from commonwatt.accounts import actions, queries
from commonwatt.accounts.access import viewer_for
from commonwatt.accounts.models import Membership, PendingClaim, User
from commonwatt.metering.actions import create_meter, new_claim_code
from commonwatt.metering.queries import meters_of
from commonwatt.outbox.models import Entry
from commonwatt.portal.entry import REFUSAL
from commonwatt.portal.sign_up import TOO_MANY

SIGN_UP = {"name": "Dora", "email": "dora@example.org", "password1": PASSWORD}


@pytest.fixture(autouse=True)
def _forget_attempts() -> None:
    cache.clear()


def claim_code(number: str = "E0042") -> str:
    """The claim code of a new meter."""
    meter = create_meter(actor=None, number=number, name="", interval_s=900, quantities=["energy_import"], installed_on=None, now=NOW)
    return new_claim_code(actor=None, meter_id=meter.id, now=NOW)


def invitation(cast: Cast, email: str = "") -> str:
    """An invitation to the library."""
    return actions.invite(actor=None, customer_id=cast.organisation.id, role="member", email=email, now=NOW)


def sign_up(client: Client, **facts: str) -> Any:
    """Send the form."""
    return client.post(reverse("account_signup"), {**SIGN_UP, **facts})


def confirmation_address() -> str:
    """The address in the newest mail."""
    found = re.search(r"http\S+/auth/confirm-email/\S+", mail.outbox[-1].body)
    assert found is not None
    return found[0].removeprefix("http://127.0.0.1:8000")


def test_a_claim_code_leads_to_ones_own_meter(cast: Cast, client: Client) -> None:
    """Dora signs up with the code that came with her meter; once her address is verified, household, site and meter are hers."""
    answer = sign_up(client, code=claim_code().lower())
    assert answer.headers["Location"] == reverse("account_email_verification_sent")
    user = User.objects.get(email="dora@example.org")
    assert viewer_for(user).customers == ()
    assert "_auth_user_id" not in client.session
    answer = client.post(confirmation_address(), follow=True)
    assert [str(message) for message in answer.context["messages"]] == [
        "dora@example.org is confirmed.",
        "Your meter is connected to Dora.",
    ]
    viewer = viewer_for(user)
    (home,) = viewer.customers
    assert (home.kind, home.name, viewer.administers) == ("household", "Dora", {home.id})
    assert [meter.number for meter in meters_of(home.id, answer.wsgi_request.now)] == ["E0042"]
    assert int(client.session["_auth_user_id"]) == user.pk, "the browser that signed up is signed in"
    assert not PendingClaim.objects.exists()


def test_the_address_may_be_verified_on_another_device(cast: Cast, client: Client) -> None:
    """The link opened on Dora's phone claims the meter, but signs nobody in there: whoever has the mail has not the password."""
    sign_up(client, code=claim_code())
    phone = Client()
    answer = phone.post(confirmation_address())
    assert answer.headers["Location"] == reverse("account_login")
    assert "_auth_user_id" not in phone.session
    assert len(viewer_for(User.objects.get(email="dora@example.org")).customers) == 1


def test_opening_the_link_changes_nothing(cast: Cast, client: Client) -> None:
    """Mail scanners open every link: only the button confirms."""
    sign_up(client, code=claim_code())
    assert b"dora@example.org" in Client().get(confirmation_address()).content
    assert not EmailAddress.objects.get(email="dora@example.org").verified
    assert PendingClaim.objects.count() == 1


def test_an_invitation_lets_in_at_once(cast: Cast, client: Client) -> None:
    """Dora, invited by address, signs up by the link of her mail and belongs to the library as soon as she is verified."""
    code = actions.invite(actor=cast.olga, customer_id=cast.organisation.id, role="administrator", email="dora@example.org", now=NOW)
    page = client.get(reverse("account_signup"), {"code": code})
    assert f'value="{code}"' in page.content.decode()
    sign_up(client, code=code)
    client.post(confirmation_address())
    assert viewer_for(User.objects.get(email="dora@example.org")).administers == {cast.organisation.id}


def test_a_number_leads_to_waiting(cast: Cast, client: Client) -> None:
    """With the library's number alone Dora waits, sees nothing of it, reads who decides, and its administrators are told."""
    sign_up(client, code=f"  {cast.organisation.public_id.replace('org_', 'ORG_').lower()} ")
    answer = client.post(confirmation_address(), follow=True)
    user = User.objects.get(email="dora@example.org")
    assert answer.redirect_chain[-1][0] == reverse("portal:waiting")
    page = answer.content.decode()
    assert "Riverside Library" in page
    assert "Its administrator has been told." in page
    assert "Olga" not in page
    assert viewer_for(user).customers == ()
    assert client.get(reverse("portal:organisation_members", args=[cast.organisation.public_id])).status_code == 404
    row = Membership.objects.get(user=user)
    entry = Entry.objects.order_by("-sequence").first()
    assert entry is not None
    assert (entry.kind, entry.subject_id) == ("membership.requested", row.public_id)
    assert entry.payload == {"customer_id": cast.organisation.id, "user_id": user.pk, "status": "pending", "role": "member"}


@pytest.mark.parametrize("wrong", ["0000-0000-0000-0000", "org_000000000000", "E0042", "org_", "", "x" * 64, "home"])
def test_a_wrong_code_is_refused_in_one_way(cast: Cast, client: Client, wrong: str) -> None:
    """A wrong code, a meter number, an organisation or household that is none to join: one text, and no account is made."""
    claim_code("E0042")
    code = cast.other_home.public_id if wrong == "home" else wrong
    answer = sign_up(client, code=code)
    assert answer.status_code == 200
    expected = "This field is required." if wrong == "" else str(REFUSAL)
    assert answer.context["form"].errors["code"] == [expected]
    assert not User.objects.filter(email="dora@example.org").exists()
    assert mail.outbox == []


def test_an_invitation_for_another_address_is_refused_like_a_wrong_one(cast: Cast, client: Client) -> None:
    """Milo's invitation does not work for Dora, and she does not learn that it exists."""
    answer = sign_up(client, code=invitation(cast, "somebody@example.org"))
    assert answer.context["form"].errors["code"] == [str(REFUSAL)]


def test_a_code_used_in_the_meantime_is_told(cast: Cast, client: Client) -> None:
    """Two sign up with one invitation: the second one's address is verified all the same, and she is told to ask for another."""
    code = invitation(cast)
    sign_up(client, code=code)
    address = confirmation_address()
    actions.accept_invitation(actor=cast.chloe, code_digest=PendingClaim.objects.get().code_digest, now=NOW)
    answer = client.post(address, follow=True)
    assert str(REFUSAL) in [str(message) for message in answer.context["messages"]]
    assert EmailAddress.objects.get(email="dora@example.org").verified
    assert answer.redirect_chain[-1][0] == reverse("portal:waiting")


def test_signing_up_tells_nothing_about_accounts(cast: Cast, client: Client) -> None:
    """With Ana's address a stranger sees what anybody sees; Ana is told by mail, her account is untouched, the code unused."""
    code = invitation(cast)
    answers = [sign_up(Client(), code=code, email=email) for email in ("new@example.org", "ANA@example.org")]
    assert [answer.status_code for answer in answers] == [302, 302]
    assert answers[0].headers["Location"] == answers[1].headers["Location"]
    pages = [answer.client.get(answer.headers["Location"]).content.decode() for answer in answers]
    private = re.compile(r'"X-CSRFToken": "[^"]*"|value="[^"]*"|\S+@example\.org')
    assert private.sub("", pages[0]) == private.sub("", pages[1])
    assert [message.to for message in mail.outbox] == [["new@example.org"], ["ana@example.org"]]
    assert "It has one already" in mail.outbox[1].body
    assert cast.viewer("ana") == cast.ana
    assert cast.user("ana").check_password(PASSWORD)
    assert queries.invitation_works(code_digest=PendingClaim.objects.get().code_digest, email="x@example.org", now=NOW)


def test_codes_cannot_be_tried_one_after_the_other(cast: Cast, client: Client) -> None:
    """After ten attempts from one place within a minute even the right code is refused; from elsewhere it works."""
    code = claim_code()
    for attempt in range(10):
        answer = sign_up(client, code=f"0000-0000-0000-{attempt:04}")
        assert answer.context["form"].errors["code"] == [str(REFUSAL)]
    answer = sign_up(client, code=code)
    assert answer.context["form"].errors["code"] == [str(TOO_MANY)]
    assert not User.objects.filter(email="dora@example.org").exists()
    assert sign_up(Client(REMOTE_ADDR="192.0.2.7"), code=code).status_code == 302


def test_names_are_written_as_they_are(cast: Cast, client: Client) -> None:
    """A name with quotes and markup comes out of the mail as it was typed, and harmless on the page."""
    sign_up(client, code=claim_code(), name="D'Arcy <b>")
    answer = client.post(confirmation_address(), follow=True)
    page = answer.content.decode()
    assert "Your meter is connected to D&#x27;Arcy &lt;b&gt;." in page
    assert "<b>" not in page
