"""When things happen in the demo, by its own clock: pure arithmetic on dates."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from commonwatt.ops.demo.cast import ZONE

RATE = 45.0
"""Shown seconds per real second: a quarter-hour passes in twenty seconds, the called event from notice to credit in under five minutes."""
LOCAL = ZoneInfo(ZONE)
QUARTER = timedelta(minutes=15)
STARTS_AT = time(15, 0)
CALLED_AT = time(15, 5)
EVENT = (time(15, 45), time(17, 30))
DATA_WAIT = timedelta(minutes=15)
HISTORY_DAYS = 420
CALLED_WEEKDAYS = {1, 3}
"""Tuesdays and Thursdays, once the first event is over: enough other days remain for baselines."""


def first_shown(real_today: date) -> datetime:
    """Where the demo's clock starts: three in the afternoon of this weekday, or of the last one before a weekend."""
    return at(workday_on_or_before(real_today), STARTS_AT)


def resumed_shown(last_shown: datetime) -> datetime:
    """Where the clock goes on after a stop: at once if the event of the day still lies ahead, else the next workday at three."""
    day = last_shown.astimezone(LOCAL).date()
    if day.weekday() < 5 and last_shown <= at(day, CALLED_AT):
        return last_shown
    return at(workday_after(day), STARTS_AT)


def at(day: date, clock_time: time) -> datetime:
    """The instant at which the demo's zone shows this date and time, in UTC."""
    return datetime.combine(day, clock_time, tzinfo=LOCAL).astimezone(UTC)


def event_span(day: date) -> tuple[datetime, datetime]:
    """From when until when the event of a day runs, in UTC."""
    return at(day, EVENT[0]), at(day, EVENT[1])


def past_event_day(first_day: date) -> date:
    """The day of the event that is settled when the visitor arrives: two workdays before the first."""
    return workday_before(workday_before(first_day))


def is_called(day: date, *, opening_day: date) -> bool:
    """Whether the demo calls an event on this day: on the day that a visitor's session opens, and then twice a week."""
    return day == opening_day or (day > opening_day and day.weekday() in CALLED_WEEKDAYS)


def workday_on_or_before(day: date) -> date:
    """The day itself from Monday to Friday, else the Friday before."""
    return day - timedelta(days=max(0, day.weekday() - 4))


def workday_before(day: date) -> date:
    """The last day from Monday to Friday before this one."""
    return workday_on_or_before(day - timedelta(days=1))


def workday_after(day: date) -> date:
    """The next day from Monday to Friday."""
    return day + timedelta(days=7 - day.weekday() if day.weekday() >= 4 else 1)


def quarters(start: datetime, end: datetime) -> list[datetime]:
    """The starts of the quarter-hours that lie whole in [start, end); start must be on the quarter."""
    count = max(0, (end - start) // QUARTER)
    return [start + index * QUARTER for index in range(count)]


def floor_quarter(instant: datetime) -> datetime:
    """The start of the quarter-hour that the instant lies in."""
    return instant.replace(minute=instant.minute // 15 * 15, second=0, microsecond=0)
