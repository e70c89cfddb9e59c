"""The closed lists of this room: values for the database, words for people. Other rooms import them from here."""

from __future__ import annotations

from django.db.models import TextChoices
from django.utils.translation import gettext_lazy as _


class Role(TextChoices):
    """What a member may do: an administrator also manages the members."""

    ADMINISTRATOR = "administrator", _("Administrator")
    MEMBER = "member", _("Member")


class CustomerKind(TextChoices):
    """Who holds meters: an organisation with members who are approved, or a household."""

    ORGANISATION = "organisation", _("Organisation")
    HOUSEHOLD = "household", _("Household")


class MembershipStatus(TextChoices):
    """Where a person stands with an organisation (S0-43)."""

    PENDING = "pending", _("Waiting for approval")
    APPROVED = "approved", _("Approved")
    REJECTED = "rejected", _("Rejected")


class Standing(TextChoices):
    """Where a person stands, in the four words that people use (S0-43)."""

    PENDING = "pending", _("Waiting for approval")
    MEMBER = "member", _("Member")
    ADMINISTRATOR = "administrator", _("Administrator")
    REJECTED = "rejected", _("Turned down")

    @classmethod
    def of(cls, status: str, role: str) -> Standing:
        """The one word for a status and a role."""
        return cls(role) if status == MembershipStatus.APPROVED else cls(status)

    @property
    def decision(self) -> tuple[MembershipStatus, Role]:
        """The status and the role that this word means."""
        if self in {Standing.PENDING, Standing.REJECTED}:
            return MembershipStatus(self.value), Role.MEMBER
        return MembershipStatus.APPROVED, Role(self.value)


class PendingKind(TextChoices):
    """What the code that a person signed up with opens."""

    METER = "meter", _("Claim code of a meter")
    INVITATION = "invitation", _("Invitation")
    JOIN = "join", _("Number of an organisation")


class ActorRole(TextChoices):
    """In what capacity somebody acted."""

    OPERATOR = "operator", _("Operator")
    CUSTOMER = "customer", _("Customer")
    SYSTEM = "system", _("System")
