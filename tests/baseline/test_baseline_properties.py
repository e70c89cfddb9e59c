"""Promises that hold for every rule and every fleet."""

from __future__ import annotations

import dataclasses

import msgspec
import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.baseline.strategies import fleets, rules

from commonwatt.baseline.engine import BaselineResult, EventDay, History, compute
from commonwatt.baseline.reasons import Verdict
from commonwatt.baseline.rules import AdditiveAdjustment, BaselineRule

PER_METER = ("day_status", "ranking_kwh", "days_found", "unadjusted_kwh", "lowest_kwh", "highest_kwh", "adjustment_metered_kwh",
             "adjustment_expected_kwh", "adjustment_raw", "adjustment", "adjustment_status", "adjusted_kwh", "baseline_kwh",
             "verdict", "notes")  # fmt: skip
CODES = ("day_status", "days_found", "adjustment_status", "verdict", "notes")


def test_the_list_of_figures_per_meter_is_complete() -> None:
    """No figure of a result is left out of the promises below."""
    assert {field.name for field in dataclasses.fields(BaselineResult)} == {"rule", "dates", *PER_METER}


@settings(max_examples=150, deadline=None)
@given(rule=rules(), fleet=fleets(), data=st.data())
def test_a_meter_is_judged_alone(rule: BaselineRule, fleet: tuple[History, EventDay], data: st.DataObject) -> None:
    """Other meters, their number and their order change nothing, to the last bit."""
    history, event = fleet
    meters = len(history.load_kwh)
    chosen = data.draw(st.lists(st.integers(0, meters - 1), max_size=2 * meters))
    whole = compute(rule, history, event)
    part = compute(
        rule,
        dataclasses.replace(history, load_kwh=history.load_kwh[chosen], valid=history.valid[chosen], excluded=history.excluded[chosen]),
        dataclasses.replace(event, load_kwh=event.load_kwh[chosen], valid=event.valid[chosen]),
    )
    for name in PER_METER:
        np.testing.assert_array_equal(getattr(part, name), getattr(whole, name)[chosen], err_msg=name)


@settings(max_examples=150, deadline=None)
@given(rule=rules(), fleet=fleets(), factor=st.integers(2, 1000))
def test_twice_the_load_is_twice_the_baseline(rule: BaselineRule, fleet: tuple[History, EventDay], factor: int) -> None:
    """The unit does not matter: a load times so much has a baseline times so much, from the same days."""
    history, event = fleet
    scaled_rule = rule
    if isinstance(rule.adjustment, AdditiveAdjustment) and rule.adjustment.offset_max_kw is not None:
        limit = rule.adjustment.offset_max_kw * factor  # a limit in kW is the one figure of a rule that has a unit
        scaled_rule = msgspec.structs.replace(rule, adjustment=msgspec.structs.replace(rule.adjustment, offset_max_kw=limit))
    once = compute(rule, history, event)
    more = compute(
        scaled_rule,
        dataclasses.replace(history, load_kwh=history.load_kwh * factor),
        dataclasses.replace(event, load_kwh=event.load_kwh * factor),
    )
    for name in CODES:
        np.testing.assert_array_equal(getattr(more, name), getattr(once, name), err_msg=name)
    # Tolerance: a few roundings of one part in 2**53 each.
    np.testing.assert_allclose(more.baseline_kwh, once.baseline_kwh * factor, rtol=1e-12, atol=1e-12)


@settings(max_examples=100, deadline=None)
@given(rule=rules(), fleet=fleets(), weeks=st.integers(-500, 500))
def test_the_calendar_date_does_not_matter(rule: BaselineRule, fleet: tuple[History, EventDay], weeks: int) -> None:
    """The same days some weeks earlier or later have the same baseline, to the last bit."""
    history, event = fleet
    moved = compute(
        rule,
        dataclasses.replace(history, dates=history.dates + np.timedelta64(7 * weeks, "D")),
        dataclasses.replace(event, date=(np.datetime64(event.date, "D") + np.timedelta64(7 * weeks, "D")).item()),
    )
    unmoved = compute(rule, history, event)
    for name in PER_METER:
        np.testing.assert_array_equal(getattr(moved, name), getattr(unmoved, name), err_msg=name)


@settings(max_examples=150, deadline=None)
@given(rule=rules(), fleet=fleets())
def test_the_mean_lies_between_the_days_it_is_made_of(rule: BaselineRule, fleet: tuple[History, EventDay]) -> None:
    """Before adjustment no interval is above the highest or below the lowest of the chosen days, not even by a rounding."""
    history, event = fleet
    result = compute(rule, history, event)
    used = (result.day_status == 1) | (result.day_status == 2)
    for meter, days in enumerate(used):
        load = np.where(history.valid[meter, days], history.load_kwh[meter, days], np.nan)
        for interval in range(load.shape[1]):
            known = load[~np.isnan(load[:, interval]), interval]
            mean = result.unadjusted_kwh[meter, interval]
            assert np.isnan(mean) if known.size == 0 else known.min() <= mean <= known.max()


@settings(max_examples=150, deadline=None)
@given(rule=rules(), fleet=fleets())
def test_an_event_with_a_verdict_of_ok_has_a_baseline_throughout(rule: BaselineRule, fleet: tuple[History, EventDay]) -> None:
    """Either every interval of the event has a number, or none has and the verdict says why."""
    history, event = fleet
    result = compute(rule, history, event)
    for verdict, baseline in zip(result.verdict, result.baseline_kwh, strict=True):
        if verdict == Verdict.OK:
            assert np.isfinite(baseline[event.first : event.last]).all()
        else:
            assert np.isnan(baseline).all()


@settings(max_examples=150, deadline=None)
@given(rule=rules(), fleet=fleets(), data=st.data())
def test_what_happens_during_the_event_cannot_move_the_baseline(
    rule: BaselineRule, fleet: tuple[History, EventDay], data: st.DataObject
) -> None:
    """Readings of the event day from the event's start on are ignored, missing or not."""
    history, event = fleet
    load, valid = event.load_kwh.copy(), event.valid.copy()
    load[:, event.first :] = data.draw(st.sampled_from([0.0, 7.5, -3.0, np.nan]))
    valid[:, event.first :] = data.draw(st.booleans())
    changed = compute(rule, history, dataclasses.replace(event, load_kwh=load, valid=valid))
    np.testing.assert_array_equal(changed.baseline_kwh, compute(rule, history, event).baseline_kwh)


@settings(max_examples=150, deadline=None)
@given(rule=rules(), fleet=fleets(), scale=st.sampled_from([0.0, 1e-12, 1e12, 1e300, np.inf, np.nan, -1.0]))
def test_bad_readings_never_raise(rule: BaselineRule, fleet: tuple[History, EventDay], scale: float) -> None:
    """Zeros, dust, absurd amounts, NaN and export: the engine answers with numbers or reasons, and never fails."""
    history, event = fleet
    with np.errstate(all="ignore"):
        load, today = history.load_kwh * scale, event.load_kwh * scale
    result = compute(rule, dataclasses.replace(history, load_kwh=load), dataclasses.replace(event, load_kwh=today))
    assert not np.isinf(result.baseline_kwh).any()
    if np.isnan(scale) or scale >= 1e300:
        no_reading = (result.verdict == Verdict.TOO_FEW_DAYS) | (result.verdict == Verdict.NO_RULE_FOR_DAY)
        holds_a_zero = (history.load_kwh == 0).any(axis=(1, 2)) & (scale == 1e300)
        assert (no_reading | holds_a_zero).all()
