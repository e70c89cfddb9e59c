"""The readings store: the one door to readings, whether they are open rows or lie in sealed months."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl

from commonwatt.metering import lake
from commonwatt.metering.columns import Ints
from commonwatt.metering.rows import StoredRows
from commonwatt.metering.sealing import (
    Cleaned,
    LakeFile,
    Part,
    PartOvertaken,
    Sealed,
    WrittenPart,
    clean_lake,
    lake_files,
    parts_due,
    seal,
    seal_due,
    swap_parts,
    write_part,
)
from commonwatt.metering.snapshot import CurrentFile, Snapshot, StoredMonth, current_files, newest_sequence, read, stored_month, take

__all__ = [
    "SCHEMA",
    "Cleaned",
    "LakeFile",
    "Part",
    "PartOvertaken",
    "Sealed",
    "StoredMonth",
    "WrittenPart",
    "clean_lake",
    "lake_files",
    "newest_sequence",
    "parts_due",
    "readings_between",
    "seal",
    "seal_due",
    "sealed_readings",
    "stored_month",
    "swap_parts",
    "write_part",
]

SCHEMA = pl.Schema(
    {
        "channel_id": pl.Int64(),
        "start_s": pl.Int64(),
        "length_s": pl.Int64(),
        "amount": pl.Int64(),
        "quality": pl.Int64(),
        "ingest_sequence": pl.Int64(),
    }
)
"""The columns of readings as they are handed out."""


def readings_between(*, channel_ids: Sequence[int] | Ints, start_s: int, end_s: int, as_of: int | None = None) -> pl.DataFrame:
    """The readings that start in [start, end), as they counted at an ingest sequence.

    Args:
        channel_ids: Whose readings.
        start_s, end_s: Seconds since 1970-01-01T00:00Z.
        as_of: Leave out whatever was learned after this sequence; None for all that is known.
    Returns:
        Columns of SCHEMA, one row per channel and start (the newest revision), ordered by them. Readings of quality MISSING are in it.
    """
    if not len(channel_ids) or end_s <= start_s:
        return pl.DataFrame(schema=SCHEMA)
    channels = np.unique(np.asarray(channel_ids, dtype=np.int64))

    def use(snapshot: Snapshot) -> pl.DataFrame:
        lazy = [_scan(file, channels=channels, start_s=start_s, end_s=end_s, as_of=as_of) for file in snapshot.files]
        return _newest([*pl.collect_all(lazy), _frame(snapshot.open_rows)])

    return read(lambda: take(channel_ids=channels, start_s=start_s, end_s=end_s, as_of=as_of), use)


def sealed_readings(*, channel_ids: Sequence[int] | Ints, start_s: int, end_s: int) -> pl.DataFrame | None:
    """The newest sealed revisions alone, as `readings_between` returns them, None where nothing of the span is sealed.

    Only under the store's lock do they stay the newest.
    """
    channels = np.unique(np.asarray(channel_ids, dtype=np.int64))
    files = current_files(channel_ids=channels, start_s=start_s, end_s=end_s)
    if not files:
        return None
    return _newest(pl.collect_all([_scan(file, channels=channels, start_s=start_s, end_s=end_s, as_of=None) for file in files]))


def _scan(file: CurrentFile, *, channels: Ints, start_s: int, end_s: int, as_of: int | None) -> pl.LazyFrame:
    """The part of a file that was asked for. Ranges come first: the file's own statistics let whole groups of rows be left out."""
    channel, start = pl.col("channel_id"), pl.col("start")
    wanted = (channel >= int(channels[0])) & (channel <= int(channels[-1]))
    if len(channels) > 1:
        wanted &= channel.is_in(pl.Series(channels, dtype=pl.Int32).implode())
    wanted &= (start >= _instant(start_s)) & (start < _instant(end_s))
    if as_of is not None and file.newest_sequence > as_of:
        wanted &= pl.col("ingest_sequence") <= as_of
    columns = [(start.dt.timestamp("ms") // 1000).alias("start_s") if name == "start_s" else pl.col(name).cast(pl.Int64) for name in SCHEMA]
    return lake.scan(file.path).filter(wanted).select(columns)


def _instant(seconds: int) -> pl.Expr:
    return pl.lit(seconds * 1000).cast(pl.Datetime("ms", "UTC"))


def _frame(opened: StoredRows) -> pl.DataFrame:
    return pl.DataFrame({name: getattr(opened, name) for name in SCHEMA}, schema=SCHEMA)


def _newest(frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """One row per channel and start, that of the highest ingest sequence, in order. Nearly free where nothing was revised."""
    found = [frame for frame in frames if frame.height]
    if not found:
        return pl.DataFrame(schema=SCHEMA)
    ordered = pl.concat(found).sort("channel_id", "start_s", "ingest_sequence")
    channel, start = ordered["channel_id"].to_numpy(), ordered["start_s"].to_numpy()
    is_replaced = (channel[1:] == channel[:-1]) & (start[1:] == start[:-1])
    if not is_replaced.any():
        return ordered
    return ordered.filter(pl.Series(np.append(~is_replaced, True)))
