"""The rows of a settlement read back as the plan that they say. For this room alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from commonwatt.kernel.time import epoch_seconds
from commonwatt.settlement.models import SettledMeter, Settlement, SettlementLine, Statement
from commonwatt.settlement.plan import WITHDRAWN, Line, MeterPlan, SettlementPlan


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredMeter:
    """One meter as its rows say it, with the digest that was stored with them and the settlement that they came with."""

    plan: MeterPlan
    result_digest: str
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSettlement:
    """What stood after one settlement: its own meters, and those of earlier ones that it said nothing new of."""

    settlement: Settlement
    plan: SettlementPlan
    meters: tuple[StoredMeter, ...]


def stored_settlements(event_id: int) -> Iterator[StoredSettlement]:
    """What stood after each settlement of an event, the first one first."""
    customers = dict(Statement.objects.filter(event_id=event_id).values_list("party_id", "customer_id"))
    standing: dict[int, StoredMeter] = {}
    for settlement in Settlement.objects.filter(event_id=event_id).order_by("number"):
        for meter in _own_meters(settlement, customers):
            standing[meter.plan.meter_id] = meter
        meters = tuple(meter for _, meter in sorted(standing.items()) if meter.plan.verdict != WITHDRAWN)
        plan = SettlementPlan(
            event_id=event_id,
            terms_version=settlement.terms_version,
            rule=settlement.rule,
            ingest_sequence=settlement.ingest_sequence,
            readings_digest=settlement.readings_digest,
            meters=tuple(meter.plan for meter in meters),
        )
        yield StoredSettlement(settlement=settlement, plan=plan, meters=meters)


def _own_meters(settlement: Settlement, customers: Mapping[str, int]) -> Iterator[StoredMeter]:
    lines: dict[int, list[Line]] = {}
    for row in SettlementLine.objects.filter(settled_meter__settlement=settlement).order_by("settled_meter_id", "start"):
        lines.setdefault(row.settled_meter_id, []).append(_stored_line(row))
    for meter in SettledMeter.objects.filter(settlement=settlement).order_by("meter_id"):
        plan = _stored_meter(meter, customers.get(meter.party_id, 0), lines.get(meter.pk, []))
        yield StoredMeter(plan=plan, result_digest=meter.result_digest, number=settlement.number)


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
