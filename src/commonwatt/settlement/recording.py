"""Writes one settlement: its rows, the entries on statements, the transfers, in one transaction. For this room alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from operator import attrgetter
from typing import TYPE_CHECKING

from django.db import IntegrityError, connection, transaction
from django.db.models import Sum

from commonwatt.accounts import audit
from commonwatt.demand_response.views import EventFacts
from commonwatt.kernel.ids import new_public_id
from commonwatt.kernel.time import epoch_seconds, from_epoch
from commonwatt.ledger import actions as ledger
from commonwatt.ledger.values import TransferRequest, party_account, party_code, program_account, program_code
from commonwatt.outbox import actions as outbox
from commonwatt.settlement.models import EntryKind, SettledMeter, Settlement, Statement, StatementEntry, Watch
from commonwatt.settlement.plan import OK, CustomerShare, Line, MeterPlan, SettlementPlan, plan_settlement, withdrawn
from commonwatt.settlement.queries import standing_meters
from commonwatt.settlement.values import Outcome, SettlementResult

if TYPE_CHECKING:
    from commonwatt.demand_response.measured import Delivery

ATTEMPTS = 3
BATCH = 2000
_INSERT_LINE = """
    INSERT INTO settlement_settlementline
        (settled_meter_id, start, length_s, baseline_wh, metered_wh, delivered_wh, credited_wh, price_micros_per_kwh, amount_nanos, quality)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
