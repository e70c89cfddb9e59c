"""Energy for pages: days, series, the newest reading, the power now. Few queries, however many meters there are."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
from django.db import connection
from django.db.models import Max, Min

from commonwatt.kernel.time import epoch_seconds, from_epoch
from commonwatt.kernel.units import mean_power_w
from commonwatt.metering import lake, rows
from commonwatt.metering.choices import Quality, Quantity
from commonwatt.metering.columns import Flags, Ints
from commonwatt.metering.facts import channel_facts
from commonwatt.metering.models import DailyRollup, SealedFile
from commonwatt.metering.plan import ChannelFacts
from commonwatt.metering.snapshot import Snapshot, read, take
from commonwatt.metering.store import readings_between
from commonwatt.metering.zones import midnight_s

_CHANNEL_IDS = "SELECT id FROM metering_channel WHERE quantity = %s AND meter_id {among}"
_CHANNELS_OF = "SELECT id, meter_id FROM metering_channel WHERE meter_id {among}"
# One look into the key per channel on either backend; PostgreSQL may plan SQLite's form as a walk over all rows.
_NEWEST_OPEN = {
    "postgresql": """
SELECT channel.id, newest.start_s, newest.length_s, newest.amount, newest.quality
FROM metering_channel AS channel CROSS JOIN LATERAL (
    SELECT each.start_s, each.length_s, each.amount, each.quality FROM metering_reading AS each
    WHERE each.channel_id = channel.id ORDER BY each.start_s DESC, each.ingest_sequence DESC LIMIT 1
) AS newest WHERE channel.id {among}
""",
    "sqlite": """
SELECT channel.id, newest.start_s, newest.length_s, newest.amount, newest.quality
FROM metering_channel AS channel JOIN metering_reading AS newest ON newest.channel_id = channel.id
WHERE channel.id {among} AND newest.start_s = (
    SELECT MAX(each.start_s) FROM metering_reading AS each WHERE each.channel_id = channel.id
) AND newest.ingest_sequence = (
    SELECT MAX(each.ingest_sequence) FROM metering_reading AS each WHERE each.channel_id = channel.id AND each.start_s = newest.start_s
)
""",
}
_LAST_DAYS = """
SELECT channel.id, (
    SELECT rollup.day FROM metering_dailyrollup AS rollup WHERE rollup.channel_id = channel.id AND rollup.readings > 0
    ORDER BY rollup.day DESC LIMIT 1
)
FROM metering_channel AS channel WHERE channel.id {among}
"""


@dataclass(frozen=True, slots=True)
class DailyEnergy:
    """One channel's civil day.

    Attributes:
        energy_wh: What its readings add up to. [Wh]
        peak_wh: The largest amount of one interval, which started at `peak_at`.
        covered_s: How much of the day the readings cover, of `day_s` seconds that it has.
        worst_quality: The worst `Quality` among them.
    """

    day: date
    energy_wh: int
    peak_wh: int
    peak_at: datetime
    readings: int
    covered_s: int
    day_s: int
    worst_quality: int

    @property
    def is_whole(self) -> bool:
        """Whether the readings cover the day."""
        return self.covered_s >= self.day_s


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EnergySeries:
    """The energy of one or more meters in equal steps of time; arrays of shape (steps,).

    Attributes:
        start_s: Start of each step, seconds since 1970-01-01T00:00Z.
        step_s: Its length: that asked for, or the longest reading's where it is longer.
        energy_wh: The sum of the readings in it. [Wh] Without gaps only where `is_whole`.
        is_whole: Whether readings of every meter cover the step.
        worst_quality: The worst `Quality` among them; MISSING where there is none.
    """

    start_s: Ints
    step_s: int
    energy_wh: Ints
    is_whole: Flags
    worst_quality: Ints


@dataclass(frozen=True, slots=True)
class LatestReading:
    """The newest reading of a meter's import channel that holds an amount."""

    meter_id: int
    channel_id: int
    start: datetime
    end: datetime
    energy_wh: int
    quality: int

    @property
    def power_w(self) -> float:
        """The mean power over its interval. [W]"""
        return mean_power_w(self.energy_wh, int((self.end - self.start).total_seconds()))


@dataclass(frozen=True, slots=True)
class PowerNow:
    """The mean power of the newest interval, and how long ago that interval ended."""

    power_w: float
    start: datetime
    end: datetime
    age: timedelta


