"""Acts of and for one person: the operator's staff, one-time links, profile, what they signed up with, closing an account."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from allauth.account.models import EmailAddress
from django.db import transaction
from django.db.models import F, Q

from commonwatt.accounts import audit
from commonwatt.accounts.access import Viewer, require_operator_administrator, viewer_for
from commonwatt.accounts.actions import LastAdministrator, require_time_zone
from commonwatt.accounts.choices import CustomerKind, MembershipStatus, PendingKind, Role
from commonwatt.accounts.models import Customer, Invitation, Membership, OperatorMembership, PendingClaim, SignInLink, User
from commonwatt.accounts.values import PersonView
from commonwatt.kernel.ids import digest_secret, new_token

LINK_LIFE = timedelta(days=7)


class LinkRefused(Exception):
    """The one-time address is wrong, used or expired; which of these is not said."""


class NotOperator(ValueError):
    """No active member of the operator's staff has this address."""

    def __init__(self, email: str) -> None:
        super().__init__(f"{email} belongs to nobody of the operator's staff; add them with create-operator")


class AlreadyOperator(ValueError):
    """The person works at the operator's desk already."""

    def __init__(self, email: str) -> None:
        super().__init__(f"{email} belongs to the operator's staff already")


@transaction.atomic
def create_person(*, email: str, name: str, password: str, now: datetime) -> PersonView:
    """A person whose address needs no proof, who signs in with this password: for the demo and for tests."""
    return PersonView.of(_create(email=email.strip().lower(), name=name, password=password, now=now))


@transaction.atomic
def create_operator(*, email: str, name: str, role: str, actor: Viewer | None = None, now: datetime) -> tuple[PersonView, str | None]:
    """Add a person to the operator's staff; returns them and a one-time sign-in token, shown here and never again (S0-57).

    Somebody who has an account with a password already keeps it and gets no token (None): a link would let its reader in
    past that password. Raises AlreadyOperator.
    """
    if actor is not None:
        require_operator_administrator(actor)
    email = email.strip().lower()
    user = User.objects.filter(email=email).first()
    if user is None:
        user = _create(email=email, name=name, password=None, now=now)
    if OperatorMembership.objects.filter(user=user).exists():
        raise AlreadyOperator(email)
    OperatorMembership.objects.create(user=user, role=Role(role), created_at=now)
    _audit(actor, "operator.added", user, {"role": role}, now)
    return PersonView.of(user), None if user.has_usable_password() else _new_link(user, now)


@transaction.atomic
def new_sign_in_link(*, email: str, now: datetime) -> str:
    """A fresh one-time token for a member of the operator's staff; for the command line alone. Raises NotOperator."""
    user = User.objects.filter(email=email.strip().lower(), operator__isnull=False, is_active=True).first()
    if user is None:
        raise NotOperator(email)
    _audit(None, "operator.link_created", user, {}, now)
    return _new_link(user, now)


def forget_ended_links(*, now: datetime) -> int:
    """Delete one-time links that let nobody in any more; how many. That they were made and used stays in the trail."""
    return SignInLink.objects.filter(Q(expires_at__lte=now) | Q(used_at__isnull=False)).delete()[0]


def link_works(*, token: str, now: datetime) -> bool:
    """Whether a one-time token would let its holder in now; asking does not use it up (mail scanners open every link)."""
    return SignInLink.objects.filter(**_usable(token, now)).exists()


@transaction.atomic
def use_sign_in_link(*, token: str, new_password: str, now: datetime) -> int:
    """Set the password that the token's holder chose, use the token up, and return the person's id; raises LinkRefused."""
    link = SignInLink.objects.select_for_update().filter(**_usable(token, now)).first()
    if link is None:
        raise LinkRefused
    SignInLink.objects.filter(user_id=link.user_id, used_at__isnull=True).update(used_at=now)
    user = User.objects.get(pk=link.user_id)
    user.set_password(new_password)
    user.save(update_fields=["password"])
    _audit(viewer_for(user), "person.link_used", user, {}, now)
    return user.pk


@transaction.atomic
def set_operator_role(*, actor: Viewer | None, public_id: str, role: str | None, now: datetime) -> None:
    """Change what a member of the staff may do; None takes them off the desk. Raises LastAdministrator."""
    if actor is not None:
        require_operator_administrator(actor)
    desk = {row.user.public_id: row for row in OperatorMembership.objects.select_for_update().select_related("user").order_by("pk")}
    row = desk.get(public_id)
    if row is None or row.role == role:
        return
    others = [other for other in desk.values() if other is not row and other.role == Role.ADMINISTRATOR]
    if row.role == Role.ADMINISTRATOR and not others:
        raise LastAdministrator
    if role is None:
        row.delete()
        SignInLink.objects.filter(user_id=row.user_id, used_at__isnull=True).update(used_at=now)
    else:
        row.role = Role(role)
        row.save(update_fields=["role"])
    _audit(actor, "operator.removed" if role is None else "operator.role_changed", row.user, {"role": role}, now)


