"""Meters, their readings, and their days. A meter's readings belong to whoever held it when they were taken."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import date, datetime
from typing import Annotated, NamedTuple
from zoneinfo import ZoneInfo

from django.http import HttpRequest, StreamingHttpResponse
from ninja import Query, Router, Schema
from pydantic import Field

from commonwatt.accounts.access import access_customer, require_operator
from commonwatt.api.common import From, PageNumber, PageOf, To, customer_names, fill, page_of, site_names
from commonwatt.api.requests import api_request
from commonwatt.kernel.time import epoch_seconds, from_epoch, local_day
from commonwatt.metering import queries
from commonwatt.metering.access import access_meter
from commonwatt.metering.choices import Quality, Quantity
from commonwatt.metering.store import readings_between
from commonwatt.metering.values import ChannelView, MeterAccess, MeterView, Span

router = Router(tags=["meters"])
READINGS_AT_ONCE = 10_000
# Read piece by piece, so that a span of years neither fills the memory nor keeps the first line waiting.
_PIECE_S = 31 * 86_400


class ChannelOut(Schema):
    """One quantity of one meter."""

    quantity: str
    unit: str
    interval_s: int


class MeterOut(Schema):
    """A meter, and who holds it now; null: nobody, or nobody you may know of."""

    id: str
    number: str
    name: str
    interval_s: int
    time_zone: str
    customer: str | None
    site: str | None
    channels: list[ChannelOut]


class ReadingOut(NamedTuple):
    """One interval: named by its start."""

    start: datetime
    length_s: int
    energy_wh: int
    quality: int


class ReadingSchema(Schema):
    """The energy of one interval, named by its start."""

    start: datetime
    length_s: int
    energy_wh: int
    quality: int = Field(description="0 measured, 1 edited by hand, 2 estimated. Intervals without a reading are not there.")


class ReadingsOut(Schema):
    """Readings in order of time."""

    items: list[ReadingSchema]
    next: datetime | None = Field(description="Ask again from here for more; null: that was all.")


class MeterDayOut(Schema):
    """One civil day of the meter's zone."""

    day: date
    energy_wh: int
    peak_wh: int
    peak_at: datetime
    readings: int
    is_whole: bool
    worst_quality: int


class PowerOut(Schema):
    """The mean power of the newest interval."""

    power_w: float
    start: datetime
    end: datetime
    age_s: float


Which = Annotated[Quantity, Query(Quantity.ENERGY_IMPORT, description="Which channel.")]


@router.get("/meters", response=PageOf[MeterOut])
def list_meters(
    request: HttpRequest, page: PageNumber, search: Annotated[str, Query("", description="Part of number or name.")]
) -> dict[str, object]:
    """One page of all meters, for the operator."""
    require_operator(api_request(request).viewer)
    found = queries.meter_page(page=page, search=search)
    return page_of(found, _meters([row.meter for row in found.items]))


@router.get("/customers/{customer_id}/meters", response=list[MeterOut])
def list_customer_meters(request: HttpRequest, customer_id: str) -> list[MeterOut]:
    """The meters that a customer holds now."""
    asked = api_request(request)
    customer = access_customer(asked.viewer, customer_id, now=asked.now)
    return _meters(queries.meters_of(customer.id, asked.now))


@router.get("/meters/{meter_id}", response=MeterOut)
def get_meter(request: HttpRequest, meter_id: str) -> MeterOut:
    """A meter."""
    asked = api_request(request)
    found = access_meter(asked.viewer, meter_id, now=asked.now)
    (meter,) = _meters([found.meter])
    # A former holder sees the readings of their time, and does not learn who has the meter now.
    is_known = found.meter.holder is None or asked.viewer.right_in(found.meter.holder.customer_id) is not None
    return meter if is_known else meter.model_copy(update={"customer": None, "site": None})


@router.get("/meters/{meter_id}/power", response=PowerOut | None)
def get_power(request: HttpRequest, meter_id: str) -> PowerOut | None:
    """The power by the newest reading that you may see; null where there is none."""
    asked = api_request(request)
    found = access_meter(asked.viewer, meter_id, now=asked.now)
    power = queries.power_now(found.id, asked.now)
    if power is None or not found.may_see(power.start):
        return None
    return fill(PowerOut, power, age_s=power.age.total_seconds())


