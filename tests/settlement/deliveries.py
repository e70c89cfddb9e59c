"""Measurements made by hand, for tests of what is paid for them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import numpy as np

from commonwatt.baseline.programs import RULES
from commonwatt.baseline.reasons import AdjustmentStatus, DayStatus, Verdict
from commonwatt.baseline.rules import AdjustmentKind, rule_to_dict
from commonwatt.demand_response.choices import EventStatus
from commonwatt.demand_response.digests import whole_digest
from commonwatt.demand_response.measured import Delivery, HeldMeter, MeasuredGroup
from commonwatt.demand_response.views import EventFacts

START = datetime(2026, 3, 26, 17, 0, tzinfo=UTC)
START_S = 1_774_544_400
QUARTER = 900
RULE = RULES["10-of-10+ratio20"]
DAYS = ((date(2026, 3, 25), DayStatus.SELECTED), (date(2026, 3, 24), DayStatus.SELECTED), (date(2026, 3, 22), DayStatus.OTHER_DAY_KIND))


def event(
    *,
    event_id: int = 1,
    price: int = 250_000,
    factor_ppm: int = 1_000_000,
    negative: str = "floor",
    quarters: int = 4,
    program: str = "prg_evening",
    program_id: int = 1,
    status: EventStatus = EventStatus.COMPLETED,
    cancelled_at: datetime | None = None,
) -> EventFacts:
    """An hour on a Thursday evening, at a quarter of a euro a kWh, unless said otherwise."""
    return EventFacts(
        event_id=event_id,
        public_id=f"evt_{event_id}",
        status=status,
        starts_at=START,
        ends_at=START + timedelta(seconds=quarters * QUARTER),
        cancelled_at=cancelled_at,
        is_test=False,
        reason="",
        program_id=program_id,
        program_public_id=program,
        program_name="Evening peak",
        currency="EUR",
        time_zone="Europe/Brussels",
        terms_version=1,
        rule=rule_to_dict(RULE),
        price_micros_per_kwh=price,
        credit_factor_ppm=factor_ppm,
        negative_intervals=negative,
        data_wait_minutes=60,
        responding_share_ppm=50_000,
    )


def meter(
    *,
    baseline_kwh: Sequence[float],
    metered_wh: Sequence[int | None],
    meter_id: int = 1,
    site_id: int = 1,
    customer_id: int = 1,
    party_id: str = "pty_ana",
    choice: str = "",
    verdict: Verdict = Verdict.OK,
    cap_status: AdjustmentStatus = AdjustmentStatus.NONE,
    readings: str = "a",
    quality: int = 0,
    start_s: int = START_S,
) -> MeasuredGroup:
    """One meter in a group of its own; None among the readings is a missing one."""
    kwh = np.array([baseline_kwh], dtype=np.float64)
    has_reading = np.array([[wh is not None for wh in metered_wh]])
    return MeasuredGroup(
        meters=(HeldMeter(meter_id=meter_id, site_id=site_id, customer_id=customer_id, party_id=party_id, choice=choice),),
        interval_s=QUARTER,
        starts_s=start_s + QUARTER * np.arange(len(metered_wh), dtype=np.int64),
        dates=tuple(day for day, _ in DAYS),
        day_status=np.array([[int(status) for _, status in DAYS]], dtype=np.uint8),
        adjustment_kind=AdjustmentKind.NONE,
        adjustment_value=np.array([1.0]),
        adjustment_raw=np.array([np.nan]),
        cap_status=np.array([int(cap_status)], dtype=np.uint8),
        verdict=np.array([int(verdict)], dtype=np.uint8),
        notes=np.zeros(1, dtype=np.uint8),
        baseline_kwh=kwh if verdict is Verdict.OK else np.full_like(kwh, np.nan),
        baseline_wh=np.rint(kwh * 1000).astype(np.int64) if verdict is Verdict.OK else np.zeros(kwh.shape, dtype=np.int64),
        metered_wh=np.array([[wh or 0 for wh in metered_wh]], dtype=np.int64),
        has_reading=has_reading,
        quality=np.where(has_reading, quality, 3).astype(np.int8),
        digests=(readings * 64,),
    )


def delivery(*groups: MeasuredGroup, of: EventFacts | None = None, sequence: int = 10) -> Delivery:
    """A measurement of these meters; its readings' digest follows from theirs."""
    return Delivery(
        event=of or event(),
        rule=RULE,
        groups=groups,
        ingest_sequence=sequence,
        readings_digest=whole_digest((group.meters[0].meter_id, group.digests[0]) for group in groups),
        sites_without_meter=(),
    )