def daily(channel_id: int, first_day: date, last_day: date) -> list[DailyEnergy]:
    """A channel's days from first to last, both included, in order; days without any reading are left out."""
    zones = channel_facts([channel_id]).zones
    days = DailyRollup.objects.filter(channel_id=channel_id, day__gte=first_day, day__lte=last_day).order_by("day")
    fields = ("day", "amount", "peak_amount", "peak_start_s", "readings", "covered_s", "worst_quality")
    return [
        DailyEnergy(day, amount, peak, from_epoch(peak_s), readings, covered, _day_s(day, ZoneInfo(zones[0])), worst)
        for day, amount, peak, peak_s, readings, covered, worst in days.values_list(*fields)
    ]


def daily_of(channel_ids: Collection[int], first_day: date, last_day: date) -> dict[int, list[DailyEnergy]]:
    """The days of several channels, by channel; a channel without any has an empty list. Two queries."""
    facts = channel_facts(list(channel_ids))
    zone_of = {int(channel): ZoneInfo(name) for channel, name in zip(facts.channel_id, facts.zones, strict=True)}
    found: dict[int, list[DailyEnergy]] = {channel: [] for channel in channel_ids}
    wanted = DailyRollup.objects.filter(channel_id__in=list(zone_of), day__gte=first_day, day__lte=last_day).order_by("channel_id", "day")
    fields = ("channel_id", "day", "amount", "peak_amount", "peak_start_s", "readings", "covered_s", "worst_quality")
    for channel, day, amount, peak, peak_s, readings, covered, worst in wanted.values_list(*fields):
        found[channel].append(DailyEnergy(day, amount, peak, from_epoch(peak_s), readings, covered, _day_s(day, zone_of[channel]), worst))
    return found


def days_known(channel_ids: Collection[int]) -> tuple[date, date] | None:
    """The first and the last day of which any of these channels has readings."""
    ends = DailyRollup.objects.filter(channel_id__in=list(channel_ids), readings__gt=0).aggregate(first=Min("day"), last=Max("day"))
    return None if ends["first"] is None else (ends["first"], ends["last"])


