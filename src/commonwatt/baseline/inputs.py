"""What the engine is given: past days and the event day, as arrays over meters, addressed by local label.

Interval 0 of a day starts at local midnight or, for an event over midnight, all days start at the same later hour. How days
of 92 or 100 quarters are brought to that shape is settled where the profiles are built; here such a day is only marked.
Readings may be missing, NaN, zero or negative: that is data, and gets a named reason. Arrays of the wrong shape or type are
a mistake of the caller, and raise.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from commonwatt.baseline.arrays import BoolArray, DateArray, FloatArray

MINUTES_PER_DAY = 1440


class BaselineInputError(ValueError):
    """Arguments that do not fit together; the message names the argument, what it is and what it must be."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class History:
    """Past days of many meters.

    Attributes:
        load_kwh: Energy per interval, (meters, days, intervals). [kWh] Anything where `valid` is False.
        valid: Where there is a reading, same shape. A NaN or an infinity counts as no reading, whatever this says.
        dates: Local dates, ascending without repeats, datetime64[D], (days,). Dates may be left out.
        holidays: Public holidays of the rule's calendar (see `calendars.holiday_flags`), (days,).
        irregular_days: Days of 23 or 25 hours, (days,).
        excluded: Days on which the meter took part in an event or had an outage, (meters, days).
        interval_minutes: Length of an interval; divides the day.

    Raises:
        BaselineInputError: On a wrong shape or type, or dates out of order.
    """

    load_kwh: FloatArray
    valid: BoolArray
    dates: DateArray
    holidays: BoolArray
    irregular_days: BoolArray
    excluded: BoolArray
    interval_minutes: int

    def __post_init__(self) -> None:
        """Hold the arrays against one another."""
        if self.interval_minutes < 1 or MINUTES_PER_DAY % self.interval_minutes:
            raise BaselineInputError(f"interval_minutes must divide a day of 1440, got {self.interval_minutes}")
        if self.load_kwh.ndim != 3:
            raise BaselineInputError(f"load_kwh must be (meters, days, intervals), got shape {self.load_kwh.shape}")
        meters, days, _ = self.load_kwh.shape
        full = (meters, days, MINUTES_PER_DAY // self.interval_minutes)
        require("load_kwh", self.load_kwh, dtype=np.dtype(np.float64), shape=full)
        require("valid", self.valid, dtype=np.dtype(np.bool_), shape=full)
        require("dates", self.dates, dtype=np.dtype("datetime64[D]"), shape=(days,))
        require("holidays", self.holidays, dtype=np.dtype(np.bool_), shape=(days,))
        require("irregular_days", self.irregular_days, dtype=np.dtype(np.bool_), shape=(days,))
        require("excluded", self.excluded, dtype=np.dtype(np.bool_), shape=(meters, days))
        # NaT compares false with everything, so it fails this too.
        if days > 1 and not np.all(self.dates[:-1] < self.dates[1:]):
            raise BaselineInputError("dates must ascend without repeats; sort the days and give each date once")
        if np.isnat(self.dates).any():
            raise BaselineInputError("dates must all be dates, got NaT")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EventDay:
    """The day of the event, for the same meters in the same order.

    Attributes:
        date: The local date.
        first, last: The event's intervals on this day, half-open: `first` is the first, `last` the one after the last.
        load_kwh: Metered energy per interval, (meters, intervals). [kWh] Only the adjustment's hours are looked at.
        valid: Where there is a reading, same shape.
        is_holiday: Whether the date is a public holiday of the rule's calendar.
        irregular: Whether the day has 23 or 25 hours.

    Raises:
        BaselineInputError: On a wrong shape or type, or an event outside the day.
    """

    date: dt.date
    first: int
    last: int
    load_kwh: FloatArray
    valid: BoolArray
    is_holiday: bool
    irregular: bool

    def __post_init__(self) -> None:
        """Hold the arrays and the event's intervals against one another."""
        if self.load_kwh.ndim != 2:
            raise BaselineInputError(f"event load_kwh must be (meters, intervals), got shape {self.load_kwh.shape}")
        shape = self.load_kwh.shape
        require("event load_kwh", self.load_kwh, dtype=np.dtype(np.float64), shape=shape)
        require("event valid", self.valid, dtype=np.dtype(np.bool_), shape=shape)
        if not 0 <= self.first < self.last <= shape[1]:
            raise BaselineInputError(
                f"the event must lie within the day's {shape[1]} intervals and hold at least one, got first={self.first}, last={self.last}"
            )

    @property
    def window(self) -> slice:
        """The event's intervals."""
        return slice(self.first, self.last)


def require(name: str, array: npt.NDArray[Any], *, dtype: np.dtype[Any], shape: tuple[int, ...]) -> None:
    """Raise BaselineInputError unless the array has this type and shape. (Any: the message serves every type.)"""
    if array.dtype != dtype or array.shape != shape:
        raise BaselineInputError(f"{name} must be {dtype} of shape {shape}, got {array.dtype} of shape {array.shape}")


def check_same_meters(history: History, event: EventDay) -> None:
    """Raise BaselineInputError unless both hold as many meters and intervals."""
    meters, _, intervals = history.load_kwh.shape
    if event.load_kwh.shape != (meters, intervals):
        raise BaselineInputError(f"event load_kwh must be of shape {(meters, intervals)}, as the history is, got {event.load_kwh.shape}")
