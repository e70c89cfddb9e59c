"""What the store holds at one instant: the sealed files that count, and the open rows, seen together.

One SELECT gives both. Two would be two snapshots on PostgreSQL (READ COMMITTED): rows read before a sealing and the manifest after it
count readings twice, the other way round they miss them. A transaction of SQLite would take the write lock.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

import numpy as np
import polars as pl
from django.db import connection
from django.db.models import Max

from commonwatt.metering import lake, rows
from commonwatt.metering.columns import Ints
from commonwatt.metering.models import Channel, IngestBatch

_NO_LIMIT = 2**63 - 1
_ATTEMPTS = 10
_ROWS_AT_ONCE = 50_000  # a row takes ten times the memory before it is in an array

_FILES = """
SELECT file.path, file.bucket, file.rows, file.revisions, file.newest_sequence, 0, 0
FROM metering_sealedfile AS file
WHERE file.superseded_at IS NULL AND file.month >= %s AND file.month <= %s
    AND file.bucket IN (SELECT meter_id / {per_bucket} FROM metering_channel WHERE id {among})
"""
_ROWS = """
SELECT NULL, reading.channel_id, reading.start_s, reading.length_s, reading.amount, reading.quality, reading.ingest_sequence
FROM metering_reading AS reading
WHERE reading.channel_id {among} AND reading.start_s >= %s AND reading.start_s < %s
    AND reading.ingest_sequence > %s AND reading.ingest_sequence <= %s
"""

T = TypeVar("T")


class StoreKeepsChanging(RuntimeError):
    """Every file of a snapshot was cleaned away before it could be read, time after time."""

    def __init__(self) -> None:
        super().__init__(
            f"sealed files were replaced and cleaned away {_ATTEMPTS} times while they were read; clean the lake with a longer grace time"
        )


@dataclass(frozen=True, slots=True)
class CurrentFile:
    """A sealed file that counted when the snapshot was taken."""

    path: str
    bucket: int
    rows: int
    revisions: int
    newest_sequence: int

    @property
    def month(self) -> date:
        """The month it holds."""
        return lake.month_in(self.path)


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """Files and rows that together hold every reading asked for, each exactly once."""

    files: tuple[CurrentFile, ...]
    open_rows: rows.StoredRows


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StoredMonth:
    """All that is stored of one month and bucket.

    Attributes:
        frame: Every revision, sealed or open, with the columns and in the order of a sealed file.
        based_on: The path of the current sealed file, None where there is none.
        rows_up_to: Every open row up to this ingest sequence is in the frame.
        open_rows: How many of the frame's rows are still open.
    """

    month: date
    bucket: int
    frame: pl.DataFrame
    based_on: str | None
    rows_up_to: int
    open_rows: int


def newest_sequence() -> int:
    """The newest ingest sequence; 0 before the first delivery. What is stored up to it never changes: sequences follow commits."""
    return IngestBatch.objects.aggregate(newest=Max("sequence"))["newest"] or 0


def take(*, channel_ids: Sequence[int] | Ints, start_s: int, end_s: int, after: int = -1, as_of: int | None = None) -> Snapshot:
    """The files and rows that hold these channels' readings in [start, end), in one statement.

    Rows: all revisions with an ingest sequence in (after, as_of]. Files: whole, for the reader to sift.
    """
    among, id_parameter = rows.among(channel_ids)
    limit = _NO_LIMIT if as_of is None else as_of
    with connection.cursor() as cursor:
        cursor.execute(
            f"{_FILES} UNION ALL {_ROWS}".format(among=among, per_bucket=lake.METERS_PER_BUCKET),
            [*_months(start_s, end_s), id_parameter, id_parameter, start_s, end_s, after, limit],
        )
        files: list[CurrentFile] = []
        numbers = [np.empty((0, len(rows.STORED_COLUMNS)), dtype=np.int64)]
        while found := cursor.fetchmany(_ROWS_AT_ONCE):
            files += [CurrentFile(*row[:5]) for row in found if row[0] is not None]
            opened = [row[1:] for row in found if row[0] is None]
            numbers.append(np.array(opened, dtype=np.int64).reshape(-1, len(rows.STORED_COLUMNS)))
    columns = np.ascontiguousarray(np.concatenate(numbers).T)
    return Snapshot(tuple(files), rows.StoredRows(**dict(zip(rows.STORED_COLUMNS, columns, strict=True))))


def current_files(*, channel_ids: Sequence[int] | Ints, start_s: int, end_s: int) -> list[CurrentFile]:
    """The sealed files that hold these channels' readings in [start, end); under the store's lock they stay the current ones."""
    among, id_parameter = rows.among(channel_ids)
    with connection.cursor() as cursor:
        cursor.execute(_FILES.format(among=among, per_bucket=lake.METERS_PER_BUCKET), [*_months(start_s, end_s), id_parameter])
        return [CurrentFile(*row[:5]) for row in cursor.fetchall()]


def read(take_snapshot: Callable[[], Snapshot], use: Callable[[Snapshot], T]) -> T:
    """Use a snapshot whose files are all still there: a new one is taken when a superseded file was cleaned away meanwhile."""
    for _ in range(_ATTEMPTS):
        try:
            return use(take_snapshot())
        except FileNotFoundError:
            continue
    raise StoreKeepsChanging


def stored_month(*, month: date, bucket: int) -> StoredMonth:
    """Every revision of one month and bucket, sealed and open, seen at one instant."""
    meters = Channel.objects.filter(meter_id__gte=bucket * lake.METERS_PER_BUCKET, meter_id__lt=(bucket + 1) * lake.METERS_PER_BUCKET)
    meter_of = np.array(list(meters.order_by("pk").values_list("pk", "meter_id")), dtype=np.int64).reshape(-1, 2)
    start_s, end_s = lake.month_bounds(month)
    # Before the snapshot: all rows up to this sequence are committed, so the snapshot holds them, as rows or in its file.
    up_to = newest_sequence()

    def use(snapshot: Snapshot) -> StoredMonth:
        opened = snapshot.open_rows
        frames = [lake.scan(file.path).collect() for file in snapshot.files]
        frames += [_lake_frame(opened, meter_of)] if len(opened) else []
        frame = pl.concat(frames) if frames else pl.DataFrame(schema=lake.SCHEMA)
        based_on = snapshot.files[0].path if snapshot.files else None
        return StoredMonth(
            month=month, bucket=bucket, frame=frame.sort(lake.SORT), based_on=based_on, rows_up_to=up_to, open_rows=len(opened)
        )

    return read(lambda: take(channel_ids=meter_of[:, 0], start_s=start_s, end_s=end_s, as_of=up_to), use)


def _months(start_s: int, end_s: int) -> tuple[str, str]:
    return lake.month_of(start_s).isoformat(), lake.month_of(end_s - 1).isoformat()


def _lake_frame(opened: rows.StoredRows, meter_of: Ints) -> pl.DataFrame:
    """Open rows with the columns of a sealed file; `meter_of` holds (channel, meter) pairs, ascending by channel."""
    return pl.DataFrame(
        {
            "meter_id": meter_of[np.searchsorted(meter_of[:, 0], opened.channel_id), 1],
            "channel_id": opened.channel_id,
            "start": opened.start_s * 1000,
            "length_s": opened.length_s,
            "amount": opened.amount,
            "quality": opened.quality,
            "ingest_sequence": opened.ingest_sequence,
        }
    ).cast(lake.SCHEMA)
