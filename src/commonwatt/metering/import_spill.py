"""The rows of a file, put aside by month and bucket of meters, so that each part can be worked on alone.

A part is one file of records of equal size, to which rows are added in the order of the CSV. Ten million rows are 330 MB; the disk's
cache holds them for the seconds they live.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import numpy as np
import polars as pl

from commonwatt.metering import lake

RECORD = np.dtype([("line", "<i8"), ("channel_id", "<i4"), ("start_s", "<i8"), ("length_s", "<i4"), ("micro_wh", "<i8"), ("quality", "i1")])
SLICE_ROWS = 1_000_000
"""Rows that are worked on at once: a part is taken through memory some channels at a time."""
# Buckets and months in one number, months from long before 1970 to long after: any stamp of a file finds its own part.
_MONTHS_PER_BUCKET = 1 << 20
_MONTH_0 = 1 << 19


@dataclass(frozen=True, slots=True, order=True)
class PartKey:
    """A bucket of meters and a UTC month (numbered as by `lake.month_numbers`)."""

    bucket: int
    month_number: int

    @property
    def month(self) -> date:
        """The month's first day."""
        return lake.month_named(self.month_number)


@dataclass(slots=True)
class Spill:
    """Rows put aside in a folder."""

    folder: Path
    rows_of: dict[PartKey, int] = field(default_factory=dict)

    def add(self, rows: pl.DataFrame) -> None:
        """Put rows aside: columns meter_id and those of RECORD."""
        if not rows.height:
            return
        records = np.empty(rows.height, dtype=RECORD)
        for name in RECORD.names or ():
            records[name] = rows[name].to_numpy()
        buckets = rows["meter_id"].to_numpy() // lake.METERS_PER_BUCKET
        numbers = buckets * _MONTHS_PER_BUCKET + lake.month_numbers(records["start_s"]) + _MONTH_0
        for number in np.unique(numbers):
            bucket, month = divmod(int(number), _MONTHS_PER_BUCKET)
            self._append(PartKey(bucket, month - _MONTH_0), records[numbers == number])

    def _append(self, key: PartKey, records: np.ndarray) -> None:
        with self._path(key).open("ab") as file:
            records.tofile(file)
        self.rows_of[key] = self.rows_of.get(key, 0) + len(records)

    def parts(self) -> Iterator[PartKey]:
        """Every part, bucket by bucket, months in order."""
        yield from sorted(self.rows_of)

    def slices(self, key: PartKey) -> list[slice]:
        """The channels of a part, as ranges of ids with at most `SLICE_ROWS` rows each (one channel at least)."""
        if self.rows_of[key] <= SLICE_ROWS:
            return [slice(None)]
        channels, counts = np.unique(self._records(key)["channel_id"], return_counts=True)
        number = np.cumsum(counts) // SLICE_ROWS
        begins = channels[np.flatnonzero(np.append(True, number[1:] != number[:-1]))].tolist()
        return [slice(begin, end) for begin, end in zip(begins, [*begins[1:], None], strict=True)]

    def load(self, key: PartKey, channels: slice) -> pl.DataFrame:
        """The rows of some channels of a part, ordered by channel, start and line."""
        records = self._records(key)
        if channels.start is not None:
            channel = records["channel_id"]
            records = records[(channel >= channels.start) & (channel < (channels.stop or np.iinfo(np.int64).max))]
        return pl.DataFrame({name: np.ascontiguousarray(records[name]) for name in RECORD.names or ()}).sort(
            "channel_id", "start_s", "line"
        )

    def _records(self, key: PartKey) -> np.ndarray:
        return np.memmap(self._path(key), dtype=RECORD, mode="r")

    def _path(self, key: PartKey) -> Path:
        return self.folder / f"{key.bucket}-{key.month_number}.rows"
