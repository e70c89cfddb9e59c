"""Which civil days a page shows, as its address says it: `?period=month&on=2026-11-20`, `?period=custom&from=…&to=…`. Pure."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from urllib.parse import urlencode

WEEK_DAYS = 7
LONGEST_DAYS = 3 * 366
_DAY = timedelta(days=1)
_MANY_DAYS = 62


class Span(StrEnum):
    """How long a period is."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"
    CUSTOM = "custom"


class Step(StrEnum):
    """What one bar of it stands for."""

    INTERVAL = "interval"
    DAY = "day"
    MONTH = "month"


class BadPeriod(ValueError):
    """An address whose period cannot be read; `problem` is a code: unknown, no_date, backwards, too_long."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)
        self.problem = problem


@dataclass(frozen=True, slots=True)
class Period:
    """Civil days from first to last, both included."""

    span: Span
    first: date
    last: date

    @property
    def step(self) -> Step:
        """Intervals for one day, days for weeks and months, months for longer."""
        if self.first == self.last:
            return Step.INTERVAL
        return Step.MONTH if self.days > _MANY_DAYS else Step.DAY

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.last - self.first).days + 1

    @property
    def query(self) -> str:
        """How an address says it."""
        if self.span is Span.CUSTOM:
            return "?" + urlencode({"period": self.span, "from": self.first.isoformat(), "to": self.last.isoformat()})
        return "?" + urlencode({"period": self.span, "on": self.last.isoformat() if self.span is Span.WEEK else self.first.isoformat()})

    def moved(self, steps: int) -> Period:
        """The period so many of its own lengths later, or (negative) earlier."""
        match self.span:
            case Span.MONTH:
                months = self.first.year * 12 + self.first.month - 1 + steps
                return period(Span.MONTH, date(months // 12, months % 12 + 1, 1))
            case Span.YEAR:
                return period(Span.YEAR, date(self.first.year + steps, 1, 1))
            case _:
                shift = steps * self.days * _DAY
                return Period(self.span, self.first + shift, self.last + shift)


def period(span: Span, on: date) -> Period:
    """The period of a length that contains a day; seven days end with it."""
    match span:
        case Span.DAY | Span.CUSTOM:
            return Period(span, on, on)
        case Span.WEEK:
            return Period(span, on - (WEEK_DAYS - 1) * _DAY, on)
        case Span.MONTH:
            return Period(span, on.replace(day=1), on.replace(day=monthrange(on.year, on.month)[1]))
        case Span.YEAR:
            return Period(span, date(on.year, 1, 1), date(on.year, 12, 31))


def asked_for(parameters: Mapping[str, str], *, today: date) -> Period:
    """The period that an address asks for; today where it says nothing.

    Raises:
        BadPeriod: For a length there is not, a date that is none, one that ends before it begins, or more than three years.
    """
    name = parameters.get("period") or Span.DAY
    if name not in set(Span):
        raise BadPeriod("unknown")
    if name != Span.CUSTOM:
        return period(Span(name), _date(parameters["on"]) if parameters.get("on") else today)
    first, last = _date(parameters.get("from", "")), _date(parameters.get("to", ""))
    if last < first:
        raise BadPeriod("backwards")
    if (last - first).days >= LONGEST_DAYS:
        raise BadPeriod("too_long")
    return Period(Span.CUSTOM, first, last)


def _date(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise BadPeriod("no_date") from None
    if not 1990 <= day.year <= 2200:  # far from where calendars and clocks end, with room to move on
        raise BadPeriod("no_date")
    return day
