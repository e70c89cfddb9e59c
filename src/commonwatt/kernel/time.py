"""Instants in UTC, half-open intervals named by their start, and local days of 23, 24 or 25 hours."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

ZERO = timedelta(0)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class NotAnInstant(ValueError):
    """A text or datetime that does not name one moment."""


class NoSuchDay(ValueError):
    """A date that the zone left out when it moved across the date line."""

    def __init__(self, day: date, zone: ZoneInfo) -> None:
        super().__init__(f"{day} does not exist in {zone.key}: the date line was moved across it; leave the day out")


@dataclass(frozen=True, slots=True, order=True)
class Interval:
    """A half-open span of time, [start, end), named by its start, in UTC."""

    start: datetime
    duration: timedelta

    def __post_init__(self) -> None:
        if self.start.utcoffset() != ZERO:  # naive gives None, so it fails too
            raise NotAnInstant(f"interval start must be aware and in UTC, got {self.start!r}")
        if self.duration <= ZERO:
            raise ValueError(f"interval duration must be positive, got {self.duration!r}")

    @property
    def end(self) -> datetime:
        """The first instant that no longer belongs to the interval."""
        return self.start + self.duration

    def contains(self, instant: datetime) -> bool:
        """Whether the instant lies in [start, end)."""
        return self.start <= instant < self.end

    def overlaps(self, other: Interval) -> bool:
        """Whether the two share any moment; intervals that only touch do not."""
        return self.start < other.end and other.start < self.end

    def split(self, step: timedelta) -> Iterator[Interval]:
        """The consecutive parts of length `step`; raises ValueError at once if they do not fill the interval exactly."""
        if step <= ZERO or self.duration % step:
            raise ValueError(f"{self.duration} is not a whole number of steps of {step}")
        return (Interval(self.start + index * step, step) for index in range(self.duration // step))


def require_utc(instant: datetime, *, name: str = "instant") -> datetime:
    """The same instant expressed in UTC; raises NotAnInstant for a naive datetime, naming it."""
    if instant.utcoffset() is None:
        raise NotAnInstant(f"{name} must carry a UTC offset, got {instant.isoformat()}")
    return instant.astimezone(UTC)


def parse_instant(text: str) -> datetime:
    """An ISO 8601 time with offset, in UTC; raises NotAnInstant when it has no offset or is no time at all."""
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise NotAnInstant(f"{text!r} is not an ISO 8601 time; write it like 2026-03-29T01:00Z or 2026-03-29T02:00+01:00") from error
    if instant.utcoffset() is None:
        raise NotAnInstant(f"{text!r} has no UTC offset; add Z or an offset such as +01:00")
    try:
        return instant.astimezone(UTC)
    except OverflowError as error:  # year 1 east of Greenwich, year 9999 west of it
        raise NotAnInstant(f"{text!r} lies outside the years 1 to 9999 in UTC") from error


def epoch_seconds(instant: datetime) -> int:
    """Whole seconds since 1970-01-01T00:00Z; raises NotAnInstant for a naive datetime, ValueError for a fraction."""
    since = require_utc(instant) - EPOCH
    if since.microseconds:
        raise ValueError(f"{instant.isoformat()} is not on a whole second")
    return since.days * 86_400 + since.seconds


def from_epoch(seconds: int) -> datetime:
    """The UTC instant of whole seconds since 1970-01-01T00:00Z."""
    return EPOCH + timedelta(seconds=seconds)


def local_day(day: date, zone: ZoneInfo) -> Interval:
    """The civil day in UTC: 23 or 25 hours long where the clocks change, 24 elsewhere. Days follow one another without gaps.

    Raises:
        NoSuchDay: For a date that the zone skipped, such as 30 December 2011 on Samoa.
    """
    start, end = local_midnight(day, zone), local_midnight(day + timedelta(days=1), zone)
    if start == end:
        raise NoSuchDay(day, zone)
    return Interval(start, end - start)


def local_midnight(day: date, zone: ZoneInfo) -> datetime:
    """The first instant of the civil day, in UTC: of two midnights the first, and the end of the gap where there is none."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    instant = midnight.astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == midnight.replace(tzinfo=None):
        return instant
    # The clocks jump over midnight (Brazil until 2018, Lebanon, Cuba), or over the whole day at the date line. Read with the
    # offsets of after and before the jump, the missing midnight lies before and after it: the jump is found between the two.
    seconds = range(epoch_seconds(midnight.replace(fold=1)), epoch_seconds(instant) + 1)
    return from_epoch(seconds[bisect_left(seconds, day, key=lambda second: from_epoch(second).astimezone(zone).date())])


def local_date(instant: datetime, zone: ZoneInfo) -> date:
    """The civil date at that instant."""
    return require_utc(instant).astimezone(zone).date()


def local_days(first: date, last: date) -> list[date]:
    """Every date from first to last, both included; empty if last lies before first."""
    return [first + timedelta(days=offset) for offset in range((last - first).days + 1)]


def month_start(instant: datetime) -> datetime:
    """Midnight UTC on the first of the instant's UTC month (the key of a sealed month)."""
    return require_utc(instant).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
