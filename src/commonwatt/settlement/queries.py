"""What others ask about settlements: what is due, whom to tell, which statements there are.

One whole statement is in `statements`, savings and participation in `savings`, recomputation in `verification`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count, Exists, F, Max, OuterRef, Q, QuerySet, Sum

from commonwatt.accounts import queries as accounts
from commonwatt.accounts.values import Page
from commonwatt.demand_response import queries as demand_response
from commonwatt.demand_response.views import EventFacts
from commonwatt.kernel.time import from_epoch
from commonwatt.ledger import queries as ledger
from commonwatt.ledger.values import EntryView
from commonwatt.settlement.models import EntryKind, SettledMeter, Settlement, Statement, StatementEntry, Watch
from commonwatt.settlement.plan import WITHDRAWN
from commonwatt.settlement.values import SettlementEntry

PAGE_SIZE = 25


@dataclass(frozen=True, slots=True, kw_only=True)
class DueWatch:
    """A settled event over whose span readings came in since they were last looked at."""

    event_id: int
    checked_sequence: int
    due_sequence: int
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementRow:
    """One statement in a list. [Wh, nanos] The figures hold all corrections."""

    public_id: str
    event: EventFacts
    customer_id: int
    currency: str
    credited_wh: int
    amount_nanos: int
    corrections: int
    created_at: datetime
    changed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementRow:
    """One computation of one event. [nanos] `amount_nanos` is what its entries credited, less what they took back."""

    public_id: str
    number: int
    created_at: datetime
    ingest_sequence: int
    readings_digest: str
    result_digest: str
    entries: int
    amount_nanos: int


def events_due(*, now: datetime) -> list[int]:
    """Ids of the events whose wait for readings is over and that were not settled yet, the earliest end first."""
    ready = demand_response.events_ready_to_settle(now=now)
    settled = set(settled_event_ids())
    return [event_id for event_id in ready if event_id not in settled]


def settled_event_ids() -> list[int]:
    """Ids of every event that was settled, ascending."""
    return list(Settlement.objects.filter(number=1).order_by("event_id").values_list("event_id", flat=True))


def watches_due() -> list[DueWatch]:
    """Settled events over whose span readings came in that their settlements do not know yet, the latest event first."""
    due = Watch.objects.filter(due_sequence__gt=F("checked_sequence")).order_by("-end_s", "event_id")
    return [
        DueWatch(
            event_id=watch.event_id,
            checked_sequence=watch.checked_sequence,
            due_sequence=watch.due_sequence,
            start=from_epoch(watch.first_start_s),
            end=from_epoch(watch.end_s),
        )
        for watch in due
    ]


def entries_of_settlement(public_id: str) -> list[SettlementEntry]:
    """What each customer was credited or corrected by one settlement: whom to tell what."""
    rows = list(
        StatementEntry.objects.filter(settlement__public_id=public_id).select_related("statement").order_by("statement__customer_id")
    )
    events = demand_response.facts_of({row.statement.event_id for row in rows})
    return [
        SettlementEntry(
            customer_id=row.statement.customer_id,
            statement_public_id=row.statement.public_id,
            event_public_id=events[row.statement.event_id].public_id,
            program_name=events[row.statement.event_id].program_name,
            kind=row.kind,
            credited_wh=row.credited_wh,
            amount_nanos=row.amount_nanos,
            currency=row.statement.currency,
        )
        for row in rows
    ]


def statements_of(customer_id: int, page: int = 1) -> Page[StatementRow]:
    """One page of a customer's statements, the newest first; a number out of range gives the nearest page."""
    rows = Statement.objects.filter(customer_id=customer_id)
    total = rows.count()
    pages = max(1, -(-total // PAGE_SIZE))
    number = min(max(page, 1), pages)
    chosen = rows.order_by("-created_at", "-id")[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]
    return Page(tuple(_statement_rows(chosen)), number=number, pages=pages, total=total)


def statement_of_event(*, event_id: int, customer_id: int) -> StatementRow | None:
    """The customer's statement of one event; None while there is none."""
    return next(iter(_statement_rows(Statement.objects.filter(event_id=event_id, customer_id=customer_id))), None)


def payouts_of(customer_id: int) -> list[EntryView]:
    """What was paid out to a customer, oldest first."""
    return ledger.payouts(accounts.party_ids([customer_id])[customer_id])


def balances_of(customer_id: int) -> dict[str, int]:
    """What is owed to a customer, by currency. [nanos]"""
    return ledger.party_balances(accounts.party_ids([customer_id])[customer_id])


def standing_meters() -> QuerySet[SettledMeter]:
    """What stands of every settled meter and event: the row of the latest settlement that says anything of it. For this room alone."""
    later = SettledMeter.objects.filter(
        meter_id=OuterRef("meter_id"),
        settlement__event_id=OuterRef("settlement__event_id"),
        settlement__number__gt=OuterRef("settlement__number"),
    )
    return SettledMeter.objects.filter(~Exists(later)).exclude(verdict=WITHDRAWN)


def _statement_rows(rows: QuerySet[Statement]) -> list[StatementRow]:
    chosen = list(rows)
    events = demand_response.facts_of({row.event_id for row in chosen})
    sums = StatementEntry.objects.filter(statement__in=[row.pk for row in chosen]).values("statement_id").order_by("statement_id")
    by_statement = {
        row["statement_id"]: row
        for row in sums.annotate(
            wh=Sum("credited_wh"),
            nanos=Sum("amount_nanos"),
            corrections=Count("id", filter=Q(kind=EntryKind.CORRECTION)),
            changed_at=Max("created_at"),
        )
    }
    return [
        StatementRow(
            public_id=row.public_id,
            event=events[row.event_id],
            customer_id=row.customer_id,
            currency=row.currency,
            credited_wh=by_statement[row.pk]["wh"],
            amount_nanos=by_statement[row.pk]["nanos"],
            corrections=by_statement[row.pk]["corrections"],
            created_at=row.created_at,
            changed_at=by_statement[row.pk]["changed_at"],
        )
        for row in chosen
    ]


def settlement_rows(event_id: int) -> list[SettlementRow]:
    """Every computation of an event, the one that stands first."""
    rows = Settlement.objects.filter(event_id=event_id).order_by("-number")
    sums = StatementEntry.objects.filter(settlement__event_id=event_id).values_list("settlement_id").order_by("settlement_id")
    entries = {key: (count, nanos) for key, count, nanos in sums.annotate(Count("id"), Sum("amount_nanos"))}
    return [
        SettlementRow(
            public_id=row.public_id,
            number=row.number,
            created_at=row.created_at,
            ingest_sequence=row.ingest_sequence,
            readings_digest=row.readings_digest,
            result_digest=row.result_digest,
            entries=entries.get(row.pk, (0, 0))[0],
            amount_nanos=entries.get(row.pk, (0, 0))[1],
        )
        for row in rows
    ]
