"""The lake: sealed months as immutable Parquet files, written so that a power cut leaves the old state or the new one.

Layout, Hive-style: `month=2026-08/bucket=0004/<digest>.parquet`. Which file of a month and bucket counts is for the database to say;
a file that it does not name is not there.
"""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
import polars as pl
from django.conf import settings

from commonwatt.kernel.time import epoch_seconds
from commonwatt.metering.columns import Ints

METERS_PER_BUCKET = 1000
ROWS_PER_GROUP = 131_072
"""Forty-odd meters of quarter hours: a single meter's month reads one group of them, and a whole fleet loses nothing to their number."""

SORT = ["meter_id", "channel_id", "start", "ingest_sequence"]
SCHEMA = pl.Schema(
    {
        "meter_id": pl.Int32(),
        "channel_id": pl.Int32(),
        "start": pl.Datetime("ms", "UTC"),
        "length_s": pl.Int32(),
        "amount": pl.Int64(),
        "quality": pl.Int8(),
        "ingest_sequence": pl.Int64(),
    }
)
"""The columns of a sealed file, in order. Readings of one interval are ordered by ingest sequence; the last one counts."""

_UNFINISHED = ".unfinished"
_MONTH_0 = 1970 * 12


@dataclass(frozen=True, slots=True, kw_only=True)
class WrittenFile:
    """A file that is on the disk, whole and synced; `path` is relative to the lake."""

    path: str
    digest: str
    rows: int
    size_bytes: int


def lake_dir() -> Path:
    """The folder of sealed months of this install."""
    return Path(settings.COMMONWATT.lake_dir)


def bucket_of(meter_id: int) -> int:
    """The bucket in which a meter's readings are sealed."""
    return meter_id // METERS_PER_BUCKET


def month_of(start_s: int) -> date:
    """The UTC month of an instant, named by its first day."""
    return datetime.fromtimestamp(start_s, tz=UTC).date().replace(day=1)


def month_in(path: str) -> date:
    """The month of a file of the lake, from its path."""
    return date.fromisoformat(path.split("/", 1)[0].removeprefix("month=") + "-01")


def month_bounds(month: date) -> tuple[int, int]:
    """The month as [start, end) in seconds since 1970-01-01T00:00Z."""
    following = date(month.year + month.month // 12, month.month % 12 + 1, 1)
    return _midnight_utc(month), _midnight_utc(following)


def month_numbers(start_s: Ints) -> Ints:
    """The UTC month of each instant as a number that counts months; same shape."""
    months: Ints = start_s.astype("datetime64[s]").astype("datetime64[M]").astype(np.int64)
    return months


def month_named(number: int) -> date:
    """The first day of the month with this number (see `month_numbers`)."""
    year, month = divmod(_MONTH_0 + number, 12)
    return date(year, month + 1, 1)


def write_file(*, month: date, bucket: int, frame: pl.DataFrame) -> WrittenFile:
    """Write one file of the lake and return once it survives a power cut. It counts only when the database names it.

    Args:
        month, bucket: Where it belongs.
        frame: All its rows with the columns of SCHEMA, in the order of SORT.
    """
    folder = _synced_folder(month=month, bucket=bucket)
    unfinished = folder / f".{secrets.token_hex(8)}{_UNFINISHED}"
    try:
        frame.cast(SCHEMA).select(SCHEMA.names()).write_parquet(unfinished, compression="zstd", row_group_size=ROWS_PER_GROUP)
        with unfinished.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            os.fsync(file.fileno())
        path = folder / f"{digest}.parquet"
        # The same content has the same name, so renaming over an existing file changes nothing for whoever reads it.
        unfinished.rename(path)
    finally:
        unfinished.unlink(missing_ok=True)
    sync_folder(folder)
    return WrittenFile(path=str(path.relative_to(lake_dir())), digest=digest, rows=frame.height, size_bytes=path.stat().st_size)


def scan(path: str) -> pl.LazyFrame:
    """A file of the lake, lazily; raises FileNotFoundError where it was cleaned away."""
    whole = lake_dir() / path
    if not whole.exists():
        raise FileNotFoundError(whole)
    return pl.scan_parquet(whole, hive_partitioning=False, glob=False)


def stored_files() -> Iterator[tuple[Path, float]]:
    """Every file that lies in the lake, finished or not, with the time of its last change by the file system's clock."""
    for folder, _, names in os.walk(lake_dir()):
        for name in names:
            path = Path(folder) / name
            if name.endswith((".parquet", _UNFINISHED)):
                try:
                    yield path, path.stat().st_mtime
                except FileNotFoundError:  # finished or cleaned away since the folder was listed
                    continue


def storage_clock() -> float:
    """The present by the clock that stamps the lake's files, which need not be this machine's nor the install's."""
    lake_dir().mkdir(parents=True, exist_ok=True)
    probe = lake_dir() / f".{secrets.token_hex(8)}{_UNFINISHED}"
    try:
        probe.touch()
        return probe.stat().st_mtime
    finally:
        probe.unlink(missing_ok=True)


def sync_folder(folder: Path) -> None:
    """Return once the folder's list of names survives a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _synced_folder(*, month: date, bucket: int) -> Path:
    """The folder of a month and bucket, with its name and those of the folders above on the disk."""
    folder = lake_dir() / f"month={month:%Y-%m}" / f"bucket={bucket:04d}"
    folder.mkdir(parents=True, exist_ok=True)
    # Also where it was there: another process may have made it a moment ago, and not have come to this line yet.
    for above in (folder.parent, lake_dir(), lake_dir().parent):
        sync_folder(above)
    return folder


def _midnight_utc(day: date) -> int:
    return epoch_seconds(datetime(day.year, day.month, day.day, tzinfo=UTC))
