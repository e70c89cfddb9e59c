"""The second step of an import, outside any transaction: each part settled and compared, and its sealed file written where it is bulk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import numpy as np
import polars as pl
from django.conf import settings

from commonwatt.kernel.time import epoch_seconds
from commonwatt.metering import lake, rollups
from commonwatt.metering.columns import Ints
from commonwatt.metering.import_parts import Carry, Comparison, Given, compare, settle
from commonwatt.metering.import_refusals import RefusalList
from commonwatt.metering.import_spill import PartKey, Spill
from commonwatt.metering.import_totals import Totals
from commonwatt.metering.models import SealedFile
from commonwatt.metering.plan import ChannelFacts
from commonwatt.metering.store import WrittenPart, stored_month, write_part

BULK_ROWS = 50_000
"""So many rows of a part go to its sealed file, whatever its month."""
BULK_ROWS_CLOSED, BULK_SHARE = 1_000, 20
"""Of a month that would be sealed by now, fewer do, if they are at least one in twenty of what the file would hold."""
OPEN_ROWS_AT_MOST = 200_000
"""Rows that are no bulk are compared and inserted while others wait: beyond so many in one import, a part counts as bulk."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outcome:
    """What a part changes.

    Attributes:
        accepted, repeated, revised: How many rows are new, repeat what is stored, replace what is stored.
        counted: The new readings by channel and day (see `rollups.rollup`).
        revised_days: The channels and days of revised ones: columns channel_id, day (a date).
        meter_ids: Whose readings are new or revised.
        span: First and last start of those, None where there is none. [s since 1970]
    """

    accepted: int
    repeated: int
    revised: int
    counted: Mapping[str, Ints]
    revised_days: pl.DataFrame
    meter_ids: Ints
    span: tuple[int, int] | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BulkPart:
    """A part whose next sealed file is on the disk, if anything in it is new.

    Attributes:
        carry: What it was settled with, should it have to be prepared again.
        outcomes: What it changes, some channels in each.
    """

    key: PartKey
    carry: Carry
    outcomes: tuple[Outcome, ...]
    written: WrittenPart | None


@dataclass(frozen=True, slots=True, eq=False)
class WaitingPart:
    """A part that is no bulk: its rows are compared and inserted in the transaction."""

    given: Given


@dataclass(slots=True, kw_only=True)
class Preparation:
    """Prepares the parts of one file under one ingest sequence."""

    spill: Spill
    facts: ChannelFacts
    now: datetime
    sequence: int
    refused: RefusalList
    totals: Totals = field(init=False)
    _open_rows: int = 0

    def __post_init__(self) -> None:
        self.totals = Totals(self.facts)

    def parts(self) -> Iterator[BulkPart | WaitingPart]:
        """Every part in turn; `totals` and `refused` grow with them."""
        carry, bucket = Carry.none(len(self.facts.channel_id)), None
        stored_rows = dict(_stored_rows())
        for key in self.spill.parts():
            if bucket not in {None, key.bucket}:
                self.totals.close_bucket()
            bucket = key.bucket
            if self._is_bulk(key, stored_rows.get((key.month, key.bucket), 0)):
                part, carry = self._bulk(key, carry, refused=self.refused, totals=self.totals)
                yield part
            else:
                self._open_rows += self.spill.rows_of[key]
                for given in self._settled(key, carry, refused=self.refused, totals=self.totals):
                    carry = given.carry
                    yield WaitingPart(given)
        self.totals.close_bucket()

    def again(self, part: BulkPart) -> BulkPart:
        """A part anew, after what is stored of it has changed."""
        renewed, _ = self._bulk(part.key, part.carry, refused=self.refused.mark(), totals=Totals(self.facts))
        return renewed

    def _settled(self, key: PartKey, carry: Carry, *, refused: RefusalList, totals: Totals) -> Iterator[Given]:
        """The rows of a part that count, some channels at a time."""
        now_s = epoch_seconds(self.now.replace(microsecond=0))
        for channels in self.spill.slices(key):
            given = settle(self.spill.load(key, channels), facts=self.facts, carry=carry, now_s=now_s, refused=refused)
            totals.add(given)
            carry = given.carry
            yield given

    def _is_bulk(self, key: PartKey, stored_rows: int) -> bool:
        rows = self.spill.rows_of[key]
        if rows >= BULK_ROWS or self._open_rows + rows > OPEN_ROWS_AT_MOST:
            return True
        _, end_s = lake.month_bounds(key.month)
        closed_s = epoch_seconds((self.now - timedelta(days=settings.COMMONWATT.seal_after_days)).replace(microsecond=0))
        return end_s <= closed_s and rows >= BULK_ROWS_CLOSED and rows * BULK_SHARE >= stored_rows

    def _bulk(self, key: PartKey, carry: Carry, *, refused: RefusalList, totals: Totals) -> tuple[BulkPart, Carry]:
        """Compare a part with what is stored and write its next file; the part, and what it carries to the next month."""
        stored = stored_month(month=key.month, bucket=key.bucket)
        held, next_carry = newest(stored.frame), carry
        outcomes: list[Outcome] = []
        added: list[pl.DataFrame] = []
        for given in self._settled(key, carry, refused=refused, totals=totals):
            comparison = compare(given, held)
            outcomes.append(outcome_of(given, comparison, facts=self.facts))
            if comparison.is_written.any():
                added.append(_lake_frame(given, comparison, facts=self.facts, sequence=self.sequence))
            next_carry = given.carry
        written = write_part(stored=stored, frame=pl.concat([stored.frame, *added]), adds_readings=True) if added else None
        return BulkPart(key=key, carry=carry, outcomes=tuple(outcomes), written=written), next_carry


