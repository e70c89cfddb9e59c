"""Local labels: which interval of which civil day an instant belongs to, as a table over a span of time.

A civil day of 23 or 25 hours is brought to the shape of the others here and nowhere else: the label of an hour that does not exist stays
empty, the label of an hour that comes twice collects both. The table is made once and looked up for every reading, so that clock
changes cost nothing where there are none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from commonwatt.kernel.time import local_date, require_utc
from commonwatt.metering.columns import Flags, Ints
from commonwatt.metering.plan import DAY_S, GRID_S
from commonwatt.metering.zones import day_number, day_of, midnight_s

NOWHERE = -1


class BadLabels(ValueError):
    """Days or an interval that cannot be laid out; the message says what they must be."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LabelTable:
    """Where readings of one length belong, for a set of days.

    Attributes:
        begin_s, step_s: Row k of the table is for a reading that starts at begin_s + k * step_s.
        place: Day index * labels a day + label; NOWHERE for other days and for readings that would reach beyond their label. (slots,)
        again: Whether the label was left before on that day and is entered for the second time: the doubled hour. (slots,)
        expected: How many readings make the label whole; 0 where the label does not, or not wholly, exist. (days * labels,)
        scale: What the sum of a whole label is multiplied with: less than 1 where the hour comes twice. (days * labels,)
    """

    begin_s: int
    step_s: int
    place: npt.NDArray[np.int32]
    again: Flags
    expected: npt.NDArray[np.uint16]
    scale: npt.NDArray[np.float64]

    @property
    def end_s(self) -> int:
        """The end of the table's span."""
        return self.begin_s + len(self.place) * self.step_s


def label_index(instant: datetime, zone: ZoneInfo, interval_minutes: int) -> tuple[date, int]:
    """The civil day of an instant and its label there: local minutes since midnight, divided by the interval."""
    _require_interval(interval_minutes)
    local = require_utc(instant).astimezone(zone)
    return local_date(instant, zone), (local.hour * 60 + local.minute) // interval_minutes


def irregular_days(days: Sequence[date], zone: ZoneInfo) -> Flags:
    """Which civil days have 23 or 25 hours, or any other number than 24; shape (days,)."""
    return np.array([_length_s(day, zone) != DAY_S for day in days], dtype=np.bool_)


def label_table(*, days: Sequence[date], zone: ZoneInfo, interval_minutes: int, source_s: int) -> LabelTable:
    """The table for readings that last `source_s` seconds, and labels of so many minutes.

    A source shorter than the label is summed, if whole readings fill it; a longer one fits nowhere.

    Raises:
        BadLabels: For an interval that does not divide the day, or a day given twice.
    """
    _require_interval(interval_minutes)
    if len(set(days)) != len(days):
        raise BadLabels("each day can be asked for once only")
    step_s, interval_s = int(np.gcd(source_s, GRID_S)), interval_minutes * 60
    begin_s = min((midnight_s(day, zone) for day in days), default=0)
    end_s = max((midnight_s(day, zone) + _length_s(day, zone) for day in days), default=0)
    place = np.full((end_s - begin_s) // step_s, NOWHERE, dtype=np.int32)
    again = np.zeros(len(place), dtype=np.bool_)
    labels = DAY_S // interval_s
    seconds = np.zeros((len(days), labels), dtype=np.int64)
    plain_day = _lay_out(np.arange(0, DAY_S, step_s, dtype=np.int64), step_s=step_s, interval_s=interval_s, source_s=source_s)
    for index, day in enumerate(days):
        layout = plain_day
        if _length_s(day, zone) != DAY_S:
            layout = _lay_out(_local_seconds(day, zone, step_s), step_s=step_s, interval_s=interval_s, source_s=source_s)
        first = (midnight_s(day, zone) - begin_s) // step_s
        here = slice(first, first + len(layout.label))
        place[here] = np.where(layout.label == NOWHERE, NOWHERE, index * labels + layout.label)
        again[here], seconds[index] = layout.again, layout.seconds
    expected, scale = _whole_labels(seconds.reshape(-1), interval_s=interval_s, source_s=source_s)
    return LabelTable(begin_s=begin_s, step_s=step_s, place=place, again=again, expected=expected, scale=scale)


@dataclass(frozen=True, slots=True, eq=False)
class _Layout:
    """One day: the label at each step, NOWHERE where no reading can start; whether it was left earlier; each label's real seconds."""

    label: Ints
    again: Flags
    seconds: Ints


def _lay_out(local_s: Ints, *, step_s: int, interval_s: int, source_s: int) -> _Layout:
    """The labels of a day whose clock shows these seconds since midnight, step by step."""
    label, within_s = np.divmod(local_s, interval_s)
    return _Layout(
        label=np.where(within_s + source_s <= interval_s, label, NOWHERE),
        again=_entered_again(label),
        seconds=np.bincount(label, minlength=DAY_S // interval_s) * step_s,
    )


def _whole_labels(seconds: Ints, *, interval_s: int, source_s: int) -> tuple[npt.NDArray[np.uint16], npt.NDArray[np.float64]]:
    """How many readings each label of so many real seconds takes, and its scale."""
    if interval_s == DAY_S:
        # A label that is the whole day is simply the day's energy, however many hours it had; a daily reading is all of it.
        count = np.ones_like(seconds) if source_s == DAY_S else seconds // source_s
        return count.astype(np.uint16), np.ones(len(seconds), dtype=np.float64)
    is_whole = (seconds >= interval_s) & (seconds % source_s == 0)
    expected = np.where(is_whole, seconds // source_s, 0)
    scale = np.where(is_whole, interval_s / np.maximum(seconds, 1), 1.0)
    return expected.astype(np.uint16), scale


def _local_seconds(day: date, zone: ZoneInfo, step_s: int) -> Ints:
    """What the clock shows at each step of the day, in seconds since its midnight."""
    begin_s = midnight_s(day, zone)
    local = (datetime.fromtimestamp(begin_s + second, tz=zone) for second in range(0, _length_s(day, zone), step_s))
    return np.array([item.hour * 3600 + item.minute * 60 + item.second for item in local], dtype=np.int64)


def _entered_again(label: Ints) -> Flags:
    """Whether each step lies in a label that was left earlier; same shape."""
    first = np.flatnonzero(np.append(True, label[1:] != label[:-1]))
    is_later = np.ones(len(first), dtype=np.bool_)
    is_later[np.unique(label[first], return_index=True)[1]] = False
    return np.repeat(is_later, np.diff(np.append(first, len(label))))


def _length_s(day: date, zone: ZoneInfo) -> int:
    return midnight_s(day_of(day_number(day) + 1), zone) - midnight_s(day, zone)


def _require_interval(interval_minutes: int) -> None:
    if interval_minutes < 1 or (DAY_S // 60) % interval_minutes:
        raise BadLabels(f"an interval must divide the day's 1440 minutes, got {interval_minutes}")
