"""From what was delivered to what is owed: every line, its exact amount, and the digest of the whole. Pure.

Three rules, in this order, and the only rounding is theirs:
1. Delivered is baseline less reading in whole watt-hours; the baseline was rounded half to even before it came here.
2. Credited is delivered after the program's rule for intervals in which more was used than expected (`credited_wh`).
3. The price is whole micros per kWh after the credit factor (`credited_price`); amount is credited times price, exactly.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from functools import cached_property
from typing import TYPE_CHECKING, Any

from commonwatt.demand_response.choices import Choice, NegativeIntervals
from commonwatt.kernel.money import amount_nanos, split_by_weight

if TYPE_CHECKING:
    from commonwatt.demand_response.measured import Delivery, MeterDelivery

OK = "ok"
OPTED_OUT = "opted_out"
WITHDRAWN = "withdrawn"
"""A meter that an earlier settlement covered and a later one does not."""
PPM = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One interval of one meter. [Wh, micros per kWh, nanos]

    Without a reading there is no metered, without a baseline no baseline, without both nothing delivered: None, and nothing paid.
    """

    start_s: int
    length_s: int
    baseline_wh: int | None
    metered_wh: int | None
    delivered_wh: int | None
    credited_wh: int
    price_micros_per_kwh: int
    amount_nanos: int
    quality: int | None


@dataclass(frozen=True, kw_only=True)
class MeterPlan:
    """One meter's part: how its baseline came about, and its lines.

    Attributes:
        verdict: "ok"; "opted_out": measured, and not paid; or why there is no baseline, as baseline.reasons.Verdict names it.
        baseline_wh, metered_wh, delivered_wh: Sums over the intervals that have both a baseline and a reading, so that the first
            less the second is the third, as on every line.
    """

    meter_id: int
    site_id: int
    customer_id: int
    party_id: str
    verdict: str
    notes: int
    days: tuple[tuple[date, str], ...]
    adjustment_kind: str
    adjustment_value: float | None
    adjustment_raw: float | None
    cap_status: str
    readings_digest: str
    baseline_wh: int
    metered_wh: int
    delivered_wh: int
    credited_wh: int
    amount_nanos: int
    lines: tuple[Line, ...]

    @cached_property
    def digest(self) -> str:
        """SHA-256 of what is said of this meter; see `canonical`."""
        return _sha256(canonical(self))


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerShare:
    """What one customer is owed for the event, over all the meters it held. [Wh, nanos]"""

    customer_id: int
    party_id: str
    credited_wh: int
    amount_nanos: int


@dataclass(frozen=True, kw_only=True)
class SettlementPlan:
    """One computation of one event, whole: the same inputs give the same plan and the same digest on any machine."""

    event_id: int
    terms_version: int
    rule: Mapping[str, Any]  # JSON
    ingest_sequence: int
    readings_digest: str
    meters: tuple[MeterPlan, ...]

    @cached_property
    def digest(self) -> str:
        """SHA-256 of what is said as a whole: the terms, and every meter by its own digest, ascending by id.

        The readings that it was computed from have digests of their own: other readings that come to the same result are the same
        result.
        """
        meters = sorted((meter.meter_id, meter.digest) for meter in self.meters)
        return _sha256("\n".join([_json([self.terms_version, self.rule]), *(f"{meter_id} {digest}" for meter_id, digest in meters)]))

    def shares(self) -> dict[int, CustomerShare]:
        """What each customer is owed, by customer."""
        shares: dict[int, CustomerShare] = {}
        for meter in self.meters:
            before = shares.get(meter.customer_id)
            shares[meter.customer_id] = CustomerShare(
                customer_id=meter.customer_id,
                party_id=meter.party_id,
                credited_wh=meter.credited_wh + (before.credited_wh if before else 0),
                amount_nanos=meter.amount_nanos + (before.amount_nanos if before else 0),
            )
        return shares


def plan_settlement(delivery: Delivery) -> SettlementPlan:
    """Settle a measurement under the terms its event was called with."""
    event = delivery.event
    price = credited_price(price_micros_per_kwh=event.price_micros_per_kwh, credit_factor_ppm=event.credit_factor_ppm)
    convention = NegativeIntervals(event.negative_intervals)
    return SettlementPlan(
        event_id=event.event_id,
        terms_version=event.terms_version,
        rule=event.rule,
        ingest_sequence=delivery.ingest_sequence,
        readings_digest=delivery.readings_digest,
        meters=tuple(_plan_meter(meter, price=price, convention=convention) for meter in delivery.meters),
    )


def credited_price(*, price_micros_per_kwh: int, credit_factor_ppm: int) -> int:
    """The price after the credit factor, in whole micros per kWh, half to even: what the statement shows and the lines use."""
    return round(Fraction(price_micros_per_kwh * credit_factor_ppm, PPM))


