"""Arguments that do not fit together are a mistake of the program, and are named; bad readings are not (see the examples)."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pytest
from tests.baseline.cases import event_day, history, rule

from commonwatt.baseline.engine import BaselineInputError, compute

PAST = history(np.ones((2, 3, 24)))
TODAY = event_day(np.ones((2, 24)), first=17, last=19)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"load_kwh": np.ones((2, 3))}, r"load_kwh must be \(meters, days, intervals\), got shape \(2, 3\)"),
        ({"load_kwh": np.ones((2, 3, 23))}, r"load_kwh must be float64 of shape \(2, 3, 24\), got float64 of shape \(2, 3, 23\)"),
        ({"load_kwh": np.ones((2, 3, 24), dtype=np.int64)}, "load_kwh must be float64 .* got int64"),
        ({"valid": np.ones((2, 3, 24))}, "valid must be bool .* got float64"),
        ({"valid": np.ones((2, 1, 24), dtype=np.bool_)}, r"valid must be bool of shape \(2, 3, 24\)"),
        ({"dates": PAST.dates.astype("datetime64[s]")}, r"dates must be datetime64\[D\]"),
        ({"dates": PAST.dates[:2]}, r"dates must be datetime64\[D\] of shape \(3,\)"),
        ({"dates": PAST.dates[::-1]}, "dates must ascend without repeats"),
        ({"dates": PAST.dates[[0, 0, 1]]}, "dates must ascend without repeats"),
        ({"dates": np.array(["2026-06-01", "NaT", "2026-06-03"], dtype="datetime64[D]")}, "dates must ascend"),
        ({"holidays": np.zeros(2, dtype=np.bool_)}, r"holidays must be bool of shape \(3,\)"),
        ({"irregular_days": np.zeros(2, dtype=np.bool_)}, r"irregular_days must be bool of shape \(3,\)"),
        ({"excluded": np.zeros(3, dtype=np.bool_)}, r"excluded must be bool of shape \(2, 3\)"),
        ({"interval_minutes": 7}, "interval_minutes must divide a day of 1440, got 7"),
        ({"interval_minutes": 0}, "interval_minutes must divide a day of 1440, got 0"),
        ({"interval_minutes": 15}, r"load_kwh must be float64 of shape \(2, 3, 96\)"),
    ],
)
def test_a_history_that_does_not_fit_is_named(change: dict[str, Any], message: str) -> None:
    """Each array says what it is and what it must be."""
    with pytest.raises(BaselineInputError, match=message):
        dataclasses.replace(PAST, **change)


def test_a_single_day_without_a_date_is_named() -> None:
    """One day needs a date as well."""
    with pytest.raises(BaselineInputError, match="got NaT"):
        dataclasses.replace(history(np.ones((1, 1, 24))), dates=np.array(["NaT"], dtype="datetime64[D]"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"load_kwh": np.ones(24)}, r"event load_kwh must be \(meters, intervals\), got shape \(24,\)"),
        ({"load_kwh": np.ones((2, 24), dtype=np.float32)}, "event load_kwh must be float64 .* got float32"),
        ({"valid": np.ones((1, 24), dtype=np.bool_)}, r"event valid must be bool of shape \(2, 24\)"),
        ({"first": -1}, "the event must lie within the day's 24 intervals and hold at least one, got first=-1, last=19"),
        ({"last": 25}, "got first=17, last=25"),
        ({"last": 17}, "got first=17, last=17"),
    ],
)
def test_an_event_day_that_does_not_fit_is_named(change: dict[str, Any], message: str) -> None:
    """An event lies within its day."""
    with pytest.raises(BaselineInputError, match=message):
        dataclasses.replace(TODAY, **change)


@pytest.mark.parametrize("shape", [(1, 24), (2, 96)])
def test_history_and_event_day_must_hold_the_same_meters(shape: tuple[int, int]) -> None:
    """Two meters in one, one in the other: no baseline could be told apart."""
    with pytest.raises(BaselineInputError, match=r"event load_kwh must be of shape \(2, 24\), as the history is"):
        compute(rule(), PAST, event_day(np.ones(shape), first=1, last=2))
