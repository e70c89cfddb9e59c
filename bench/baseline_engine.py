"""The baseline engine alone, in memory: 10-of-10 with a capped ratio, 10,000 quarter-hour meters, 46 days, one event of four hours."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Iterator

import numpy as np

from bench.harness import Bench, Measurement
from commonwatt.baseline.engine import EventDay, History, compute
from commonwatt.baseline.programs import RULES

METERS, DAYS, INTERVALS = 10_000, 46, 96
EVENT_ON = dt.date(2026, 6, 1)


def measurements(bench: Bench) -> Iterator[Measurement]:
    """One measurement, without a peer: the limit is a second."""
    yield Measurement(name="baseline_engine", unit="s", ours=lambda: bench.isolated("bench.baseline_engine:ours").value, max_value=1.0)


def ours() -> float:
    """Seconds for one event. The readings are random whole watt-hours, one in ten thousand missing, one day in twenty an event day."""
    rng = np.random.default_rng(1)
    shape = (METERS, DAYS, INTERVALS)
    load_kwh = rng.integers(0, 900, shape) / 1000
    valid = rng.random(shape) >= 1e-4
    event_on = np.datetime64(EVENT_ON, "D")
    history = History(
        load_kwh=load_kwh,
        valid=valid,
        dates=np.arange(event_on - DAYS, event_on),
        holidays=np.zeros(DAYS, dtype=np.bool_),
        irregular_days=np.zeros(DAYS, dtype=np.bool_),
        excluded=rng.random((METERS, DAYS)) < 0.05,
        interval_minutes=15,
    )
    event = EventDay(
        date=EVENT_ON, first=64, last=80, load_kwh=load_kwh[:, 5].copy(), valid=valid[:, 5].copy(), is_holiday=False, irregular=False
    )
    started = time.perf_counter()
    result = compute(RULES["10-of-10+ratio20"], history, event)
    seconds = time.perf_counter() - started
    if not (result.verdict == 0).all():
        raise RuntimeError("every meter has a baseline, or the time means nothing")
    return seconds