def credited_wh(delivered_wh: Sequence[int], convention: NegativeIntervals) -> list[int]:
    """What each interval is credited; never below zero, and zero for zero.

    FLOOR: an interval in which more was used than expected counts as zero, and takes nothing from the others.
    NET: what was used too much in some intervals is deducted from the others of the same meter and event. The sum is then
    delivered in all, or zero; each interval gives up in proportion to what it delivered, by largest remainder, so that every line
    stays whole and none falls below zero.
    """
    gained = [max(0, delivered) for delivered in delivered_wh]
    if convention is NegativeIntervals.FLOOR:
        return gained
    lost = sum(gained) - sum(delivered_wh)
    if lost >= sum(gained):
        return [0] * len(gained)
    return [gain - deduction for gain, deduction in zip(gained, split_by_weight(lost, gained), strict=True)]


def _plan_meter(meter: MeterDelivery, *, price: int, convention: NegativeIntervals) -> MeterPlan:
    lines = tuple(_lines(meter, price=price, convention=convention))
    settled = [line for line in lines if line.delivered_wh is not None]
    return MeterPlan(
        meter_id=meter.meter_id,
        site_id=meter.site_id,
        customer_id=meter.customer_id,
        party_id=meter.party_id,
        verdict=OPTED_OUT if meter.choice == Choice.OUT else meter.verdict,
        notes=meter.notes,
        days=meter.days,
        adjustment_kind=meter.adjustment_kind,
        adjustment_value=meter.adjustment_value,
        adjustment_raw=meter.adjustment_raw,
        cap_status=meter.cap_status,
        readings_digest=meter.readings_digest,
        baseline_wh=sum(line.baseline_wh or 0 for line in settled),
        metered_wh=sum(line.metered_wh or 0 for line in settled),
        delivered_wh=sum(line.delivered_wh or 0 for line in settled),
        credited_wh=sum(line.credited_wh for line in lines),
        amount_nanos=sum(line.amount_nanos for line in lines),
        lines=lines,
    )


def _lines(meter: MeterDelivery, *, price: int, convention: NegativeIntervals) -> Iterator[Line]:
    has_baseline = meter.verdict == OK
    columns = zip(
        meter.starts_s.tolist(),
        meter.baseline_wh.tolist(),
        meter.metered_wh.tolist(),
        meter.has_reading.tolist(),
        meter.quality.tolist(),
        _credits(meter, convention),
        strict=True,
    )
    for start_s, baseline_wh, metered_wh, has_reading, quality, credited in columns:
        yield Line(
            start_s=start_s,
            length_s=meter.interval_s,
            baseline_wh=baseline_wh if has_baseline else None,
            metered_wh=metered_wh if has_reading else None,
            delivered_wh=baseline_wh - metered_wh if has_baseline and has_reading else None,
            credited_wh=credited,
            price_micros_per_kwh=price,
            amount_nanos=amount_nanos(credited, price),
            quality=quality if has_reading else None,
        )


def _credits(meter: MeterDelivery, convention: NegativeIntervals) -> list[int]:
    # An interval without a reading delivers nothing, whatever stands in the arrays, and so neither gains nor takes away.
    if meter.choice == Choice.OUT or meter.verdict != OK:
        return [0] * len(meter.starts_s)
    return credited_wh(meter.delivered_wh.tolist(), convention)


def canonical(meter: MeterPlan) -> str:
    """What a settlement says of one meter, as JSON in one fixed form: ASCII, no blanks, in this order.

    Fractions (the adjustment's factor) are left out: their last binary digit may differ between processors, and whatever they do is
    in the whole watt-hours. Ids, verdict, notes, days, statuses, watt-hours, prices and amounts are all in.
    """
    return _json(
        [
            [meter.meter_id, meter.site_id, meter.party_id, meter.verdict, meter.notes],
            [meter.adjustment_kind, meter.cap_status],
            [[day.isoformat(), status] for day, status in meter.days],
            [meter.baseline_wh, meter.metered_wh, meter.delivered_wh, meter.credited_wh, meter.amount_nanos],
            [_line_values(line) for line in meter.lines],
        ]
    )


def withdrawn(meter_id: int, *, site_id: int, customer_id: int, party_id: str) -> MeterPlan:
    """What a settlement says of a meter that an earlier one covered, and that it has nothing to say of."""
    return MeterPlan(
        meter_id=meter_id,
        site_id=site_id,
        customer_id=customer_id,
        party_id=party_id,
        verdict=WITHDRAWN,
        notes=0,
        days=(),
        adjustment_kind="none",
        adjustment_value=None,
        adjustment_raw=None,
        cap_status="none",
        readings_digest="",
        baseline_wh=0,
        metered_wh=0,
        delivered_wh=0,
        credited_wh=0,
        amount_nanos=0,
        lines=(),
    )


def _line_values(line: Line) -> list[int | None]:
    return [
        line.start_s,
        line.length_s,
        line.baseline_wh,
        line.metered_wh,
        line.delivered_wh,
        line.credited_wh,
        line.price_micros_per_kwh,
        line.amount_nanos,
        line.quality,
    ]


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _json(value: object) -> str:
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
