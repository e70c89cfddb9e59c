"""When things happen in the demo."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from commonwatt.ops.demo import plan


@pytest.mark.parametrize(
    ("today", "shown"),
    [
        (date(2026, 11, 20), datetime(2026, 11, 20, 15, 0, tzinfo=UTC)),  # a Friday
        (date(2026, 11, 21), datetime(2026, 11, 20, 15, 0, tzinfo=UTC)),
        (date(2026, 11, 22), datetime(2026, 11, 20, 15, 0, tzinfo=UTC)),
        (date(2026, 7, 1), datetime(2026, 7, 1, 14, 0, tzinfo=UTC)),  # summer time
    ],
)
def test_demo_opens_at_three_on_a_workday(today: date, shown: datetime) -> None:
    """The visitor arrives at three in the afternoon of a workday."""
    assert plan.first_shown(today) == shown


def test_from_start_to_credit_takes_less_than_five_minutes() -> None:
    """From the first second to the settled event, the visitor waits less than five real minutes."""
    shown = plan.first_shown(date(2026, 11, 20))
    _, ends_at = plan.event_span(date(2026, 11, 20))
    waiting = (ends_at + plan.DATA_WAIT - shown).total_seconds() / plan.RATE
    assert waiting == pytest.approx(220)


@pytest.mark.parametrize(
    ("last", "resumed"),
    [
        (datetime(2026, 11, 20, 15, 3, tzinfo=UTC), datetime(2026, 11, 20, 15, 3, tzinfo=UTC)),
        (datetime(2026, 11, 20, 16, 0, tzinfo=UTC), datetime(2026, 11, 23, 15, 0, tzinfo=UTC)),  # Friday to Monday
        (datetime(2026, 11, 18, 23, 0, tzinfo=UTC), datetime(2026, 11, 19, 15, 0, tzinfo=UTC)),
        (datetime(2026, 11, 21, 10, 0, tzinfo=UTC), datetime(2026, 11, 23, 15, 0, tzinfo=UTC)),  # a Saturday
    ],
)
def test_a_second_start_opens_before_the_next_event(last: datetime, resumed: datetime) -> None:
    """Starting the demo again never leaves the visitor waiting for days: an event always lies minutes ahead."""
    assert plan.resumed_shown(last) == resumed


def test_past_event_lies_on_a_workday_before() -> None:
    """The settled event lies two workdays back, never on a weekend."""
    assert plan.past_event_day(date(2026, 11, 20)) == date(2026, 11, 18)
    assert plan.past_event_day(date(2026, 11, 23)) == date(2026, 11, 19)
    assert plan.past_event_day(date(2026, 11, 24)) == date(2026, 11, 20)


def test_enough_days_without_events_remain_for_baselines() -> None:
    """In any 45 days of a demo that runs on, at least ten weekdays are free of events."""
    opening = date(2026, 11, 20)
    for first in range(60):
        days = [opening + timedelta(days=first + offset) for offset in range(45)]
        free = [day for day in days if day.weekday() < 5 and not plan.is_called(day, opening_day=opening)]
        assert len(free) >= 18


def test_quarters_lie_whole_in_the_span() -> None:
    """A quarter-hour that has not ended is not reported."""
    start = datetime(2026, 11, 20, 15, 0, tzinfo=UTC)
    assert plan.quarters(start, start + timedelta(minutes=44)) == [start, start + timedelta(minutes=15)]
    assert plan.floor_quarter(datetime(2026, 11, 20, 15, 44, 59, 9, tzinfo=UTC)) == datetime(2026, 11, 20, 15, 30, tzinfo=UTC)
