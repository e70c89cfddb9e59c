"""Which meters a person may see, and for which spans of time: a meter's readings belong to whoever held it when they were taken."""

from __future__ import annotations

from datetime import datetime

from commonwatt.accounts.access import Forbidden, NotFound, Right, Viewer
from commonwatt.metering.models import Meter
from commonwatt.metering.values import AssignmentView, MeterAccess, MeterView, Span

KIND = "meter"
EVER = Span(None, None)


def access_meter(viewer: Viewer, public_id: str, right: Right = Right.VIEW, *, now: datetime) -> MeterAccess:
    """The meter, and the spans whose readings the viewer may see; raises NotFound or Forbidden.

    Operators see everything. A customer's members see the spans in which the customer held the meter, also after they gave it up; only
    who holds it now can be more than a viewer of it.
    """
    row = Meter.objects.prefetch_related("channels").filter(public_id=public_id).first()
    if row is None:
        raise NotFound(KIND, public_id)
    held = [AssignmentView.of(item) for item in row.assignments.order_by("from_at")]
    holder = next((item for item in held if item.holds_at(now)), None)
    theirs = [item for item in held if viewer.right_in(item.customer_id) is not None]
    if not viewer.is_operator and not theirs:
        raise NotFound(KIND, public_id)
    if not _is_allowed(viewer, holder, right):
        raise Forbidden(KIND, right)
    spans = (EVER,) if viewer.is_operator else tuple(Span(item.from_at, item.until_at) for item in theirs)
    return MeterAccess(id=row.pk, public_id=row.public_id, meter=MeterView.of(row, holder=holder), spans=spans)


def _is_allowed(viewer: Viewer, holder: AssignmentView | None, right: Right) -> bool:
    if right is Right.VIEW:
        return True
    if viewer.is_operator:
        # An operator's rights are the same with every customer, and with a meter that nobody holds.
        return right is Right.CHANGE or viewer.is_operator_administrator
    held = viewer.right_in(holder.customer_id) if holder else None
    return held is not None and held >= right
