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
    """

    key: PartKey
    carry: Carry
    outcome: Outcome
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
            given = self._settled(key, carry, self.refused)
            counted = rollups.rollup(given.readings, days=given.day)
            self.totals.add(given, counted)
            if self._is_bulk(key, stored_rows.get((key.month, key.bucket), 0)):
                yield self._bulk(key, carry, given, counted)
            else:
                self._open_rows += len(given)
                yield WaitingPart(given)
            carry = given.carry
        self.totals.close_bucket()

    def again(self, part: BulkPart) -> BulkPart:
        """A part anew, after what is stored of it has changed."""
        given = self._settled(part.key, part.carry, self.refused.mark())
        return self._bulk(part.key, part.carry, given, rollups.rollup(given.readings, days=given.day))

    def _settled(self, key: PartKey, carry: Carry, refused: RefusalList) -> Given:
        now_s = epoch_seconds(self.now.replace(microsecond=0))
        return settle(self.spill.load(key), facts=self.facts, carry=carry, now_s=now_s, refused=refused)

    def _is_bulk(self, key: PartKey, stored_rows: int) -> bool:
        rows = self.spill.rows_of[key]
        if rows >= BULK_ROWS or self._open_rows + rows > OPEN_ROWS_AT_MOST:
            return True
        _, end_s = lake.month_bounds(key.month)
        closed_s = epoch_seconds((self.now - timedelta(days=settings.COMMONWATT.seal_after_days)).replace(microsecond=0))
        return end_s <= closed_s and rows >= BULK_ROWS_CLOSED and rows * BULK_SHARE >= stored_rows

    def _bulk(self, key: PartKey, carry: Carry, given: Given, counted: Mapping[str, Ints]) -> BulkPart:
        stored = stored_month(month=key.month, bucket=key.bucket)
        comparison = compare(given, newest(stored.frame))
        written = None
        if comparison.is_written.any():
            added = _lake_frame(given, comparison, facts=self.facts, sequence=self.sequence)
            frame = pl.concat([stored.frame, added]) if stored.frame.height else added
            written = write_part(stored=stored, frame=frame, adds_readings=True)
        outcome = outcome_of(given, comparison, facts=self.facts, counted=counted)
        return BulkPart(key=key, carry=carry, outcome=outcome, written=written)


def outcome_of(given: Given, comparison: Comparison, *, facts: ChannelFacts, counted: Mapping[str, Ints] | None = None) -> Outcome:
    """What rows change, given how they compare; `counted` may hold all of them by channel and day already."""
    readings, new, revised = given.readings, comparison.is_new, comparison.is_revised
    if counted is None or not new.all():
        counted = rollups.rollup(readings.take(new), days=given.day[new])
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
    """The newest revision of each interval of a sealed frame (in its order), with `start_s` for `start`."""
    if not frame.height:
        return frame
    channel, start = frame["channel_id"].to_numpy(), frame["start"].to_physical().to_numpy()
    is_last = np.append((channel[1:] != channel[:-1]) | (start[1:] != start[:-1]), True)
    kept = frame if is_last.all() else frame.filter(pl.Series(is_last))
    return kept.with_columns(start_s=pl.col("start").dt.timestamp("ms") // 1000)


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
