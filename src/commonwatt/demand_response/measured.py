"""What a measurement of an event says: values only, so that settlement and pages can hold and compare them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias, overload

import numpy as np
import numpy.typing as npt

from commonwatt.baseline.arrays import BoolArray, CodeArray, FloatArray, IntArray
from commonwatt.baseline.reasons import AdjustmentStatus, DayStatus, Verdict
from commonwatt.baseline.rules import AdjustmentKind, BaselineRule
from commonwatt.demand_response.views import EventFacts

QualityArray: TypeAlias = npt.NDArray[np.int8]
_DAY_WORDS = {int(status): status.name.lower() for status in DayStatus}


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldMeter:
    """A meter of a participant's site, and whom it belonged to when the event started."""

    meter_id: int
    site_id: int
    customer_id: int
    party_id: str
    choice: str  # "", "in" or "out"; no answer means taking part


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MeterDelivery:
    """One meter's part of a measurement, interval by interval. Codes are in words, so that it can be stored as it is.

    Attributes:
        party_id: The pseudonym of the customer who held the meter when the event started.
        choice: "", "in" or "out"; no answer means taking part. Who opted out is measured, and not paid.
        verdict: The name of a baseline.reasons.Verdict in lower case: "ok", or why there is no baseline.
        notes: Bits of baseline.reasons.Note: what to know about a baseline that stands.
        days: Every day looked at with the name of its baseline.reasons.DayStatus in lower case, newest first.
        adjustment_kind: "none", "ratio" or "additive".
        adjustment_value: The factor, or kWh per interval, that was applied; None where the rule has no adjustment.
        adjustment_raw: The same before its limits; None where it could not be computed.
        cap_status: The name of a baseline.reasons.AdjustmentStatus in lower case.
        starts_s: Starts of the event's intervals, whole seconds since 1970 UTC, ascending, (intervals,).
        baseline_kwh: The baseline before rounding, NaN throughout without one, (intervals,). [kWh]
        baseline_wh: The same in whole watt-hours, half to even; 0 without one, (intervals,). [Wh]
        metered_wh: Import minus export; 0 where a reading is missing, (intervals,). [Wh]
        has_reading: Where every channel of the meter has its reading, (intervals,).
        valid: Where there is a reading and a baseline: only these intervals deliver anything, (intervals,).
        quality: The worst quality among the interval's readings (metering's Quality); 3 where one is missing, (intervals,).
        readings_digest: SHA-256 of everything of this meter that went in; see `digests.meter_digest`.
    """

    meter_id: int
    site_id: int
    customer_id: int
    party_id: str
    choice: str
    verdict: str
    notes: int
    days: tuple[tuple[date, str], ...]
    adjustment_kind: str
    adjustment_value: float | None
    adjustment_raw: float | None
    cap_status: str
    interval_s: int
    starts_s: IntArray
    baseline_kwh: FloatArray
    baseline_wh: IntArray
    metered_wh: IntArray
    has_reading: BoolArray
    valid: BoolArray
    quality: QualityArray
    readings_digest: str

    @property
    def delivered_wh(self) -> IntArray:
        """Baseline minus reading, positive where less was used; 0 where either is missing, (intervals,). [Wh]"""
        return np.where(self.valid, self.baseline_wh - self.metered_wh, 0)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MeasuredGroup:
    """Meters that share zone, holidays and interval, as arrays: rows are meters, columns intervals of the event."""

    meters: tuple[HeldMeter, ...]
    interval_s: int
    starts_s: IntArray
    dates: tuple[date, ...]  # newest first
    day_status: CodeArray  # (meters, dates)
    adjustment_kind: AdjustmentKind
    adjustment_value: FloatArray
    adjustment_raw: FloatArray
    cap_status: CodeArray
    verdict: CodeArray
    notes: CodeArray
    baseline_kwh: FloatArray
    baseline_wh: IntArray
    metered_wh: IntArray
    has_reading: BoolArray
    quality: QualityArray
    digests: tuple[str, ...]

    @property
    def valid(self) -> BoolArray:
        """Where there is a reading and a baseline, (meters, intervals)."""
        has_baseline: BoolArray = self.verdict == Verdict.OK
        return self.has_reading & has_baseline[:, np.newaxis]

    @property
    def delivered_wh(self) -> IntArray:
        """Baseline minus reading; 0 where either is missing, (meters, intervals). [Wh]"""
        return np.where(self.valid, self.baseline_wh - self.metered_wh, 0)

    def meter(self, row: int) -> MeterDelivery:
        """One meter's part."""
        held = self.meters[row]
        statuses = (_DAY_WORDS[code] for code in self.day_status[row].tolist())
        return MeterDelivery(
            meter_id=held.meter_id,
            site_id=held.site_id,
            customer_id=held.customer_id,
            party_id=held.party_id,
            choice=held.choice,
            verdict=Verdict(int(self.verdict[row])).name.lower(),
            notes=int(self.notes[row]),
            days=tuple(zip(self.dates, statuses, strict=True)),
            adjustment_kind=self.adjustment_kind.value,
            adjustment_value=None if self.adjustment_kind is AdjustmentKind.NONE else float(self.adjustment_value[row]),
            adjustment_raw=None if np.isnan(self.adjustment_raw[row]) else float(self.adjustment_raw[row]),
            cap_status=AdjustmentStatus(int(self.cap_status[row])).name.lower(),
            interval_s=self.interval_s,
            starts_s=self.starts_s,
            baseline_kwh=self.baseline_kwh[row],
            baseline_wh=self.baseline_wh[row],
            metered_wh=self.metered_wh[row],
            has_reading=self.has_reading[row],
            valid=self.valid[row],
            quality=self.quality[row],
            readings_digest=self.digests[row],
        )


class MeterDeliveries(Sequence[MeterDelivery]):
    """The meters of all groups, ascending by id; each is built when it is asked for."""

    def __init__(self, groups: tuple[MeasuredGroup, ...]) -> None:
        places = [(held.meter_id, group, row) for group in groups for row, held in enumerate(group.meters)]
        self._places = sorted(places, key=lambda place: place[0])

    def __len__(self) -> int:
        return len(self._places)

    @overload
    def __getitem__(self, index: int) -> MeterDelivery: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[MeterDelivery]: ...
    def __getitem__(self, index: int | slice) -> MeterDelivery | Sequence[MeterDelivery]:
        if isinstance(index, slice):
            return [group.meter(row) for _, group, row in self._places[index]]
        _, group, row = self._places[index]
        return group.meter(row)

    def __iter__(self) -> Iterator[MeterDelivery]:
        return (group.meter(row) for _, group, row in self._places)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Delivery:
    """A measurement of one event: reproducible from its rule and its ingest sequence.

    Attributes:
        ingest_sequence: What was known: no reading with a higher sequence was looked at.
        readings_digest: SHA-256 over the meters' digests; see `digests.whole_digest`.
        sites_without_meter: Participants' sites that held no meter when the event started.
    """

    event: EventFacts
    rule: BaselineRule
    groups: tuple[MeasuredGroup, ...]
    ingest_sequence: int
    readings_digest: str
    sites_without_meter: tuple[int, ...]

    @property
    def meters(self) -> Sequence[MeterDelivery]:
        """Every meter, ascending by id."""
        return MeterDeliveries(self.groups)
