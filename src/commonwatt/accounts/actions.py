"""Every change to customers, sites, memberships and invitations. Acts of people themselves (profile, links) are in `people`."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.db import transaction

from commonwatt.accounts import audit
from commonwatt.accounts.access import Right, Viewer, require_operator, require_right
from commonwatt.accounts.choices import CustomerKind, MembershipStatus, Role
from commonwatt.accounts.models import Customer, Invitation, Membership, Site
from commonwatt.accounts.values import CustomerView, MembershipView, SiteView
from commonwatt.kernel.ids import digest_secret, new_claim_code, new_public_id, normalise_claim_code

INVITATION_LIFE = timedelta(days=14)


class NameMissing(ValueError):
    """A customer or site was to get a name of nothing but blanks."""


class SiteNameTaken(ValueError):
    """The customer has a site of that name already."""

    def __init__(self, name: str) -> None:
        super().__init__(f"there is already a site called {name!r}; choose another name")


class UnknownTimeZone(ValueError):
    """A text that names no civil time zone."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name!r} is no time zone; write it like Europe/Brussels")


class UnknownCountry(ValueError):
    """A code whose public holidays nobody here knows; baselines would have to guess which days are ordinary."""

    def __init__(self, code: str) -> None:
        super().__init__(f"{code!r} is no country whose public holidays are known; write it like BE, or GB-ENG for a part of one")


class InvitationRefused(Exception):
    """The code opens nothing for this person; why (wrong, used, expired, another's) is not said."""


class JoinRefused(Exception):
    """There is no organisation of that number which people can ask to join."""


class LastAdministrator(Exception):
    """The change would leave an organisation or the operator without an administrator."""


def require_time_zone(name: str) -> None:
    """Raise UnknownTimeZone unless the text names a civil time zone of this machine's database."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:  # a path outside the database, or a folder in it
        raise UnknownTimeZone(name) from error


def require_country(code: str) -> None:
    """Raise UnknownCountry unless the public holidays of this country (BE) or part of one (GB-ENG) are known."""
    import holidays  # large, and wanted by few pages

    country, _, part = code.partition("-")
    try:
        holidays.country_holidays(country, subdiv=part or None)
    except NotImplementedError as error:
        raise UnknownCountry(code) from error


@transaction.atomic
def create_customer(*, actor: Viewer | None, kind: str, name: str, now: datetime) -> CustomerView:
    """A new organisation or household without members, made by the operator."""
    if actor is not None:
        require_operator(actor)
    return CustomerView.of(_create(actor=actor, kind=CustomerKind(kind), name=name, now=now))


@transaction.atomic
def create_household(
    *, actor: Viewer, name: str, site_name: str, time_zone: str, country: str, now: datetime
) -> tuple[CustomerView, SiteView]:
    """A person's own household with its first site; they run it and are approved at once (S0-94)."""
    row = _create(actor=actor, kind=CustomerKind.HOUSEHOLD, name=name, now=now)
    _join(actor=actor, customer_id=row.pk, role=Role.ADMINISTRATOR, now=now)
    runs_it = replace(actor, member_of=actor.member_of | {row.pk}, acts_for=actor.acts_for | {row.pk})
    site = create_site(actor=runs_it, customer_id=row.pk, name=site_name, time_zone=time_zone, country=country, now=now)
    return CustomerView.of(row), site


@transaction.atomic
def rename_customer(*, actor: Viewer | None, customer_id: int, name: str, now: datetime) -> CustomerView:
    """Give a customer another name."""
    _require(actor, customer_id, Right.CHANGE)
    row = Customer.objects.select_for_update().get(pk=customer_id)
    row.name, before = _clean(name), row.name
    if row.name != before:
        row.save(update_fields=["name"])
        _audit(actor, "customer.renamed", row, {"from": before, "to": row.name} if _is_public(row) else {}, now)
    return CustomerView.of(row)


@transaction.atomic
def create_site(
    *,
    actor: Viewer | None,
    customer_id: int,
    name: str,
    time_zone: str,
    country: str,
    latitude: float | None = None,
    longitude: float | None = None,
    now: datetime,
) -> SiteView:
    """A new place of a customer; raises SiteNameTaken, UnknownTimeZone or UnknownCountry."""
    _require(actor, customer_id, Right.CHANGE)
    name, country = _clean(name), country.strip().upper()
    customer = Customer.objects.select_for_update().get(pk=customer_id)
    _check_site(customer_id=customer_id, name=name, time_zone=time_zone, country=country, except_id=0)
    row = Site.objects.create(
        public_id=new_public_id("site"),
        customer_id=customer_id,
        name=name,
        time_zone=time_zone,
        country=country,
        latitude=latitude,
        longitude=longitude,
        created_at=now,
    )
    _audit_site(actor, "site.created", row, customer, now)
    return SiteView.of(row)


