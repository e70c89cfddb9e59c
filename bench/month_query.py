"""One meter's month out of 106 million sealed readings, through the store, beside `polars.scan_parquet` on the one file that holds it.

Both run in a fresh process on files the system has read before, over the same forty meters, and give the median of one query.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime

from bench import sealed_store
from bench.harness import Bench, Measurement

QUERIES = 40
MAY_TAKE = 4.0


def measurements(bench: Bench) -> Iterator[Measurement]:
    """The one measurement."""
    folder = bench.data(sealed_store.NAME, build=sealed_store.build)
    env = sealed_store.environment(folder)
    yield Measurement(
        name="month_query",
        unit="ms",
        ours=lambda: float(bench.isolated("bench.month_query:ours", env=env).value),
        peer=lambda: float(bench.isolated("bench.month_query:peer", env=env).value),
        peer_name="polars.scan_parquet on the one file",
        max_ratio=MAY_TAKE,
    )


def asked() -> list[tuple[int, int]]:
    """Which meter and which month, query by query."""
    step = sealed_store.METERS // QUERIES
    return [(sealed_store.FIRST_METER + number * step + 7 * number % step, number % len(sealed_store.MONTHS)) for number in range(QUERIES)]


def median_ms(query: Callable[[int, int], int]) -> float:
    """The median of the queries, after one of them to get going. [ms]"""
    times = []
    for meter, month in [asked()[-1], *asked()]:
        begin = time.perf_counter()
        rows = query(meter, month)
        times.append(time.perf_counter() - begin)
        if rows not in (2880, 2976):
            raise AssertionError(f"meter {meter} has {rows} readings in its month")
    return statistics.median(times[1:]) * 1000


def ours() -> float:
    """Through the store: which file counts, what is still open, the newest revision of each."""
    import django

    django.setup()
    from commonwatt.metering import lake, store

    bounds = [lake.month_bounds(month) for month in sealed_store.MONTHS]
    return median_ms(
        lambda meter, month: store.readings_between(channel_ids=[meter], start_s=bounds[month][0], end_s=bounds[month][1]).height
    )


def peer() -> float:
    """Polars on the file, whose path it is told."""
    import django

    django.setup()
    import polars as pl

    from commonwatt.metering import lake, store

    path_of = {(file.bucket, file.month): file.path for file in store.lake_files()}
    bounds = [tuple(datetime.fromtimestamp(edge, UTC) for edge in lake.month_bounds(month)) for month in sealed_store.MONTHS]

    def query(meter: int, month: int) -> int:
        start, (first, end) = pl.col("start"), bounds[month]
        lazy = pl.scan_parquet(path_of[lake.bucket_of(meter), sealed_store.MONTHS[month]], hive_partitioning=False)
        wanted = (pl.col("channel_id") == meter) & (start >= first) & (start < end)
        columns = ("channel_id", "start", "length_s", "amount", "quality", "ingest_sequence")
        return lazy.filter(wanted).select(columns).collect().height

    return median_ms(query)
