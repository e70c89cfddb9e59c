"""Readers beside the sealer: at no moment does anybody see a hole, or a reading twice."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from tests.metering.builders import NOW, QUARTER, R, at, make_meter, record, stored

from commonwatt.metering import lake, store
from commonwatt.metering.profiles import profiles
from commonwatt.metering.zones import midnight_s

ROUNDS = 60
SIZE = 8
OCTOBER = date(2026, 10, 1)
START = at("2026-10-10T00:00")
UTC = ZoneInfo("UTC")


@pytest.mark.django_db(transaction=True)
def test_readers_never_see_a_hole_or_a_double_beside_the_sealer() -> None:
    """While readings come in and their month is sealed and cleaned again and again, every look sees all of them, each once."""
    meter = make_meter("E1", zone="UTC")
    channel, bucket = meter.channels[0].id, lake.bucket_of(meter.id)
    begun, done = [0], [0]
    stop = threading.Event()
    problems: list[str] = []
    looks = {"readings": 0, "revisions": 0, "profiles": 0}

    def write() -> None:
        for turn in range(ROUNDS):
            begun[0] = (turn + 1) * SIZE
            record([R(channel, START + QUARTER * (turn * SIZE + place), turn * SIZE + place) for place in range(SIZE)])
            done[0] = begun[0]
            if turn % 2:
                store.seal(month=OCTOBER, bucket=bucket, now=NOW)
            if turn % 5 == 4:
                store.clean_lake(now=NOW + timedelta(days=1), grace=timedelta(0))

    def check(kind: str, amounts: list[int], before: int, after: int) -> None:
        looks[kind] += 1
        if amounts != list(range(len(amounts))) or not before <= len(amounts) <= after:
            problems.append(f"{kind}: {len(amounts)} readings between {before} and {after}: {amounts[:5]} … {amounts[-5:]}")

    def read_readings() -> None:
        before = done[0]
        amounts = [reading.amount for reading in stored([channel])]
        check("readings", amounts, before, begun[0])

    def read_revisions() -> None:
        before = done[0]
        amounts = store.stored_month(month=OCTOBER, bucket=bucket).frame["amount"].to_list()
        check("revisions", amounts, before, begun[0])

    def read_profiles() -> None:
        before = done[0]
        days = [date(2026, 10, 10) + timedelta(days=offset) for offset in range(6)]
        assert midnight_s(days[0], UTC) == START
        got = profiles(meter_ids=[meter.id], days=days, quantity="energy_import", zone=UTC, interval_minutes=15)
        valid = got.valid.reshape(-1)
        amounts = (got.energy_kwh.reshape(-1)[: valid.sum()] * 1000).round().astype(int).tolist()
        check("profiles", amounts if valid[: valid.sum()].all() else [-1], before, begun[0])

    threads = [threading.Thread(target=_until, args=(stop, look, problems)) for look in (read_readings, read_revisions, read_profiles)]
    for thread in threads:
        thread.start()
    try:
        write()
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert problems == []
    assert min(looks.values()) > 10
    assert [reading.amount for reading in stored([channel])] == list(range(ROUNDS * SIZE))


def _until(stop: threading.Event, look: Callable[[], None], problems: list[str]) -> None:
    try:
        while not stop.is_set():
            look()
    except BaseException as error:  # noqa: BLE001 (a thread's error would be lost)
        problems.append(repr(error))
    finally:
        connection.close()
