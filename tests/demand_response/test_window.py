"""Where an event lies on local days, clock changes and midnights included."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonwatt.demand_response.window import EventWindow, event_window, label_starts_s
from commonwatt.kernel.time import epoch_seconds, from_epoch

LONDON = ZoneInfo("Europe/London")


def window(start: str, hours: float, *, minutes: int = 60) -> EventWindow:
    """The window of an event that starts at this time in London."""
    starts_at = datetime.fromisoformat(start).replace(tzinfo=LONDON).astimezone(UTC)
    return event_window(starts_at=starts_at, ends_at=starts_at + timedelta(hours=hours), zone=LONDON, interval_minutes=minutes)


def test_an_ordinary_evening() -> None:
    """Five to seven on a summer evening: eight quarter hours, the labels of five o'clock local time."""
    found = window("2026-07-01 17:00", 2, minutes=15)
    assert (found.day, found.shift, found.first, found.last) == (date(2026, 7, 1), 0, 68, 76)
    assert found.labels.tolist() == list(range(68, 76))
    assert from_epoch(int(found.starts_s[0])) == datetime(2026, 7, 1, 16, tzinfo=UTC)
    assert np.diff(found.starts_s).tolist() == [900] * 7


def test_the_doubled_hour_of_autumn_is_there_twice() -> None:
    """On 25 October 2026 the clocks go back at two: an event from one to three lasts three hours, one o'clock twice."""
    found = window("2026-10-25 01:00", 3)
    assert found.labels.tolist() == [1, 1, 2]
    assert (found.first, found.last) == (1, 3)


def test_the_missing_hour_of_spring_is_not_there() -> None:
    """On 29 March 2026 the clocks jump from one to two: an event from midnight to three lasts two hours."""
    found = window("2026-03-29 00:00", 2)
    assert found.labels.tolist() == [0, 2]
    assert (found.first, found.last) == (0, 3)


def test_an_event_over_midnight_moves_the_day() -> None:
    """Ten at night to two: the days compared run from noon to noon, and the event stands in their middle."""
    found = window("2026-06-05 22:00", 4)
    assert (found.day, found.shift, found.first, found.last) == (date(2026, 6, 5), 12, 10, 14)
    assert found.labels.tolist() == [10, 11, 12, 13]
    noon = datetime(2026, 6, 5, 11, tzinfo=UTC)
    assert found.day_of(noon) == date(2026, 6, 5)
    assert found.day_of(noon - timedelta(seconds=1)) == date(2026, 6, 4)


def test_the_hours_before_an_early_event_are_fetched_from_the_evening() -> None:
    """Two to four in the night, adjusted by the four hours before: the day starts at ten in the evening and keeps the event's date."""
    found = event_window(
        starts_at=datetime(2026, 7, 6, 0, tzinfo=UTC),  # one o'clock in London, and a Monday
        ends_at=datetime(2026, 7, 6, 2, tzinfo=UTC),
        zone=LONDON,
        interval_minutes=60,
        lead_minutes=240,
    )
    assert (found.day, found.shift, found.first, found.last) == (date(2026, 7, 6), -3, 4, 6)
    assert found.labels.tolist() == [4, 5]
    evening = datetime(2026, 7, 5, 20, tzinfo=UTC)  # nine o'clock in London
    assert found.day_of(evening) == date(2026, 7, 6)
    assert found.day_of(evening - timedelta(seconds=1)) == date(2026, 7, 5)
    long = event_window(
        starts_at=datetime(2026, 7, 6, 0, tzinfo=UTC),
        ends_at=datetime(2026, 7, 6, 22, tzinfo=UTC),
        zone=LONDON,
        interval_minutes=60,
        lead_minutes=240,
    )
    assert (long.shift, long.first, long.last) == (0, 1, 23)


def test_an_event_that_ends_at_midnight_stays_on_its_day() -> None:
    """Midnight belongs to the next day, and the event does not reach it."""
    found = window("2026-06-05 22:00", 2)
    assert (found.day, found.shift, found.first, found.last) == (date(2026, 6, 5), 0, 22, 24)


def test_parts_of_an_interval_are_left_out() -> None:
    """Hourly meters and an event from 17:30 to 20:15: only six and seven o'clock lie within it whole."""
    found = window("2026-06-05 17:30", 2.75)
    assert found.labels.tolist() == [18, 19]
    short = window("2026-06-05 17:30", 0.5)
    assert (short.labels.tolist(), short.first, short.last) == ([], 17, 18)
    late = window("2026-06-05 23:30", 2.5)
    assert (late.day, late.shift, late.labels.tolist(), late.first, late.last) == (date(2026, 6, 6), 0, [0, 1], 0, 2)


def test_only_ended_intervals_count_so_far() -> None:
    """At a quarter past six, one hour of an event from five has passed whole."""
    found = window("2026-06-05 17:00", 3)
    assert [
        found.whole_until(datetime(2026, 6, 5, hour, minute, tzinfo=UTC))
        for hour, minute in ((15, 0), (16, 59), (17, 0), (17, 15), (23, 0))
    ] == [0, 0, 1, 1, 3]


@pytest.mark.parametrize(
    ("day", "index", "expected"),
    [
        (date(2026, 10, 25), 1, datetime(2026, 10, 25, 0, tzinfo=UTC)),
        (date(2026, 10, 25), 2, datetime(2026, 10, 25, 2, tzinfo=UTC)),
        (date(2026, 3, 29), 2, datetime(2026, 3, 29, 1, tzinfo=UTC)),
        (date(2026, 7, 1), 17, datetime(2026, 7, 1, 16, tzinfo=UTC)),
    ],
)
def test_labels_start_at_their_first_occurrence(day: date, index: int, expected: datetime) -> None:
    """The label of a local hour is found in UTC on ordinary days and around both clock changes."""
    assert from_epoch(int(label_starts_s(days=[day], zone=LONDON, interval_minutes=60)[0, index])) == expected


@given(
    start=st.integers(0, 400 * 96).map(lambda quarter: datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=15 * quarter)),
    quarters=st.integers(1, 92),
    lead=st.sampled_from([0, 60, 240]),
    zone=st.sampled_from(["Europe/London", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]),
)
def test_every_quarter_hour_of_an_event_has_its_local_label(start: datetime, quarters: int, lead: int, zone: str) -> None:
    """Whenever and wherever: each quarter hour is there once, under the label of its local time, within the moved day."""
    local_zone = ZoneInfo(zone)
    end = start + timedelta(minutes=15 * quarters)
    found = event_window(starts_at=start, ends_at=end, zone=local_zone, interval_minutes=15, lead_minutes=lead)
    assert found.starts_s.tolist() == list(range(epoch_seconds(start), epoch_seconds(end), 900))
    assert 0 <= found.first < found.last <= 96
    for start_s, label in zip(found.starts_s.tolist(), found.labels.tolist(), strict=True):
        local = from_epoch(start_s).astimezone(local_zone)
        assert (label + found.shift) % 96 == local.hour * 4 + local.minute // 15
        assert found.first <= label < found.last
        days_on = (label + found.shift) // 96
        assert local.date() == found.day + timedelta(days=days_on)
    assert (found.labels_of(found.starts_s) == found.labels).all()
