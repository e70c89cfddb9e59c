"""A statement as its reader needs it: every figure, every day used or refused, in values ready to be shown. Queries alone."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from commonwatt.accounts import queries as accounts
from commonwatt.accounts.values import SiteView
from commonwatt.baseline.rules import rule_from_dict
from commonwatt.demand_response import queries as demand_response
from commonwatt.demand_response.views import EventFacts
from commonwatt.kernel.money import decimal_from_micros, decimal_from_nanos, payout_cents
from commonwatt.metering import queries as metering
from commonwatt.metering.choices import Quality
from commonwatt.metering.values import MeterView
from commonwatt.settlement import words
from commonwatt.settlement.models import EntryKind, SettledMeter, Settlement, SettlementLine, Statement, StatementEntry
from commonwatt.settlement.plan import OK, OPTED_OUT, credited_price
from commonwatt.settlement.queries import standing_meters
from commonwatt.settlement.rule_words import rule_in_words

CSV_COLUMNS = (
    "statement", "event", "settlement", "meter", "start_utc", "length_s", "baseline_wh", "metered_wh", "delivered_wh", "credited_wh",
    "price_per_kwh", "amount", "currency", "quality", "verdict",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class DayRow:
    """One past day that was looked at, and what became of it."""

    day: date
    status: str
    is_used: bool
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LineRow:
    """One interval of one meter. [Wh, micros per kWh, nanos] `text` says why nothing is paid; empty where something could be."""

    starts_at: datetime
    ends_at: datetime
    baseline_wh: int | None
    metered_wh: int | None
    delivered_wh: int | None
    credited_wh: int
    price_micros_per_kwh: int
    amount_nanos: int
    quality: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterSection:
    """One meter's part of a statement. Sums of baseline, metered and delivered are over the intervals that have all three.

    `settlement_number` is that of the computation that last changed anything of it.
    """

    settlement_number: int
    meter_public_id: str
    meter_number: str
    meter_label: str
    site_name: str
    time_zone: str
    verdict: str
    verdict_text: str
    note_texts: tuple[str, ...]
    used_days: tuple[DayRow, ...]
    refused_days: tuple[DayRow, ...]
    adjustment_kind: str
    adjustment_value: float | None
    adjustment_raw: float | None
    cap_status: str
    adjustment_text: str
    baseline_wh: int
    metered_wh: int
    delivered_wh: int
    credited_wh: int
    amount_nanos: int
    lines: tuple[LineRow, ...]
    chart: Mapping[str, Any]  # JSON, as the portal's "delivered" chart takes it

    @property
    def is_credited(self) -> bool:
        """Whether there is a baseline and the site took part."""
        return self.verdict == OK


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRow:
    """One amount on a statement: the credit, or a correction with the difference only. [Wh, nanos]"""

    kind: str
    kind_text: str
    settlement_number: int
    credited_wh: int
    amount_nanos: int
    transfer_reference: str
    created_at: datetime

    @property
    def is_correction(self) -> bool:
        """Whether it changes what was credited before."""
        return self.kind == EntryKind.CORRECTION


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementDetail:
    """A whole statement. Lines are those of the settlement that stands; they add up to the entries, which add up to the total.

    Attributes:
        price_micros_per_kwh: The program's price; `credited_price_micros_per_kwh` is what the lines use, after the credit factor.
        credit: The first entry; `corrections` those that followed.
        payable_cents, carried_nanos: The total in whole cents and what is left over and carried; 0 and the total below zero.
    """

    public_id: str
    customer_id: int
    program_public_id: str
    program_name: str
    event: EventFacts
    currency: str
    terms_version: int
    rule_title: str
    rule_source: str
    rule_texts: tuple[str, ...]
    price_micros_per_kwh: int
    credited_price_micros_per_kwh: int
    factor_text: str
    negative_text: str
    settlement_public_id: str
    settlement_number: int
    settled_at: datetime
    ingest_sequence: int
    readings_digest: str
    result_digest: str
    meters: tuple[MeterSection, ...]
    credit: EntryRow | None
    corrections: tuple[EntryRow, ...]
    credited_wh: int
    total_nanos: int
    payable_cents: int
    carried_nanos: int


def statement_detail(statement_id: int) -> StatementDetail:
    """The whole statement, in a fixed number of queries.

    Raises:
        Statement.DoesNotExist: There is none of this id; faces ask `access_statement` first.
    """
    statement = Statement.objects.get(pk=statement_id)
    event = demand_response.event_facts(statement.event_id)
    settlement = Settlement.objects.filter(event_id=statement.event_id).order_by("-number")[0]
    entries = tuple(_entry(row) for row in _entries(statement))
    total = sum(entry.amount_nanos for entry in entries)
    cents, carried = payout_cents(total) if total > 0 else (0, total)
    rule = rule_from_dict(settlement.rule)
    return StatementDetail(
        public_id=statement.public_id,
        customer_id=statement.customer_id,
        program_public_id=event.program_public_id,
        program_name=event.program_name,
        event=event,
        currency=statement.currency,
        terms_version=settlement.terms_version,
        rule_title=rule.title,
        rule_source=rule.source,
        rule_texts=rule_in_words(rule),
        price_micros_per_kwh=event.price_micros_per_kwh,
        credited_price_micros_per_kwh=credited_price(
            price_micros_per_kwh=event.price_micros_per_kwh, credit_factor_ppm=event.credit_factor_ppm
        ),
        factor_text=words.factor_text(event.credit_factor_ppm),
        negative_text=words.negative_text(event.negative_intervals),
        settlement_public_id=settlement.public_id,
        settlement_number=settlement.number,
        settled_at=settlement.created_at,
        ingest_sequence=settlement.ingest_sequence,
        readings_digest=settlement.readings_digest,
        result_digest=settlement.result_digest,
        meters=tuple(_sections(statement)),
        credit=next((entry for entry in entries if not entry.is_correction), None),
        corrections=tuple(entry for entry in entries if entry.is_correction),
        credited_wh=sum(entry.credited_wh for entry in entries),
        total_nanos=total,
        payable_cents=cents,
        carried_nanos=carried,
    )


def csv_rows(statement_id: int) -> Iterator[tuple[str, ...]]:
    """The lines of a statement for a spreadsheet: the header, then one row an interval; prices and amounts as exact decimals.

    The amounts add up to the statement's total: they are the lines of the settlement that stands, corrections included.
    """
    statement = Statement.objects.get(pk=statement_id)
    event = demand_response.event_facts(statement.event_id)
    yield CSV_COLUMNS
    for section in _sections(statement):
        for line in section.lines:
            yield (
                statement.public_id,
                event.public_id,
                str(section.settlement_number),
                section.meter_number,
                f"{line.starts_at:%Y-%m-%dT%H:%M:%SZ}",
                str(round((line.ends_at - line.starts_at).total_seconds())),
                *("" if energy is None else str(energy) for energy in (line.baseline_wh, line.metered_wh, line.delivered_wh)),
                str(line.credited_wh),
                f"{decimal_from_micros(line.price_micros_per_kwh):f}",
                f"{decimal_from_nanos(line.amount_nanos):f}",
                statement.currency,
                line.quality,
                section.verdict,
            )


def _entries(statement: Statement) -> QuerySet[StatementEntry]:
    return StatementEntry.objects.filter(statement=statement).select_related("settlement").order_by("settlement__number")


def _entry(row: StatementEntry) -> EntryRow:
    return EntryRow(
        kind=row.kind,
        kind_text=str(EntryKind(row.kind).label),
        settlement_number=row.settlement.number,
        credited_wh=row.credited_wh,
        amount_nanos=row.amount_nanos,
        transfer_reference=row.transfer_reference,
        created_at=row.created_at,
    )


def _sections(statement: Statement) -> Iterator[MeterSection]:
    standing = standing_meters().filter(settlement__event_id=statement.event_id, party_id=statement.party_id)
    rows = list(standing.select_related("settlement").order_by("meter_id"))
    meters = metering.meter_views({row.meter_id for row in rows})
    sites = accounts.site_views({row.site_id for row in rows})
    lines = _lines({row.pk for row in rows})
    for row in rows:
        yield _section(row, meters[row.meter_id], sites[row.site_id], lines.get(row.pk, []))


def _lines(settled_meter_ids: Collection[int]) -> dict[int, list[SettlementLine]]:
    lines: dict[int, list[SettlementLine]] = {}
    for row in SettlementLine.objects.filter(settled_meter_id__in=settled_meter_ids).order_by("settled_meter_id", "start"):
        lines.setdefault(row.settled_meter_id, []).append(row)
    return lines


def _section(row: SettledMeter, meter: MeterView, site: SiteView, lines: Sequence[SettlementLine]) -> MeterSection:
    days = [_day(date.fromisoformat(day["day"]), day["status"]) for day in row.days]
    return MeterSection(
        settlement_number=row.settlement.number,
        meter_public_id=meter.public_id,
        meter_number=meter.number,
        meter_label=meter.label,
        site_name=site.name,
        time_zone=site.time_zone,
        verdict=row.verdict,
        verdict_text=words.verdict_text(row.verdict),
        note_texts=words.note_texts(row.notes),
        used_days=tuple(day for day in days if day.is_used),
        refused_days=tuple(day for day in days if not day.is_used),
        adjustment_kind=row.adjustment_kind,
        adjustment_value=row.adjustment_value,
        adjustment_raw=row.adjustment_raw,
        cap_status=row.cap_status,
        adjustment_text=words.adjustment_text(
            kind=row.adjustment_kind,
            value=row.adjustment_value,
            raw=row.adjustment_raw,
            cap_status=row.cap_status,
            interval_s=lines[0].length_s if lines else meter.interval_s,
        ),
        baseline_wh=row.baseline_wh,
        metered_wh=row.metered_wh,
        delivered_wh=row.delivered_wh,
        credited_wh=row.credited_wh,
        amount_nanos=row.amount_nanos,
        lines=tuple(_line(line, row.verdict) for line in lines),
        chart=_chart(lines, site.time_zone),
    )


def _day(day: date, status: str) -> DayRow:
    return DayRow(day=day, status=status, is_used=words.is_used(status), text=words.day_text(status))


def _line(row: SettlementLine, verdict: str) -> LineRow:
    return LineRow(
        starts_at=row.start,
        ends_at=row.start + timedelta(seconds=row.length_s),
        baseline_wh=row.baseline_wh,
        metered_wh=row.metered_wh,
        delivered_wh=row.delivered_wh,
        credited_wh=row.credited_wh,
        price_micros_per_kwh=row.price_micros_per_kwh,
        amount_nanos=row.amount_nanos,
        quality=Quality(row.quality).name.lower() if row.quality is not None else "missing",
        text=_line_text(row, verdict),
    )


def _line_text(row: SettlementLine, verdict: str) -> str:
    if row.metered_wh is None:
        return _("No reading: nothing is credited.")
    if verdict == OPTED_OUT:
        return _("You chose not to take part.")
    if row.baseline_wh is None:
        return _("No baseline: nothing is credited.")
    if row.delivered_wh is not None and row.delivered_wh < 0:
        return _("More was used than the baseline.")
    if row.delivered_wh is not None and row.credited_wh < row.delivered_wh:
        return _("Part is deducted for intervals in which more was used than the baseline.")
    return ""


def _chart(lines: Sequence[SettlementLine], time_zone: str) -> dict[str, Any]:
    return {
        "zone": time_zone,
        "interval_s": lines[0].length_s if lines else None,
        "start": [f"{line.start:%Y-%m-%dT%H:%M:%SZ}" for line in lines],
        "baseline_wh": [line.baseline_wh for line in lines],
        "metered_wh": [line.metered_wh for line in lines],
        "delivered_wh": [line.delivered_wh for line in lines],
    }
