"""Wall-clock times of a zone to UTC and back, over whole arrays: the repeated autumn hour and the missing spring hour are named."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

FIRST_YEAR, LAST_YEAR = 1970, 2100
"""Rules of a zone are looked up for these years; the offset before and after stays as it was at the edge."""


@dataclass(frozen=True, slots=True, eq=False)
class WallTimes:
    """What a clock on the wall may have meant; every array has the shape of the question.

    Attributes:
        first_s: The instant, or the earlier of the two in a repeated hour; in a missing hour, what the clock would have meant had
            it not been put forward. [s since 1970, UTC]
        second_s: The later instant in a repeated hour; equal to `first_s` elsewhere.
        repeated: In an hour that the clock shows twice, [start, end).
        missing: In an hour that the clock skips, [start, end).
    """

    first_s: Ints
    second_s: Ints
    repeated: Flags
    missing: Flags


class WallClock:
    """The clock on the wall of one zone. Wall times are given as seconds since 1970-01-01T00:00 on that wall."""

    def __init__(self, zone: ZoneInfo) -> None:
        instants, offsets = _changes(zone)
        self._instants, self._offsets = instants, offsets
        before, after = offsets[:-1], offsets[1:]
        # Each change makes a window on the wall in which a time happens twice (clock back) or never (clock forward).
        self._window_starts = instants + np.minimum(before, after)
        self._window_ends = instants + np.maximum(before, after)
        self._goes_back = after < before

    def read(self, wall_s: Ints) -> WallTimes:
        """The instants these wall times name; any shape."""
        window = np.searchsorted(self._window_starts, wall_s, side="right") - 1
        known = window >= 0
        at = np.maximum(window, 0)
        inside = known & (wall_s < self._window_ends[at]) if len(self._instants) else np.zeros(wall_s.shape, dtype=np.bool_)
        # Outside a window the offset is the one after the last change; inside, the clock still (or once more) shows the one before.
        later = self._offsets[window + 1]
        earlier = self._offsets[np.maximum(window, 0)]
        goes_back = self._goes_back[at] if len(self._instants) else inside
        first = wall_s - np.where(inside, earlier, later)
        second = np.where(inside & goes_back, wall_s - later, first)
        return WallTimes(first_s=first, second_s=second, repeated=inside & goes_back, missing=inside & ~goes_back)

    def windows_near(self, wall_s: Ints) -> tuple[Ints, Ints, Flags]:
        """The repeated hour that each wall time lies in or ends: its wall start and end, and whether there is one.

        Unlike `read`, the end itself counts: a label of an interval's end may fall on it.
        """
        at = np.maximum(np.searchsorted(self._window_starts, wall_s, side="right") - 1, 0)
        if not len(self._instants):
            return wall_s, wall_s, np.zeros(wall_s.shape, dtype=np.bool_)
        start, end = self._window_starts[at], self._window_ends[at]
        return start, end, (wall_s >= start) & (wall_s <= end) & self._goes_back[at]

    def show(self, instant_s: Ints) -> Ints:
        """What the clock shows at these instants; any shape."""
        return instant_s + self._offsets[np.searchsorted(self._instants, instant_s, side="right")]


@lru_cache(maxsize=64)
def wall_clock(name: str) -> WallClock:
    """The clock of a zone named as in the IANA data base; raises ZoneInfoNotFoundError."""
    return WallClock(ZoneInfo(name))


def _changes(zone: ZoneInfo) -> tuple[Ints, Ints]:
    """The instants at which the offset changes, and the offsets before, between and after them (one more)."""
    step = timedelta(days=1)
    instants: list[int] = []
    probe = datetime(FIRST_YEAR, 1, 1, tzinfo=UTC)
    end = datetime(LAST_YEAR, 1, 1, tzinfo=UTC)
    offsets = [_offset_s(probe, zone)]
    while probe < end:
        if _offset_s(probe + step, zone) != offsets[-1]:
            moment = _bisect(probe, probe + step, zone)
            instants.append(int(moment.timestamp()))
            offsets.append(_offset_s(moment, zone))
        probe += step
    return np.array(instants, dtype=np.int64), np.array(offsets, dtype=np.int64)


def _bisect(low: datetime, high: datetime, zone: ZoneInfo) -> datetime:
    """The first whole second at which the offset is no longer that of `low`."""
    before = _offset_s(low, zone)
    while high - low > timedelta(seconds=1):
        middle = low + timedelta(seconds=int((high - low).total_seconds()) // 2)
        if _offset_s(middle, zone) == before:
            low = middle
        else:
            high = middle
    return high


def _offset_s(instant: datetime, zone: ZoneInfo) -> int:
    offset = instant.astimezone(zone).utcoffset()
    return 0 if offset is None else int(offset.total_seconds())
