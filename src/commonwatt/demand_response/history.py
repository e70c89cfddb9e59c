"""The load of sites' meters on past days and on the event day, exchanges stitched, as the baseline engine takes it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

import numpy as np

from commonwatt.baseline.arrays import BoolArray, FloatArray, IntArray
from commonwatt.demand_response.holdings import Holding
from commonwatt.demand_response.window import label_starts_s
from commonwatt.metering.profiles import Profiles, profiles


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Load:
    """Import minus export by local label: row 0 is the first holding given.

    Attributes:
        days: Local dates, ascending.
        energy_kwh: (holdings, days, labels). [kWh] Anything where `valid` is False.
        valid: Where there is a reading of a meter that spoke for the site then, same shape.
        irregular: Days of 23 or 25 hours, or moved days that touch one, (days,).
    """

    days: tuple[date, ...]
    energy_kwh: FloatArray
    valid: BoolArray
    irregular: BoolArray

    def moved(self, shift: int) -> Load:
        """The same load by days that start `shift` labels after midnight, or before it if negative, under their own dates.

        One day at the end, or at the beginning, is left incomplete by that and falls away.
        """
        if not shift:
            return self
        cut = shift % self.energy_kwh.shape[2]
        return Load(
            days=self.days[:-1] if shift > 0 else self.days[1:],
            energy_kwh=np.concatenate([self.energy_kwh[:, :-1, cut:], self.energy_kwh[:, 1:, :cut]], axis=2),
            valid=np.concatenate([self.valid[:, :-1, cut:], self.valid[:, 1:, :cut]], axis=2),
            irregular=self.irregular[:-1] | self.irregular[1:],
        )


def load_of(*, holdings: Sequence[Holding], days: Sequence[date], zone: ZoneInfo, interval_minutes: int, as_of: int | None) -> Load:
    """Read the load of these holdings on these consecutive local days.

    Args:
        holdings: Meters of one interval at sites of one zone, each with the segments of its history.
        as_of: No reading with a higher ingest sequence is looked at; None: all.
    """
    own = [holding.meter_id for holding in holdings]
    before = {segment.meter_id for holding in holdings for segment in holding.segments[1:]} - set(own)
    meter_ids = [*own, *sorted(before)]
    read = profiles(meter_ids=meter_ids, days=list(days), quantity="net", zone=zone, interval_minutes=interval_minutes, as_of=as_of)
    energy_kwh, valid = read.energy_kwh[: len(own)], read.valid[: len(own)]
    starts_s = label_starts_s(days=list(days), zone=zone, interval_minutes=interval_minutes)
    younger = [row for row, holding in enumerate(holdings) if holding.segments[0].from_s > starts_s[0, 0]]
    if younger:  # a copy: another holding may take this meter's readings as its predecessor's
        energy_kwh, valid = energy_kwh.copy(), valid.copy()
    place = {meter_id: row for row, meter_id in enumerate(meter_ids)}
    for row in younger:
        energy_kwh[row], valid[row] = _stitched(holdings[row], read, place, starts_s)
    return Load(days=tuple(days), energy_kwh=energy_kwh, valid=valid, irregular=read.irregular_days)


def _stitched(holding: Holding, read: Profiles, place: dict[int, int], starts_s: IntArray) -> tuple[FloatArray, BoolArray]:
    """Each label from the meter that spoke for the site throughout it; invalid where none did, (days, labels)."""
    energy, known = np.zeros(starts_s.shape), np.zeros(starts_s.shape, dtype=np.bool_)
    for segment in holding.segments:
        covers = (starts_s >= segment.from_s) & (starts_s + read.interval_minutes * 60 <= segment.until_s)
        row = place[segment.meter_id]
        energy[covers], known[covers] = read.energy_kwh[row][covers], read.valid[row][covers]
    return energy, known
