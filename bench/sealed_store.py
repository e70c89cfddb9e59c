"""A store of 106 million sealed quarter hours for measurements: 12,000 meters, August to October 2026, in the embedded database.

Written the way imports write: files through `store.write_part`, named in one transaction by `store.swap_parts`. Amounts come from a
generator with a fixed seed per file, with the spread of household quarter hours.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

NAME = "store-106m-v1"
METERS = 12_000
FIRST_METER = 1000
"""Buckets 1 to 12, all full."""
MONTHS = (date(2026, 8, 1), date(2026, 9, 1), date(2026, 10, 1))
NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def measurements(_bench: object) -> Iterator[object]:
    """None of its own: other measurements read this store."""
    yield from ()


def environment(folder: Path) -> dict[str, str]:
    """What a process needs to work on the store in this folder."""
    return {"COMMONWATT_DATA_DIR": str(folder), "DJANGO_SETTINGS_MODULE": "commonwatt.ops.django_settings"}


def build(folder: Path) -> None:
    """Make the store, in a process of its own: Django is set up for one folder only."""
    command = [sys.executable, "-c", "from bench.sealed_store import fill; fill()"]
    subprocess.run(command, env={**os.environ, **environment(folder)}, cwd=Path(__file__).resolve().parents[1], check=True)


def fill() -> None:
    """Migrate, create the meters, write every month of every bucket."""
    import django

    django.setup()
    from django.core.management import call_command
    from django.db import transaction

    from commonwatt.metering import lake, store
    from commonwatt.metering.models import Channel, IngestBatch, Meter
    from commonwatt.outbox.actions import next_value

    call_command("migrate", verbosity=0)
    numbers = range(FIRST_METER, FIRST_METER + METERS)
    with transaction.atomic():
        Meter.objects.bulk_create(
            [Meter(pk=n, public_id=f"mtr_{n}", number=f"E{n}", time_zone="Europe/Brussels", created_at=NOW) for n in numbers],
            batch_size=2000,
        )
        Channel.objects.bulk_create([Channel(pk=n, meter_id=n, quantity="energy_import", interval_s=900) for n in numbers], batch_size=2000)
        sequence = next_value("ingest")
        IngestBatch.objects.create(sequence=sequence, received_at=NOW, source="bench", accepted=0)
    for bucket in range(lake.bucket_of(FIRST_METER), lake.bucket_of(FIRST_METER + METERS)):
        for month in MONTHS:
            before = store.stored_month(month=month, bucket=bucket)
            written = store.write_part(stored=before, frame=_frame(month, bucket, sequence), adds_readings=True)
            with transaction.atomic():
                store.swap_parts([written], now=NOW)


def _frame(month: date, bucket: int, sequence: int):  # type: ignore[no-untyped-def]  # polars is imported late, after Django is set up
    import numpy as np
    import polars as pl

    from commonwatt.metering import lake

    begin, end = lake.month_bounds(month)
    meters = np.arange(bucket * lake.METERS_PER_BUCKET, (bucket + 1) * lake.METERS_PER_BUCKET, dtype=np.int32)
    starts = np.arange(begin, end, 900, dtype=np.int64) * 1000
    generator = np.random.default_rng(bucket * 100 + month.month)
    count = len(meters) * len(starts)
    return pl.DataFrame(
        {
            "meter_id": np.repeat(meters, len(starts)),
            "channel_id": np.repeat(meters, len(starts)),
            "start": np.tile(starts, len(meters)),
            "length_s": np.full(count, 900, dtype=np.int32),
            "amount": generator.gamma(2.0, 60.0, count).astype(np.int64),
            "quality": np.zeros(count, dtype=np.int8),
            "ingest_sequence": np.full(count, sequence, dtype=np.int64),
        }
    ).cast(lake.SCHEMA)
