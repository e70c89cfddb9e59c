"""What a file held, meter by meter, for comparison with its source: energy, first and last reading, days that are whole or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl

from commonwatt.kernel.time import from_epoch
from commonwatt.metering.columns import Ints
from commonwatt.metering.import_amounts import MICROS_PER_WH
from commonwatt.metering.import_parts import Given
from commonwatt.metering.plan import ChannelFacts
from commonwatt.metering.zones import day_bounds, day_of

METERS_KEPT = 200
"""A report holds the totals of so many channels; more are listed in a file beside it."""
DAYS_KEPT = 10
"""And for each so many incomplete days by name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncompleteDay:
    """A civil day of which the file does not hold every reading."""

    day: date
    found: int
    expected: int


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterTotals:
    """What a file held of one quantity of one meter.

    Attributes:
        number: As the file has it.
        quantity: energy_import or energy_export.
        first_start, last_end: From when until when, in UTC.
        readings: Rows that count, one of each interval, whether new, repeated or revised.
        source_kwh: Their sum, exactly as the file has it. [kWh]
        energy_wh: Their sum as whole readings. [Wh]
        days_expected: Civil days from the first reading to the last, both included.
        days_complete: Of those, days with all their readings: 92, 96 or 100 quarter hours.
        incomplete: The first of the others.
    """

    number: str
    quantity: str
    first_start: datetime
    last_end: datetime
    readings: int
    source_kwh: Decimal
    energy_wh: int
    days_expected: int
    days_complete: int
    incomplete: tuple[IncompleteDay, ...]

    def to_json(self) -> dict[str, Any]:
        """As a batch keeps it. (Any: JSON.)"""
        return {
            "number": self.number,
            "quantity": self.quantity,
            "first_start": self.first_start.isoformat(),
            "last_end": self.last_end.isoformat(),
            "readings": self.readings,
            "source_kwh": str(self.source_kwh),
            "energy_wh": self.energy_wh,
            "days_expected": self.days_expected,
            "days_complete": self.days_complete,
            "incomplete": [[item.day.isoformat(), item.found, item.expected] for item in self.incomplete],
        }

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> MeterTotals:
        """What `to_json` kept. (Any: JSON.)"""
        return cls(
            number=kept["number"],
            quantity=kept["quantity"],
            first_start=datetime.fromisoformat(kept["first_start"]),
            last_end=datetime.fromisoformat(kept["last_end"]),
            readings=kept["readings"],
            source_kwh=Decimal(kept["source_kwh"]),
            energy_wh=kept["energy_wh"],
            days_expected=kept["days_expected"],
            days_complete=kept["days_complete"],
            incomplete=tuple(
                IncompleteDay(day=date.fromisoformat(day), found=found, expected=expected) for day, found, expected in kept["incomplete"]
            ),
        )


@dataclass(slots=True)
class Totals:
    """The totals of an import as its parts go by, bucket after bucket; arrays by place in the channel facts."""

    facts: ChannelFacts
    _sums: dict[str, Ints] = field(init=False)
    _days: list[pl.DataFrame] = field(default_factory=list)
    _whole_days: dict[int, tuple[int, int, tuple[IncompleteDay, ...]]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        channels = len(self.facts.channel_id)
        names = ("readings", "source_wh", "source_micros", "energy_wh", "last_end_s")
        self._sums = {name: np.zeros(channels, dtype=np.int64) for name in names}
        self._sums["first_start_s"] = np.full(channels, np.iinfo(np.int64).max)

    def add(self, given: Given) -> None:
        """Add the rows of a part, or of some of its channels."""
        readings = given.readings
        if not len(readings):
            return
        begins = np.flatnonzero(np.append(True, readings.channel_id[1:] != readings.channel_id[:-1]))
        ends = np.append(begins[1:], len(readings)) - 1
        at = self.facts.places(readings.channel_id[begins])
        whole, micros = np.divmod(given.micro_wh, MICROS_PER_WH)
        self._sums["readings"][at] += np.diff(np.append(begins, len(readings)))
        for name, values in (("source_wh", whole), ("source_micros", micros), ("energy_wh", readings.amount)):
            self._sums[name][at] += np.add.reduceat(values, begins)
        self._sums["first_start_s"][at] = np.minimum(self._sums["first_start_s"][at], readings.start_s[begins])
        self._sums["last_end_s"][at] = np.maximum(self._sums["last_end_s"][at], (readings.start_s + readings.length_s)[ends])
        self._days.append(pl.DataFrame({name: given.counted[name] for name in ("channel_id", "day_number", "readings", "covered_s")}))

    def close_bucket(self) -> None:
        """Look at the days of the bucket whose months have all been added."""
        if not self._days:
            return
        days = pl.concat(self._days).group_by("channel_id", "day_number").agg(pl.col("readings", "covered_s").sum())
        self._days = []
        for (channel_id,), of_channel in days.sort("channel_id", "day_number").group_by("channel_id", maintain_order=True):
            place = int(self.facts.places(np.array([channel_id], dtype=np.int64))[0])
            self._whole_days[place] = self._look_at_days(place, of_channel)

    def _look_at_days(self, place: int, days: pl.DataFrame) -> tuple[int, int, tuple[IncompleteDay, ...]]:
        """Days expected, days complete, and the first of those that are not."""
        number = days["day_number"].to_numpy()
        first, last = int(number[0]), int(number[-1])
        length_s = np.diff(day_bounds(first=day_of(first), last=day_of(last), zone=ZoneInfo(self.facts.zones[place])))
        covered_s, found = np.zeros_like(length_s), np.zeros_like(length_s)
        covered_s[number - first] = days["covered_s"].to_numpy()
        found[number - first] = days["readings"].to_numpy()
        short = np.flatnonzero(covered_s < length_s)
        expected = np.maximum(length_s // self.facts.interval_s[place], 1)
        named = tuple(
            IncompleteDay(day=day_of(first + int(at)), found=int(found[at]), expected=int(expected[at])) for at in short[:DAYS_KEPT]
        )
        return len(length_s), len(length_s) - len(short), named

    def meters(self, names: pl.DataFrame) -> list[MeterTotals]:
        """The totals of every channel with a reading, by number and quantity.

        Args:
            names: Columns channel_id, meter, quantity.
        """
        return [
            self._of(int(place), number, quantity)
            for channel_id, number, quantity in names.sort("meter", "quantity").select("channel_id", "meter", "quantity").rows()
            if self._sums["readings"][place := self.facts.places(np.array([channel_id], dtype=np.int64))[0]]
        ]

    def _of(self, place: int, number: str, quantity: str) -> MeterTotals:
        sums = {name: int(values[place]) for name, values in self._sums.items()}
        days_expected, days_complete, incomplete = self._whole_days[place]
        return MeterTotals(
            number=number,
            quantity=quantity,
            first_start=from_epoch(sums["first_start_s"]),
            last_end=from_epoch(sums["last_end_s"]),
            readings=sums["readings"],
            source_kwh=Decimal(sums["source_wh"] * MICROS_PER_WH + sums["source_micros"]).scaleb(-9).normalize() + 0,
            energy_wh=sums["energy_wh"],
            days_expected=days_expected,
            days_complete=days_complete,
            incomplete=incomplete,
        )


def write_all(path: Path, meters: Sequence[MeterTotals]) -> None:
    """Every channel's totals, as CSV."""
    columns = ("number", "quantity", "first_start", "last_end", "readings", "source_kwh", "energy_wh", "days_expected", "days_complete")
    pl.DataFrame([[str(getattr(item, name)) for name in columns] for item in meters], schema=list(columns), orient="row").write_csv(path)