@router.get("/meters/{meter_id}/readings", response=ReadingsOut)
def list_readings(
    request: HttpRequest,
    meter_id: str,
    *,
    start: From,
    end: To,
    quantity: Which,
    limit: Annotated[int, Query(1000, ge=1, le=READINGS_AT_ONCE)],
) -> dict[str, object]:
    """Readings that start in a span, the oldest first, at most so many at once."""
    asked = api_request(request)
    found = access_meter(asked.viewer, meter_id, now=asked.now)
    rows = []
    for row in _readings(found, quantity, start, end):
        rows.append(row)
        if len(rows) > limit:
            break
    more = rows[limit].start if len(rows) > limit else None
    return {"items": [row._asdict() for row in rows[:limit]], "next": more}


@router.get("/meters/{meter_id}/readings.csv", openapi_extra={"responses": {200: {"content": {"text/csv": {}}}}})
def download_readings(request: HttpRequest, meter_id: str, start: From, end: To, quantity: Which) -> StreamingHttpResponse:
    """The same, however many, as a file: meter,start,length_s,wh,quality."""
    asked = api_request(request)
    found = access_meter(asked.viewer, meter_id, now=asked.now)
    number = found.meter.number
    lines = (
        (number, f"{row.start:%Y-%m-%dT%H:%M:%SZ}", row.length_s, row.energy_wh, row.quality)
        for row in _readings(found, quantity, start, end)
    )
    return csv_response(f"{meter_id}-{quantity}.csv", _with_head(("meter", "start", "length_s", "wh", "quality"), lines))


@router.get("/meters/{meter_id}/daily", response=list[MeterDayOut])
def list_days(
    request: HttpRequest,
    meter_id: str,
    first: Annotated[date, Query(..., alias="from", description="First day.")],
    last: Annotated[date, Query(..., alias="to", description="Last day, included.")],
    quantity: Which,
) -> list[MeterDayOut]:
    """Civil days of the meter's zone; days without any reading, and days that are not wholly yours, are left out."""
    asked = api_request(request)
    found = access_meter(asked.viewer, meter_id, now=asked.now)
    channel = found.meter.channel(quantity)
    if channel is None:
        return []
    zone = ZoneInfo(found.meter.time_zone)
    return [fill(MeterDayOut, day) for day in queries.daily(channel.id, first, last) if _is_theirs(found, day.day, zone)]


def csv_response(name: str, rows: Iterator[tuple[object, ...]]) -> StreamingHttpResponse:
    """A file of comma-separated values, sent as it is read."""
    response = StreamingHttpResponse((_csv_line(row) for row in rows), content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _csv_line(row: tuple[object, ...]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="\r\n").writerow(row)
    return line.getvalue()


def _with_head(head: tuple[object, ...], rows: Iterator[tuple[object, ...]]) -> Iterator[tuple[object, ...]]:
    yield head
    yield from rows


def _readings(found: MeterAccess, quantity: Quantity, start: datetime, end: datetime) -> Iterator[ReadingOut]:
    """Readings with an amount, of the spans that the viewer may see, in order."""
    channel = found.meter.channel(quantity)
    if channel is None:
        return
    for span in found.spans:
        first_s, end_s = _within(span, start, end)
        for piece_s in range(first_s, end_s, _PIECE_S):
            yield from _piece(channel, piece_s, min(piece_s + _PIECE_S, end_s))


def _piece(channel: ChannelView, start_s: int, end_s: int) -> Iterator[ReadingOut]:
    read = readings_between(channel_ids=[channel.id], start_s=start_s, end_s=end_s)
    for at_s, length_s, amount, quality in read.select("start_s", "length_s", "amount", "quality").iter_rows():
        if quality != Quality.MISSING:
            yield ReadingOut(from_epoch(at_s), length_s, amount, quality)


def _within(span: Span, start: datetime, end: datetime) -> tuple[int, int]:
    """The part of [start, end) that lies in the span, as whole seconds at or after each bound."""
    first = max(start, span.from_at) if span.from_at else start
    last = min(end, span.until_at) if span.until_at else end
    return _next_second(first), _next_second(last)


def _next_second(instant: datetime) -> int:
    whole = instant.replace(microsecond=0)
    return epoch_seconds(whole) + (whole < instant)


def _is_theirs(found: MeterAccess, day: date, zone: ZoneInfo) -> bool:
    whole = local_day(day, zone)
    return any(
        (span.from_at is None or span.from_at <= whole.start) and (span.until_at is None or whole.end <= span.until_at)
        for span in found.spans
    )


def _meters(views: list[MeterView]) -> list[MeterOut]:
    holders = [view.holder for view in views if view.holder is not None]
    customers, sites = customer_names(item.customer_id for item in holders), site_names(item.site_id for item in holders)
    return [
        fill(
            MeterOut,
            view,
            id=view.public_id,
            customer=customers[view.holder.customer_id] if view.holder else None,
            site=sites[view.holder.site_id] if view.holder else None,
        )
        for view in views
    ]
