"""Instants, half-open intervals and local days, on ordinary days and on those when the clocks change."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonwatt.kernel.clock import TimeLapse, WallClock
from commonwatt.kernel.time import (
    Interval,
    NoSuchDay,
    NotAnInstant,
    epoch_seconds,
    from_epoch,
    local_date,
    local_day,
    local_days,
    local_midnight,
    month_start,
    parse_instant,
    require_utc,
)

HOUR = timedelta(hours=1)
ZONES = [
    "UTC",
    "Europe/London",
    "Europe/Amsterdam",
    "America/Sao_Paulo",
    "America/Havana",
    "America/St_Johns",
    "Asia/Beirut",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Apia",
]


@pytest.mark.parametrize(
    ("zone", "day", "start", "hours"),
    [
        ("Europe/Amsterdam", date(2026, 3, 29), "2026-03-28T23:00Z", 23),
        ("Europe/Amsterdam", date(2026, 10, 25), "2026-10-24T22:00Z", 25),
        ("Europe/Amsterdam", date(2026, 7, 1), "2026-06-30T22:00Z", 24),
        ("America/Los_Angeles", date(2026, 3, 8), "2026-03-08T08:00Z", 23),
        ("Australia/Lord_Howe", date(2026, 10, 4), "2026-10-03T13:30Z", 23.5),
        # The clocks jump from 24:00 to 01:00: the day begins at 01:00.
        ("America/Sao_Paulo", date(2018, 11, 4), "2018-11-04T03:00Z", 23),
        ("Asia/Beirut", date(2026, 3, 29), "2026-03-28T22:00Z", 23),
        ("America/Havana", date(2026, 3, 8), "2026-03-08T05:00Z", 23),
        # They fall back from 24:00 to 23:00: the evening before is an hour longer.
        ("America/Sao_Paulo", date(2018, 2, 17), "2018-02-17T02:00Z", 25),
        ("America/Sao_Paulo", date(2018, 2, 18), "2018-02-18T03:00Z", 24),
        ("Asia/Beirut", date(2026, 10, 24), "2026-10-23T21:00Z", 25),
        # They fall back from 01:00 to 00:00: of the two midnights the first counts.
        ("America/Havana", date(2026, 11, 1), "2026-11-01T04:00Z", 25),
        # They jump from 23:30 over midnight to 00:30: the day begins at 00:30.
        ("America/Toronto", date(1919, 3, 31), "1919-03-31T04:30Z", 23.5),
        # Samoa went from 29 to 31 December 2011; both are whole days.
        ("Pacific/Apia", date(2011, 12, 29), "2011-12-29T10:00Z", 24),
        ("Pacific/Apia", date(2011, 12, 31), "2011-12-30T10:00Z", 24),
    ],
)
def test_a_local_day_has_the_hours_that_the_clocks_gave_it(zone: str, day: date, start: str, hours: float) -> None:
    """A day on which the clocks change is billed for exactly the hours it had."""
    assert local_day(day, ZoneInfo(zone)) == Interval(parse_instant(start), hours * HOUR)


def test_a_day_that_never_was_is_refused_by_name() -> None:
    """Samoa had no 30 December 2011, and the message says so."""
    with pytest.raises(NoSuchDay, match=r"2011-12-30 does not exist in Pacific/Apia"):
        local_day(date(2011, 12, 30), ZoneInfo("Pacific/Apia"))


@given(zone=st.sampled_from(ZONES), day=st.dates(date(1990, 1, 1), date(2037, 12, 30)))
def test_days_follow_one_another_and_hold_their_own_moments(zone: str, day: date) -> None:
    """No moment falls between two days, and the first and last second of a day carry its date."""
    place = ZoneInfo(zone)
    if (zone, day) == ("Pacific/Apia", date(2011, 12, 30)):
        return
    span = local_day(day, place)
    assert local_date(span.start, place) == day
    assert local_date(span.end - timedelta(seconds=1), place) == day
    assert local_date(span.start - timedelta(seconds=1), place) < day
    assert local_date(span.end, place) > day
    assert span.end == local_midnight(day + timedelta(days=1), place)


def test_an_interval_holds_its_start_and_not_its_end() -> None:
    """A reading on the edge of two intervals belongs to the later one, once."""
    first = Interval(datetime(2026, 3, 29, 0, tzinfo=UTC), HOUR)
    second = Interval(first.end, HOUR)
    assert (first.contains(first.start), first.contains(first.end), second.contains(first.end)) == (True, False, True)
    assert not first.overlaps(second)
    assert first.overlaps(Interval(first.start + HOUR / 2, HOUR))
    assert first < second


@pytest.mark.parametrize(
    "start",
    [datetime(2026, 3, 29), datetime(2026, 3, 29, tzinfo=timezone(HOUR)), datetime(2026, 3, 29, tzinfo=ZoneInfo("Europe/Amsterdam"))],  # noqa: DTZ001 (naive is what is refused)
)
def test_an_interval_is_in_utc_or_not_at_all(start: datetime) -> None:
    """A start without an offset, or in another zone, is refused with the value it had."""
    with pytest.raises(NotAnInstant, match="must be aware and in UTC, got "):
        Interval(start, HOUR)


def test_an_interval_has_a_length() -> None:
    """An interval of no length, or one that ends before it starts, is refused."""
    with pytest.raises(ValueError, match="must be positive"):
        Interval(datetime(2026, 3, 29, tzinfo=UTC), timedelta(0))


def test_an_interval_splits_into_parts_that_fill_it() -> None:
    """The spring day of Amsterdam has 92 quarter hours, and an uneven or backward step is refused at once."""
    day = local_day(date(2026, 3, 29), ZoneInfo("Europe/Amsterdam"))
    quarters = list(day.split(HOUR / 4))
    assert len(quarters) == 92
    assert quarters[0].start == day.start
    assert quarters[-1].end == day.end
    for step in (timedelta(minutes=50), timedelta(0), -HOUR):
        with pytest.raises(ValueError, match="is not a whole number of steps"):
            day.split(step)


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-03-29T01:00Z", datetime(2026, 3, 29, 1, tzinfo=UTC)),
        ("2026-03-29T02:00+01:00", datetime(2026, 3, 29, 1, tzinfo=UTC)),
        ("2026-03-28T20:30:15-04:30", datetime(2026, 3, 29, 1, 0, 15, tzinfo=UTC)),
    ],
)
def test_a_time_with_an_offset_names_one_moment(text: str, instant: datetime) -> None:
    """Whatever the offset, the moment is the same, and is kept in UTC."""
    assert parse_instant(text) == instant
    assert parse_instant(text).tzinfo is UTC


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("2026-03-29T01:00", "has no UTC offset; add Z or an offset"),
        ("2026-03-29", "has no UTC offset"),
        ("next Tuesday", "'next Tuesday' is not an ISO 8601 time; write it like"),
        ("2026-02-30T00:00Z", "is not an ISO 8601 time"),
        ("0001-01-01T00:00+14:00", "lies outside the years 1 to 9999"),
    ],
)
def test_a_text_that_names_no_moment_is_refused_with_the_way_out(text: str, message: str) -> None:
    """The message says what was read and how to write it."""
    with pytest.raises(NotAnInstant, match=message):
        parse_instant(text)


@given(seconds=st.integers(-(10**9), 4 * 10**9))
def test_seconds_since_1970_come_back_as_they_went(seconds: int) -> None:
    """A stored start means the same moment when it is read."""
    assert epoch_seconds(from_epoch(seconds)) == seconds


def test_seconds_since_1970_are_whole_and_of_an_aware_time() -> None:
    """Half a second and a time without an offset cannot be stored as whole seconds."""
    with pytest.raises(ValueError, match="is not on a whole second"):
        epoch_seconds(datetime(2026, 3, 29, 0, 0, 0, 500_000, tzinfo=UTC))
    with pytest.raises(NotAnInstant, match=r"ends_at must carry a UTC offset, got 2026-03-29T00:00:00"):
        require_utc(datetime(2026, 3, 29), name="ends_at")  # noqa: DTZ001


def test_dates_and_months_are_counted_plainly() -> None:
    """Both ends of a span of dates count, a backward span is empty, and a month starts at midnight UTC on its first."""
    assert local_days(date(2026, 2, 27), date(2026, 3, 1)) == [date(2026, 2, 27), date(2026, 2, 28), date(2026, 3, 1)]
    assert local_days(date(2026, 3, 1), date(2026, 2, 27)) == []
    assert month_start(parse_instant("2026-04-01T00:30+01:00")) == datetime(2026, 3, 1, tzinfo=UTC)


def test_a_time_lapse_runs_as_fast_as_it_says() -> None:
    """Two real minutes at rate 30 show an hour; before its anchor the clock stands still."""
    anchor, shown = datetime(2026, 3, 29, tzinfo=UTC), datetime(2026, 1, 15, 12, tzinfo=UTC)
    lapse = TimeLapse(anchor_real=anchor, anchor_shown=shown, rate=30)
    assert lapse.at(anchor + timedelta(minutes=2)) == shown + HOUR
    assert lapse.at(anchor - HOUR) == shown
    assert lapse.now().tzinfo is UTC
    assert WallClock().now().utcoffset() == timedelta(0)


def test_a_time_lapse_cannot_stand_still_or_start_nowhere() -> None:
    """A rate of zero and an anchor without an offset are refused."""
    anchor = datetime(2026, 3, 29, tzinfo=UTC)
    with pytest.raises(ValueError, match="runs forward, got a rate of 0"):
        TimeLapse(anchor_real=anchor, anchor_shown=anchor, rate=0)
    with pytest.raises(ValueError, match="must carry a UTC offset"):
        TimeLapse(anchor_real=datetime(2026, 3, 29), anchor_shown=anchor, rate=1)  # noqa: DTZ001