@transaction.atomic
def update_site(
    *,
    actor: Viewer | None,
    site_id: int,
    name: str,
    time_zone: str,
    country: str,
    latitude: float | None,
    longitude: float | None,
    now: datetime,
) -> SiteView:
    """Change a place's name, zone, country or position; raises SiteNameTaken, UnknownTimeZone or UnknownCountry."""
    customer = Customer.objects.select_for_update().get(sites__pk=site_id)
    _require(actor, customer.pk, Right.CHANGE)
    row = Site.objects.get(pk=site_id)
    row.name, row.time_zone, row.country = _clean(name), time_zone, country.strip().upper()
    _check_site(customer_id=customer.pk, name=row.name, time_zone=time_zone, country=row.country, except_id=site_id)
    row.latitude, row.longitude = latitude, longitude
    row.save()
    _audit_site(actor, "site.changed", row, customer, now)
    return SiteView.of(row)


@transaction.atomic
def invite(*, actor: Viewer | None, customer_id: int, role: str, email: str, now: datetime) -> str:
    """A one-time code with which a person joins at once; shown here and never again. With an address, only that one may use it.

    The first administrator of an organisation comes by such an invitation, and by nothing else (S0-93).
    """
    _require(actor, customer_id, Right.MANAGE)
    customer = Customer.objects.get(pk=customer_id)
    code = new_claim_code()
    row = Invitation.objects.create(
        customer=customer,
        email=email.strip().lower(),
        role=Role(role),
        code_digest=digest_secret(normalise_claim_code(code)),
        created_at=now,
        created_by_id=actor.user_id if actor else None,
        expires_at=now + INVITATION_LIFE,
    )
    _audit(actor, "invitation.created", customer, {"invitation": row.public_id, "role": role}, now)
    return code


@transaction.atomic
def withdraw_invitation(*, actor: Viewer | None, customer_id: int, public_id: str, now: datetime) -> bool:
    """Make an invitation worthless; False where there was none left to withdraw."""
    _require(actor, customer_id, Right.MANAGE)
    open_ones = Invitation.objects.filter(customer_id=customer_id, public_id=public_id, accepted_at__isnull=True, withdrawn_at__isnull=True)
    if not open_ones.update(withdrawn_at=now):
        return False
    customer = Customer.objects.get(pk=customer_id)
    _audit(actor, "invitation.withdrawn", customer, {"invitation": public_id}, now)
    return True


@transaction.atomic
def accept_invitation(*, actor: Viewer, code_digest: str, now: datetime) -> CustomerView:
    """Join the customer that the code belongs to, with the role it was made for; raises InvitationRefused.

    The actor's address must be verified: an invitation made out to an address is proof only for whoever reads its mail.
    """
    invitation = Invitation.objects.select_for_update().filter(code_digest=code_digest).first()
    if invitation is None or not _is_open(invitation, actor.email, now):
        raise InvitationRefused
    invitation.accepted_at, invitation.accepted_by_id = now, actor.user_id
    invitation.save(update_fields=["accepted_at", "accepted_by"])
    _join(actor=actor, customer_id=invitation.customer_id, role=Role(invitation.role), now=now)
    return CustomerView.of(Customer.objects.get(pk=invitation.customer_id))


@transaction.atomic
def request_membership(*, actor: Viewer, customer_public_id: str, now: datetime) -> tuple[MembershipView, bool]:
    """Ask to join an organisation by its number, which proves nothing: an administrator decides (S0-43, S0-56).

    Returns the membership and whether it is new: asking again changes nothing. Raises JoinRefused.
    """
    customer = Customer.objects.filter(public_id=customer_public_id, kind=CustomerKind.ORGANISATION).first()
    if customer is None:
        raise JoinRefused
    row, is_new = Membership.objects.get_or_create(
        customer=customer,
        user_id=actor.person_id,
        defaults={"role": Role.MEMBER, "status": MembershipStatus.PENDING, "created_at": now},
    )
    if is_new:
        _audit(actor, "membership.requested", customer, {"membership": row.public_id}, now)
    return MembershipView.of(row), is_new


