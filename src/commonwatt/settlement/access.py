"""Who may see statements and settlements: the people of the customer credited, and the operator's desk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from commonwatt.accounts.access import NotFound, Right, Viewer, require_right
from commonwatt.settlement.models import Settlement, Statement


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementAccess:
    """A statement that the viewer may see."""

    id: int
    public_id: str
    event_id: int
    customer_id: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementAccess:
    """A settlement that the viewer may see."""

    id: int
    public_id: str
    event_id: int
    number: int


def access_statement(viewer: Viewer, public_id: str, right: Right = Right.VIEW, *, now: datetime) -> StatementAccess:
    """The statement, if the viewer may do this with it; raises NotFound or Forbidden.

    It belongs to the customer who held the meters at the time of the event: whoever holds them later does not see it.
    """
    del now  # a statement stays its customer's for ever; every access function takes it, because others' answers depend on it
    row = Statement.objects.filter(public_id=public_id).first()
    if row is None:
        raise NotFound("statement", public_id)
    require_right(viewer, customer_id=row.customer_id, right=right, kind="statement", public_id=public_id)
    return StatementAccess(id=row.pk, public_id=row.public_id, event_id=row.event_id, customer_id=row.customer_id)


def access_settlement(viewer: Viewer, public_id: str, right: Right = Right.VIEW, *, now: datetime) -> SettlementAccess:
    """The settlement, for the operator's desk only: it holds every customer's figures. Raises NotFound."""
    del now, right  # nobody can change a settlement, and whoever is at the desk sees all of them
    row = Settlement.objects.filter(public_id=public_id).first()
    if row is None or not viewer.is_operator:
        raise NotFound("settlement", public_id)
    return SettlementAccess(id=row.pk, public_id=row.public_id, event_id=row.event_id, number=row.number)
