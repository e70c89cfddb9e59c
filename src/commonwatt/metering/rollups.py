"""Daily rollups: the sum, peak, count and worst quality of one channel over one civil day, kept right with every write.

A delivery of nothing but new intervals is added to them; a day in which a reading was revised is counted again from its readings. Both
give the same rows (a property test holds that), and adding does not read the day again for every quarter hour that arrives.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
from django.db import connection, transaction

from commonwatt.metering import rows
from commonwatt.metering.choices import Quality
from commonwatt.metering.columns import Ints, ReadingColumns
from commonwatt.metering.facts import channel_facts
from commonwatt.metering.plan import ChannelFacts
from commonwatt.metering.store import readings_between
from commonwatt.metering.zones import day_of, local_day_numbers, midnight_s

_COLUMNS = ("channel_id", "day_number", "amount", "peak_amount", "peak_start_s", "readings", "covered_s", "worst_quality")
_ROWS_AT_ONCE = 50_000
_DAYS_AT_ONCE = 5_000
_END_S = 253_402_300_799  # the last second that a date can say

_ADD = """
INSERT INTO metering_dailyrollup AS kept
    (channel_id, day, amount, peak_amount, peak_start_s, readings, covered_s, worst_quality)
SELECT given.channel_id, {day}, given.amount, given.peak_amount, given.peak_start_s, given.readings, given.covered_s, given.worst_quality
FROM {given} WHERE true
ON CONFLICT (channel_id, day) DO UPDATE SET
    amount = kept.amount + excluded.amount,
    peak_amount = CASE WHEN {is_higher} THEN excluded.peak_amount ELSE kept.peak_amount END,
    peak_start_s = CASE WHEN {is_higher} THEN excluded.peak_start_s ELSE kept.peak_start_s END,
    readings = kept.readings + excluded.readings,
    covered_s = kept.covered_s + excluded.covered_s,
    worst_quality = CASE WHEN excluded.worst_quality > kept.worst_quality THEN excluded.worst_quality ELSE kept.worst_quality END
"""

# Of equal peaks the earlier one is kept; where one side holds no measured reading, the other side's peak counts.
_IS_HIGHER = """(
    (excluded.readings > 0) > (kept.readings > 0) OR (
        (excluded.readings > 0) = (kept.readings > 0) AND (
            excluded.peak_amount > kept.peak_amount
            OR (excluded.peak_amount = kept.peak_amount AND excluded.peak_start_s < kept.peak_start_s)
        )
    )
)"""

_DELETE = "DELETE FROM metering_dailyrollup WHERE (channel_id, day) IN (SELECT given.channel_id, {day} FROM {given})"


def add(readings: ReadingColumns, *, facts: ChannelFacts) -> None:
    """Add readings of intervals that had none, inside the transaction that stores them and under the store's lock."""
    add_counted(rollup(readings, days=local_days_of(readings.channel_id, readings.start_s, facts=facts)))


def repair(channel_days: pl.DataFrame) -> None:
    """Count days again from their readings, inside the transaction that changed them and under the store's lock.

    Args:
        channel_days: Columns channel_id and day (a date), each pair once; any number of them, worked through month by month.
    """
    wanted = channel_days.select(pl.col("channel_id").cast(pl.Int64), pl.col("day").cast(pl.Int32).cast(pl.Int64)).unique()
    facts = channel_facts(wanted["channel_id"].unique().to_numpy())
    for part in _in_pieces(wanted):
        _delete(part)
        add_counted(_counted(part, facts=facts))


@transaction.atomic
def rebuild(channel_ids: Sequence[int]) -> None:
    """Count every day of these channels again: after their zone changed, or in doubt."""
    rows.lock_store()
    facts = channel_facts(channel_ids)
    for channel in facts.channel_id:
        one = [int(channel)]
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM metering_dailyrollup WHERE channel_id = %s", one)
        found = ReadingColumns.of(readings_between(channel_ids=one, start_s=0, end_s=_END_S))
        add(found, facts=facts)


def local_days_of(channel_id: Ints, start_s: Ints, *, facts: ChannelFacts) -> Ints:
    """The civil day (days since 1970-01-01) of each reading, in its channel's zone; same shape. Every channel must be known."""
    names = sorted(set(facts.zones))
    if len(names) == 1:
        return local_day_numbers(start_s, ZoneInfo(names[0]))
    number_of = {name: number for number, name in enumerate(names)}
    zone = np.array([number_of[name] for name in facts.zones], dtype=np.int64)[facts.places(channel_id)]
    days = np.empty(len(start_s), dtype=np.int64)
    for number, name in enumerate(names):
        here = zone == number
        days[here] = local_day_numbers(start_s[here], ZoneInfo(name))
    return days


