"""One part of an import, a month of a bucket of meters: which of its rows count, and how they compare with what is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl

from commonwatt.metering import refusals, rollups
from commonwatt.metering.columns import REFUSALS_KEPT, Flags, Ints, ReadingColumns, Refusals
from commonwatt.metering.import_amounts import MICROS_PER_WH, whole_wh
from commonwatt.metering.import_refusals import SUPERSEDED, RefusalList
from commonwatt.metering.plan import DAY_S, ChannelFacts, Reason, grid_s, judge, overlapping
from commonwatt.metering.store import readings_between


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Carry:
    """What a part hands to the next month of its bucket; arrays by place in the channel facts.

    Attributes:
        rest: Of each channel's running total, in millionths of a Wh, below one Wh.
        last_start_s, last_length_s: Each channel's last reading so far; a length of 0 stands for none.
    """

    rest: Ints
    last_start_s: Ints
    last_length_s: Ints

    @classmethod
    def none(cls, channels: int) -> Carry:
        """Before the first part."""
        return cls(rest=np.zeros(channels, np.int64), last_start_s=np.zeros(channels, np.int64), last_length_s=np.zeros(channels, np.int64))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Given:
    """The rows of a part that count, one of each channel and start, in that order.

    Attributes:
        readings: With whole amounts, see `import_amounts`.
        other_amount: The other whole number beside each source amount; equal to the amount where that is whole.
        micro_wh: The source amounts.
        day: The civil day of each, in days since 1970-01-01.
        counted: All of them by channel and day (see `rollups.rollup`).
        repeated: How many further rows said the same.
        carry: For the next month.
    """

    readings: ReadingColumns
    other_amount: Ints
    micro_wh: Ints
    day: Ints
    counted: Mapping[str, Ints]
    repeated: int
    carry: Carry

    def __len__(self) -> int:
        return len(self.readings)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Comparison:
    """What rows mean beside what is stored: flags of shape (rows,). Neither new nor revised is a repeat."""

    is_new: Flags
    is_revised: Flags

    @property
    def is_written(self) -> Flags:
        """What must be stored."""
        return self.is_new | self.is_revised


def settle(rows: pl.DataFrame, *, facts: ChannelFacts, carry: Carry, now_s: int, refused: RefusalList) -> Given:
    """Judge the rows of a part, settle those of one interval, and make their amounts whole.

    Args:
        rows: Columns of `import_spill.RECORD`, ordered by channel, start and line.
        facts: Of all channels of the import.
        carry: From the month before.
        now_s: Readings that start later are refused.
        refused: Where to add the rows that do not count.
    """
    readings, micro_wh = _columns(rows)
    reasons = judge(readings=readings, facts=facts, now_s=now_s)
    if (reasons != Reason.TAKEN).any():
        _refuse(refused, readings, reasons, facts)
        readings, micro_wh = _chosen(readings, micro_wh, reasons == Reason.TAKEN)
    counts, repeated = _last_of_each_interval(readings, micro_wh, refused)
    if not counts.all():
        readings, micro_wh = _chosen(readings, micro_wh, counts)
    overlaps = _overlaps(readings, facts=facts, carry=carry)
    if overlaps.any():
        _refuse(refused, readings, np.where(overlaps, Reason.OVERLAPPING, Reason.TAKEN), facts)
        readings, micro_wh = _chosen(readings, micro_wh, ~overlaps)
    return _whole(readings, micro_wh, facts=facts, carry=carry, repeated=repeated)


def compare(given: Given, held: pl.DataFrame) -> Comparison:
    """Which rows are new, and which differ from what is stored of their interval.

    Args:
        given: The rows.
        held: The newest stored readings, at most one of each channel and start: columns channel_id, start_s, length_s, amount, quality.
    """
    readings = given.readings
    nothing = np.zeros(len(given), dtype=np.bool_)
    if not held.height or not len(given):
        return Comparison(is_new=~nothing, is_revised=nothing)
    keys = pl.DataFrame({"channel_id": readings.channel_id, "start_s": readings.start_s})
    first, last = int(readings.channel_id[0]), int(readings.channel_id[-1])
    near = held.filter(pl.col("channel_id").is_between(first, last))
    stored = near.select(pl.col("channel_id", "start_s", "length_s", "amount", "quality").cast(pl.Int64))
    beside = keys.join(stored, on=["channel_id", "start_s"], how="left", maintain_order="left")
    is_new = beside["amount"].is_null().to_numpy()
    amount, length_s, quality = (beside[name].fill_null(-1).to_numpy() for name in ("amount", "length_s", "quality"))
    same = (amount == readings.amount) | (amount == given.other_amount)
    same &= (length_s == readings.length_s) & (quality == readings.quality)
    return Comparison(is_new=is_new, is_revised=~is_new & ~same)


def _columns(rows: pl.DataFrame) -> tuple[ReadingColumns, Ints]:
    micro_wh = rows["micro_wh"].to_numpy()
    readings = ReadingColumns(
        channel_id=rows["channel_id"].to_numpy(),
        start_s=rows["start_s"].to_numpy(),
        length_s=rows["length_s"].to_numpy(),
        amount=micro_wh // MICROS_PER_WH,
        quality=rows["quality"].to_numpy(),
        line=rows["line"].to_numpy(),
    )
    return readings, micro_wh


def _chosen(readings: ReadingColumns, micro_wh: Ints, chosen: Flags) -> tuple[ReadingColumns, Ints]:
    return readings.take(chosen), micro_wh[chosen]


def _refuse(refused: RefusalList, readings: ReadingColumns, reasons: Ints, facts: ChannelFacts) -> None:
    """Add the rows with a reason; the first of them by line in words."""
    places = np.flatnonzero(reasons != Reason.TAKEN)
    lines = _lines(readings)
    spoken = places[np.argsort(lines[places])[:REFUSALS_KEPT]]
    words = Refusals()
    refusals.collect(words, readings=readings.take(spoken), reasons=reasons[spoken], facts=facts)
    codes = np.array([reason.code for reason in Reason])
    refused.add(
        _refused_rows(readings.take(places), codes[reasons[places]]),
        texts={refusal.line: refusal.text for refusal in words.kept if refusal.line is not None},
    )


def _refused_rows(readings: ReadingColumns, codes: np.ndarray[tuple[int], np.dtype[np.str_]]) -> pl.DataFrame:
    starts = pl.from_epoch(pl.Series(readings.start_s), time_unit="s").dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    return pl.DataFrame({"line": _lines(readings), "field": pl.repeat("line", len(readings), eager=True), "reason": codes, "value": starts})


def _last_of_each_interval(readings: ReadingColumns, micro_wh: Ints, refused: RefusalList) -> tuple[Flags, int]:
    """Flags of the last row of each interval, and how many others say the same as it; the rest are refused."""
    channel, start = readings.channel_id, readings.start_s
    is_last = np.ones(len(readings), dtype=np.bool_)
    is_last[:-1] = (channel[1:] != channel[:-1]) | (start[1:] != start[:-1])
    earlier = np.flatnonzero(~is_last)
    if not len(earlier):
        return is_last, 0
    ends = np.flatnonzero(is_last)
    last = ends[np.searchsorted(ends, earlier)]
    differs = (
        (micro_wh[earlier] != micro_wh[last])
        | (readings.length_s[earlier] != readings.length_s[last])
        | (readings.quality[earlier] != readings.quality[last])
    )
    superseded = readings.take(earlier[differs])
    refused.add(_refused_rows(superseded, np.repeat(SUPERSEDED, len(superseded))))
    return is_last, int((~differs).sum())


def _overlaps(readings: ReadingColumns, *, facts: ChannelFacts, carry: Carry) -> Flags:
    """Whether each row overlaps another or a stored reading; only where readings last longer than the grid they start on can they."""
    flags = np.zeros(len(readings), dtype=np.bool_)
    if not len(readings):
        return flags
    interval_s = facts.interval_s[facts.places(readings.channel_id)]
    loose = np.flatnonzero(grid_s(interval_s) < interval_s)
    if len(loose):
        some = readings.take(loose)
        first, last = int(some.start_s.min()), int(some.start_s.max())
        around = readings_between(channel_ids=some.channel_id, start_s=first - 2 * DAY_S, end_s=last + 2 * DAY_S)
        flags[loose] = overlapping(given=some, held=_with_month_before(around, facts=facts, carry=carry))
    return flags


def _with_month_before(around: pl.DataFrame, *, facts: ChannelFacts, carry: Carry) -> ReadingColumns:
    """Stored readings, and those that this import has for the end of the month before."""
    ends = np.flatnonzero(carry.last_length_s > 0)
    before = pl.DataFrame(
        {"channel_id": facts.channel_id[ends], "start_s": carry.last_start_s[ends], "length_s": carry.last_length_s[ends]}
    ).with_columns(amount=pl.lit(0, pl.Int64), quality=pl.lit(0, pl.Int64))
    columns = before.columns
    return ReadingColumns.of(pl.concat([around.select(columns), before]).unique(["channel_id", "start_s"], keep="last"))


def _whole(readings: ReadingColumns, micro_wh: Ints, *, facts: ChannelFacts, carry: Carry, repeated: int) -> Given:
    channel = readings.channel_id
    is_first = np.ones(len(readings), dtype=np.bool_)
    is_first[1:] = channel[1:] != channel[:-1]
    places = facts.places(channel[is_first])
    amount, other, rest = whole_wh(micro_wh, is_first=is_first, carried=carry.rest[places])
    ends = np.append(np.flatnonzero(is_first)[1:], len(readings)) - 1 if len(readings) else np.empty(0, np.int64)
    whole = ReadingColumns(
        channel_id=channel,
        start_s=readings.start_s,
        length_s=readings.length_s,
        amount=amount,
        quality=readings.quality,
        line=readings.line,
    )
    day = rollups.local_days_of(channel, readings.start_s, facts=facts) if len(readings) else channel
    return Given(
        readings=whole,
        other_amount=other,
        micro_wh=micro_wh,
        day=day,
        counted=rollups.rollup(whole, days=day),
        repeated=repeated,
        carry=Carry(
            rest=_replaced(carry.rest, places, rest),
            last_start_s=_replaced(carry.last_start_s, places, readings.start_s[ends]),
            last_length_s=_replaced(carry.last_length_s, places, readings.length_s[ends]),
        ),
    )


def _replaced(values: Ints, places: Ints, new: Ints) -> Ints:
    replaced = values.copy()
    replaced[places] = new
    return replaced


def _lines(readings: ReadingColumns) -> Ints:
    if readings.line is None:
        raise ValueError("the rows of a file know their lines")
    return readings.line
