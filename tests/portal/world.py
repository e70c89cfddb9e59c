"""Things of every kind, for whoever is to see or not to see them. Rooms whose pages join the access table add a method here."""

from __future__ import annotations

from dataclasses import dataclass

from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from allauth.usersessions.models import UserSession
from tests.cast import NOW, Cast

from commonwatt.accounts import actions, people
from commonwatt.accounts.models import Invitation, Membership
from commonwatt.accounts.values import CustomerView
from commonwatt.metering.actions import assign_meter, create_meter, new_claim_code
from commonwatt.metering.values import MeterView

HOLDERS = ("home", "organisation")
"""Whose things are tried: Ana's and Bram's household, and Olga's and Milo's organisation. Everybody is a stranger to one of them."""


@dataclass(frozen=True)
class World:
    """The cast and what is theirs."""

    cast: Cast

    def customer(self, holder: str) -> CustomerView:
        """The household or the organisation."""
        return self.cast.home if holder == "home" else self.cast.organisation

    def site(self, holder: str) -> str:
        """The number of a site of the holder."""
        return (self.cast.home_site if holder == "home" else self.cast.office).public_id

    def membership(self, holder: str) -> str:
        """The number of a membership about which an administrator can decide."""
        name = "bram" if holder == "home" else "wim"
        return Membership.objects.get(user_id=getattr(self.cast, name).person_id, customer_id=self.customer(holder).id).public_id

    def invitation(self, holder: str) -> str:
        """The number of an open invitation."""
        actions.invite(actor=None, customer_id=self.customer(holder).id, role="member", email="", now=NOW)
        return Invitation.objects.filter(customer_id=self.customer(holder).id, accepted_at=None).latest("pk").public_id

    def invitation_code(self) -> str:
        """The code of an open invitation."""
        return actions.invite(actor=None, customer_id=self.cast.organisation.id, role="member", email="", now=NOW)

    def sign_in_token(self) -> str:
        """A one-time token for Pia."""
        return people.new_sign_in_link(email=self.cast.pia.email, now=NOW)

    def staff(self) -> str:
        """The number of a member of the operator's staff."""
        return self.cast.user("pia").public_id

    def session_of_ana(self) -> int:
        """A browser in which Ana is signed in."""
        return UserSession.objects.create(user=self.cast.user("ana"), ip="192.0.2.1", session_key="elsewhere", user_agent="").pk

    def confirmation_key(self) -> str:
        """The key of an address that waits to be confirmed."""
        address = EmailAddress.objects.create(user=self.cast.user("chloe"), email="new@example.org", verified=False, primary=False)
        return str(EmailConfirmationHMAC(address).key)

    def claim_code(self, number: str) -> str:
        """The claim code of a new meter that nobody holds."""
        meter = create_meter(actor=None, number=number, name="", interval_s=900, quantities=["energy_import"], installed_on=None, now=NOW)
        return new_claim_code(actor=None, meter_id=meter.id, now=NOW)

    def meter(self, holder: str) -> MeterView:
        """A meter that the holder has had since yesterday."""
        meter = create_meter(
            actor=None, number=f"E-{holder}", name="", interval_s=900, quantities=["energy_import"], installed_on=None, now=NOW
        )
        site = self.cast.home_site if holder == "home" else self.cast.office
        return assign_meter(actor=None, meter_id=meter.id, customer_id=self.customer(holder).id, site_id=site.id, from_at=NOW, now=NOW)