def energy_series(
    *, meter_ids: Sequence[int], start: datetime, end: datetime, step_s: int, quantity: str = Quantity.ENERGY_IMPORT
) -> EnergySeries:
    """The energy of meters together, from start to end in steps; the last step may reach beyond the end. Three queries.

    Raises:
        ValueError: If the span is empty or the step is not positive.
    """
    if step_s <= 0 or end <= start:
        raise ValueError(f"a series needs a span and a step, got {start} to {end} in steps of {step_s} s")
    facts = _facts_of(meter_ids, quantity)
    step_s = max(step_s, int(facts.interval_s.max(initial=0)))
    start_s = epoch_seconds(start)
    steps = -((start_s - epoch_seconds(end)) // step_s)
    frame = readings_between(channel_ids=facts.channel_id, start_s=start_s, end_s=start_s + steps * step_s)
    measured = frame.filter(pl.col("quality") != Quality.MISSING)
    step = ((measured["start_s"] - start_s) // step_s).to_numpy()
    energy, covered, worst = (np.zeros(steps, dtype=np.int64) for _ in range(3))
    np.add.at(energy, step, measured["amount"].to_numpy())
    np.add.at(covered, step, measured["length_s"].to_numpy())
    np.maximum.at(worst, step, measured["quality"].to_numpy())
    worst[covered == 0] = Quality.MISSING
    return EnergySeries(
        start_s=start_s + step_s * np.arange(steps, dtype=np.int64),
        step_s=step_s,
        energy_wh=energy,
        is_whole=(covered >= step_s * len(facts.channel_id)) & (len(facts.channel_id) > 0),
        worst_quality=worst,
    )


def latest_reading(meter_ids: Collection[int]) -> dict[int, LatestReading]:
    """The newest reading with an amount, by meter; meters without any are left out.

    Four queries where the newest readings are open, as they are while a meter reports; a few more for meters that fell silent before
    their last month was sealed.
    """
    facts = _facts_of(meter_ids, Quantity.ENERGY_IMPORT)
    meter_of = dict(zip(facts.channel_id.tolist(), facts.meter_id.tolist(), strict=True))
    found = [_latest(meter_of[row[0]], row) for row in _newest_open(facts.channel_id)]
    sealed_up_to = dict(
        SealedFile.objects.filter(superseded_at__isnull=True)
        .values_list("bucket")
        .annotate(newest=Max("month"))
        .values_list("bucket", "newest")
    )
    # A row in a month that is sealed, or before one that is, may be a late one: the file can hold newer readings.
    sure = {
        item.meter_id: item
        for item in found
        if item.quality != Quality.MISSING
        and lake.month_of(epoch_seconds(item.start)) > sealed_up_to.get(lake.bucket_of(item.meter_id), date.min)
    }
    rest = [channel for channel, meter in meter_of.items() if meter not in sure]
    return sure | {item.meter_id: item for item in _latest_by_day(rest, facts)}


def power_now(meter_id: int, now: datetime) -> PowerNow | None:
    """The power by the newest reading; None where there is no reading."""
    newest = latest_reading([meter_id]).get(meter_id)
    return None if newest is None else PowerNow(newest.power_w, newest.start, newest.end, now - newest.end)


def meters_touched_since(*, sequence: int, meter_ids: Sequence[int], start: datetime, end: datetime) -> list[int]:
    """Those of these meters of which a reading that starts in [start, end) was learned after an ingest sequence; ascending."""
    among, parameter = rows.among(meter_ids)
    with connection.cursor() as cursor:
        cursor.execute(_CHANNELS_OF.format(among=among), [parameter])
        channels = np.array(cursor.fetchall(), dtype=np.int64).reshape(-1, 2)
    if not len(channels):
        return []
    start_s, end_s = epoch_seconds(start), epoch_seconds(end)

    def use(snapshot: Snapshot) -> Ints:
        newer = [lake.scan(file.path) for file in snapshot.files if file.newest_sequence > sequence]
        wanted = (
            pl.col("channel_id").is_in(pl.Series(channels[:, 0], dtype=pl.Int32).implode())
            & (pl.col("start") >= pl.lit(start_s * 1000).cast(lake.SCHEMA["start"]))
            & (pl.col("start") < pl.lit(end_s * 1000).cast(lake.SCHEMA["start"]))
            & (pl.col("ingest_sequence") > sequence)
        )
        sealed = [frame["channel_id"].to_numpy() for frame in pl.collect_all([lazy.filter(wanted).select("channel_id") for lazy in newer])]
        return np.concatenate([snapshot.open_rows.channel_id, *sealed])

    touched = read(lambda: take(channel_ids=channels[:, 0], start_s=start_s, end_s=end_s, after=sequence), use)
    meters: list[int] = np.unique(channels[np.isin(channels[:, 0], touched), 1]).tolist()
    return meters


def _facts_of(meter_ids: Collection[int], quantity: str) -> ChannelFacts:
    """The facts of these meters' channels of one quantity. Two queries."""
    among, parameter = rows.among(list(meter_ids))
    with connection.cursor() as cursor:
        cursor.execute(_CHANNEL_IDS.format(among=among), [quantity, parameter])
        return channel_facts([row[0] for row in cursor.fetchall()])


def _newest_open(channel_ids: Ints) -> list[tuple[int, int, int, int, int]]:
    among, parameter = rows.among(channel_ids)
    with connection.cursor() as cursor:
        cursor.execute(_NEWEST_OPEN[connection.vendor].format(among=among), [parameter])
        return list(cursor.fetchall())


def _latest(meter_id: int, row: tuple[int, int, int, int, int]) -> LatestReading:
    channel, start_s, length_s, amount, quality = row
    return LatestReading(meter_id, channel, from_epoch(start_s), from_epoch(start_s + length_s), amount, quality)


def _latest_by_day(channel_ids: list[int], facts: ChannelFacts) -> list[LatestReading]:
    """The newest readings from the last days that the rollups know of, one look into the store for each month among them."""
    if not channel_ids:
        return []
    among, parameter = rows.among(channel_ids)
    with connection.cursor() as cursor:
        cursor.execute(_LAST_DAYS.format(among=among), [parameter])
        last = {channel: date.fromisoformat(str(day)) for channel, day in cursor.fetchall() if day is not None}
    found: list[LatestReading] = []
    for month in sorted({day.replace(day=1) for day in last.values()}):
        here = {channel: day for channel, day in last.items() if day.replace(day=1) == month}
        found += _latest_on_days(here, facts)
    return found


def _latest_on_days(day_of_channel: dict[int, date], facts: ChannelFacts) -> list[LatestReading]:
    places = facts.places(np.array(list(day_of_channel), dtype=np.int64)).tolist()
    spans = [
        (midnight_s(day, ZoneInfo(facts.zones[place])), midnight_s(day + timedelta(days=1), ZoneInfo(facts.zones[place])))
        for day, place in zip(day_of_channel.values(), places, strict=True)
    ]
    frame = readings_between(channel_ids=list(day_of_channel), start_s=min(span[0] for span in spans), end_s=max(span[1] for span in spans))
    newest = frame.filter(pl.col("quality") != Quality.MISSING).group_by("channel_id", maintain_order=True).last()
    meter_of = {channel: int(facts.meter_id[place]) for channel, place in zip(day_of_channel, places, strict=True)}
    fields = ("channel_id", "start_s", "length_s", "amount", "quality")
    return [_latest(meter_of[row[0]], row) for row in newest.select(fields).iter_rows()]


def _day_s(day: date, zone: ZoneInfo) -> int:
    return midnight_s(day + timedelta(days=1), zone) - midnight_s(day, zone)
