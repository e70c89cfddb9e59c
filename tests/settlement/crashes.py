"""What the process that is killed settles, and what must hold whenever it was killed."""

from __future__ import annotations

from collections import Counter

from tests.settlement.deliveries import delivery, meter
from tests.settlement.world import STARTS_AT

from commonwatt.accounts.queries import party_ids
from commonwatt.demand_response.measured import Delivery
from commonwatt.demand_response.queries import event_facts
from commonwatt.kernel.time import epoch_seconds
from commonwatt.ledger import queries as ledger
from commonwatt.ledger.values import party_code, program_code
from commonwatt.metering.models import Meter, MeterAssignment
from commonwatt.outbox import queries as outbox
from commonwatt.settlement.models import SettledMeter, Settlement, SettlementLine, Statement, StatementEntry

QUARTERS = 24


def measured(event_id: int, round_number: int) -> Delivery:
    """Every meter's measurement in one round: each round knows other readings, so that each has something to correct."""
    held = MeterAssignment.objects.order_by("meter_id").values_list("meter_id", "site_id", "customer_id")
    parties = party_ids({customer_id for _, _, customer_id in held})
    parts = [
        meter(
            meter_id=meter_id,
            site_id=site_id,
            customer_id=customer_id,
            party_id=parties[customer_id],
            baseline_kwh=[2.0] * QUARTERS,
            metered_wh=[1500 + (7 * meter_id + 13 * round_number + quarter) % 400 for quarter in range(QUARTERS)],
            start_s=epoch_seconds(STARTS_AT),
            readings="abcdef"[round_number % 6],
        )
        for meter_id, site_id, customer_id in held
    ]
    return delivery(*parts, of=event_facts(event_id), sequence=10 + round_number)


def standing_number(event_id: int) -> int:
    """The number of the settlement that stands; 0 where there is none. Fails if anything of another is there, or a part is missing."""
    settlements = list(Settlement.objects.filter(event_id=event_id).order_by("number"))
    assert [row.number for row in settlements] == list(range(1, len(settlements) + 1))
    meters = Meter.objects.count()
    for row in settlements:
        assert SettledMeter.objects.filter(settlement=row).count() == meters
        assert SettlementLine.objects.filter(settled_meter__settlement=row).count() == meters * QUARTERS
    assert SettledMeter.objects.count() == meters * len(settlements)
    told = [entry for entry in outbox.entries_after(0, limit=100_000) if entry.subject_kind == "settlement"]
    assert [entry.subject_id for entry in told] == [row.public_id for row in settlements]
    if not settlements:
        assert (Statement.objects.count(), StatementEntry.objects.count(), len(ledger.transfers_under("settlement:"))) == (0, 0, 0)
        return 0
    _assert_sums(settlements[-1])
    return settlements[-1].number


def _assert_sums(standing: Settlement) -> None:
    """Lines of the settlement that stands, entries of all, and the ledger say the same, for every party."""
    lines: Counter[str] = Counter()
    for party_id, amount in SettlementLine.objects.filter(settled_meter__settlement=standing).values_list(
        "settled_meter__party_id", "amount_nanos"
    ):
        lines[party_id] += amount
    entries: Counter[str] = Counter()
    for party_id, amount in StatementEntry.objects.values_list("statement__party_id", "amount_nanos"):
        entries[party_id] += amount
    assert entries == lines
    assert {party_id: ledger.balance(party_code(party_id, "EUR")) for party_id in lines} == dict(lines)
    assert ledger.balance(program_code(event_facts(standing.event_id).program_public_id, "EUR")) == sum(lines.values())
    booked = (
        StatementEntry.objects.exclude(transfer_reference="").order_by("transfer_reference").values_list("transfer_reference", flat=True)
    )
    assert [transfer.reference for transfer in ledger.transfers_under("settlement:")] == list(booked)
    assert ledger.verify().problems == ()