def outcome_of(given: Given, comparison: Comparison, *, facts: ChannelFacts) -> Outcome:
    """What rows change, given how they compare."""
    readings, new, revised = given.readings, comparison.is_new, comparison.is_revised
    counted = given.counted if new.all() else rollups.rollup(readings.take(new), days=given.day[new])
    days = pl.DataFrame({"channel_id": readings.channel_id[revised], "day": given.day[revised].astype(np.int32)}).unique()
    written = readings.start_s[comparison.is_written]
    changed = np.unique(readings.channel_id[comparison.is_written])
    return Outcome(
        accepted=int(new.sum()),
        repeated=given.repeated + int((~comparison.is_written).sum()),
        revised=int(revised.sum()),
        counted=counted,
        revised_days=days.with_columns(pl.col("day").cast(pl.Date)),
        meter_ids=np.unique(facts.meter_id[facts.places(changed)]),
        span=(int(written.min()), int(written.max())) if len(written) else None,
    )


def newest(frame: pl.DataFrame) -> pl.DataFrame:
    """The newest revision of each interval of a sealed frame, which is in its order: columns as `compare` takes them."""
    start_s = (pl.col("start").dt.timestamp("ms") // 1000).alias("start_s")
    columns = frame.select("channel_id", start_s, "length_s", "amount", "quality")
    if not frame.height:
        return columns
    channel, start = columns["channel_id"].to_numpy(), columns["start_s"].to_numpy()
    is_last = np.append((channel[1:] != channel[:-1]) | (start[1:] != start[:-1]), True)
    return columns if is_last.all() else columns.filter(pl.Series(is_last))


def _lake_frame(given: Given, comparison: Comparison, *, facts: ChannelFacts, sequence: int) -> pl.DataFrame:
    chosen = comparison.is_written
    readings = given.readings if chosen.all() else given.readings.take(chosen)
    columns = {
        "meter_id": facts.meter_id[facts.places(readings.channel_id)],
        "channel_id": readings.channel_id,
        "start": readings.start_s * 1000,
        "length_s": readings.length_s,
        "amount": readings.amount,
        "quality": readings.quality,
    }
    return pl.DataFrame(columns).with_columns(ingest_sequence=pl.lit(sequence, pl.Int64)).cast(lake.SCHEMA)


def _stored_rows() -> Iterator[tuple[tuple[date, int], int]]:
    current = SealedFile.objects.filter(superseded_at__isnull=True)
    for month, bucket, rows in current.values_list("month", "bucket", "rows"):
        yield (month, bucket), rows