@transaction.atomic
def decide_membership(*, actor: Viewer | None, membership_id: int, status: str, role: str, now: datetime) -> tuple[MembershipView, bool]:
    """Approve, reject or put back a member, and say whether they administer.

    Returns the membership and whether it changed: deciding the same again changes nothing. Raises LastAdministrator.
    """
    customer_id = Membership.objects.values_list("customer_id", flat=True).get(pk=membership_id)
    _require(actor, customer_id, Right.MANAGE)
    customer = Customer.objects.select_for_update().get(pk=customer_id)  # two administrators cannot demote each other at once
    row = Membership.objects.select_related("user").get(pk=membership_id)
    before = (row.status, row.role)
    if before == (status, role):
        return MembershipView.of(row), False
    row.status, row.role = MembershipStatus(status), Role(role)
    row.decided_at, row.decided_by_id = now, actor.user_id if actor else None
    row.save()
    if before == (MembershipStatus.APPROVED, Role.ADMINISTRATOR):
        _require_administrator(customer)
    detail = {"membership": row.public_id, "user": row.user.public_id, "status": status, "role": role}
    _audit(actor, "membership.decided", customer, {**detail, "status_before": before[0], "role_before": before[1]}, now)
    return MembershipView.of(row), True


def _create(*, actor: Viewer | None, kind: CustomerKind, name: str, now: datetime) -> Customer:
    prefix = "org" if kind == CustomerKind.ORGANISATION else "home"
    row = Customer.objects.create(
        public_id=new_public_id(prefix), kind=kind, name=_clean(name), party_id=new_public_id("pty"), created_at=now
    )
    _audit(actor, "customer.created", row, {"kind": kind.value, **_public_name(row)}, now)
    return row


def _join(*, actor: Viewer, customer_id: int, role: Role, now: datetime) -> None:
    """Make the actor an approved member; one who is already there never loses a role by it."""
    customer = Customer.objects.select_for_update().get(pk=customer_id)
    row = Membership.objects.filter(customer_id=customer_id, user_id=actor.person_id).first()
    if row is None:
        row = Membership(customer_id=customer_id, user_id=actor.person_id, role=role, created_at=now)
    elif row.status != MembershipStatus.APPROVED or role == Role.ADMINISTRATOR:
        row.role = role
    row.status, row.decided_at = MembershipStatus.APPROVED, now
    row.save()
    _audit(actor, "membership.joined", customer, {"membership": row.public_id, "role": row.role}, now)


def _is_open(invitation: Invitation, email: str, now: datetime) -> bool:
    unused = invitation.accepted_at is None and invitation.withdrawn_at is None and now < invitation.expires_at
    return unused and invitation.email in {"", email}


def _require_administrator(customer: Customer) -> None:
    left = Membership.objects.filter(customer=customer, status=MembershipStatus.APPROVED, role=Role.ADMINISTRATOR)
    if not left.exists():
        raise LastAdministrator


def _require(actor: Viewer | None, customer_id: int, right: Right) -> None:
    """Commands and the demo act without a viewer; everyone else needs the right, however they got here."""
    if actor is not None:
        require_right(actor, customer_id=customer_id, right=right)


def _clean(name: str) -> str:
    name = " ".join(name.split())
    if not name:
        raise NameMissing("a name is needed")
    return name


def _check_site(*, customer_id: int, name: str, time_zone: str, country: str, except_id: int) -> None:
    require_time_zone(time_zone)
    require_country(country)
    if Site.objects.filter(customer_id=customer_id, name=name).exclude(pk=except_id).exists():
        raise SiteNameTaken(name)


def _is_public(customer: Customer) -> bool:
    """An organisation's name may stand in the trail; a household's is a person's, and must be erasable."""
    return customer.kind == CustomerKind.ORGANISATION


def _public_name(customer: Customer) -> dict[str, str]:
    return {"name": customer.name} if _is_public(customer) else {}


def _audit(actor: Viewer | None, action: str, customer: Customer, detail: audit.Detail, now: datetime) -> None:
    audit.record(
        actor=actor,
        action=action,
        kind="customer",
        object_id=customer.public_id,
        customer_id=customer.pk,
        detail=detail,
        now=now,
    )


def _audit_site(actor: Viewer | None, action: str, site: Site, customer: Customer, now: datetime) -> None:
    detail = {"time_zone": site.time_zone, "country": site.country}
    if _is_public(customer):
        detail["name"] = site.name
    audit.record(actor=actor, action=action, kind="site", object_id=site.public_id, customer_id=customer.pk, detail=detail, now=now)