@transaction.atomic
def update_profile(*, actor: Viewer, name: str, time_zone: str, language: str, now: datetime) -> None:
    """Change how a person is called and shown times and texts; raises UnknownTimeZone."""
    if time_zone:
        require_time_zone(time_zone)
    user = User.objects.select_for_update().get(pk=actor.person_id)
    user.name, user.time_zone, user.language = " ".join(name.split()), time_zone, language
    user.save(update_fields=["name", "time_zone", "language"])
    _audit(actor, "person.profile_changed", user, {}, now)


@dataclass(frozen=True, slots=True)
class Pending:
    """What a person signed up with."""

    kind: PendingKind
    code_digest: str
    customer_public_id: str


@transaction.atomic
def keep_pending(*, user_id: int, pending: Pending, now: datetime) -> None:
    """Keep what a person signed up with until their address is verified."""
    user = User.objects.get(pk=user_id)
    customer = Customer.objects.get(public_id=pending.customer_public_id) if pending.kind == PendingKind.JOIN else None
    PendingClaim.objects.update_or_create(
        user=user,
        defaults={"kind": pending.kind, "code_digest": pending.code_digest, "customer": customer, "created_at": now},
    )
    _audit(viewer_for(user), "person.signed_up", user, {"with": pending.kind.value}, now)


@transaction.atomic
def take_pending(*, user_id: int) -> Pending | None:
    """What the person signed up with, handed out once."""
    row = PendingClaim.objects.select_for_update(of=("self",)).select_related("customer").filter(user_id=user_id).first()
    if row is None:
        return None
    row.delete()
    return Pending(PendingKind(row.kind), row.code_digest, row.customer.public_id if row.customer else "")


@transaction.atomic
def close_account(*, actor: Viewer, now: datetime) -> None:
    """Deactivate an account and erase what names its person; the trail keeps the id alone. Raises LastAdministrator.

    The row stays, without name and address: what the person did keeps its actor, and the id is never given to another.
    """
    user = User.objects.select_for_update().get(pk=actor.person_id)
    _leave_customers(user)
    if actor.is_operator:
        set_operator_role(actor=None, public_id=user.public_id, role=None, now=now)
    Invitation.objects.filter(email=user.email, accepted_at__isnull=True, withdrawn_at__isnull=True).update(withdrawn_at=now)
    Invitation.objects.filter(email=user.email).update(email="")
    EmailAddress.objects.filter(user=user).delete()
    SignInLink.objects.filter(user=user).delete()
    PendingClaim.objects.filter(user=user).delete()
    user.email, user.name, user.time_zone, user.language = f"{user.public_id.lower()}@closed.invalid", "", "", ""
    user.is_active, user.closed_at = False, now
    user.set_unusable_password()
    user.save()
    _audit(actor, "person.account_closed", user, {}, now)


def _create(*, email: str, name: str, password: str | None, now: datetime) -> User:
    user = User.objects.create_user(email, password, name=" ".join(name.split()), created_at=now)
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)  # whoever adds them vouches for it
    return user


def _leave_customers(user: User) -> None:
    customers = Customer.objects.select_for_update().filter(memberships__user=user).order_by("pk")
    for customer in list(customers):
        Membership.objects.filter(customer=customer, user=user).delete()
        left = Membership.objects.filter(customer=customer, status=MembershipStatus.APPROVED)
        if customer.kind == CustomerKind.HOUSEHOLD and not left.exists():
            # The names were chosen by the people who lived there; the household itself still owns readings and statements.
            Customer.objects.filter(pk=customer.pk).update(name=customer.public_id)
            customer.sites.update(name=F("public_id"), latitude=None, longitude=None)
        elif left.exists() and not left.filter(role=Role.ADMINISTRATOR).exists():
            raise LastAdministrator


def _new_link(user: User, now: datetime) -> str:
    token = new_token()
    SignInLink.objects.create(user=user, token_digest=digest_secret(token), created_at=now, expires_at=now + LINK_LIFE)
    return token


def _usable(token: str, now: datetime) -> dict[str, object]:
    return {"token_digest": digest_secret(token), "used_at__isnull": True, "expires_at__gt": now, "user__is_active": True}


def _audit(actor: Viewer | None, action: str, user: User, detail: audit.Detail, now: datetime) -> None:
    audit.record(actor=actor, action=action, kind="person", object_id=user.public_id, customer_id=None, detail=detail, now=now)
