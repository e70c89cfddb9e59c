"""Readings for the world's meters: ordinary days of quarter hours, and an event day with less use in the event."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import numpy as np
from tests.settlement.world import ENDS_AT, STARTS_AT, World

from commonwatt.kernel.time import epoch_seconds
from commonwatt.metering.columns import IngestReport, ReadingColumns
from commonwatt.metering.recording import record_readings
from commonwatt.metering.values import MeterView

QUARTER_S = 900
DAYS_BACK = 16  # eleven weekdays lie within


def write(meter: MeterView, start: datetime, amounts_wh: Sequence[int], *, now: datetime, quality: int = 0) -> IngestReport:
    """Record quarter hours from `start` on."""
    count = len(amounts_wh)
    columns = ReadingColumns(
        channel_id=np.full(count, meter.channels[0].id, dtype=np.int64),
        start_s=epoch_seconds(start) + QUARTER_S * np.arange(count, dtype=np.int64),
        length_s=np.full(count, QUARTER_S, dtype=np.int64),
        amount=np.array(amounts_wh, dtype=np.int64),
        quality=np.full(count, quality, dtype=np.int64),
    )
    return record_readings(readings=columns, source="test", reference="", now=now)


def write_history(world: World, *, now: datetime = ENDS_AT) -> None:
    """Sixteen days up to the event for Ana and Chloe: 250 Wh a quarter on even days, 251 on odd ones; the office has none."""
    first = STARTS_AT - timedelta(days=DAYS_BACK)
    amounts = [250 + (first + index * timedelta(seconds=QUARTER_S)).toordinal() % 2 for index in range(DAYS_BACK * 96)]
    for whose in ("ana", "chloe"):
        write(world.meters[whose], first, amounts, now=now)


def write_event(
    world: World, whose: str, amounts_wh: Sequence[int], *, start: datetime = STARTS_AT, now: datetime = ENDS_AT
) -> IngestReport:
    """The four quarters of the event."""
    return write(world.meters[whose], start, amounts_wh, now=now)
