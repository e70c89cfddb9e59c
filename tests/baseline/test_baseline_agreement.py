"""The engine against a second, naive implementation, on random rules and readings."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.baseline.naive import Call, PastDay, naive
from tests.baseline.strategies import fleets, rules

from commonwatt.baseline.engine import BaselineResult, EventDay, History, compute
from commonwatt.baseline.programs import RULES
from commonwatt.baseline.reasons import AdjustmentStatus, DayStatus, Verdict, notes_in
from commonwatt.baseline.rules import BaselineRule, RatioAdjustment


def watt_hours(load_kwh: np.ndarray, valid: np.ndarray) -> list[int | None]:
    """Whole watt-hours, None where there is no reading."""
    return [round(load * 1000) if is_valid else None for load, is_valid in zip(load_kwh, valid, strict=True)]


def assert_agrees(rule: BaselineRule, history: History, event: EventDay, result: BaselineResult) -> None:
    """Hold every meter's result against the naive one. Tolerance: the naive way computes in exact fractions."""
    dates: list[date] = history.dates.tolist()
    for meter in range(len(history.load_kwh)):
        past = [
            PastDay(
                day,
                watt_hours(history.load_kwh[meter, index], history.valid[meter, index]),
                is_holiday=bool(history.holidays[index]),
                is_irregular=bool(history.irregular_days[index]),
                is_event_day=bool(history.excluded[meter, index]),
            )
            for index, day in enumerate(dates)
        ]
        today = watt_hours(event.load_kwh[meter], event.valid[meter])
        call = Call(event.date, event.first, event.last, today, is_holiday=event.is_holiday)
        want = naive(rule, past, call, history.interval_minutes)
        assert {day: DayStatus(code).name for day, code in zip(dates, result.day_status[meter], strict=True)} == want.status
        assert Verdict(result.verdict[meter]).name == want.verdict
        assert result.days_found[meter] == want.found
        notes = {note.name for note in notes_in(result.notes[meter])} - {"CLOCK_CHANGE_EVENT"}
        assert notes == want.notes
        has_days = want.verdict not in ("TOO_FEW_DAYS", "NO_RULE_FOR_DAY")
        assert AdjustmentStatus(result.adjustment_status[meter]).name == (want.adjustment if has_days else "NO_DAYS")
        intervals = len(today)
        assert result.unadjusted_kwh[meter].tolist() == numbers(want.mean if has_days else [None] * intervals)
        assert result.baseline_kwh[meter].tolist() == numbers(want.baseline if has_days else [None] * intervals)
        unit = 1 if isinstance(rule.adjustment, RatioAdjustment) else 1000
        raw = float("nan") if want.raw is None else float(want.raw) / unit
        assert result.adjustment_raw[meter] == pytest.approx(raw, rel=1e-9, abs=1e-12, nan_ok=True)


def numbers(watt_hours: list) -> object:
    """Exact watt-hours as approximate kWh, NaN where there is none."""
    values = [float("nan") if value is None else float(value) / 1000 for value in watt_hours]
    return pytest.approx(values, rel=1e-9, abs=1e-12, nan_ok=True)


@settings(max_examples=400, deadline=None)
@given(rule=rules(), fleet=fleets())
def test_any_rule_gives_the_same_answer_worked_out_by_hand(rule: BaselineRule, fleet: tuple[History, EventDay]) -> None:
    """Whatever the rule and the readings, the fast engine and a plain reading of the rule find the same."""
    history, event = fleet
    assert_agrees(rule, history, event, compute(rule, history, event))


@settings(max_examples=150, deadline=None)
@given(key=st.sampled_from(sorted(RULES)), fleet=fleets(most_days=26))
def test_every_shipped_rule_gives_the_same_answer_worked_out_by_hand(key: str, fleet: tuple[History, EventDay]) -> None:
    """Each rule that ships agrees with a plain reading of it, day by day and watt-hour by watt-hour."""
    history, event = fleet
    assert_agrees(RULES[key], history, event, compute(RULES[key], history, event))
