"""Every read of people, customers, sites and the trail that others need; values, never rows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from typing import TypeVar

from django.db.models import Count, Model, Q, QuerySet
from django.db.models.functions import Lower

from commonwatt.accounts.access import Viewer
from commonwatt.accounts.choices import CustomerKind, MembershipStatus, Role
from commonwatt.accounts.models import AuditEntry, Customer, Invitation, Membership, OperatorMembership, Site, User
from commonwatt.accounts.values import (
    AuditView,
    CustomerRow,
    CustomerView,
    InvitationView,
    MembershipView,
    OperatorView,
    Page,
    PersonView,
    PlaceView,
    SiteView,
)
from commonwatt.kernel.ids import PartyId

T = TypeVar("T", bound=Model)
S = TypeVar("S")
PAGE_SIZE = 25


def customers_of(viewer: Viewer) -> list[CustomerView]:
    """The customers in which the viewer's membership is approved, by name; known since the viewer was."""
    return list(viewer.customers)


def places_of(*, user_id: int) -> list[PlaceView]:
    """Where a person stands with every customer they ever asked to join, approved or not, oldest first."""
    rows = Membership.objects.filter(user_id=user_id).select_related("customer").order_by("created_at", "pk")
    return [PlaceView(CustomerView.of(row.customer), row.role, row.status, row.created_at) for row in rows]


def all_customers(*, page: int = 1, kind: str = "", search: str = "", page_size: int = PAGE_SIZE) -> Page[CustomerRow]:
    """One page of all customers by name, with counts; `search` looks into names and numbers."""
    approved, waiting = Q(memberships__status=MembershipStatus.APPROVED), Q(memberships__status=MembershipStatus.PENDING)
    rows = Customer.objects.order_by(Lower("name"), "pk")
    if kind:
        rows = rows.filter(kind=kind)
    if search:
        rows = rows.filter(Q(name__icontains=search) | Q(public_id__iexact=search))
    counted = rows.annotate(
        members=Count("memberships", filter=approved, distinct=True),
        waiting=Count("memberships", filter=waiting, distinct=True),
        places=Count("sites", distinct=True),
    )

    def view(row: Customer) -> CustomerRow:
        counts = vars(row)  # the annotations, which the type of the row does not know
        return CustomerRow(CustomerView.of(row), row.created_at, counts["members"], counts["waiting"], counts["places"])

    return _page(counted, total=rows.count(), number=page, size=page_size, view=view)


def customer_views(ids: Iterable[int]) -> dict[int, CustomerView]:
    """These customers, by id; ids that do not exist are left out."""
    return {row.pk: CustomerView.of(row) for chunk in _chunks(ids) for row in Customer.objects.filter(pk__in=chunk)}


def party_ids(customer_ids: Iterable[int]) -> dict[int, PartyId]:
    """The pseudonyms of these customers in ledger and settlements."""
    return {key: view.party_id for key, view in customer_views(customer_ids).items()}


def customers_by_party(parties: Iterable[str]) -> dict[str, CustomerView]:
    """The customers behind these pseudonyms; one whose mapping was erased is left out."""
    return {row.party_id: CustomerView.of(row) for row in Customer.objects.filter(party_id__in=set(parties))}


def members_of(customer_id: int) -> list[MembershipView]:
    """Everybody's place in a customer: who waits first, then the approved, then the rejected; each by age."""
    rows = Membership.objects.filter(customer_id=customer_id).select_related("user").order_by("created_at", "pk")
    order = [MembershipStatus.PENDING, MembershipStatus.APPROVED, MembershipStatus.REJECTED]
    return sorted((MembershipView.of(row) for row in rows), key=lambda view: order.index(MembershipStatus(view.status)))


def membership(public_id: str) -> MembershipView | None:
    """One membership, or None."""
    row = Membership.objects.select_related("user").filter(public_id=public_id).first()
    return MembershipView.of(row) if row else None


def member_user_ids(*, customer_ids: Iterable[int]) -> dict[int, tuple[int, ...]]:
    """The approved, active members of each customer, ascending; a customer without any has none."""
    return _user_ids(set(customer_ids), Membership.objects.all())


def administrator_user_ids(*, customer_ids: Iterable[int]) -> dict[int, tuple[int, ...]]:
    """The active administrators of each customer, ascending; a customer without any has none."""
    return _user_ids(set(customer_ids), Membership.objects.filter(role=Role.ADMINISTRATOR))


def operators() -> list[OperatorView]:
    """The operator's staff, longest there first."""
    rows = OperatorMembership.objects.select_related("user").order_by("created_at", "pk")
    return [OperatorView(PersonView.of(row.user), row.role, row.user.last_login is not None, row.created_at) for row in rows]


def operator_ids() -> list[int]:
    """The user ids of the operator's active staff, ascending."""
    active = OperatorMembership.objects.filter(user__is_active=True)
    return list(active.order_by("user_id").values_list("user_id", flat=True))


