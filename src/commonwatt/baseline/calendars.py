"""Public holidays as a rule sees them: a rulebook's own calendar, or the one of the program's country."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta

import numpy as np

from commonwatt.baseline.arrays import BoolArray, DateArray
from commonwatt.baseline.rules import BaselineRule, HolidayCalendar

_MONDAY, _THURSDAY, _SUNDAY = 0, 3, 6


def holiday_flags(*, rule: BaselineRule, dates: DateArray, program_holidays: Collection[date]) -> BoolArray:
    """Which dates are public holidays for this rule.

    Args:
        rule: Its day scheme names the calendar.
        dates: Local dates, datetime64[D], (days,).
        program_holidays: Holidays of the program's country or region; used where the rule has no calendar of its own.
    Returns:
        True on holidays, (days,).
    """
    days: list[date] = dates.astype("datetime64[D]").tolist()
    match rule.day_scheme.calendar:
        case HolidayCalendar.PROGRAM:
            holidays = set(program_holidays)
        case HolidayCalendar.NERC:
            holidays = {holiday for year in {day.year for day in days} for holiday in nerc_holidays(year)}
    return np.array([day in holidays for day in days], dtype=np.bool_)


def nerc_holidays(year: int) -> tuple[date, ...]:
    """The six NERC holidays of a year, ascending. One that falls on a Sunday is kept on the Monday after.

    Source:
        NERC's off-peak definition: New Year, Memorial Day, Independence Day, Labor Day, Thanksgiving, Christmas.
        A Saturday holiday is not moved.
    """
    return (
        _off_sunday(date(year, 1, 1)),
        _nth_weekday(year, 6, _MONDAY, 1) - timedelta(weeks=1),  # the last Monday of May
        _off_sunday(date(year, 7, 4)),
        _nth_weekday(year, 9, _MONDAY, 1),
        _nth_weekday(year, 11, _THURSDAY, 4),
        _off_sunday(date(year, 12, 25)),
    )


def _off_sunday(day: date) -> date:
    return day + timedelta(days=1) if day.weekday() == _SUNDAY else day


def _nth_weekday(year: int, month: int, weekday: int, nth: int) -> date:
    first = date(year, month, 1)
    return first + timedelta(days=(weekday - first.weekday()) % 7 + 7 * (nth - 1))
