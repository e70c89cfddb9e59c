"""What a meter may be expected to use on any day: the mean of the latest days like it. For people to compare with, not to be paid by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from commonwatt.baseline.arrays import BoolArray, FloatArray, IntArray

LOOK_BACK_DAYS = 45
WEEKDAYS_USED, WEEKDAYS_NEEDED = 10, 5
REST_DAYS_USED, REST_DAYS_NEEDED = 4, 2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LikeDays:
    """What the days before say of each day asked for.

    Attributes:
        mean, low, high: Mean, least and most of the like days, label by label, (days asked for, labels); NaN where there are too few.
        used: The positions of the days behind each, newest first.
    """

    mean: FloatArray
    low: FloatArray
    high: FloatArray
    used: tuple[tuple[int, ...], ...]


def like_days(*, energy: FloatArray, is_usable: BoolArray, is_rest_day: BoolArray, asked_for: IntArray) -> LikeDays:
    """Expect of each day the mean of the latest usable days of its kind before it, as a forecast made at its midnight could.

    A weekday is compared with the 10 latest weekdays (5 at least), a rest day (weekend or public holiday) with the 4 latest rest days
    (2 at least), none longer ago than 45 days.

    Args:
        energy: Energy by label of consecutive days, oldest first, (days, labels). Anything where a day is not usable.
        is_usable: Whether a day is whole and ordinary, (days,).
        is_rest_day: Whether it is one, (days,).
        asked_for: Positions of the days to say something about, (asked,).
    Source:
        The like-day method of day-ahead load forecasting; sizes as in CAISO's day matching (`programs`, "10-of-10"), fewer at least.
    """
    bounds = np.full((3, len(asked_for), energy.shape[1]), np.nan)
    used: list[tuple[int, ...]] = []
    for row, position in enumerate(asked_for.tolist()):
        chosen = _latest_alike(position, is_usable, is_rest_day)
        used.append(tuple(chosen.tolist()))
        if len(chosen):
            alike = energy[chosen]
            bounds[:, row] = alike.mean(axis=0), alike.min(axis=0), alike.max(axis=0)
    return LikeDays(mean=bounds[0], low=bounds[1], high=bounds[2], used=tuple(used))


def _latest_alike(position: int, is_usable: BoolArray, is_rest_day: BoolArray) -> IntArray:
    """The days to compare with, newest first; none where they are too few."""
    size, needed = (REST_DAYS_USED, REST_DAYS_NEEDED) if is_rest_day[position] else (WEEKDAYS_USED, WEEKDAYS_NEEDED)
    first = max(0, position - LOOK_BACK_DAYS)
    alike = first + np.flatnonzero(is_usable[first:position] & (is_rest_day[first:position] == is_rest_day[position]))
    return alike[::-1][:size] if len(alike) >= needed else alike[:0]
