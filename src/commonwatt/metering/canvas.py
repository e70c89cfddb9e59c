"""Laying readings out by local label: from sealed files and open rows into arrays (meters, labels), without a loop over readings.

Files are ordered by channel and start. Where every channel of a file has the same starts, which is the rule, the file is a rectangle: its
labels are looked up for one channel, and the amounts move as blocks. Anything else takes the same way as one long row.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import polars as pl

from commonwatt.kernel.units import WH_PER_KWH
from commonwatt.metering import lake
from commonwatt.metering.choices import Quality
from commonwatt.metering.columns import Flags, Ints
from commonwatt.metering.labels import NOWHERE, LabelTable
from commonwatt.metering.rows import StoredRows
from commonwatt.metering.snapshot import CurrentFile, Snapshot, read, take

_FEW = 64
"""So many channels are picked out while a file is read; of more, whole ranges are read and the others dropped."""
_READERS = min(4, os.cpu_count() or 1)
_COLUMNS = ("channel_id", "start", "amount", "quality")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Channels:
    """Channels whose readings have one length, ascending, with their meter and the row of each in the arrays."""

    channel_id: Ints
    meter_id: Ints
    row: Ints
    interval_s: int

    def rows_of(self, channel_id: Ints) -> Ints:
        """The row of each channel, NOWHERE for channels that are not among these."""
        found = np.minimum(np.searchsorted(self.channel_id, channel_id), len(self.channel_id) - 1)
        return np.where(self.channel_id[found] == channel_id, self.row[found], NOWHERE)

    def in_bucket(self, bucket: int) -> Channels:
        """Those of one bucket."""
        here = self.meter_id // lake.METERS_PER_BUCKET == bucket
        return Channels(channel_id=self.channel_id[here], meter_id=self.meter_id[here], row=self.row[here], interval_s=self.interval_s)


@dataclass(frozen=True, slots=True, eq=False)
class Painted:
    """The energy of each label, whether it is whole, and whether part of it was estimated; each (meters, labels). [kWh]"""

    energy_kwh: npt.NDArray[np.float64]
    valid: Flags
    estimated: Flags

    @classmethod
    def blank(cls, meters: int, labels: int) -> Painted:
        """Nothing valid."""
        shape = (meters, labels)
        return cls(np.zeros(shape), np.zeros(shape, dtype=np.bool_), np.zeros(shape, dtype=np.bool_))

    def add(self, other: Painted) -> None:
        """Take over the other's rows, where this one has none."""
        np.add(self.energy_kwh, other.energy_kwh, out=self.energy_kwh)
        np.logical_or(self.valid, other.valid, out=self.valid)
        np.logical_or(self.estimated, other.estimated, out=self.estimated)


@dataclass(frozen=True, slots=True, eq=False)
class _Canvas:
    """What is painted on, each (meters, labels): the energy, how many readings it is made of, whether any was estimated. [kWh]"""

    energy_kwh: npt.NDArray[np.float64]
    count: npt.NDArray[Any]  # unsigned, as narrow as the table allows
    estimated: Flags

    def as_one_row(self) -> _Canvas:
        """The same arrays, seen as a single long row."""
        return _Canvas(self.energy_kwh.reshape(1, -1), self.count.reshape(1, -1), self.estimated.reshape(1, -1))


