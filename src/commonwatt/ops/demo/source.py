"""The demo's measured loads: one year of real hours, repeated week by week, divided into quarter-hours that add up to each hour."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
from numpy.typing import NDArray

DATA = Path(__file__).resolve().parent / "data" / "hourly.parquet"
FIRST_DAY = date(2016, 8, 1)  # a Monday, as the data's first day
HOURS = 364 * 24
QUARTER = timedelta(minutes=15)
# Where in its hour the middle of each quarter lies, from the hour's middle, in hours.
_OFFSETS = np.array([-0.375, -0.125, 0.125, 0.375])


@cache
def quarters_wh() -> dict[str, NDArray[np.int64]]:
    """Every source meter's year in quarter-hours, shape (364 * 24 * 4,), by local label. [Wh]"""
    frame = pl.read_parquet(DATA).sort("meter_id", "hour_of_year")
    return {
        str(name): _into_quarters(group["energy_wh"].to_numpy().astype(np.int64))
        for (name,), group in frame.group_by("meter_id", maintain_order=True)
    }


def _into_quarters(hours_wh: NDArray[np.int64]) -> NDArray[np.int64]:
    """Divide each hour along the slope between its neighbours, never below zero; the four quarters sum to the hour exactly."""
    slope = (np.roll(hours_wh, -1) - np.roll(hours_wh, 1)) / 2.0
    slope = np.clip(slope, -2.0 * hours_wh, 2.0 * hours_wh)
    shares = hours_wh[:, None] / 4.0 + slope[:, None] * _OFFSETS / 4.0
    # Differences of the rounded running total: each quarter is whole, and the last one makes the hour come out.
    running = np.rint(np.cumsum(shares, axis=1)).astype(np.int64)
    running[:, -1] = hours_wh
    quarters: NDArray[np.int64] = np.diff(running, axis=1, prepend=0).reshape(-1)
    return quarters


def energy_wh(*, meter: str, starts: list[datetime], zone: ZoneInfo) -> NDArray[np.int64]:
    """What the meter measured in each quarter-hour, named by its start; shape (len(starts),). [Wh]

    The source year is 52 whole weeks and repeats, so that weekdays stay weekdays; a repeated or missing local hour takes the label's value.
    """
    year = quarters_wh()[meter]
    labels = [start.astimezone(zone) for start in starts]
    index = np.array([(label.date() - FIRST_DAY).days % 364 * 96 + label.hour * 4 + label.minute // 15 for label in labels], dtype=np.int64)
    picked: NDArray[np.int64] = year[index]
    return picked
