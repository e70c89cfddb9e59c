"""Civil days over arrays of instants: where they begin, and which one an instant belongs to."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np

from commonwatt.kernel.time import epoch_seconds, from_epoch, local_date, local_midnight
from commonwatt.metering.columns import Ints

_EPOCH_DAY = date(1970, 1, 1)


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return (day - _EPOCH_DAY).days


def day_of(number: int) -> date:
    """The date so many days after 1970-01-01."""
    return _EPOCH_DAY + timedelta(days=number)


@lru_cache(maxsize=65_536)
def midnight_s(day: date, zone: ZoneInfo) -> int:
    """The first instant of the civil day, in seconds since 1970-01-01T00:00Z."""
    return epoch_seconds(local_midnight(day, zone))


def day_bounds(*, first: date, last: date, zone: ZoneInfo) -> Ints:
    """Midnights of the days first to last, and the one that ends the last: shape (days + 1,). [s since 1970]"""
    return np.array([midnight_s(day_of(n), zone) for n in range(day_number(first), day_number(last) + 2)], dtype=np.int64)


def local_day_numbers(start_s: Ints, zone: ZoneInfo) -> Ints:
    """The civil day (days since 1970-01-01) in which each instant lies; same shape."""
    if not start_s.size:
        return np.empty(0, dtype=np.int64)
    first = local_date(from_epoch(int(start_s.min())), zone)
    last = local_date(from_epoch(int(start_s.max())), zone)
    bounds = day_bounds(first=first, last=last, zone=zone)
    return np.searchsorted(bounds, start_s, side="right") - 1 + day_number(first)