"""
_FIGURES = attrgetter(
    "length_s", "baseline_wh", "metered_wh", "delivered_wh", "credited_wh", "price_micros_per_kwh", "amount_nanos", "quality"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Due:
    """What a statement is to be credited (or, below zero, to give back) by one settlement."""

    statement: Statement
    credited_wh: int
    amount_nanos: int
    is_first: bool
    booked_as: str
    """The transfer that first credited the statement; empty where none has."""


def reference_prefix(event_public_id: str) -> str:
    """How the ledger's references of an event's transfers begin."""
    return f"settlement:{event_public_id}:"


def record(*, delivery: Delivery, now: datetime) -> SettlementResult:
    """Settle a measurement: everything is written, or nothing.

    The first settlement of an event credits every customer that held a measured meter. A later one is written only where it says
    something else, and then corrects the statements whose sums differ, each by one entry with the difference; what stands is never
    changed. Measurements that knew less than the settlement that stands are passed over.
    """
    plan = plan_settlement(delivery)
    _ = plan.digest  # computed here, and kept: the transaction below holds others up, and should not compute
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return _record(plan, delivery.event, now=now)
        except IntegrityError:
            # Another process recorded the same number, or opened the same account, a moment ago. Its work is seen by the next attempt.
            if attempt == ATTEMPTS:
                raise
    raise AssertionError("unreachable: the last attempt returns or raises")


@transaction.atomic
def _record(plan: SettlementPlan, event: EventFacts, *, now: datetime) -> SettlementResult:
    watch = _locked_watch(plan, event)
    standing = Settlement.objects.filter(event_id=plan.event_id).order_by("-number").first()
    if standing is not None and watch.checked_sequence > plan.ingest_sequence:
        return _result(event, standing, plan, Outcome.UNCHANGED)
    watch.checked_sequence = plan.ingest_sequence
    watch.save(update_fields=["checked_sequence"])
    digest = plan.digest
    if standing is not None and standing.result_digest == digest:
        return _result(event, standing, plan, Outcome.UNCHANGED)
    settlement = Settlement.objects.create(
        public_id=new_public_id("stl"),
        event_id=plan.event_id,
        number=standing.number + 1 if standing else 1,
        terms_version=plan.terms_version,
        rule=dict(plan.rule),
        ingest_sequence=plan.ingest_sequence,
        readings_digest=plan.readings_digest,
        result_digest=digest,
        created_at=now,
    )
    _write_meters(settlement, _news(plan))
    dues = _dues(plan, event, is_first=standing is None, now=now)
    _write_entries(settlement, event, dues, now=now)
    _announce(settlement, event, dues, now=now)
    outcome = Outcome.CORRECTED if standing else Outcome.CREDITED
    return _result(event, settlement, plan, outcome, dues)


def _news(plan: SettlementPlan) -> list[MeterPlan]:
    """The meters of which the plan says something else than what stands, and those that it leaves out."""
    rows = standing_meters().filter(settlement__event_id=plan.event_id)
    standing = {row.meter_id: row for row in rows.only("meter_id", "site_id", "party_id", "result_digest")}
    said = {meter.meter_id for meter in plan.meters}
    gone = [
        withdrawn(row.meter_id, site_id=row.site_id, customer_id=0, party_id=row.party_id)
        for row in standing.values()
        if row.meter_id not in said
    ]
    return [
        meter for meter in plan.meters if meter.meter_id not in standing or standing[meter.meter_id].result_digest != meter.digest
    ] + gone


def _write_meters(settlement: Settlement, meters: Sequence[MeterPlan]) -> None:
    rows = SettledMeter.objects.bulk_create(
        [
            SettledMeter(
                settlement=settlement,
                meter_id=meter.meter_id,
                site_id=meter.site_id,
                party_id=meter.party_id,
                verdict=meter.verdict,
                notes=meter.notes,
                days=[{"day": day.isoformat(), "status": status} for day, status in meter.days],
                adjustment_kind=meter.adjustment_kind,
                adjustment_value=meter.adjustment_value,
                adjustment_raw=meter.adjustment_raw,
                cap_status=meter.cap_status,
                baseline_wh=meter.baseline_wh,
                metered_wh=meter.metered_wh,
                delivered_wh=meter.delivered_wh,
                credited_wh=meter.credited_wh,
                amount_nanos=meter.amount_nanos,
                readings_digest=meter.readings_digest,
                result_digest=meter.digest,
            )
            for meter in meters
        ],
        batch_size=BATCH,
    )
    _write_lines((row.pk, line) for row, meter in zip(rows, meters, strict=True) for line in meter.lines)


def _write_lines(lines: Iterable[tuple[int, Line]]) -> None:
    """By a statement of our own: the ORM takes ten times as long for them, and they are most of the rows of the transaction."""
    instant = connection.ops.adapt_datetimefield_value
    with connection.cursor() as cursor:
        cursor.executemany(_INSERT_LINE, [(key, instant(from_epoch(line.start_s)), *_FIGURES(line)) for key, line in lines])


def _dues(plan: SettlementPlan, event: EventFacts, *, is_first: bool, now: datetime) -> list[_Due]:
    """What every statement is due, by customer; statements whose sums stand as they should are left out of a correction."""
    shares = plan.shares()
    statements = _statements(shares, event, now=now)
    sums = StatementEntry.objects.filter(statement__event_id=plan.event_id).values_list("statement_id")
    booked = {key: (wh, nanos) for key, wh, nanos in sums.annotate(Sum("credited_wh"), Sum("amount_nanos"))}
    first_transfers = _first_transfers(plan.event_id)
    dues = []
    for customer_id, statement in sorted(statements.items()):
        share = shares.get(customer_id)
        before_wh, before_nanos = booked.get(statement.pk, (0, 0))
        due = _Due(
            statement=statement,
            credited_wh=(share.credited_wh if share else 0) - before_wh,
            amount_nanos=(share.amount_nanos if share else 0) - before_nanos,
            is_first=statement.pk not in booked,
            booked_as=first_transfers.get(statement.pk, ""),
        )
        if is_first or due.is_first or due.amount_nanos or due.credited_wh:
            dues.append(due)
    return dues


def _statements(shares: Mapping[int, CustomerShare], event: EventFacts, *, now: datetime) -> dict[int, Statement]:
    """A statement for every customer with a share, and those of earlier settlements: a customer may have lost its share."""
    there = {row.customer_id: row for row in Statement.objects.filter(event_id=event.event_id)}
    fresh = [
        Statement(
            public_id=new_public_id("stm"),
            event_id=event.event_id,
            customer_id=share.customer_id,
            party_id=share.party_id,
            currency=event.currency,
            created_at=now,
        )
        for customer_id, share in sorted(shares.items())
        if customer_id not in there
    ]
    return there | {row.customer_id: row for row in Statement.objects.bulk_create(fresh, batch_size=BATCH)}


def _first_transfers(event_id: int) -> dict[int, str]:
    rows = StatementEntry.objects.filter(statement__event_id=event_id).exclude(transfer_reference="").order_by("-settlement__number")
    return dict(rows.values_list("statement_id", "transfer_reference"))


def _write_entries(settlement: Settlement, event: EventFacts, dues: Iterable[_Due], *, now: datetime) -> None:
    paid = [(due, _transfer(settlement, event, due)) for due in dues]
    transfers = [transfer for _, transfer in paid if transfer is not None]
    ledger.open_accounts(
        requests=[
            program_account(event.program_public_id, event.currency),
            *(party_account(due.statement.party_id, due.statement.currency) for due, transfer in paid if transfer is not None),
        ],
        now=now,
    )
    ledger.transfer_all(requests=transfers, at=now)
    StatementEntry.objects.bulk_create(
        [
            StatementEntry(
                statement=due.statement,
                settlement=settlement,
                kind=EntryKind.CREDIT if due.is_first else EntryKind.CORRECTION,
                credited_wh=due.credited_wh,
                amount_nanos=due.amount_nanos,
                transfer_reference=transfer.reference if transfer else "",
                created_at=now,
            )
            for due, transfer in paid
        ],
        batch_size=BATCH,
    )


def _transfer(settlement: Settlement, event: EventFacts, due: _Due) -> TransferRequest | None:
    """The transfer that books an entry; None where no amount moves. Its reference is the same whoever computes it."""
    if due.amount_nanos == 0:
        return None
    program = program_code(event.program_public_id, event.currency)
    party = party_code(due.statement.party_id, due.statement.currency)
    is_credit = due.amount_nanos > 0
    return TransferRequest(
        reference=f"{reference_prefix(event.public_id)}{settlement.number}:{due.statement.party_id}",
        debit_code=program if is_credit else party,
        credit_code=party if is_credit else program,
        amount_nanos=abs(due.amount_nanos),
        currency=event.currency,
        reason=(EntryKind.CREDIT if due.is_first else EntryKind.CORRECTION).value,
        corrects=due.booked_as or None,
    )


def _announce(settlement: Settlement, event: EventFacts, dues: list[_Due], *, now: datetime) -> None:
    kind = "settlement.credited" if settlement.number == 1 else "settlement.corrected"
    audit.record(
        actor=None,
        action=kind,
        kind="settlement",
        object_id=settlement.public_id,
        customer_id=None,
        detail={"event": event.public_id, "number": settlement.number, "statements": len(dues), "digest": settlement.result_digest},
        now=now,
    )
    payload = {
        "event_id": event.event_id,
        "event_public_id": event.public_id,
        "number": settlement.number,
        "statements": len(dues),
    }
    outbox.append(kind=kind, subject_kind="settlement", subject_id=settlement.public_id, payload=payload, now=now)


def _locked_watch(plan: SettlementPlan, event: EventFacts) -> Watch:
    """What the event's settlement knows of, locked: whoever settles the same event waits here."""
    oldest = [meter.days[-1][0] for meter in plan.meters if meter.days]
    # Midnight of a date may come up to a day before that date begins in UTC, depending on the zone.
    first = min(datetime.combine(min(oldest), time(), UTC) - timedelta(days=1), event.starts_at) if oldest else event.starts_at
    Watch.objects.get_or_create(
        event_id=plan.event_id,
        defaults={
            "first_start_s": epoch_seconds(first),
            "end_s": epoch_seconds(event.ends_at),
            "checked_sequence": plan.ingest_sequence,
            "due_sequence": plan.ingest_sequence,
        },
    )
    return Watch.objects.select_for_update().get(event_id=plan.event_id)


def _result(
    event: EventFacts, settlement: Settlement, plan: SettlementPlan, outcome: Outcome, dues: Iterable[_Due] = ()
) -> SettlementResult:
    entries = list(dues)
    return SettlementResult(
        event_public_id=event.public_id,
        outcome=outcome,
        settlement_public_id=settlement.public_id,
        number=settlement.number,
        meters=len(plan.meters),
        unpaid_meters=sum(meter.verdict != OK for meter in plan.meters),
        entries=len(entries),
        amount_nanos=sum(due.amount_nanos for due in entries),
    )
