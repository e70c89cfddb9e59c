"""Meters and readings for the tests of this room, and what the store must hold, told in plain Python."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from commonwatt.metering import actions, store
from commonwatt.metering.choices import Quality, Quantity
from commonwatt.metering.columns import IngestReport, ReadingColumns
from commonwatt.metering.models import DailyRollup, IngestBatch, Meter, Reading, SealedFile
from commonwatt.metering.values import MeterView

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
QUARTER = 900


class R(NamedTuple):
    """One reading."""

    channel_id: int
    start_s: int
    amount: int
    quality: int = Quality.MEASURED
    length_s: int = QUARTER


class Rollup(NamedTuple):
    """The columns of a daily rollup that are not its key."""

    amount: int
    peak_amount: int
    peak_start_s: int
    readings: int
    covered_s: int
    worst_quality: int


def at(text: str) -> int:
    """Seconds since 1970 of a time in UTC, such as 2026-10-25T01:00."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def columns(readings: Iterable[R]) -> ReadingColumns:
    """Readings as a delivery."""
    rows = list(readings)
    names = ("channel_id", "start_s", "amount", "quality", "length_s")
    return ReadingColumns(**{name: np.array([row[place] for row in rows], dtype=np.int64) for place, name in enumerate(names)})


def make_meter(number: str, *, interval_s: int = QUARTER, both: bool = False, zone: str = "", **fields: object) -> MeterView:
    """A meter that nobody holds, with an import channel, and an export channel for `both`."""
    quantities = [Quantity.ENERGY_IMPORT, Quantity.ENERGY_EXPORT][: 2 if both else 1]
    view = actions.create_meter(actor=None, number=number, interval_s=interval_s, quantities=quantities, now=NOW)
    if zone or fields:
        Meter.objects.filter(pk=view.id).update(**({"time_zone": zone} if zone else {}), **fields)
    return dataclasses.replace(view, time_zone=zone or view.time_zone)


def make_meter_at(meter_id: int, number: str, *, both: bool = False, **fields: object) -> MeterView:
    """A meter with this very id, so that it falls into a chosen bucket whatever ids other tests have used up."""
    row = Meter.objects.create(
        pk=meter_id, public_id=f"mtr_{meter_id}", number=number, time_zone="Europe/Brussels", created_at=NOW, **fields
    )
    for quantity in [Quantity.ENERGY_IMPORT, Quantity.ENERGY_EXPORT][: 2 if both else 1]:
        row.channels.create(quantity=quantity, interval_s=QUARTER)
    return MeterView.of(row, holder=None)


def record(readings: Iterable[R], *, key: str | None = None, now: datetime = NOW) -> IngestReport:
    """Deliver readings."""
    return actions.record_readings(readings=columns(readings), source="test", reference="a test", idempotency_key=key, now=now)


def stored(channel_ids: Sequence[int], *, as_of: int | None = None, start_s: int = 0, end_s: int = at("2030-01-01T00:00")) -> list[R]:
    """What the store answers."""
    frame = store.readings_between(channel_ids=channel_ids, start_s=start_s, end_s=end_s, as_of=as_of)
    return [R(*row) for row in frame.select("channel_id", "start_s", "amount", "quality", "length_s").iter_rows()]


def clear_store() -> None:
    """Forget every reading, but not the meters."""
    for model in (Reading, SealedFile, DailyRollup, IngestBatch):
        model.objects.all().delete()


def day_of(start_s: int, zone: str) -> date:
    """The civil day of an instant."""
    return datetime.fromtimestamp(start_s, ZoneInfo(zone)).date()


def naive_rollups(readings: Iterable[R], zone_of: dict[int, str]) -> dict[tuple[int, date], Rollup]:
    """Rollups of the newest readings, one by one."""
    by_day: dict[tuple[int, date], list[R]] = {}
    for reading in sorted(readings):
        by_day.setdefault((reading.channel_id, day_of(reading.start_s, zone_of[reading.channel_id])), []).append(reading)
    return {key: _naive_rollup(rows) for key, rows in by_day.items()}


def _naive_rollup(rows: list[R]) -> Rollup:
    worst = max(row.quality for row in rows)
    measured = [row for row in rows if row.quality != Quality.MISSING]
    if not measured:
        return Rollup(0, 0, rows[0].start_s, 0, 0, worst)
    peak = max(row.amount for row in measured)
    peak_start = next(row.start_s for row in measured if row.amount == peak)
    total, covered = sum(row.amount for row in measured), sum(row.length_s for row in measured)
    return Rollup(total, peak, peak_start, len(measured), covered, worst)


def kept_rollups() -> dict[tuple[int, date], Rollup]:
    """The rollups in the database."""
    return {(row.channel_id, row.day): Rollup(*(getattr(row, name) for name in Rollup._fields)) for row in DailyRollup.objects.all()}
