"""Server time of a meter's dashboard: today, a month and a year, on an install of 100 and one of 10,000 meters with sealed readings.

A request walks the whole of Django's stack, from the session to the drawn page, in this process: what a browser waits for, without the
network. The install stays in bench/.data: readings of 100 meters day by day, of the others 45 days, as deep as the dashboard looks back.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from bench.harness import Bench, Measurement

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
FIRST, LAST = date(2025, 10, 1), date(2026, 11, 19)
RECENT = date(2026, 10, 1)
LONG_LIVED = 100
"""Meters with the whole of the readings; the others have those from RECENT on."""
PERIODS = ("day", "month", "year")
REQUESTS = 30
MOST_S = 0.060


def measurements(bench: Bench) -> Iterator[Measurement]:
    """One measurement for each period on the large install, beside the same on the small one."""
    small, large = (bench.data(f"dashboard-{meters}-v1", build=_builder(bench, meters)) for meters in (100, 10_000))
    for shown in PERIODS:
        yield Measurement(
            name=f"page_dashboard_{shown}",
            unit="s",
            ours=partial(_median, bench, large, shown),
            peer=partial(_median, bench, small, shown),
            peer_name="the same page with 100 meters",
            max_value=MOST_S,
            max_ratio=1.5,
        )


def _median(bench: Bench, folder: Path, shown: str) -> float:
    seconds: float = bench.isolated("bench.page_dashboard:ours", folder=str(folder), shown=shown).value
    return seconds


def ours(folder: str, shown: str) -> float:
    """The median time of a request for the page. [s]"""
    _start(Path(folder))
    from django.test import Client
    from django.urls import reverse

    client = Client()
    user, meter = _first()
    client.force_login(user)
    address = reverse("portal:meter_dashboard", args=[meter]) + f"?period={shown}"
    times = []
    for _ in range(REQUESTS + 5):
        begin = time.perf_counter()
        response = client.get(address)
        times.append(time.perf_counter() - begin)
        if response.status_code != 200 or b'"metered_wh"' not in response.content:
            raise RuntimeError(f"a page with readings was expected, got {response.status_code}")
    return statistics.median(times[5:])


def build(folder: str, meters: int) -> int:
    """Make an install of so many meters in a folder; returns how many readings it holds."""
    _start(Path(folder))
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    held = _people_and_meters(meters)
    return _readings(held)


def _builder(bench: Bench, meters: int) -> Any:
    def make(folder: Path) -> None:
        folder.mkdir()
        bench.isolated("bench.page_dashboard:build", folder=str(folder), meters=meters)

    return make


def _start(folder: Path) -> None:
    os.environ |= {
        "DJANGO_SETTINGS_MODULE": "commonwatt.ops.django_settings",
        "COMMONWATT_DATA_DIR": str(folder),
        "COMMONWATT_TIME_ZONE": "Europe/Brussels",
        "COMMONWATT_LOG_LEVEL": "warning",
    }
    import django

    django.setup()
    from django.conf import settings

    from commonwatt.portal.middleware import use_clock

    settings.ALLOWED_HOSTS = ["testserver"]
    use_clock(_Stopped())


class _Stopped:
    """The present of the install."""

    def now(self) -> datetime:
        """Always the same instant."""
        return NOW


def _people_and_meters(meters: int) -> list[Any]:
    from django.contrib.auth import get_user_model
    from django.db import transaction

    from commonwatt.accounts import actions as accounts
    from commonwatt.accounts import people
    from commonwatt.accounts.access import viewer_for
    from commonwatt.accounts.choices import CustomerKind, Role
    from commonwatt.kernel.ids import digest_secret, normalise_claim_code
    from commonwatt.metering import actions as metering

    held = []
    begun = datetime(2025, 9, 1, tzinfo=UTC)
    with transaction.atomic():
        person = people.create_person(email="ana@example.org", name="Ana", password="blue kettle on tuesday", now=begun)
        for number in range(meters // 10):
            customer = accounts.create_customer(actor=None, kind=CustomerKind.ORGANISATION, name=f"Customer {number}", now=begun)
            if number == 0:
                code = accounts.invite(actor=None, customer_id=customer.id, role=Role.ADMINISTRATOR, email="", now=begun)
                viewer = viewer_for(get_user_model().objects.get(pk=person.id))
                accounts.accept_invitation(actor=viewer, code_digest=digest_secret(normalise_claim_code(code)), now=begun)
            site = accounts.create_site(
                actor=None, customer_id=customer.id, name="Site", time_zone="Europe/Brussels", country="BE", now=begun
            )
            for place in range(10):
                meter = metering.create_meter(actor=None, number=f"M{number * 10 + place:05}", now=begun)
                held.append(
                    metering.assign_meter(actor=None, meter_id=meter.id, customer_id=customer.id, site_id=site.id, from_at=begun, now=begun)
                )
    return held


def _readings(held: list[Any]) -> int:
    """Quarter hours up to today's noon: months by import, which seals them, today as open rows."""
    import numpy as np
    import polars as pl
    from django.conf import settings

    from commonwatt.kernel.time import epoch_seconds
    from commonwatt.metering.columns import ReadingColumns
    from commonwatt.metering.imports import import_csv
    from commonwatt.metering.recording import record_readings
    from commonwatt.wire.csv_options import CsvOptions

    rng = np.random.default_rng(7)
    until = datetime(LAST.year, LAST.month, LAST.day, 23, tzinfo=UTC)
    total = 0
    path = Path(settings.COMMONWATT.data_dir) / "readings.csv"
    for chosen, first in ((held[:LONG_LIVED], FIRST), (held[LONG_LIVED:], RECENT)):
        for part in range(0, len(chosen), 2000):
            meters = [meter.number for meter in chosen[part : part + 2000]]
            starts = pl.datetime_range(
                datetime(first.year, first.month, first.day, tzinfo=UTC), until, "15m", closed="left", eager=True
            ).dt.strftime("%Y-%m-%dT%H:%M:%SZ")
            frame = pl.DataFrame({"meter": meters}).join(pl.DataFrame({"start": starts}), how="cross")
            frame.with_columns(wh=pl.Series(rng.integers(50, 400, len(frame)))).write_csv(path)
            total += import_csv(path=path, options=CsvOptions(), actor_id=None, now=NOW).accepted
    path.unlink()
    quarters = np.arange(epoch_seconds(until), epoch_seconds(NOW), 900)
    for part in range(0, len(held), 1000):
        channels = np.array([meter.channels[0].id for meter in held[part : part + 1000]])
        count = len(channels) * len(quarters)
        columns = ReadingColumns(
            channel_id=np.repeat(channels, len(quarters)),
            start_s=np.tile(quarters, len(channels)),
            length_s=np.full(count, 900),
            amount=rng.integers(50, 400, count),
            quality=np.zeros(count, dtype=np.int64),
        )
        total += record_readings(readings=columns, source="bench", reference="", now=NOW + timedelta(minutes=1)).accepted
    return total


def _first() -> tuple[Any, str]:
    from django.contrib.auth import get_user_model

    from commonwatt.metering.queries import meters_by_number

    return get_user_model().objects.get(email="ana@example.org"), meters_by_number(["M00003"])["M00003"].public_id
