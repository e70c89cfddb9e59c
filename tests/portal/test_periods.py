"""Which days a page shows is in its address, and every way of moving leads to another address."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonwatt.portal.periods import BadPeriod, Period, Span, Step, asked_for, period

TODAY = date(2026, 11, 20)


@pytest.mark.parametrize(
    ("address", "first", "last", "step"),
    [
        ({}, TODAY, TODAY, Step.INTERVAL),
        ({"period": "day", "on": "2026-03-29"}, date(2026, 3, 29), date(2026, 3, 29), Step.INTERVAL),
        ({"period": "week"}, date(2026, 11, 14), TODAY, Step.DAY),
        ({"period": "month", "on": "2028-02-10"}, date(2028, 2, 1), date(2028, 2, 29), Step.DAY),
        ({"period": "year"}, date(2026, 1, 1), date(2026, 12, 31), Step.MONTH),
        ({"period": "custom", "from": "2026-11-01", "to": "2026-11-01"}, date(2026, 11, 1), date(2026, 11, 1), Step.INTERVAL),
        ({"period": "custom", "from": "2026-09-01", "to": "2026-11-01"}, date(2026, 9, 1), date(2026, 11, 1), Step.DAY),
        ({"period": "custom", "from": "2026-08-31", "to": "2026-11-01"}, date(2026, 8, 31), date(2026, 11, 1), Step.MONTH),
    ],
)
def test_an_address_says_which_days(address: dict[str, str], first: date, last: date, step: Step) -> None:
    """Today, a day, seven days, a month, a year, or any stretch: with bars of an interval, a day or a month."""
    shown = asked_for(address, today=TODAY)
    assert (shown.first, shown.last, shown.step) == (first, last, step)


@pytest.mark.parametrize(
    ("address", "problem"),
    [
        ({"period": "fortnight"}, "unknown"),
        ({"period": "day", "on": "yesterday"}, "no_date"),
        ({"period": "day", "on": "0001-01-01"}, "no_date"),
        ({"period": "custom", "from": "2026-11-01"}, "no_date"),
        ({"period": "custom", "from": "2026-11-02", "to": "2026-11-01"}, "backwards"),
        ({"period": "custom", "from": "2020-01-01", "to": "2026-11-01"}, "too_long"),
    ],
)
def test_an_address_that_says_nothing_is_refused(address: dict[str, str], problem: str) -> None:
    """A period that cannot be read is a named problem, not a guess."""
    with pytest.raises(BadPeriod) as caught:
        asked_for(address, today=TODAY)
    assert caught.value.problem == problem


def test_months_and_years_move_by_the_calendar() -> None:
    """From January one goes back to December, from March to the 28 days of February."""
    assert period(Span.MONTH, date(2026, 1, 5)).moved(-1) == Period(Span.MONTH, date(2025, 12, 1), date(2025, 12, 31))
    assert period(Span.MONTH, date(2026, 3, 31)).moved(-1) == Period(Span.MONTH, date(2026, 2, 1), date(2026, 2, 28))
    assert period(Span.YEAR, date(2028, 2, 29)).moved(1).last == date(2029, 12, 31)


@given(st.sampled_from(list(Span)), st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(0, 400))
def test_moving_back_and_forth_comes_home(span: Span, on: date, length: int) -> None:
    """The period after one ends where the next begins, back leads home, and an address says the same when it is read again."""
    shown = period(span, on)
    if span is Span.CUSTOM:
        shown = Period(span, on, date.fromordinal(on.toordinal() + length))
    later = shown.moved(1)
    assert (later.first - shown.last).days == 1
    assert later.moved(-1) == shown
    words = dict(pair.split("=") for pair in shown.query.removeprefix("?").split("&"))
    assert asked_for(words, today=TODAY) == shown
