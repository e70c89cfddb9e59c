"""Every read of meters, of who holds them, and of deliveries, that others need; values, never rows. Energy itself is in `energy`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING, TypeVar

from django.db.models import Exists, Max, Model, OuterRef, Q, QuerySet

from commonwatt.accounts.values import Page
from commonwatt.metering.columns import IngestReport
from commonwatt.metering.energy import (
    DailyEnergy,
    EnergySeries,
    LatestReading,
    PowerNow,
    daily,
    daily_of,
    days_known,
    energy_series,
    latest_reading,
    meters_touched_since,
    power_now,
)
from commonwatt.metering.models import Channel, ClaimCode, DailyRollup, IngestBatch, Meter, MeterAssignment
from commonwatt.metering.recording import report_of
from commonwatt.metering.values import AssignmentView, ChannelView, MeterView

__all__ = [
    "BatchView",
    "ClaimCodeView",
    "DailyEnergy",
    "EnergySeries",
    "LatestReading",
    "MeterRow",
    "PowerNow",
    "assignments_at_sites",
    "batch",
    "batch_page",
    "channels_of",
    "claim_code_works",
    "claim_codes",
    "daily",
    "daily_of",
    "days_known",
    "energy_series",
    "file_report",
    "holders_between",
    "latest_reading",
    "meter_page",
    "meter_view",
    "meter_views",
    "meters_at_sites",
    "meters_by_number",
    "meters_of",
    "meters_touched_since",
    "power_now",
    "silent_meters",
]

if TYPE_CHECKING:
    from commonwatt.metering.import_report import ImportReport

K = TypeVar("K", int, str)
M = TypeVar("M", bound=Model)
V = TypeVar("V")

PAGE_SIZE = 50
_KEYS_AT_ONCE = 30_000  # SQLite takes 32,766 parameters of one query


@dataclass(frozen=True, slots=True)
class MeterRow:
    """A meter in a long list, with the last civil day of which it has readings."""

    meter: MeterView
    last_day: date | None


@dataclass(frozen=True, slots=True)
class ClaimCodeView:
    """A claim code's life; the code itself is not kept."""

    created_at: datetime
    expires_at: datetime
    used_at: datetime | None
    revoked_at: datetime | None

    def works_at(self, instant: datetime) -> bool:
        """Whether it could be used then."""
        return self.used_at is None and self.revoked_at is None and instant < self.expires_at


@dataclass(frozen=True, slots=True)
class BatchView:
    """One delivery of readings and what became of it; `actor_id` is None where no person sent it."""

    sequence: int
    received_at: datetime
    source: str
    reference: str
    actor_id: int | None
    report: IngestReport


def meter_view(meter_id: int) -> MeterView | None:
    """One meter; see `meter_views`."""
    return meter_views([meter_id]).get(meter_id)


def meter_views(meter_ids: Iterable[int]) -> dict[int, MeterView]:
    """These meters by id, each with the holder whose time has not ended; ids that do not exist are left out. Three queries."""
    return {view.id: view for chunk in _chunks(meter_ids) for view in _views(Meter.objects.filter(pk__in=chunk))}


def meters_by_number(numbers: Iterable[str]) -> dict[str, MeterView]:
    """Meters by the number printed on them; numbers that are not known are left out. Three queries."""
    return {view.number: view for chunk in _chunks(numbers) for view in _views(Meter.objects.filter(number__in=chunk))}


def meters_of(customer_id: int, at: datetime) -> list[MeterView]:
    """The meters a customer holds at an instant, by label; their `holder` is the customer's assignment. Three queries."""
    return _held(MeterAssignment.objects.filter(customer_id=customer_id), at)


def meters_at_sites(site_ids: Collection[int], at: datetime) -> list[MeterView]:
    """The meters held at these sites at an instant, by label. Three queries."""
    return _held(MeterAssignment.objects.filter(site_id__in=list(site_ids)), at)


def meter_page(*, page: int = 1, search: str = "", is_held: bool | None = None, page_size: int = PAGE_SIZE) -> Page[MeterRow]:
    """One page of all meters by number.

    Args:
        search: Part of the number or the name.
        is_held: Only meters that somebody holds, or nobody; None for both.
    """
    wanted = Meter.objects.filter(Q(number__icontains=search) | Q(name__icontains=search)) if search else Meter.objects.all()
    if is_held is not None:
        held = MeterAssignment.objects.filter(until_at__isnull=True).values("meter_id")
        wanted = wanted.filter(pk__in=held) if is_held else wanted.exclude(pk__in=held)
    return _page(wanted.order_by("number"), number=page, size=page_size, show=_meter_rows)


def silent_meters(*, since: date, limit: int) -> tuple[int, list[MeterView]]:
    """How many held meters have no reading on or after a civil day, and the first of them by number. A few queries, however many meters."""
    recent = DailyRollup.objects.filter(channel__meter_id=OuterRef("pk"), day__gte=since, readings__gt=0)
    held = MeterAssignment.objects.filter(meter_id=OuterRef("pk"), until_at__isnull=True)
    silent = Meter.objects.filter(Exists(held), ~Exists(recent), removed_on__isnull=True)
    return silent.count(), _views(silent.order_by("number")[:limit])


