"""Who asks, and what they may do: one function per kind of object, which answers "not found" rather than "not yours"."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum
from typing import TYPE_CHECKING

from django.db.models.functions import Lower

from commonwatt.accounts.choices import CustomerKind, MembershipStatus, Role
from commonwatt.accounts.models import Customer, Membership, OperatorMembership, Site
from commonwatt.accounts.values import CustomerView, SiteView

if TYPE_CHECKING:
    from django.contrib.auth.base_user import AbstractBaseUser
    from django.contrib.auth.models import AnonymousUser


class Right(IntEnum):
    """What somebody wants to do with a thing; each right includes the ones before it."""

    VIEW = 1
    """See it."""
    CHANGE = 2
    """Act for its customer: enrol, answer events, edit sites."""
    MANAGE = 3
    """Decide about people: members, roles, invitations."""


class NotFound(Exception):
    """There is no such thing, or it is not the viewer's to know about; the two cannot be told apart."""

    def __init__(self, kind: str, public_id: str) -> None:
        super().__init__(f"no {kind} {public_id!r} that this viewer may see")
        self.kind = kind


class Forbidden(Exception):
    """The viewer may see the thing but not do this with it."""

    def __init__(self, kind: str, right: Right) -> None:
        super().__init__(f"this viewer may not {right.name.lower()} this {kind}")
        self.kind = kind
        self.right = right


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks. Customers are those in which the viewer's membership is approved, by name."""

    user_id: int | None
    name: str
    email: str
    is_operator: bool = False
    is_operator_administrator: bool = False
    member_of: frozenset[int] = field(default_factory=frozenset)
    administers: frozenset[int] = field(default_factory=frozenset)
    acts_for: frozenset[int] = field(default_factory=frozenset)
    customers: tuple[CustomerView, ...] = ()

    @property
    def is_anonymous(self) -> bool:
        """Whether nobody is signed in."""
        return self.user_id is None

    @property
    def person_id(self) -> int:
        """The id of the person who asks; raises NotFound when nobody is signed in."""
        if self.user_id is None:
            raise NotFound("person", "")
        return self.user_id

    def right_in(self, customer_id: int) -> Right | None:
        """The highest right in a customer's affairs, or None where the viewer may not know of it."""
        if self.is_operator_administrator or customer_id in self.administers:
            return Right.MANAGE
        if self.is_operator or customer_id in self.acts_for:
            return Right.CHANGE
        return Right.VIEW if customer_id in self.member_of else None


ANONYMOUS = Viewer(user_id=None, name="", email="")


def viewer_for(user: AbstractBaseUser | AnonymousUser) -> Viewer:
    """The viewer that a signed-in person is, in two queries; ANONYMOUS for nobody and for closed accounts."""
    if not user.is_authenticated or not user.is_active or user.pk is None:
        return ANONYMOUS
    desk = OperatorMembership.objects.filter(user_id=user.pk).values_list("role", flat=True).first()
    approved = Membership.objects.filter(user_id=user.pk, status=MembershipStatus.APPROVED).select_related("customer")
    places = list(approved.order_by(Lower("customer__name"), "customer_id"))
    administers = frozenset(place.customer_id for place in places if place.role == Role.ADMINISTRATOR)
    return Viewer(
        user_id=user.pk,
        name=getattr(user, "name", ""),
        email=getattr(user, "email", ""),
        is_operator=desk is not None,
        is_operator_administrator=desk == Role.ADMINISTRATOR,
        member_of=frozenset(place.customer_id for place in places),
        administers=administers,
        # A household is run by all who live in it; an organisation by its administrators.
        acts_for=administers | {place.customer_id for place in places if place.customer.kind == CustomerKind.HOUSEHOLD},
        customers=tuple(CustomerView.of(place.customer) for place in places),
    )


def require_right(viewer: Viewer, *, customer_id: int, right: Right, kind: str = "customer", public_id: str = "") -> None:
    """Raise NotFound where the viewer may not know of the customer's things, Forbidden where they may but not do this."""
    held = viewer.right_in(customer_id)
    if held is None:
        raise NotFound(kind, public_id)
    if held < right:
        raise Forbidden(kind, right)


def require_operator(viewer: Viewer) -> None:
    """Raise NotFound for whoever does not work at the operator's desk."""
    if not viewer.is_operator:
        raise NotFound("page", "")


def require_operator_administrator(viewer: Viewer) -> None:
    """Raise NotFound for whoever does not work at the operator's desk, Forbidden for those there who are no administrators."""
    require_operator(viewer)
    if not viewer.is_operator_administrator:
        raise Forbidden("page", Right.MANAGE)


def access_customer(viewer: Viewer, public_id: str, right: Right = Right.VIEW, *, now: datetime) -> CustomerView:
    """The customer, if the viewer may do this with it; raises NotFound or Forbidden."""
    del now  # memberships are not dated; every access function takes it, because others' answers depend on it
    row = Customer.objects.filter(public_id=public_id).first()
    if row is None:
        raise NotFound("customer", public_id)
    require_right(viewer, customer_id=row.pk, right=right, public_id=public_id)
    return CustomerView.of(row)


def access_site(viewer: Viewer, public_id: str, right: Right = Right.VIEW, *, now: datetime) -> SiteView:
    """The site, if the viewer may do this with it; raises NotFound or Forbidden."""
    del now  # see access_customer
    row = Site.objects.filter(public_id=public_id).first()
    if row is None:
        raise NotFound("site", public_id)
    require_right(viewer, customer_id=row.customer_id, right=right, kind="site", public_id=public_id)
    return SiteView.of(row)
