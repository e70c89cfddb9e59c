"""Recompute settlements from the readings they knew, and hold every stored figure, statement entry and transfer against that."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime

from commonwatt.baseline.rules import BaselineRuleError, rule_from_dict
from commonwatt.demand_response import delivery
from commonwatt.demand_response import queries as demand_response
from commonwatt.demand_response.views import EventFacts
from commonwatt.kernel.time import from_epoch
from commonwatt.ledger import queries as ledger
from commonwatt.ledger.values import TransferView, party_code, program_code
from commonwatt.settlement.models import Settlement, StatementEntry
from commonwatt.settlement.plan import Line, MeterPlan, SettlementPlan, plan_settlement
from commonwatt.settlement.recording import reference_prefix
from commonwatt.settlement.stored import StoredMeter, StoredSettlement, stored_settlements

# Factors are compared to nine digits: their last binary digit may differ between processors. Whole numbers are compared exactly.
FACTOR_TOLERANCE = 1e-9
_NOT_COMPARED = {"lines", "customer_id", "meter_id"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One figure that is not what it should be: in which settlement, of what, which field, what stands there and what should."""

    number: int
    where: str
    field: str
    stored: object
    recomputed: object

    def __str__(self) -> str:
        return f"Settlement {self.number}, {self.where}: {self.field} is {self.stored!r}, but should be {self.recomputed!r}."


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What was recomputed for an event, and every difference found; none: all stands as it should."""

    event_public_id: str
    settlements: int
    meters: int
    lines: int
    entries: int
    differences: tuple[Difference, ...]

    @property
    def is_whole(self) -> bool:
        """Whether nothing differs."""
        return not self.differences


def verify(*, event_id: int, now: datetime) -> Verification:
    """Recompute every settlement of an event at its own ingest sequence and rule, and compare everything that was stored.

    Raises:
        NoSuchEvent: There is no such event.
    """
    event = demand_response.event_facts(event_id)
    stored = list(stored_settlements(event_id))
    differences: list[Difference] = []
    for position, settlement in enumerate(stored, start=1):
        if settlement.settlement.number != position:
            differences.append(_whole(settlement.settlement, "number", settlement.settlement.number, position))
        try:
            recomputed = _recomputed(settlement.settlement, now=now)
        except BaselineRuleError:
            # Somebody changed it: nothing can be computed with it. The digest says the same, and so does the terms' own rule.
            differences.append(_whole(settlement.settlement, "rule", settlement.plan.rule, event.rule))
        else:
            differences += _compare(settlement, recomputed)
    differences += _compare_statements(event, stored)
    differences += _compare_ledger(event)
    return Verification(
        event_public_id=event.public_id,
        settlements=len(stored),
        meters=sum(len(settlement.meters) for settlement in stored),
        lines=sum(len(meter.lines) for settlement in stored for meter in settlement.plan.meters),
        entries=StatementEntry.objects.filter(statement__event_id=event_id).count(),
        differences=tuple(differences),
    )


def _recomputed(settlement: Settlement, *, now: datetime) -> SettlementPlan:
    rule = rule_from_dict(settlement.rule)
    return plan_settlement(delivery.measure(event_id=settlement.event_id, now=now, as_of=settlement.ingest_sequence, rule=rule))


def _compare(stored: StoredSettlement, recomputed: SettlementPlan) -> Iterator[Difference]:
    settlement = stored.settlement
    for field in ("terms_version", "rule", "readings_digest"):
        if getattr(stored.plan, field) != getattr(recomputed, field):
            yield _whole(settlement, field, getattr(stored.plan, field), getattr(recomputed, field))
    if settlement.result_digest != stored.plan.digest:
        yield _whole(settlement, "result_digest", settlement.result_digest, stored.plan.digest)
    there, should = {meter.plan.meter_id: meter for meter in stored.meters}, {meter.meter_id: meter for meter in recomputed.meters}
    for meter_id in sorted(there.keys() | should.keys()):
        if meter_id in should and meter_id in there:
            yield from _compare_meter(settlement.number, there[meter_id], should[meter_id])
        else:
            found, wanted = meter_id in there, meter_id in should
            yield Difference(number=settlement.number, where=f"meter {meter_id}", field="is settled", stored=found, recomputed=wanted)


def _compare_meter(number: int, stored: StoredMeter, recomputed: MeterPlan) -> Iterator[Difference]:
    where = f"meter {recomputed.meter_id}"
    # Readings that came later and changed nothing have another digest; the row stays the one of the settlement that it came with.
    skipped = _NOT_COMPARED if stored.number == number else _NOT_COMPARED | {"readings_digest"}
    if stored.result_digest != stored.plan.digest:
        yield Difference(number=number, where=where, field="result_digest", stored=stored.result_digest, recomputed=stored.plan.digest)
    for field in fields(MeterPlan):
        found, wanted = getattr(stored.plan, field.name), getattr(recomputed, field.name)
        if field.name not in skipped and not _same(found, wanted):
            yield Difference(number=number, where=where, field=field.name, stored=found, recomputed=wanted)
    there, should = ({line.start_s: line for line in plan.lines} for plan in (stored.plan, recomputed))
    for start_s in sorted(there.keys() | should.keys()):
        place = f"{where}, {from_epoch(start_s):%Y-%m-%dT%H:%MZ}"
        if start_s not in should or start_s not in there:
            yield Difference(number=number, where=place, field="is settled", stored=start_s in there, recomputed=start_s in should)
        else:
            yield from _compare_line(number, place, there[start_s], should[start_s])


def _compare_line(number: int, place: str, stored: Line, recomputed: Line) -> Iterator[Difference]:
    for field in fields(Line):
        found, wanted = getattr(stored, field.name), getattr(recomputed, field.name)
        if found != wanted:
            yield Difference(number=number, where=place, field=field.name, stored=found, recomputed=wanted)


def _same(found: object, wanted: object) -> bool:
    if isinstance(found, float) and isinstance(wanted, float):
        return math.isclose(found, wanted, rel_tol=FACTOR_TOLERANCE, abs_tol=FACTOR_TOLERANCE)
    return found == wanted


def _compare_statements(event: EventFacts, stored: Sequence[StoredSettlement]) -> Iterator[Difference]:
    """After each settlement, the entries of every statement up to it must add up to what its lines add up to."""
    entries = StatementEntry.objects.filter(statement__event_id=event.event_id)
    rows = list(entries.values_list("settlement__number", "statement__party_id", "credited_wh", "amount_nanos"))
    for settlement, plan in ((item.settlement, item.plan) for item in stored):
        sums: dict[str, Counter[str]] = {"credited_wh": Counter(), "amount_nanos": Counter()}
        lines: dict[str, Counter[str]] = {"credited_wh": Counter(), "amount_nanos": Counter()}
        for number, party_id, credited, amount in rows:
            if number <= settlement.number:
                sums["credited_wh"][party_id] += credited
                sums["amount_nanos"][party_id] += amount
        for meter in plan.meters:
            for line in meter.lines:
                lines["credited_wh"][meter.party_id] += line.credited_wh
                lines["amount_nanos"][meter.party_id] += line.amount_nanos
        for field, wanted in lines.items():
            for party_id in sorted(sums[field].keys() | wanted.keys()):
                if sums[field][party_id] != wanted[party_id]:
                    yield Difference(
                        number=settlement.number,
                        where=f"statement of {party_id}",
                        field=f"sum of {field}",
                        stored=sums[field][party_id],
                        recomputed=wanted[party_id],
                    )


def _compare_ledger(event: EventFacts) -> Iterator[Difference]:
    """Every entry must be booked as it says, and nothing else under the event's name."""
    booked = {transfer.reference: transfer for transfer in ledger.transfers_under(reference_prefix(event.public_id))}
    entries = StatementEntry.objects.filter(statement__event_id=event.event_id).exclude(transfer_reference="")
    wanted = {
        entry.transfer_reference: (entry.settlement.number, entry.statement.party_id, entry.statement.currency, entry.amount_nanos)
        for entry in entries.select_related("settlement", "statement")
    }
    for reference in sorted(booked.keys() | wanted.keys()):
        number, party_id, currency, amount = wanted.get(reference, (0, "", "", 0))
        signed = _signed(booked[reference], event, party_code(party_id, currency)) if reference in booked else 0
        if signed != amount:
            yield Difference(number=number, where=f"transfer {reference}", field="amount_nanos", stored=signed, recomputed=amount)


def _signed(transfer: TransferView, event: EventFacts, party: str) -> int | str:
    """What the transfer credits the party with, below zero if it takes away; or which accounts it moved between instead."""
    program = program_code(event.program_public_id, event.currency)
    if (transfer.debit_code, transfer.credit_code) == (program, party):
        return transfer.amount_nanos
    if (transfer.debit_code, transfer.credit_code) == (party, program):
        return -transfer.amount_nanos
    return f"{transfer.amount_nanos} from {transfer.debit_code} to {transfer.credit_code}"


def _whole(settlement: Settlement, field: str, stored: object, recomputed: object) -> Difference:
    return Difference(number=settlement.number, where="as a whole", field=field, stored=stored, recomputed=recomputed)