def paint(*, channels: Channels, table: LabelTable, meters: int, as_of: int) -> Painted:
    """Lay out these channels' readings as of an ingest sequence, in arrays of so many rows."""

    def use(snapshot: Snapshot) -> Painted:
        shape = (meters, len(table.expected))
        narrow = np.uint8 if table.expected.max(initial=0) < 255 else np.uint16
        canvas = _Canvas(np.zeros(shape), np.zeros(shape, dtype=narrow), np.zeros(shape, dtype=np.bool_))

        def fill(bucket: int) -> None:
            # A bucket's months one after the other: a label may lie across the end of a month, and both add to it.
            for frame in _frames(snapshot, channels, bucket, table=table, as_of=as_of):
                _place(canvas, frame, channels=channels, table=table)

        with ThreadPoolExecutor(_READERS) as pool:
            list(pool.map(fill, np.unique(channels.meter_id // lake.METERS_PER_BUCKET).tolist()))
        return _finish(canvas, table)

    return read(lambda: take(channel_ids=channels.channel_id, start_s=table.begin_s, end_s=table.end_s, as_of=as_of), use)


def _finish(canvas: _Canvas, table: LabelTable) -> Painted:
    """Scale the labels that come twice, and see which are whole."""
    scaled = np.flatnonzero(table.scale != 1.0)
    if len(scaled):
        canvas.energy_kwh[:, scaled] *= table.scale[scaled]
    if (table.expected == 1).all() and canvas.count.dtype == np.uint8:
        return Painted(canvas.energy_kwh, canvas.count.view(np.bool_), canvas.estimated)
    return Painted(canvas.energy_kwh, (canvas.count == table.expected) & (table.expected > 0), canvas.estimated)


def _frames(snapshot: Snapshot, channels: Channels, bucket: int, *, table: LabelTable, as_of: int) -> Iterator[pl.DataFrame]:
    """The newest readings of a bucket, month by month, ordered by channel and start."""
    here = channels.in_bucket(bucket)
    opened = _open_frame(snapshot.open_rows, here)
    months = {lake.month_bounds(file.month): file for file in snapshot.files if file.bucket == bucket}
    for (start_s, end_s), file in months.items():
        late = opened.filter(pl.col("start").is_between(_instant(start_s), _instant(end_s), closed="left"))
        opened = opened.join(late, on=["channel_id", "start", "ingest_sequence"], how="anti") if late.height else opened
        is_plain = not late.height and not file.revisions
        frame = _scan(file, here, table=table, as_of=as_of).select(*_COLUMNS, *([] if is_plain else ["ingest_sequence"])).collect()
        yield frame if is_plain else _newest([frame, late])
    if opened.height:
        yield _newest([opened])


def _scan(file: CurrentFile, channels: Channels, *, table: LabelTable, as_of: int) -> pl.LazyFrame:
    channel, start = pl.col("channel_id"), pl.col("start")
    lazy = lake.scan(file.path)
    first, last = int(channels.channel_id[0]), int(channels.channel_id[-1])
    lazy = lazy.filter((channel >= first) & (channel <= last))
    if len(channels.channel_id) <= _FEW:
        lazy = lazy.filter(channel.is_in(pl.Series(channels.channel_id, dtype=pl.Int32).implode()))
    # Where most of the month is wanted, it is cheaper to drop the rest once it is laid out.
    start_s, end_s = lake.month_bounds(file.month)
    if min(end_s, table.end_s) - max(start_s, table.begin_s) < (end_s - start_s) // 3:
        lazy = lazy.filter((start >= _instant(table.begin_s)) & (start < _instant(table.end_s)))
    if file.newest_sequence > as_of:
        lazy = lazy.filter(pl.col("ingest_sequence") <= as_of)
    return lazy


def _instant(seconds: int) -> pl.Expr:
    return pl.lit(seconds * 1000).cast(lake.SCHEMA["start"])


def _open_frame(opened: StoredRows, channels: Channels) -> pl.DataFrame:
    here = np.isin(opened.channel_id, channels.channel_id)
    columns = {
        "channel_id": opened.channel_id[here],
        "start": opened.start_s[here] * 1000,
        "amount": opened.amount[here],
        "quality": opened.quality[here],
        "ingest_sequence": opened.ingest_sequence[here],
    }
    return pl.DataFrame(columns).cast({name: lake.SCHEMA[name] for name in columns})


def _newest(frames: list[pl.DataFrame]) -> pl.DataFrame:
    """One row per channel and start, that of the highest ingest sequence, in order."""
    ordered = pl.concat(frames).sort("channel_id", "start", "ingest_sequence")
    is_last = (pl.col("channel_id") != pl.col("channel_id").shift(-1)) | (pl.col("start") != pl.col("start").shift(-1))
    return ordered.filter(is_last.fill_null(value=True))


def _place(canvas: _Canvas, frame: pl.DataFrame, *, channels: Channels, table: LabelTable) -> None:
    """Lay out readings that are ordered by channel and start, one of each interval."""
    if not frame.height:
        return
    channel = frame["channel_id"].to_numpy()
    start_ms = frame["start"].to_physical().to_numpy()
    amount, quality = frame["amount"].to_numpy(), frame["quality"].to_numpy()
    first = np.flatnonzero(np.append(True, channel[1:] != channel[:-1]))
    row = channels.rows_of(channel[first])
    width = len(channel) // len(first)
    shape = (len(first), width)
    is_rectangle = len(channel) == len(first) * width and (np.diff(first) == width).all()
    if is_rectangle and (start_ms.reshape(shape) == start_ms[:width]).all():
        place, again = _look_up(start_ms[:width], table)
        known = np.flatnonzero(row != NOWHERE)
        amount, quality = _rows(amount.reshape(shape), known), _rows(quality.reshape(shape), known)
        _put(canvas, row=row[known], place=place, again=again, amount=amount, quality=quality)
        return
    place, again = _look_up(start_ms, table)
    row = np.repeat(row, np.diff(np.append(first, len(channel))))
    place = np.where((row == NOWHERE) | (place == NOWHERE), NOWHERE, row * canvas.energy_kwh.shape[1] + place)
    only_row = np.zeros(1, dtype=np.int64)
    _put(canvas.as_one_row(), row=only_row, place=place, again=again, amount=amount.reshape(1, -1), quality=quality.reshape(1, -1))


def _look_up(start_ms: Ints, table: LabelTable) -> tuple[Ints, Flags]:
    """The label of each start, NOWHERE outside the table, and whether that is entered for the second time."""
    slot = (start_ms - table.begin_s * 1000) // (table.step_s * 1000)
    is_inside = (slot >= 0) & (slot < len(table.place))
    slot = np.where(is_inside, slot, 0)
    return np.where(is_inside, table.place[slot], NOWHERE), table.again[slot] & is_inside


def _put(canvas: _Canvas, *, row: Ints, place: Ints, again: Flags, amount: Ints, quality: npt.NDArray[np.int8]) -> None:
    """Add readings, (rows, readings), at these rows and labels; readings of one label are neighbours, and `again` tells two runs apart."""
    kept = np.flatnonzero(place != NOWHERE)
    if not len(kept) or not len(row):
        return
    place, again, amount, quality = place[kept], again[kept], _columns(amount, kept), _columns(quality, kept)
    first = np.flatnonzero(np.append(True, (place[1:] != place[:-1]) | (again[1:] != again[:-1])))
    is_summed = len(first) < len(place)
    if not is_summed and not again.any() and not quality.any():
        # What nearly all readings are: measured, one for each label.
        at = _block(row, place)
        if isinstance(at, tuple) and isinstance(at[0], slice) and isinstance(at[1], slice):
            np.divide(amount, WH_PER_KWH, out=canvas.energy_kwh[at])  # straight into place: a view, as both are slices
        else:
            canvas.energy_kwh[at] = amount / WH_PER_KWH
        canvas.count[at] = 1
        return
    count: npt.NDArray[Any] = (quality != Quality.MISSING).astype(canvas.count.dtype)
    guessed = quality == Quality.ESTIMATED
    amount = amount * count
    if is_summed:
        amount, count = np.add.reduceat(amount, first, axis=1), np.add.reduceat(count, first, axis=1, dtype=count.dtype)
        guessed = np.logical_or.reduceat(guessed, first, axis=1)
        place, again = place[first], again[first]
    # Within one turn of the clock every place comes once, so that an index never meets itself.
    for turn in (np.flatnonzero(~again), np.flatnonzero(again)):
        if len(turn):
            at = _block(row, place[turn])
            # Whole watt-hours are added, so that a sum is rounded once, however many parts it came in.
            canvas.energy_kwh[at] = (np.rint(canvas.energy_kwh[at] * WH_PER_KWH) + _columns(amount, turn)) / WH_PER_KWH
            canvas.count[at] += _columns(count, turn)
            canvas.estimated[at] |= _columns(guessed, turn)


def _block(row: Ints, place: Ints) -> Any:
    """An index for these rows and places: plain slices where they are neighbours, which move whole blocks. (Any: slices or arrays.)"""
    rows, places = _slice(row), _slice(place)
    if rows is None and places is None:
        return np.ix_(row, place)
    return row if rows is None else rows, place if places is None else places


def _slice(numbers: Ints) -> slice | None:
    """The slice that these ascending neighbours make, if they are such."""
    first, last = int(numbers[0]), int(numbers[-1])
    is_run = last - first == len(numbers) - 1 and (len(numbers) == 1 or bool((np.diff(numbers) == 1).all()))
    return slice(first, last + 1) if is_run else None


def _columns(array: npt.NDArray[Any], chosen: Ints) -> npt.NDArray[Any]:
    """These columns, without a copy where they are neighbours. (Any: amounts, counts and flags alike.)"""
    run = _slice(chosen)
    return array[:, chosen] if run is None else array[:, run]


def _rows(array: npt.NDArray[Any], chosen: Ints) -> npt.NDArray[Any]:
    """These rows, without a copy where they are neighbours. (Any: amounts and qualities alike.)"""
    if not len(chosen):
        return array[:0]
    run = _slice(chosen)
    return array[chosen] if run is None else array[run]