def people(user_ids: Iterable[int]) -> dict[int, PersonView]:
    """These people, by id."""
    return {row.pk: PersonView.of(row) for row in User.objects.filter(pk__in=set(user_ids))}


def open_invitations(customer_id: int, *, now: datetime) -> list[InvitationView]:
    """Invitations that still open something, newest first."""
    rows = Invitation.objects.filter(customer_id=customer_id, accepted_at__isnull=True, withdrawn_at__isnull=True, expires_at__gt=now)
    return [
        InvitationView(row.public_id, row.customer_id, row.email, row.role, row.created_at, row.expires_at)
        for row in rows.order_by("-created_at", "-pk")
    ]


def invitation_works(*, code_digest: str, email: str, now: datetime) -> bool:
    """Whether this code would let that address in now."""
    rows = Invitation.objects.filter(code_digest=code_digest, accepted_at__isnull=True, withdrawn_at__isnull=True, expires_at__gt=now)
    return rows.filter(email__in=["", email.strip().lower()]).exists()


def invited_to(*, code_digest: str) -> CustomerView | None:
    """The customer that a code belongs to, whatever has become of the invitation since."""
    row = Invitation.objects.select_related("customer").filter(code_digest=code_digest).first()
    return CustomerView.of(row.customer) if row else None


def can_be_joined(customer_public_id: str) -> bool:
    """Whether people can ask to join the customer of this number: organisations only."""
    return Customer.objects.filter(public_id=customer_public_id, kind=CustomerKind.ORGANISATION).exists()


def sites_of(customer_id: int) -> list[SiteView]:
    """A customer's sites by name."""
    return [SiteView.of(row) for row in Site.objects.filter(customer_id=customer_id).order_by(Lower("name"), "pk")]


def site_views(site_ids: Iterable[int]) -> dict[int, SiteView]:
    """These sites, by id; ids that do not exist are left out."""
    return {row.pk: SiteView.of(row) for chunk in _chunks(site_ids) for row in Site.objects.filter(pk__in=chunk)}


def site_ids_of(customer_ids: Iterable[int]) -> dict[int, list[int]]:
    """The site ids of each customer, ascending; a customer without any has an empty list."""
    found: dict[int, list[int]] = {key: [] for key in set(customer_ids)}
    for site, customer in Site.objects.filter(customer_id__in=found).order_by("pk").values_list("pk", "customer_id"):
        found[customer].append(site)
    return found


def audit_of(*, customer_id: int | None = None, page: int = 1, page_size: int = PAGE_SIZE) -> Page[AuditView]:
    """One page of the trail, newest first: of one customer, or (None) of everybody."""
    rows = AuditEntry.objects.order_by("-sequence")
    if customer_id is not None:
        rows = rows.filter(customer_id=customer_id)
    return _page(rows.select_related("actor", "customer"), total=rows.count(), number=page, size=page_size, view=_audit_view)


def audit_of_person(*, user_id: int, page: int = 1, page_size: int = PAGE_SIZE) -> Page[AuditView]:
    """One page of what one person did, newest first."""
    rows = AuditEntry.objects.filter(actor_id=user_id).order_by("-sequence")
    return _page(rows.select_related("actor", "customer"), total=rows.count(), number=page, size=page_size, view=_audit_view)


def _audit_view(row: AuditEntry) -> AuditView:
    return AuditView(
        sequence=row.sequence,
        at=row.at,
        actor=PersonView.of(row.actor) if row.actor else None,
        actor_role=row.actor_role,
        action=row.action,
        object_kind=row.object_kind,
        object_id=row.object_id,
        customer=CustomerView.of(row.customer) if row.customer else None,
        detail=row.detail,
    )


def _user_ids(wanted: set[int], rows: QuerySet[Membership]) -> dict[int, tuple[int, ...]]:
    found: dict[int, list[int]] = {key: [] for key in wanted}
    approved = rows.filter(status=MembershipStatus.APPROVED, user__is_active=True).order_by("user_id")
    for chunk in _chunks(wanted):
        for customer, user in approved.filter(customer_id__in=chunk).values_list("customer_id", "user_id"):
            found[customer].append(user)
    return {customer: tuple(users) for customer, users in found.items()}


def _chunks(ids: Iterable[int]) -> Iterator[list[int]]:
    """Ids in as few lists as SQLite takes as parameters of one query."""
    ordered = sorted(set(ids))
    for start in range(0, len(ordered), 30_000):
        yield ordered[start : start + 30_000]


def _page(rows: QuerySet[T], *, total: int, number: int, size: int, view: Callable[[T], S]) -> Page[S]:
    pages = max(1, -(-total // size))
    number = min(max(number, 1), pages)
    chosen = rows[(number - 1) * size : number * size]
    return Page(tuple(view(row) for row in chosen), number=number, pages=pages, total=total)
