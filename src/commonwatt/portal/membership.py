"""Asking to join, and deciding: the act and the news of it in one transaction (accounts lies below the change log)."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from commonwatt.accounts import queries as accounts
from commonwatt.accounts.access import Viewer
from commonwatt.accounts.actions import decide_membership, request_membership
from commonwatt.accounts.values import CustomerView, MembershipView
from commonwatt.outbox.actions import append


@transaction.atomic
def ask_to_join(*, viewer: Viewer, customer_public_id: str, now: datetime) -> CustomerView:
    """Ask to join an organisation, and let its administrators know; asking twice tells them once. Raises JoinRefused."""
    membership, is_new = request_membership(actor=viewer, customer_public_id=customer_public_id, now=now)
    if is_new:
        _tell("membership.requested", membership, now)
    return accounts.customer_views([membership.customer_id])[membership.customer_id]


@transaction.atomic
def decide(*, viewer: Viewer, membership_id: int, status: str, role: str, now: datetime) -> MembershipView:
    """Decide about a member, and let them know; raises LastAdministrator."""
    membership, is_changed = decide_membership(actor=viewer, membership_id=membership_id, status=status, role=role, now=now)
    if is_changed:
        _tell("membership.decided", membership, now)
    return membership


def _tell(kind: str, membership: MembershipView, now: datetime) -> None:
    payload = {
        "customer_id": membership.customer_id,
        "user_id": membership.person.id,
        "status": membership.status,
        "role": membership.role,
    }
    append(kind=kind, subject_kind="membership", subject_id=membership.public_id, payload=payload, now=now)