def rollup(readings: ReadingColumns, *, days: Ints) -> dict[str, Ints]:
    """Readings, one of each interval, summed by channel and day (`days`, same shape): the columns of a rollup row, as arrays."""
    order = np.lexsort((days, readings.channel_id))
    channel, day, sorted_readings = readings.channel_id[order], days[order], readings.take(order)
    first = np.flatnonzero(np.append(True, (channel[1:] != channel[:-1]) | (day[1:] != day[:-1]))) if len(order) else np.empty(0, np.int64)
    if not len(first):
        return {name: np.empty(0, dtype=np.int64) for name in _COLUMNS}
    group = np.repeat(np.arange(len(first)), np.diff(np.append(first, len(order))))
    start_s = sorted_readings.start_s
    is_measured = sorted_readings.quality != Quality.MISSING
    amount = np.where(is_measured, sorted_readings.amount, 0)
    measured = np.add.reduceat(is_measured.astype(np.int64), first)
    peak = np.maximum.reduceat(amount, first)
    # Where nothing was measured every start is a candidate, and the earliest stands for the day.
    is_peak = (measured[group] == 0) | (is_measured & (amount == peak[group]))
    return {
        "channel_id": channel[first],
        "day_number": day[first],
        "amount": np.add.reduceat(amount, first),
        "peak_amount": peak,
        "peak_start_s": np.minimum.reduceat(np.where(is_peak, start_s, _END_S), first),
        "readings": measured,
        "covered_s": np.add.reduceat(np.where(is_measured, sorted_readings.length_s, 0), first),
        "worst_quality": np.maximum.reduceat(sorted_readings.quality, first),
    }


def _counted(channel_days: pl.DataFrame, *, facts: ChannelFacts) -> dict[str, Ints]:
    """The rollups of these channels and days, from their readings."""
    zones = [ZoneInfo(name) for name in set(facts.zones)]
    first, last = _least(channel_days["day"]), -_least(-channel_days["day"])
    found = ReadingColumns.of(
        readings_between(
            channel_ids=channel_days["channel_id"].unique().to_numpy(),
            start_s=min(midnight_s(day_of(first), zone) for zone in zones),
            end_s=max(midnight_s(day_of(last + 1), zone) for zone in zones),
        )
    )
    days = local_days_of(found.channel_id, found.start_s, facts=facts)
    asked = pl.DataFrame({"channel_id": found.channel_id, "day": days}).with_row_index().join(channel_days, on=["channel_id", "day"])
    chosen = np.sort(asked["index"].to_numpy().astype(np.int64))
    return rollup(found.take(chosen), days=days[chosen])


def _in_pieces(channel_days: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """The days in pieces whose readings fit into memory, month by month, so that few sealed files are opened for each."""
    by_month = channel_days.with_columns(
        month=pl.Series(channel_days["day"].to_numpy().astype("datetime64[D]").astype("datetime64[M]").astype(np.int64))
    )
    for part in by_month.sort("month", "channel_id", "day").partition_by("month", maintain_order=True):
        for piece in part.iter_slices(_DAYS_AT_ONCE):
            yield piece.select("channel_id", "day")


def add_counted(columns: dict[str, Ints]) -> None:
    """Add the sums that `rollup` made, of intervals that had no readings, as `add` does."""
    for begin in range(0, len(columns["channel_id"]), _ROWS_AT_ONCE):
        given, parameters = rows.table(_COLUMNS, [columns[name][begin : begin + _ROWS_AT_ONCE] for name in _COLUMNS])
        with connection.cursor() as cursor:
            cursor.execute(_ADD.format(given=given, day=_day_sql(), is_higher=_IS_HIGHER), parameters)


def _delete(channel_days: pl.DataFrame) -> None:
    given, parameters = rows.table(_COLUMNS[:2], [channel_days["channel_id"].to_numpy(), channel_days["day"].to_numpy()])
    with connection.cursor() as cursor:
        cursor.execute(_DELETE.format(given=given, day=_day_sql()), parameters)


def _day_sql() -> str:
    """SQL for the date of `given.day_number`."""
    if rows.is_postgres():
        return "DATE '1970-01-01' + given.day_number::int"
    return "date('1970-01-01', '+' || given.day_number || ' days')"


def _least(column: pl.Series) -> int:
    return int(column.to_numpy().min())
