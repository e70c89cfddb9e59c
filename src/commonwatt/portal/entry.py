"""What a code opens: a meter, a place somebody offered, or the wish to join an organisation. The same for signing up and later."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from commonwatt.accounts import queries as accounts
from commonwatt.accounts.access import Viewer
from commonwatt.accounts.actions import InvitationRefused, JoinRefused, accept_invitation
from commonwatt.accounts.choices import PendingKind
from commonwatt.accounts.people import Pending
from commonwatt.accounts.values import CustomerView
from commonwatt.kernel.ids import digest_secret, normalise_claim_code
from commonwatt.metering import queries as metering
from commonwatt.metering.actions import ClaimRefused, claim_meter
from commonwatt.portal.membership import ask_to_join

REFUSAL = _(
    "This code does not work. Check it against your letter or message; it may also have been used already or have expired. "
    "Whoever gave it to you can make a new one."
)
"""One text for every way to be wrong, so that trying codes teaches nothing."""


class CodeRefused(Exception):
    """What was typed opens nothing for this person."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What a code has opened, and whom it now belongs to."""

    kind: PendingKind
    customer: CustomerView
    meter_public_id: str = ""


def read_code(text: str, *, email: str, now: datetime) -> Pending:
    """Tell what somebody typed and whether it would work for this address; raises CodeRefused. Nothing is used up."""
    if (number := _organisation_number(text)) and accounts.can_be_joined(number):
        return Pending(PendingKind.JOIN, "", number)
    digest = digest_secret(normalise_claim_code(text))
    if accounts.invitation_works(code_digest=digest, email=email, now=now):
        return Pending(PendingKind.INVITATION, digest, "")
    if metering.claim_code_works(code_digest=digest, now=now):
        return Pending(PendingKind.METER, digest, "")
    raise CodeRefused


@transaction.atomic
def open_with(*, viewer: Viewer, pending: Pending, customer_id: int | None, now: datetime) -> Opened:
    """Use up what `read_code` found: claim the meter (for this customer, or None: one's own household), join, or ask to join.

    Raises:
        CodeRefused: If it has been used or has expired since.
    """
    try:
        if pending.kind == PendingKind.METER:
            return _claim(viewer, pending.code_digest, customer_id, now)
        if pending.kind == PendingKind.INVITATION:
            return Opened(pending.kind, accept_invitation(actor=viewer, code_digest=pending.code_digest, now=now))
        return Opened(pending.kind, ask_to_join(viewer=viewer, customer_public_id=pending.customer_public_id, now=now))
    except (ClaimRefused, InvitationRefused, JoinRefused) as error:
        raise CodeRefused from error


def _claim(viewer: Viewer, code_digest: str, customer_id: int | None, now: datetime) -> Opened:
    meter = claim_meter(viewer=viewer, code_digest=code_digest, customer_id=customer_id, now=now)
    if meter.holder is None:
        raise ClaimRefused
    return Opened(PendingKind.METER, accounts.customer_views([meter.holder.customer_id])[meter.holder.customer_id], meter.public_id)


def _organisation_number(text: str) -> str:
    """`org_…` in the form in which it is stored, or nothing where the text cannot be one."""
    prefix, _sign, symbols = text.strip().partition("_")
    return f"org_{normalise_claim_code(symbols)}" if prefix.lower() == "org" else ""
