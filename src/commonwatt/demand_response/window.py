"""Where an event lies on the days that it is compared with: from instants to local labels and back. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from commonwatt.baseline.arrays import IntArray
from commonwatt.kernel.time import epoch_seconds, from_epoch, local_midnight

DAY_MINUTES = 1440


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EventWindow:
    """An event on the labels of a local day.

    Days are compared label by label, label 0 at local midnight. An event over midnight would lie on two days, and one soon after
    midnight would have the hours that its baseline is adjusted by on another. The day is then moved by `shift` labels, alike for
    the event and for every day it is compared with.

    Attributes:
        day: The local date on which the event starts; it says what kind of day the moved day is.
        shift: Labels by which the day starts after midnight; negative: before it.
        starts_s: Starts of the whole intervals within the event, seconds since 1970 UTC, ascending, (intervals,). On the day
            the clocks go back the doubled hour is there twice.
        labels: The label of each on the moved day, (intervals,): the doubled hour's labels twice, the missing hour's never.
        first, last: The labels that the event spans on the moved day, half-open; at least one.
    """

    zone: ZoneInfo
    interval_minutes: int
    day: date
    shift: int
    starts_s: IntArray
    labels: IntArray
    first: int
    last: int

    @property
    def labels_per_day(self) -> int:
        """How many labels a day has."""
        return DAY_MINUTES // self.interval_minutes

    def whole_until(self, until: datetime) -> int:
        """How many of the event's intervals have ended by then."""
        ends_s = self.starts_s + self.interval_minutes * 60
        return int(np.searchsorted(ends_s, until.timestamp(), side="right"))

    def labels_of(self, starts_s: IntArray) -> IntArray:
        """The labels of intervals on the moved day, (intervals,); below 0 or past the last label where they lie outside it."""
        return _labels(starts_s, self.zone, self.interval_minutes, self.day) - self.shift

    def day_of(self, instant: datetime) -> date:
        """The (moved) day that an instant belongs to."""
        local = instant.astimezone(self.zone)
        minutes = local.hour * 60 + local.minute - self.shift * self.interval_minutes
        return local.date() + timedelta(days=minutes // DAY_MINUTES)


def event_window(*, starts_at: datetime, ends_at: datetime, zone: ZoneInfo, interval_minutes: int, lead_minutes: int = 0) -> EventWindow:
    """Lay an event of up to 23 hours on the days of a zone, for meters of one interval.

    Intervals start where labels do, counted from local midnight; parts of an interval at either end are left out.

    Args:
        lead_minutes: How long before the event the baseline's adjustment begins. Where the day has room for both, it has both.
    """
    step_s = interval_minutes * 60
    local = starts_at.astimezone(zone)
    day = local.date()
    into_interval_s = (local.hour * 3600 + local.minute * 60 + local.second) % step_s
    first_s = epoch_seconds(starts_at) + (step_s - into_interval_s) % step_s
    starts_s = np.arange(first_s, epoch_seconds(ends_at) - step_s + 1, step_s, dtype=np.int64)
    labels = _labels(starts_s, zone, interval_minutes, day)
    touched = labels if len(labels) else _labels(np.array([first_s - step_s * (into_interval_s > 0)]), zone, interval_minutes, day)
    first, last = int(touched.min()), int(touched.max()) + 1
    per_day = DAY_MINUTES // interval_minutes
    if first >= per_day:  # nothing of it lies on the day it starts on: its only whole intervals come after midnight
        day, labels, first, last = day + timedelta(days=1), labels - per_day, first - per_day, last - per_day
    shift = _shift(first, last, per_day=per_day, lead=-(-lead_minutes // interval_minutes))
    return EventWindow(
        zone=zone,
        interval_minutes=interval_minutes,
        day=day,
        shift=shift,
        starts_s=starts_s,
        labels=labels - shift,
        first=first - shift,
        last=last - shift,
    )


def _shift(first: int, last: int, *, per_day: int, lead: int) -> int:
    """By how many labels to move the day for an event on these labels, with so many labels before it if there is room."""
    if last > per_day:
        return (first + last - per_day) // 2
    if first < lead and last + lead - first <= per_day:
        return first - lead
    return 0


def label_starts_s(*, days: list[date], zone: ZoneInfo, interval_minutes: int) -> IntArray:
    """When each label of each local day starts, seconds since 1970 UTC, (days, labels): its first occurrence where it is
    doubled, and some moment of the gap's edge where it is missing.
    """
    step_s, per_day = interval_minutes * 60, DAY_MINUTES // interval_minutes
    midnights = np.array([epoch_seconds(local_midnight(day, zone)) for day in days], dtype=np.int64)
    starts = midnights[:, np.newaxis] + np.arange(per_day) * step_s
    lengths = np.array([epoch_seconds(local_midnight(day + timedelta(days=1), zone)) for day in days]) - midnights
    for row in np.flatnonzero(lengths != DAY_MINUTES * 60):
        day = days[row]
        naive = datetime(day.year, day.month, day.day, tzinfo=zone)
        starts[row] = [epoch_seconds(naive + timedelta(seconds=label * step_s)) for label in range(per_day)]
    return starts


def _labels(starts_s: IntArray, zone: ZoneInfo, interval_minutes: int, day: date) -> IntArray:
    """Labels counted from the midnight that begins `day`; the next day's follow on."""
    labels = []
    for start_s in starts_s.tolist():
        local = from_epoch(start_s).astimezone(zone)
        labels.append((local.date() - day).days * (DAY_MINUTES // interval_minutes) + (local.hour * 60 + local.minute) // interval_minutes)
    return np.array(labels, dtype=np.int64)
