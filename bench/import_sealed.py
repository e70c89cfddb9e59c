"""A CSV of ten million rows into sealed months, validated and reported, beside polars reading, sorting and writing the same file.

The file: meter, start (ISO, UTC), kWh; a thousand meters, ten thousand quarter hours each, in random order. Ours judges every row,
compares it with what is stored, writes synced files, rolls up days and keeps a report in SQLite; the peer checks nothing and syncs
nothing. Each run has a fresh process and a fresh install whose meters exist; the meters' creation is not counted.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.harness import ROOT, Bench, Measurement

METERS, QUARTERS = 1000, 10_000
FIRST_START_S = 1_767_225_600  # 2026-01-01T00:00Z
MAY_TAKE, MAY_HOLD_MB = 4.0, 1500.0


def measurements(bench: Bench) -> Iterator[Measurement]:
    """Time beside the peer, and the peak memory of those very runs."""
    path = bench.data("interval-csv-10m-v1.csv", build=write_csv)
    peaks_mb: list[float] = []

    def run() -> float:
        with tempfile.TemporaryDirectory(dir=ROOT / ".data", prefix="import-") as folder:
            done = bench.isolated("bench.import_sealed:ours", env={"COMMONWATT_DATA_DIR": folder}, path=str(path))
        peaks_mb.append(done.peak_mb)
        return float(done.value)

    yield Measurement(
        name="import_sealed",
        unit="s",
        ours=run,
        peer=lambda: float(bench.isolated("bench.import_sealed:peer", path=str(path)).value),
        peer_name="polars read_csv + sort + write_parquet",
        max_ratio=MAY_TAKE,
    )
    yield Measurement(name="import_sealed_peak", unit="MB", ours=lambda: peaks_mb.pop(0), max_value=MAY_HOLD_MB, runs=len(peaks_mb))


def write_csv(path: Path) -> None:
    """The file, from a fixed seed."""
    import numpy as np
    import polars as pl

    random = np.random.default_rng(7)
    rows = METERS * QUARTERS
    order = random.permutation(rows)
    table = pl.DataFrame(
        {"meter": order // QUARTERS + 1, "start": order % QUARTERS * 900 + FIRST_START_S, "wh": random.integers(0, 2000, rows)}
    )
    table.select(
        meter=pl.concat_str(pl.lit("E"), pl.col("meter").cast(pl.String).str.zfill(6)),
        start=pl.from_epoch("start").dt.strftime("%Y-%m-%dT%H:%M:%SZ"),
        kwh=pl.col("wh") / 1000,
    ).write_csv(path, float_precision=3)


def ours(path: str) -> float:
    """Import the file into a fresh install; the seconds that took."""
    import os

    os.environ["DJANGO_SETTINGS_MODULE"] = "commonwatt.ops.django_settings"
    import django

    django.setup()
    from datetime import UTC, datetime

    from django.core.management import call_command

    from commonwatt.metering.imports import import_csv
    from commonwatt.metering.models import Channel, Meter
    from commonwatt.wire.csv_options import CsvOptions

    call_command("migrate", verbosity=0)
    now = datetime(2026, 8, 1, tzinfo=UTC)
    Meter.objects.bulk_create(
        Meter(public_id=f"mtr_{n}", number=f"E{n:06}", time_zone="Europe/Brussels", created_at=now) for n in range(1, METERS + 1)
    )
    Channel.objects.bulk_create(Channel(meter=meter, quantity="energy_import", interval_s=900) for meter in Meter.objects.order_by("pk"))
    begin = time.perf_counter()
    report = import_csv(path=Path(path), options=CsvOptions(), actor_id=None, now=now)
    seconds = time.perf_counter() - begin
    if (report.accepted, report.rows_read, report.meters_count) != (METERS * QUARTERS, METERS * QUARTERS, METERS):
        raise AssertionError(f"the report is wrong: {report}")
    return seconds


def peer(path: str) -> float:
    """The same file read, sorted and written by polars alone; the seconds that took."""
    import polars as pl

    folder = Path(tempfile.mkdtemp(dir=ROOT / ".data", prefix="peer-"))
    try:
        begin = time.perf_counter()
        pl.read_csv(path).sort("meter", "start").write_parquet(folder / "sorted.parquet")
        return time.perf_counter() - begin
    finally:
        shutil.rmtree(folder)
