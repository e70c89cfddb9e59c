"""Statements line by line, savings and participation, and the computations behind them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from django.http import HttpRequest, StreamingHttpResponse
from ninja import Router, Schema
from pydantic import Field

from commonwatt.accounts.access import Right, access_customer
from commonwatt.api.common import From, PageNumber, PageOf, To, fill, page_of
from commonwatt.api.meters import csv_response
from commonwatt.api.requests import api_request
from commonwatt.demand_response.access import access_event
from commonwatt.settlement import queries
from commonwatt.settlement.access import access_settlement, access_statement
from commonwatt.settlement.queries import StatementRow
from commonwatt.settlement.savings import Savings, savings_of_customer
from commonwatt.settlement.statements import csv_rows, statement_detail

router = Router(tags=["settlement"])
Nanos = Annotated[int, Field(description="Billionths of the currency unit.")]


class StatementOut(Schema):
    """What one customer was credited for one event, corrections included."""

    id: str
    event: str
    program: str
    currency: str
    credited_wh: int
    amount_nanos: Nanos
    corrections: int
    created_at: datetime
    changed_at: datetime


class ComparedDayOut(Schema):
    """One past day that was looked at, and what became of it."""

    day: date
    status: str
    text: str


class LineOut(Schema):
    """One interval of one meter; null: no reading or no baseline, and then nothing is credited."""

    starts_at: datetime
    ends_at: datetime
    baseline_wh: int | None
    metered_wh: int | None
    delivered_wh: int | None
    credited_wh: int
    price_micros_per_kwh: int
    amount_nanos: Nanos
    quality: str
    text: str


class MeterPartOut(Schema):
    """One meter's part of a statement: its days, its adjustment, its lines."""

    meter: str
    meter_number: str
    site_name: str
    time_zone: str
    verdict: str
    verdict_text: str
    note_texts: list[str]
    used_days: list[ComparedDayOut]
    refused_days: list[ComparedDayOut]
    adjustment_kind: str
    adjustment_value: float | None
    adjustment_raw: float | None
    cap_status: str
    adjustment_text: str
    baseline_wh: int
    metered_wh: int
    delivered_wh: int
    credited_wh: int
    amount_nanos: Nanos
    lines: list[LineOut]


class EntryOut(Schema):
    """One amount on a statement: the credit, or a correction with the difference only."""

    kind: str
    settlement_number: int
    credited_wh: int
    amount_nanos: Nanos
    transfer_reference: str
    created_at: datetime


class StatementDetailOut(Schema):
    """A whole statement: its lines add up to its entries, and these to the total."""

    id: str
    event: str
    program: str
    program_name: str
    currency: str
    terms_version: int
    rule_title: str
    rule_texts: list[str]
    price_micros_per_kwh: int
    credited_price_micros_per_kwh: int
    settlement_number: int
    settled_at: datetime
    ingest_sequence: int
    readings_digest: str
    result_digest: str
    meters: list[MeterPartOut]
    credit: EntryOut | None
    corrections: list[EntryOut]
    credited_wh: int
    total_nanos: Nanos
    payable_cents: int
    carried_nanos: Nanos


class RateOut(Schema):
    """Delivered over baseline; null where no energy was expected."""

    baseline_wh: int
    delivered_wh: int
    ratio: float | None


class ParticipationOut(Schema):
    """How calls were answered; the four parts add up to `called`, the ratio is responded over called."""

    called: int
    responded: int
    opted_out: int
    not_responded: int
    not_measured: int
    ratio: float | None


class AmountOut(Schema):
    """An amount in one currency."""

    currency: str
    amount_nanos: Nanos


class SavingsOut(Schema):
    """How much was saved in settled events, how calls were answered, and what it was worth."""

    events: int
    rate: RateOut
    participation: ParticipationOut
    credited_wh: int
    amounts: list[AmountOut]


class SettlementOut(Schema):
    """One computation of one event. Number 1 credits, later ones correct."""

    id: str
    number: int
    created_at: datetime
    ingest_sequence: int
    readings_digest: str
    result_digest: str
    entries: int
    amount_nanos: Nanos


@router.get("/customers/{customer_id}/statements", response=PageOf[StatementOut])
def list_statements(request: HttpRequest, customer_id: str, page: PageNumber) -> dict[str, object]:
    """One page of a customer's statements, the newest first."""
    asked = api_request(request)
    customer = access_customer(asked.viewer, customer_id, now=asked.now)
    found = queries.statements_of(customer.id, page)
    return page_of(found, (_statement(row) for row in found.items))


@router.get("/customers/{customer_id}/savings", response=SavingsOut)
def get_savings(request: HttpRequest, customer_id: str, start: From, end: To) -> SavingsOut:
    """Savings rate with both of its parts, participation, and credits, over the settled events that began in a span."""
    asked = api_request(request)
    customer = access_customer(asked.viewer, customer_id, now=asked.now)
    return _savings(savings_of_customer(customer_id=customer.id, since=start, until=end))


@router.get("/statements/{statement_id}", response=StatementDetailOut)
def get_statement(request: HttpRequest, statement_id: str) -> StatementDetailOut:
    """A statement, line by line."""
    asked = api_request(request)
    found = statement_detail(access_statement(asked.viewer, statement_id, now=asked.now).id)
    meters = [fill(MeterPartOut, section, meter=section.meter_public_id) for section in found.meters]
    return fill(StatementDetailOut, found, id=found.public_id, event=found.event.public_id, program=found.program_public_id, meters=meters)


@router.get("/statements/{statement_id}/lines.csv", openapi_extra={"responses": {200: {"content": {"text/csv": {}}}}})
def download_lines(request: HttpRequest, statement_id: str) -> StreamingHttpResponse:
    """The lines of a statement for a spreadsheet; prices and amounts as exact decimals."""
    asked = api_request(request)
    found = access_statement(asked.viewer, statement_id, now=asked.now)
    return csv_response(f"{found.public_id}.csv", iter(csv_rows(found.id)))


@router.get("/events/{event_id}/settlements", response=list[SettlementOut])
def list_settlements(request: HttpRequest, event_id: str) -> list[SettlementOut]:
    """Every computation of an event, the one that stands first; for the operator."""
    asked = api_request(request)
    view = access_event(asked.viewer, event_id, Right.CHANGE, now=asked.now)
    return [fill(SettlementOut, row, id=row.public_id) for row in queries.settlement_rows(view.id)]


@router.get("/settlements/{settlement_id}", response=SettlementOut)
def get_settlement(request: HttpRequest, settlement_id: str) -> SettlementOut:
    """One computation, for the operator."""
    asked = api_request(request)
    found = access_settlement(asked.viewer, settlement_id, now=asked.now)
    row = next(row for row in queries.settlement_rows(found.event_id) if row.public_id == found.public_id)
    return fill(SettlementOut, row, id=row.public_id)


def _statement(row: StatementRow) -> StatementOut:
    return fill(StatementOut, row, id=row.public_id, event=row.event.public_id, program=row.event.program_public_id)


def _savings(found: Savings) -> SavingsOut:
    amounts = [AmountOut(currency=currency, amount_nanos=nanos) for currency, nanos in found.amounts]
    return fill(SavingsOut, found, amounts=amounts)
