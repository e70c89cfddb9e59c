"""What this room tells others: frozen values, never rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Generic, TypeVar

from commonwatt.accounts.choices import Standing
from commonwatt.kernel.ids import PartyId

if TYPE_CHECKING:
    from commonwatt.accounts.models import Customer, Membership, Site, User

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class CustomerView:
    """An organisation or a household."""

    id: int
    public_id: str
    kind: str
    name: str
    party_id: PartyId

    @property
    def is_organisation(self) -> bool:
        """Whether its members are approved by an administrator."""
        return self.kind == "organisation"

    @classmethod
    def of(cls, row: Customer) -> CustomerView:
        """The view of one row."""
        return cls(row.pk, row.public_id, row.kind, row.name, PartyId(row.party_id))


@dataclass(frozen=True, slots=True)
class SiteView:
    """A place with one connection to the grid and one civil time zone."""

    id: int
    public_id: str
    customer_id: int
    name: str
    time_zone: str
    country: str
    latitude: float | None
    longitude: float | None

    @classmethod
    def of(cls, row: Site) -> SiteView:
        """The view of one row."""
        return cls(row.pk, row.public_id, row.customer_id, row.name, row.time_zone, row.country, row.latitude, row.longitude)


@dataclass(frozen=True, slots=True)
class PersonView:
    """A person, as shown to those who may know of them. A closed account has neither name nor address."""

    id: int
    public_id: str
    name: str
    email: str

    @property
    def label(self) -> str:
        """What to call them: the name, or else the address."""
        return self.name or self.email

    @classmethod
    def of(cls, row: User) -> PersonView:
        """The view of one row; what a closed account keeps in its address field is no address."""
        return cls(row.pk, row.public_id, row.name, "" if row.closed_at else row.email)


@dataclass(frozen=True, slots=True)
class MembershipView:
    """A person's place in a customer."""

    id: int
    public_id: str
    customer_id: int
    person: PersonView
    role: str
    status: str
    created_at: datetime
    decided_at: datetime | None

    @property
    def standing(self) -> Standing:
        """Status and role in one word."""
        return Standing.of(self.status, self.role)

    @classmethod
    def of(cls, row: Membership) -> MembershipView:
        """The view of one row, whose person is loaded."""
        return cls(
            id=row.pk,
            public_id=row.public_id,
            customer_id=row.customer_id,
            person=PersonView.of(row.user),
            role=row.role,
            status=row.status,
            created_at=row.created_at,
            decided_at=row.decided_at,
        )


@dataclass(frozen=True, slots=True)
class PlaceView:
    """Where a person stands with one customer, approved or not."""

    customer: CustomerView
    role: str
    status: str
    created_at: datetime

    @property
    def standing(self) -> Standing:
        """Status and role in one word."""
        return Standing.of(self.status, self.role)


@dataclass(frozen=True, slots=True)
class CustomerRow:
    """One line of the operator's list of customers."""

    customer: CustomerView
    created_at: datetime
    members: int
    waiting: int
    sites: int


@dataclass(frozen=True, slots=True)
class InvitationView:
    """An open invitation; its code was shown once and is not kept."""

    public_id: str
    customer_id: int
    email: str
    role: str
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class OperatorView:
    """A person who works at the operator's desk."""

    person: PersonView
    role: str
    has_signed_in: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class AuditView:
    """One thing that somebody did; `actor` is None for the system itself."""

    sequence: int
    at: datetime
    actor: PersonView | None
    actor_role: str
    action: str
    object_kind: str
    object_id: str
    customer: CustomerView | None
    detail: dict[str, object]


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """One page of a long list. It answers to the names of Django's own page, which the pager's template asks for."""

    items: tuple[T, ...]
    number: int
    pages: int
    total: int

    def __iter__(self) -> Iterator[T]:
        return iter(self.items)

    @property
    def paginator(self) -> Page[T]:
        """The whole list, of which this page also knows the size."""
        return self

    @property
    def num_pages(self) -> int:
        """How many pages there are, at least one."""
        return self.pages

    @property
    def count(self) -> int:
        """How many items all pages hold."""
        return self.total

    @property
    def start_index(self) -> int:
        """The place of the first item shown, counted from 1; 0 for an empty list."""
        if self.number == self.pages:
            return self.total - len(self.items) + bool(self.items)
        return (self.number - 1) * len(self.items) + 1

    @property
    def end_index(self) -> int:
        """The place of the last item shown, counted from 1."""
        return self.start_index + len(self.items) - 1 if self.items else 0

    @property
    def has_previous(self) -> bool:
        """Whether there is a page before this one."""
        return self.number > 1

    @property
    def has_next(self) -> bool:
        """Whether there is a page after this one."""
        return self.number < self.pages

    @property
    def previous_page_number(self) -> int:
        """The page before this one."""
        return self.number - 1

    @property
    def next_page_number(self) -> int:
        """The page after this one."""
        return self.number + 1
