"""Clocks on the wall agree with Python's own time zones, second by second around every change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commonwatt.wire.local_time import wall_clock

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 (a time on a wall carries no zone)
ZONES = [
    "Europe/Brussels",
    "America/Los_Angeles",
    "Australia/Lord_Howe",
    "America/Sao_Paulo",
    "Pacific/Apia",
    "Africa/Casablanca",
    "Asia/Kolkata",
    "UTC",
]


def wall(text: str) -> int:
    """A wall time in seconds since 1970 on that wall."""
    return int((datetime.fromisoformat(text) - EPOCH).total_seconds())


def instant(text: str) -> int:
    """An instant in seconds since 1970."""
    return int(datetime.fromisoformat(text).timestamp())


def test_the_repeated_hour_names_two_instants() -> None:
    """On 25 October 2026 half past two happens twice in Brussels, first in summer time and an hour later in winter time."""
    times = wall_clock("Europe/Brussels").read(np.array([wall("2026-10-25T02:30"), wall("2026-10-25T03:00"), wall("2026-10-25T01:59:59")]))
    assert times.repeated.tolist() == [True, False, False]
    assert times.first_s.tolist() == [instant("2026-10-25T00:30Z"), instant("2026-10-25T02:00Z"), instant("2026-10-24T23:59:59Z")]
    assert times.second_s.tolist() == [instant("2026-10-25T01:30Z"), instant("2026-10-25T02:00Z"), instant("2026-10-24T23:59:59Z")]
    assert times.missing.tolist() == [False, False, False]


def test_the_skipped_hour_is_missing() -> None:
    """On 29 March 2026 the clock in Brussels never shows half past two; three o'clock follows two o'clock at once."""
    clock = wall_clock("Europe/Brussels")
    times = clock.read(
        np.array([wall("2026-03-29T01:59:59"), wall("2026-03-29T02:00"), wall("2026-03-29T02:59:59"), wall("2026-03-29T03:00")])
    )
    assert times.missing.tolist() == [False, True, True, False]
    assert times.first_s.tolist()[3] == instant("2026-03-29T01:00Z")
    assert clock.show(np.array([instant("2026-03-29T00:59:59Z"), instant("2026-03-29T01:00Z")])).tolist() == [
        wall("2026-03-29T01:59:59"),
        wall("2026-03-29T03:00"),
    ]


@pytest.mark.parametrize("name", ZONES)
@settings(deadline=None)
@given(data=st.data())
def test_every_wall_time_agrees_with_python(name: str, data: st.DataObject) -> None:
    """Whatever time a clock shows, near a change or far from it, it means what Python's time zones say."""
    clock, zone = wall_clock(name), ZoneInfo(name)
    changes = clock._instants.tolist() or [0]
    seconds = data.draw(
        st.one_of(st.integers(0, 4_000_000_000), st.builds(int.__add__, st.sampled_from(changes), st.integers(-90_000, 90_000)))
    )
    naive = EPOCH + timedelta(seconds=seconds)
    first, second = naive.replace(tzinfo=zone, fold=0), naive.replace(tzinfo=zone, fold=1)
    exists = first.astimezone(UTC).astimezone(zone).replace(tzinfo=None) == naive
    times = clock.read(np.array([seconds]))
    assert times.first_s.tolist() == [int(first.timestamp())]
    assert times.missing.tolist() == [not exists]
    assert times.repeated.tolist() == [exists and first.utcoffset() != second.utcoffset()]
    if times.repeated[0]:
        assert times.second_s.tolist() == [int(second.timestamp())]
    if exists:
        assert clock.show(times.first_s).tolist() == [seconds]
