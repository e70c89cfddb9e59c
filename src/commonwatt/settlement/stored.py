"""The rows of a settlement read back as the plan that they say. For this room alone."""

from __future__ import annotations

from datetime import date

from commonwatt.kernel.time import epoch_seconds
from commonwatt.settlement.models import SettledMeter, Settlement, SettlementLine, Statement
from commonwatt.settlement.plan import Line, MeterPlan, SettlementPlan


def stored_plan(settlement: Settlement) -> SettlementPlan:
    """The plan that the rows of a settlement say."""
    customers = dict(Statement.objects.filter(event_id=settlement.event_id).values_list("party_id", "customer_id"))
    lines: dict[int, list[Line]] = {}
    for row in SettlementLine.objects.filter(settled_meter__settlement=settlement).order_by("settled_meter_id", "start"):
        lines.setdefault(row.settled_meter_id, []).append(_stored_line(row))
    rows = SettledMeter.objects.filter(settlement=settlement).order_by("meter_id")
    return SettlementPlan(
        event_id=settlement.event_id,
        terms_version=settlement.terms_version,
        rule=settlement.rule,
        ingest_sequence=settlement.ingest_sequence,
        readings_digest=settlement.readings_digest,
        meters=tuple(_stored_meter(row, customers.get(row.party_id, 0), lines.get(row.pk, [])) for row in rows),
    )


def _stored_meter(row: SettledMeter, customer_id: int, lines: list[Line]) -> MeterPlan:
    return MeterPlan(
        meter_id=row.meter_id,
        site_id=row.site_id,
        customer_id=customer_id,
        party_id=row.party_id,
        verdict=row.verdict,
        notes=row.notes,
        days=tuple((date.fromisoformat(day["day"]), day["status"]) for day in row.days),
        adjustment_kind=row.adjustment_kind,
        adjustment_value=row.adjustment_value,
        adjustment_raw=row.adjustment_raw,
        cap_status=row.cap_status,
        readings_digest=row.readings_digest,
        baseline_wh=row.baseline_wh,
        metered_wh=row.metered_wh,
        delivered_wh=row.delivered_wh,
        credited_wh=row.credited_wh,
        amount_nanos=row.amount_nanos,
        lines=tuple(lines),
    )


def _stored_line(row: SettlementLine) -> Line:
    return Line(
        start_s=epoch_seconds(row.start),
        length_s=row.length_s,
        baseline_wh=row.baseline_wh,
        metered_wh=row.metered_wh,
        delivered_wh=row.delivered_wh,
        credited_wh=row.credited_wh,
        price_micros_per_kwh=row.price_micros_per_kwh,
        amount_nanos=row.amount_nanos,
        quality=row.quality,
    )
