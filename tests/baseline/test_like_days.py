"""What a day is expected to come to is the mean of the days like it."""

from __future__ import annotations

import numpy as np
import pytest

from commonwatt.baseline.like_days import like_days

DAYS = 60  # day 0 is a Monday
REST = np.array([day % 7 >= 5 for day in range(DAYS)])
ENERGY = np.arange(DAYS, dtype=np.float64).reshape(-1, 1) * 10  # day 7 used 70


def expect(asked: int, usable: np.ndarray | None = None) -> tuple[tuple[int, ...], float, float, float]:
    """The days behind one day, and what they come to."""
    usable = np.ones(DAYS, dtype=np.bool_) if usable is None else usable
    found = like_days(energy=ENERGY, is_usable=usable, is_rest_day=REST, asked_for=np.array([asked]))
    return found.used[0], float(found.mean[0, 0]), float(found.low[0, 0]), float(found.high[0, 0])


def test_a_weekday_is_compared_with_ten_weekdays() -> None:
    """The ten latest weekdays before it, newest first: their mean, the least and the most."""
    used, mean, low, high = expect(56)  # a Monday
    assert used == (53, 52, 51, 50, 49, 46, 45, 44, 43, 42)
    assert (mean, low, high) == (475.0, 420.0, 530.0)


def test_a_rest_day_is_compared_with_four_rest_days() -> None:
    """Weekends are like weekends."""
    assert expect(54) == ((48, 47, 41, 40), 440.0, 400.0, 480.0)


def test_days_that_are_not_usable_make_room_for_older_ones() -> None:
    """A day with an event or with gaps is skipped, up to 45 days back."""
    usable = np.ones(DAYS, dtype=np.bool_)
    usable[[53, 50]] = False
    assert expect(56, usable)[0] == (52, 51, 49, 46, 45, 44, 43, 42, 39, 38)


def test_too_few_like_days_say_nothing() -> None:
    """Four weekdays are too few, five are enough; one rest day is too few, two are enough."""
    assert expect(4)[0] == ()
    assert np.isnan(expect(4)[1])
    assert expect(7)[:2] == ((4, 3, 2, 1, 0), 20.0)
    assert expect(6)[0] == ()
    assert expect(12)[:2] == ((6, 5), 55.0)


def test_nothing_older_than_45_days_counts() -> None:
    """Days of long ago are no example of today."""
    usable = np.arange(DAYS) <= 10
    assert expect(56, usable)[0] == ()
    assert expect(49, usable)[0] == (10, 9, 8, 7, 4)


@pytest.mark.parametrize("day", [20, 21, 26])
def test_no_later_day_is_looked_at(day: int) -> None:
    """An expectation could have been made the evening before: whatever came later changes nothing."""
    before = expect(day)
    usable = np.arange(DAYS) < day
    assert expect(day, usable) == before
