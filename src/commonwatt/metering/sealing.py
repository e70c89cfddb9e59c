"""Sealing: rows of a month become one immutable file, and the database, in one transaction, names it and drops the rows.

The order is the safety. The file is on the disk before the database hears of it; the manifest row and the rows change together; the file
it replaces stays for a grace time. A crash leaves the old state or the new one, and at worst a file that nobody names.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl
from django.db import connection, transaction

from commonwatt.kernel.time import epoch_seconds
from commonwatt.metering import lake, rows
from commonwatt.metering.models import SealedFile
from commonwatt.metering.snapshot import StoredMonth, stored_month

RESEAL_AFTER = timedelta(days=1)
"""Late readings wait so long beside a sealed file, so that a trickle of them does not rewrite it every hour."""
_ATTEMPTS = 5


class PartOvertaken(Exception):
    """The month and bucket changed after the new file was made from it; read it again and make another."""

    def __init__(self, month: date, bucket: int) -> None:
        super().__init__(f"month {month:%Y-%m}, bucket {bucket} changed while its new file was written")
        self.month = month
        self.bucket = bucket


class SealingInconsistent(RuntimeError):
    """The rows about to be dropped are not those the new file holds; nothing was changed."""


@dataclass(frozen=True, slots=True)
class Part:
    """One month of one bucket of meters: what one sealed file holds."""

    month: date
    bucket: int

    @property
    def bounds(self) -> tuple[int, int]:
        """The month as [start, end) in seconds since 1970."""
        return lake.month_bounds(self.month)

    @property
    def meters(self) -> tuple[int, int]:
        """The meter ids as [first, last)."""
        return self.bucket * lake.METERS_PER_BUCKET, (self.bucket + 1) * lake.METERS_PER_BUCKET


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenPart:
    """A new file on the disk, waiting for the database to name it.

    Attributes:
        based_on: The file it replaces.
        rows_up_to: It holds the open rows up to this ingest sequence, `open_rows` of them.
        adds_readings: Whether it holds readings that were stored nowhere before.
    """

    part: Part
    file: lake.WrittenFile
    revisions: int
    newest_sequence: int
    based_on: str | None
    rows_up_to: int
    open_rows: int
    adds_readings: bool


@dataclass(frozen=True, slots=True)
class LakeFile:
    """A current file of the lake."""

    month: date
    bucket: int
    path: Path
    rows: int
    size_bytes: int
    newest_sequence: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Sealed:
    """What a round of sealing did."""

    parts: int
    readings: int
    is_complete: bool


@dataclass(frozen=True, slots=True)
class Cleaned:
    """What a round of cleaning removed."""

    superseded: int
    orphans: int


def write_part(*, stored: StoredMonth, frame: pl.DataFrame, adds_readings: bool) -> WrittenPart:
    """Write the next file of a month and bucket; nothing refers to it until `swap_parts` names it. No database is touched.

    Args:
        stored: What the frame was made from.
        frame: Everything the file shall hold: all of `stored.frame`, and what comes new.
        adds_readings: Whether anything comes new; then the swap also refuses when open rows arrived since.
    """
    ordered = frame.cast(lake.SCHEMA).sort(lake.SORT)
    intervals = ordered.lazy().select(pl.struct("channel_id", "start").rle_id().max().fill_null(-1)).collect().item() + 1
    newest = ordered["ingest_sequence"].max()
    return WrittenPart(
        part=Part(stored.month, stored.bucket),
        file=lake.write_file(month=stored.month, bucket=stored.bucket, frame=ordered),
        revisions=ordered.height - int(intervals),
        newest_sequence=int(newest) if isinstance(newest, int) else 0,
        based_on=stored.based_on,
        rows_up_to=stored.rows_up_to,
        open_rows=stored.open_rows,
        adds_readings=adds_readings,
    )


def swap_parts(parts: Sequence[WrittenPart], *, now: datetime) -> None:
    """Let the database name the new files and drop the rows they hold, inside the caller's transaction.

    Raises:
        PartOvertaken: Where a part changed since its new file was made; the caller's transaction must then be rolled back.
        SealingInconsistent: If other rows than the file's would be dropped.
    """
    rows.lock_store()
    for written in sorted(parts, key=lambda item: (item.part.month, item.part.bucket)):
        _require_unchanged(written)
        _name(written, now=now)
        _drop_rows(written)


def seal(*, month: date, bucket: int, now: datetime) -> int:
    """Move the open rows of a month and bucket into its sealed file, all revisions kept; how many rows that were.

    Readings may come in while it runs: those too late for the file stay rows until the next sealing.
    """
    for _ in range(_ATTEMPTS):
        stored = stored_month(month=month, bucket=bucket)
        if not stored.open_rows:
            return 0
        written = write_part(stored=stored, frame=stored.frame, adds_readings=False)
        try:
            with transaction.atomic():
                swap_parts([written], now=now)
        except PartOvertaken:
            continue
        return stored.open_rows
    raise PartOvertaken(month, bucket)


def parts_due(*, now: datetime, after_days: int) -> list[Part]:
    """Months and buckets with open rows whose month ended at least so many days ago, oldest first.

    Beside a file younger than `RESEAL_AFTER` late readings wait.
    """
    last = lake.month_of(epoch_seconds((now - timedelta(days=after_days)).replace(microsecond=0)))
    fresh = SealedFile.objects.filter(superseded_at__isnull=True, created_at__gt=now - RESEAL_AFTER).values_list("month", "bucket")
    waiting = {Part(month, bucket) for month in _open_months(before=last) for bucket in _open_buckets(month)}
    return sorted(waiting - {Part(*key) for key in fresh}, key=lambda part: (part.month, part.bucket))


def seal_due(*, now: datetime, after_days: int, go_on: Callable[[int, int], bool] = lambda _done, _total: True) -> Sealed:
    """Seal every part that is due.

    Args:
        go_on: Called before each part with how many are done and how many there are; False stops, and the rest stays due.
    """
    due = parts_due(now=now, after_days=after_days)
    readings = 0
    for done, part in enumerate(due):
        if not go_on(done, len(due)):
            return Sealed(parts=done, readings=readings, is_complete=False)
        readings += seal(month=part.month, bucket=part.bucket, now=now)
    return Sealed(parts=len(due), readings=readings, is_complete=True)


def clean_lake(*, now: datetime, grace: timedelta) -> Cleaned:
    """Remove files superseded for longer than the grace time, and files that old which the database does not name."""
    with transaction.atomic():
        rows.lock_store()
        old = SealedFile.objects.filter(superseded_at__lt=now - grace)
        superseded = list(old.values_list("path", flat=True))
        old.delete()
    # After the commit: a crash here leaves files that nobody names, which the next round finds as orphans.
    for path in superseded:
        (lake.lake_dir() / path).unlink(missing_ok=True)
    return Cleaned(superseded=len(superseded), orphans=_remove_orphans(grace))


def lake_files() -> list[LakeFile]:
    """The current files, by month and bucket: together with the open rows they are all readings, without them all sealed ones."""
    fields = ("month", "bucket", "path", "rows", "size_bytes", "newest_sequence", "created_at")
    current = SealedFile.objects.filter(superseded_at__isnull=True).order_by("month", "bucket").values_list(*fields)
    return [LakeFile(month, bucket, lake.lake_dir() / path, *rest) for month, bucket, path, *rest in current]


def _require_unchanged(written: WrittenPart) -> None:
    part = written.part
    current = SealedFile.objects.filter(month=part.month, bucket=part.bucket, superseded_at__isnull=True)
    moved_on = current.values_list("path", flat=True).first() != written.based_on
    # What is new was compared with the rows up to `rows_up_to`. Later ones might say the same, or be older than what comes now.
    if not moved_on and written.adds_readings:
        start_s, end_s = part.bounds
        moved_on = rows.exist_above(meters=part.meters, start_s=start_s, end_s=end_s, sequence=written.rows_up_to)
    # A file that lay unnamed for longer than the grace time may have been cleaned away.
    if moved_on or not (lake.lake_dir() / written.file.path).exists():
        raise PartOvertaken(part.month, part.bucket)


def _name(written: WrittenPart, *, now: datetime) -> None:
    if written.file.path == written.based_on:  # the same content again
        return
    part = written.part
    SealedFile.objects.filter(month=part.month, bucket=part.bucket, superseded_at__isnull=True).update(superseded_at=now)
    SealedFile.objects.create(
        month=part.month,
        bucket=part.bucket,
        path=written.file.path,
        digest=written.file.digest,
        rows=written.file.rows,
        size_bytes=written.file.size_bytes,
        revisions=written.revisions,
        newest_sequence=written.newest_sequence,
        created_at=now,
    )


def _drop_rows(written: WrittenPart) -> None:
    start_s, end_s = written.part.bounds
    dropped = rows.delete(meters=written.part.meters, start_s=start_s, end_s=end_s, up_to=written.rows_up_to)
    if dropped != written.open_rows:
        raise SealingInconsistent(
            f"month {written.part.month:%Y-%m}, bucket {written.part.bucket}: the new file holds {written.open_rows} open rows, "
            f"but {dropped} would be dropped; nothing was changed"
        )


def _open_months(*, before: date) -> list[date]:
    """Every month from that of the oldest open row up to, but without, `before`."""
    with connection.cursor() as cursor:
        # One look into the primary key per channel; a MIN over the whole table would walk all of it.
        cursor.execute(
            "SELECT MIN(oldest) FROM (SELECT (SELECT MIN(reading.start_s) FROM metering_reading AS reading "
            "WHERE reading.channel_id = channel.id) AS oldest FROM metering_channel AS channel) AS by_channel"
        )
        oldest = cursor.fetchone()[0]
    if oldest is None:
        return []
    months = []
    month = lake.month_of(oldest)
    while month < before:
        months.append(month)
        month = lake.month_of(lake.month_bounds(month)[1])
    return months


def _open_buckets(month: date) -> list[int]:
    """The buckets with an open row in this month."""
    with connection.cursor() as cursor:
        cursor.execute(  # with LIMIT: one look into the key per channel, see rows.exist_above
            "SELECT DISTINCT channel.meter_id / %s FROM metering_channel AS channel "
            "WHERE (SELECT 1 FROM metering_reading AS reading "
            "WHERE reading.channel_id = channel.id AND reading.start_s >= %s AND reading.start_s < %s LIMIT 1) IS NOT NULL",
            [lake.METERS_PER_BUCKET, *lake.month_bounds(month)],
        )
        return [int(row[0]) for row in cursor.fetchall()]


@transaction.atomic
def _remove_orphans(grace: timedelta) -> int:
    # Under the store's lock: whoever is about to name a file either named it before, or will miss it and write it again.
    rows.lock_store()
    named = set(SealedFile.objects.values_list("path", flat=True))
    limit = lake.storage_clock() - grace.total_seconds()
    orphans = [path for path, changed in lake.stored_files() if changed < limit and str(path.relative_to(lake.lake_dir())) not in named]
    for path in orphans:
        path.unlink(missing_ok=True)
    return len(orphans)
