"""The people of every test: Ana's household, Bram who shares it, Chloe a stranger, Otto the operator, and Olga's organisation.

`cast` is a fixture (see tests/conftest.py); rooms that need meters or events build them on top of it.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime

from django.test import Client

from commonwatt.accounts import actions, people
from commonwatt.accounts.access import Viewer, viewer_for
from commonwatt.accounts.choices import CustomerKind, MembershipStatus, Role
from commonwatt.accounts.models import Membership, User
from commonwatt.accounts.values import CustomerView, SiteView
from commonwatt.kernel.ids import digest_secret, normalise_claim_code

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
PASSWORD = "blue kettle on tuesday"  # the same for everybody: tests sign in without hashing it more than once
ZONE = "Europe/Brussels"


@dataclass(frozen=True, kw_only=True)
class Cast:
    """Who there is, and what is theirs. Viewers are as they were when the cast was made: ask `viewer()` after a change."""

    ana: Viewer
    """Administrator of her household."""
    bram: Viewer
    """Shares Ana's household, as a member."""
    chloe: Viewer
    """A stranger, with a household of her own."""
    otto: Viewer
    """Administrator at the operator's desk."""
    pia: Viewer
    """Member at the operator's desk."""
    olga: Viewer
    """Administrator of the organisation."""
    milo: Viewer
    """Member of the organisation."""
    wim: Viewer
    """Waits to be let into the organisation."""
    rosa: Viewer
    """Was not let into the organisation."""
    home: CustomerView
    home_site: SiteView
    other_home: CustomerView
    other_site: SiteView
    organisation: CustomerView
    office: SiteView

    def viewer(self, name: str) -> Viewer:
        """The person of this name as they stand now."""
        return viewer_for(self.user(name))

    def user(self, name: str) -> User:
        """The person of this name, for signing in."""
        return User.objects.get(pk=getattr(self, name).person_id)


def make_cast() -> Cast:
    """Everybody, in the database."""
    users = {name: _person(name) for name in ("ana", "bram", "chloe", "olga", "milo", "wim", "rosa")}
    for name, role in (("otto", Role.ADMINISTRATOR), ("pia", Role.MEMBER)):
        users[name] = _person(name)
        people.create_operator(email=f"{name}@example.org", name=name, role=role, now=NOW)
    home, home_site = _household(users["ana"], "Ana's household")
    other_home, other_site = _household(users["chloe"], "Chloe's household")
    join(users["bram"], home, Role.MEMBER)
    organisation = actions.create_customer(actor=None, kind=CustomerKind.ORGANISATION, name="Riverside Library", now=NOW)
    office = actions.create_site(actor=None, customer_id=organisation.id, name="Main building", time_zone=ZONE, country="BE", now=NOW)
    join(users["olga"], organisation, Role.ADMINISTRATOR)
    join(users["milo"], organisation, Role.MEMBER)
    for name in ("wim", "rosa"):
        actions.request_membership(actor=viewer_for(users[name]), customer_public_id=organisation.public_id, now=NOW)
    actions.decide_membership(
        actor=viewer_for(users["olga"]),
        membership_id=Membership.objects.get(user=users["rosa"]).pk,
        status=MembershipStatus.REJECTED,
        role=Role.MEMBER,
        now=NOW,
    )
    return Cast(
        **{name: viewer_for(user) for name, user in users.items()},
        home=home,
        home_site=home_site,
        other_home=other_home,
        other_site=other_site,
        organisation=organisation,
        office=office,
    )


@dataclass(frozen=True)
class StoppedClock:
    """A clock that shows one moment, for pages and the people who look at them."""

    shown: datetime = NOW

    def now(self) -> datetime:
        """Always the same instant."""
        return self.shown


def sign_in(client: Client, user: User) -> Client:
    """Sign a person in, as if they had just entered their password again: it is not asked, and the session needs no keeping alive."""
    client.force_login(user)
    session = client.session
    session["seen_s"] = int(time.time())
    session["account_authentication_methods"] = [{"method": "password", "at": time.time(), "reauthenticated": True}]
    session["account_authentication_methods_user"] = str(user.pk)
    session.save()
    return client


def join(user: User, customer: CustomerView, role: Role) -> None:
    """Let a person into a customer, by an invitation like everybody else."""
    code = actions.invite(actor=None, customer_id=customer.id, role=role, email="", now=NOW)
    actions.accept_invitation(actor=viewer_for(user), code_digest=digest_secret(normalise_claim_code(code)), now=NOW)


def _person(name: str) -> User:
    view = people.create_person(email=f"{name}@example.org", name=name.title(), password=PASSWORD, now=NOW)
    return User.objects.get(pk=view.id)


def _household(user: User, name: str) -> tuple[CustomerView, SiteView]:
    return actions.create_household(actor=viewer_for(user), name=name, site_name="Home", time_zone=ZONE, country="BE", now=NOW)