def channels_of(meter_ids: Iterable[int]) -> list[ChannelView]:
    """The channels of these meters, by id. One query."""
    found = (row for chunk in _chunks(meter_ids) for row in Channel.objects.filter(meter_id__in=chunk))
    return sorted((ChannelView.of(row) for row in found), key=lambda channel: channel.id)


def holders_between(meter_ids: Iterable[int], start: datetime, end: datetime) -> list[AssignmentView]:
    """Who held these meters in any part of [start, end), by meter and time. One query."""
    found = (row for chunk in _chunks(meter_ids) for row in _overlapping(start, end).filter(meter_id__in=chunk))
    return sorted((AssignmentView.of(row) for row in found), key=lambda item: (item.meter_id, item.from_at))


def assignments_at_sites(*, site_ids: Iterable[int], start: datetime, end: datetime) -> list[AssignmentView]:
    """The meters held at these sites in any part of [start, end), by meter and time. One query."""
    found = (row for chunk in _chunks(site_ids) for row in _overlapping(start, end).filter(site_id__in=chunk))
    return sorted((AssignmentView.of(row) for row in found), key=lambda item: (item.meter_id, item.from_at))


def claim_code_works(*, code_digest: str, now: datetime) -> bool:
    """Whether a code of this digest could be used now."""
    return ClaimCode.objects.filter(code_digest=code_digest, used_at__isnull=True, revoked_at__isnull=True, expires_at__gt=now).exists()


def claim_codes(meter_id: int) -> list[ClaimCodeView]:
    """A meter's claim codes, newest first."""
    fields = ("created_at", "expires_at", "used_at", "revoked_at")
    return [ClaimCodeView(*row) for row in ClaimCode.objects.filter(meter_id=meter_id).order_by("-created_at", "-pk").values_list(*fields)]


def batch_page(*, page: int = 1, source: str = "", page_size: int = PAGE_SIZE) -> Page[BatchView]:
    """One page of deliveries, newest first: of one source, or (empty) of all."""
    wanted = IngestBatch.objects.filter(source=source) if source else IngestBatch.objects.all()
    return _page(wanted.order_by("-sequence"), number=page, size=page_size, show=lambda rows: tuple(_batch(row) for row in rows))


def batch(sequence: int) -> BatchView | None:
    """One delivery, if there was one with this sequence."""
    row = IngestBatch.objects.filter(sequence=sequence).first()
    return None if row is None else _batch(row)


def file_report(sequence: int) -> ImportReport | None:
    """The report on the file that a delivery came from; None where it came from no file."""
    from commonwatt.metering.import_report import ImportReport  # polars, which lists of meters do not need

    row = IngestBatch.objects.filter(sequence=sequence).first()
    if row is None or "rows_read" not in row.report:
        return None
    return ImportReport.of(report_of(row), row.report)


def _batch(row: IngestBatch) -> BatchView:
    return BatchView(row.sequence, row.received_at, row.source, row.reference, row.actor_id, report_of(row))


def _views(wanted: QuerySet[Meter]) -> list[MeterView]:
    """Views of these meters in their order, with the holders whose time has not ended."""
    found = list(wanted.prefetch_related("channels"))
    current = MeterAssignment.objects.filter(until_at__isnull=True, meter_id__in=[row.pk for row in found])
    holders = {row.meter_id: AssignmentView.of(row) for row in current}
    return [MeterView.of(row, holder=holders.get(row.pk)) for row in found]


def _held(assignments: QuerySet[MeterAssignment], at: datetime) -> list[MeterView]:
    there = assignments.filter(Q(until_at__isnull=True) | Q(until_at__gt=at), from_at__lte=at)
    holders = {row.meter_id: AssignmentView.of(row) for row in there}
    found = (row for chunk in _chunks(holders) for row in Meter.objects.filter(pk__in=chunk).prefetch_related("channels"))
    return sorted((MeterView.of(row, holder=holders[row.pk]) for row in found), key=lambda view: (view.label.lower(), view.id))


def _meter_rows(found: QuerySet[Meter]) -> tuple[MeterRow, ...]:
    views = _views(found)
    known = DailyRollup.objects.filter(channel__meter_id__in=[view.id for view in views], readings__gt=0)
    last = dict(known.values_list("channel__meter_id").annotate(last=Max("day")).values_list("channel__meter_id", "last"))
    return tuple(MeterRow(view, last.get(view.id)) for view in views)


def _overlapping(start: datetime, end: datetime) -> QuerySet[MeterAssignment]:
    return MeterAssignment.objects.filter(Q(until_at__isnull=True) | Q(until_at__gt=start), from_at__lt=end)


def _chunks(keys: Iterable[K]) -> Iterator[list[K]]:
    """Keys, each once, in as few lists as one query of SQLite takes."""
    distinct = list(dict.fromkeys(keys))
    for first in range(0, len(distinct), _KEYS_AT_ONCE):
        yield distinct[first : first + _KEYS_AT_ONCE]


def _page(rows: QuerySet[M], *, number: int, size: int, show: Callable[[QuerySet[M]], tuple[V, ...]]) -> Page[V]:
    total = rows.count()
    pages = max(1, -(-total // size))
    number = min(max(number, 1), pages)
    return Page(show(rows[(number - 1) * size : number * size]), number=number, pages=pages, total=total)
