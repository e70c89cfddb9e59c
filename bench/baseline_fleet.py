"""10-of-10 with adjustment for 10,000 quarter-hour meters and one event, from sealed readings, beside just reading the same columns.

Ours: the profiles of the look-back and the event day by local label, then the baseline engine, bucket by bucket as settlements do. The
peer reads meter, start and amount of the same meters and days from the same files with polars, and does nothing with them. Both run in
a fresh process on files the system has read before.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import date, timedelta

from bench import sealed_store
from bench.harness import Bench, Measurement

METERS = 10_000
EVENT_DAY = date(2026, 10, 22)  # a Thursday
FIRST, LAST = 68, 76  # 17:00 to 19:00
MAY_TAKE = 4.0


def measurements(bench: Bench) -> Iterator[Measurement]:
    """The one measurement."""
    folder = bench.data(sealed_store.NAME, build=sealed_store.build)
    env = sealed_store.environment(folder)
    yield Measurement(
        name="baseline_fleet",
        unit="s",
        ours=lambda: float(bench.isolated("bench.baseline_fleet:ours", env=env).value),
        peer=lambda: float(bench.isolated("bench.baseline_fleet:peer", env=env).value),
        peer_name="polars reading the same columns",
        max_ratio=MAY_TAKE,
    )


def days() -> list[date]:
    """The look-back of 45 days, and the day of the event."""
    return [EVENT_DAY - timedelta(days=back) for back in range(45, -1, -1)]


def buckets() -> Iterator[list[int]]:
    """The meters, a bucket at a time."""
    for first in range(sealed_store.FIRST_METER, sealed_store.FIRST_METER + METERS, 1000):
        yield list(range(first, first + 1000))


def ours() -> float:
    """Profiles and engine, end to end. [s]"""
    import django

    django.setup()
    from zoneinfo import ZoneInfo

    import numpy as np

    from commonwatt.baseline.engine import EventDay, History, compute
    from commonwatt.baseline.programs import RULES
    from commonwatt.baseline.reasons import Verdict
    from commonwatt.metering.profiles import profiles

    asked, zone, computed = days(), ZoneInfo("Europe/Brussels"), 0
    begin = time.perf_counter()
    for meters in buckets():
        load = profiles(meter_ids=meters, days=asked, quantity="energy_import", zone=zone, interval_minutes=15)
        history = History(
            load_kwh=load.energy_kwh[:, :-1],
            valid=load.valid[:, :-1],
            dates=np.array(asked[:-1], dtype="datetime64[D]"),
            irregular_days=load.irregular_days[:-1],
            holidays=np.zeros(len(asked) - 1, dtype=bool),
            excluded=np.zeros((len(meters), len(asked) - 1), dtype=bool),
            interval_minutes=15,
        )
        event = EventDay(
            date=EVENT_DAY,
            first=FIRST,
            last=LAST,
            load_kwh=load.energy_kwh[:, -1],
            valid=load.valid[:, -1],
            is_holiday=False,
            irregular=bool(load.irregular_days[-1]),
        )
        computed += int((compute(RULES["10-of-10+ratio20"], history, event).verdict == Verdict.OK).sum())
    seconds = time.perf_counter() - begin
    if computed != METERS:
        raise AssertionError(f"{computed} of {METERS} meters have a baseline")
    return seconds


def peer() -> float:
    """Polars reads the columns, file by file. [s]"""
    import django

    django.setup()
    from datetime import UTC, datetime
    from datetime import time as clock_time

    import polars as pl

    from commonwatt.metering import lake, store

    first = datetime.combine(days()[0] - timedelta(days=1), clock_time(22), tzinfo=UTC)  # midnight in Brussels, in summer
    end = datetime.combine(EVENT_DAY, clock_time(22), tzinfo=UTC)
    wanted = {lake.bucket_of(meters[0]) for meters in buckets()}
    paths = [file.path for file in store.lake_files() if file.bucket in wanted and file.month >= first.date().replace(day=1)]
    begin = time.perf_counter()
    rows = 0
    for path in sorted(paths):
        lazy = pl.scan_parquet(path, hive_partitioning=False).filter((pl.col("start") >= first) & (pl.col("start") < end))
        rows += lazy.select("meter_id", "start", "amount").collect().height
    seconds = time.perf_counter() - begin
    if rows != METERS * len(days()) * 96:
        raise AssertionError(f"{rows} readings read")
    return seconds
