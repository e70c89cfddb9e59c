"""Small cases worked out by hand, each figure exact."""

from __future__ import annotations

from datetime import date, timedelta

import numpy as np
import pytest
from tests.baseline.cases import MONDAY, event_day, history, pool, rule

from commonwatt.baseline.engine import BaselineResult, compute
from commonwatt.baseline.programs import RULES
from commonwatt.baseline.reasons import AdjustmentStatus, DayStatus, Note, Verdict, notes_in
from commonwatt.baseline.rules import (
    AdditiveAdjustment,
    DayKind,
    HighestDays,
    LowestDays,
    MiddleDays,
    RankBy,
    RatioAdjustment,
    WhenShort,
    WhenUnknown,
)

S = DayStatus
FRIDAY = MONDAY - timedelta(days=3)


def flat_days(*kwh: float) -> np.ndarray:
    """One meter whose days are flat, 24 hourly intervals each, oldest first."""
    return np.repeat(np.array([kwh]).T, 24, axis=1)[np.newaxis]


def statuses(result: BaselineResult) -> list[DayStatus]:
    """The first meter's days, oldest first."""
    return [DayStatus(code) for code in result.day_status[0]]


def evening(today: float = 1.0, **facts: bool) -> dict:
    """An event from 17 to 19 on an hourly meter that uses the same all day."""
    return {"load_kwh": np.full((1, 24), today), "first": 17, "last": 19, **facts}


# The shipped rules. Days are numbered so that a mean tells which were used.


def test_ten_of_ten_takes_the_ten_latest_weekdays() -> None:
    """Two weeks and a bit of weekdays before a Monday: the ten latest count, weekends do not."""
    days = list(range(1, 18))  # 29 May (a Friday) = 1 … 14 June (a Sunday) = 17
    result = compute(RULES["10-of-10"], history(flat_days(*days)), event_day(**evening()))
    used = [4, 5, 6, 7, 8, 11, 12, 13, 14, 15]  # 1-5 and 8-12 June
    assert statuses(result) == [
        S.NOT_NEEDED, S.OTHER_DAY_KIND, S.OTHER_DAY_KIND, *[S.SELECTED] * 5, S.OTHER_DAY_KIND, S.OTHER_DAY_KIND,
        *[S.SELECTED] * 5, S.OTHER_DAY_KIND, S.OTHER_DAY_KIND,
    ]  # fmt: skip
    assert result.baseline_kwh[0].tolist() == [sum(used) / 10] * 24
    assert (result.lowest_kwh[0, 0], result.highest_kwh[0, 0]) == (4, 15)
    assert (result.verdict[0], result.adjustment_status[0], result.notes[0], result.days_found[0]) == (0, 0, 0, 10)
    assert result.adjustment[0] == 0
    assert np.isnan(result.adjustment_raw[0])


def test_ten_of_ten_on_a_holiday_takes_four_weekend_days() -> None:
    """An event on a holiday is compared with the four latest weekend days or holidays."""
    thursday = MONDAY - timedelta(days=4)
    past = history(flat_days(*range(1, 18)), holidays=[thursday])
    result = compute(RULES["10-of-10"], past, event_day(**evening(is_holiday=True)))
    assert result.baseline_kwh[0, 17] == (17 + 16 + 14 + 10) / 4
    on_monday = compute(RULES["10-of-10"], past, event_day(**evening()))
    assert statuses(on_monday)[13] is S.HOLIDAY


def test_high_five_of_ten_takes_the_five_highest() -> None:
    """Of ten weekdays the five with the most energy in the event's hours count, wherever they lie."""
    kwh = [9, 1, 9, 2, 9, 3, 9, 4, 5, 1, 7, 9, 6, 7, 8, 9, 9]
    result = compute(RULES["high-5-of-10"], history(flat_days(*kwh)), event_day(**evening()))
    # 1-5 June: 2 9 3 9 4; 8-12 June: 7 9 6 7 8. The five highest: 9, 9, 9, 8, and 7 of the 11th rather than of the 8th.
    assert result.baseline_kwh[0, 17] == (9 + 9 + 9 + 8 + 7) / 5
    assert (statuses(result)[10], statuses(result)[13]) == (S.NOT_SELECTED, S.SELECTED)


def test_pjm_takes_the_four_highest_of_five_weekdays() -> None:
    """The lowest of five weekdays goes; the load before the event, 2 kWh above its days, lifts every hour by 2."""
    kwh = [0, 0, 10, 6, 8, 7, 9, 99, 99]  # Saturday 6 June … Sunday 14 June
    result = compute(RULES["pjm-high-4-of-5+additive"], history(flat_days(*kwh)), event_day(**evening(10.5)))
    assert statuses(result)[2:7] == [S.SELECTED, S.NOT_SELECTED, S.SELECTED, S.SELECTED, S.SELECTED]
    assert result.unadjusted_kwh[0, 0] == (10 + 8 + 7 + 9) / 4
    assert (result.adjustment_metered_kwh[0], result.adjustment_expected_kwh[0]) == (31.5, 25.5)
    assert (result.adjustment_raw[0], result.adjustment[0], result.adjustment_status[0]) == (2.0, 2.0, AdjustmentStatus.APPLIED)
    assert result.baseline_kwh[0, 16:20].tolist() == [8.5, 10.5, 10.5, 8.5]
    assert result.adjusted_kwh[0].tolist() == [10.5] * 24


def test_pjm_on_a_saturday_takes_two_of_three_saturdays() -> None:
    """Saturdays are compared with Saturdays alone."""
    saturday = MONDAY + timedelta(days=5)
    days = flat_days(*[50.0] * 30)
    days[0, [2, 9, 16, 23], :] = np.array([[9.0], [1.0], [5.0], [3.0]])
    result = compute(RULES["pjm-high-4-of-5"], history(days, until=saturday), event_day(**evening(), on=saturday))
    assert statuses(result).count(S.OTHER_DAY_KIND) == 26
    assert [statuses(result)[index] for index in (2, 9, 16, 23)] == [S.NOT_NEEDED, S.NOT_SELECTED, S.SELECTED, S.SELECTED]
    assert result.baseline_kwh[0, 17] == 4.0


def test_pjm_on_a_holiday_takes_sundays_and_holidays() -> None:
    """A holiday is a Sunday to PJM."""
    past = history(flat_days(*range(1, 23)), holidays=[FRIDAY])
    result = compute(RULES["pjm-high-4-of-5"], past, event_day(**evening(is_holiday=True)))
    assert [index + 1 for index, status in enumerate(statuses(result)) if status is S.SELECTED] == [20, 22]
    assert statuses(result)[14] is S.NOT_SELECTED


def test_pjm_leaves_out_days_of_low_usage_and_looks_again() -> None:
    """A day below a quarter of the pool's mean goes; the next older takes its place and is held against the new mean."""
    kwh = [100, 0, 0, 10, 2, 100, 100, 100, 0, 0, 100, 1, 26, 100, 100, 0, 0]  # 29 May … 14 June
    result = compute(RULES["pjm-high-4-of-5"], history(flat_days(*kwh)), event_day(**evening()))
    # 8-12 June: 100 1 26 100 100, mean 65.4: the 1 goes and 100 of the 5th comes, mean 85.2: 26 stays (above 21.3).
    assert [statuses(result)[index] for index in (7, 10, 11, 12, 13, 14)] == [
        S.SELECTED, S.SELECTED, S.LOW_USAGE, S.NOT_SELECTED, S.SELECTED, S.SELECTED
    ]  # fmt: skip
    assert result.baseline_kwh[0, 17] == 100


def test_a_quarter_of_the_mean_is_not_low() -> None:
    """The test is "below a quarter": a day of exactly a quarter stays."""
    days = rule(pool(size=4, low_usage_share=0.25))
    exactly = compute(days, history(flat_days(13, 13, 13, 3)), event_day(**evening()))  # mean 10.5, a quarter 2.625
    assert exactly.baseline_kwh[0, 17] == 10.5
    quarter = compute(days, history(flat_days(5, 5, 5, 1)), event_day(**evening()))  # mean 4, a quarter 1
    assert statuses(quarter)[3] is S.SELECTED
    below = compute(days, history(flat_days(4, 5, 6, 0.999)), event_day(**evening()))
    assert statuses(below)[3] is S.LOW_USAGE
    assert (below.baseline_kwh[0, 17], notes_in(below.notes[0])) == (5, (Note.FEWER_DAYS,))


def test_beside_a_mean_of_nothing_no_day_is_low() -> None:
    """A site that exports as much as it takes has no usual use to be below."""
    days = rule(pool(size=3, low_usage_share=0.25), floor_at_zero=False)
    for kwh in ((1, 1, -2), (-4, -1, -1)):
        assert statuses(compute(days, history(flat_days(*kwh)), event_day(**evening()))) == [S.SELECTED] * 3


# Selections


@pytest.mark.parametrize(
    ("select", "used"),
    [
        (HighestDays(days=2), [5, 4]),
        (LowestDays(days=2), [1, 2]),
        (MiddleDays(dropped_each_end=1), [2, 3, 4]),
        (MiddleDays(dropped_each_end=2), [3]),
    ],
)
def test_selections(select: HighestDays | LowestDays | MiddleDays, used: list[int]) -> None:
    """Highest, lowest and middle days of five."""
    result = compute(rule(pool(size=5, select=select)), history(flat_days(3, 5, 1, 4, 2)), event_day(**evening()))
    assert result.baseline_kwh[0, 17] == sum(used) / len(used)


@pytest.mark.parametrize(
    ("select", "used"),
    [
        (HighestDays(days=2), [False, False, True, True]),
        (LowestDays(days=2), [False, False, True, True]),
        (MiddleDays(dropped_each_end=1), [False, False, True, True]),
    ],
)
def test_on_a_tie_the_newer_day_wins(select: HighestDays | LowestDays | MiddleDays, used: list[bool]) -> None:
    """Four equal days: two runs can never choose, and so never pay, differently."""
    result = compute(rule(pool(size=4, select=select)), history(flat_days(7, 7, 7, 7)), event_day(**evening()))
    assert [status is S.SELECTED for status in statuses(result)] == used


def test_a_tie_is_a_tie_whatever_the_order_of_the_hours() -> None:
    """0.1 + 0.2 + 0.7 and 0.7 + 0.2 + 0.1 differ in the last bit of a computer's sum; the days are equal all the same."""
    days = np.zeros((1, 2, 24))
    days[0, 0, 17:20], days[0, 1, 17:20] = [0.7, 0.2, 0.1], [0.1, 0.2, 0.7]
    assert 0.7 + 0.2 + 0.1 != 0.1 + 0.2 + 0.7
    for ordered in (days, days[:, ::-1]):
        event = event_day(np.zeros((1, 24)), first=17, last=20)
        result = compute(rule(pool(size=2, select=HighestDays(days=1))), history(ordered), event)
        assert statuses(result) == [S.NOT_SELECTED, S.SELECTED]


def test_days_can_be_ranked_by_the_whole_day() -> None:
    """A day may be high in the event's hours and low as a day; the rule says which counts."""
    days = flat_days(1, 2)
    days[0, 0, 17:19] = 10
    for rank_by, expected in ((RankBy.EVENT_WINDOW, 10), (RankBy.WHOLE_DAY, 2)):
        result = compute(rule(pool(rank_by=rank_by, select=HighestDays(days=1))), history(days), event_day(**evening()))
        assert result.baseline_kwh[0, 17] == expected
    assert result.ranking_kwh[0].tolist() == [22 + 20, 48]


# Too few days


SHORT = {"size": 3, "minimum": 3}


def test_too_few_days_is_a_named_refusal() -> None:
    """A meter installed the day before yesterday has no baseline, and the reason says so."""
    valid = np.ones((1, 5, 24), dtype=np.bool_)
    valid[:, :3] = False
    result = compute(rule(pool(**SHORT)), history(flat_days(*[1] * 5), valid=valid), event_day(**evening()))
    assert statuses(result) == [S.INCOMPLETE] * 3 + [S.POOL_TOO_SMALL] * 2
    assert (result.verdict[0], result.days_found[0], result.notes[0]) == (Verdict.TOO_FEW_DAYS, 2, 0)
    assert result.adjustment_status[0] == AdjustmentStatus.NO_DAYS
    assert np.isnan(result.baseline_kwh).all()


def test_a_short_pool_may_shrink_to_one_day() -> None:
    """Where the rule says so, what there is counts."""
    result = compute(rule(pool(**SHORT, when_short=WhenShort.SHRINK)), history(flat_days(4)), event_day(**evening()))
    assert (result.verdict[0], result.baseline_kwh[0, 17]) == (Verdict.OK, 4)
    assert notes_in(result.notes[0]) == (Note.FEWER_DAYS, Note.CONSTANT)


def test_a_short_pool_may_look_further_back() -> None:
    """Up to the minimum, and not one day more, though the rule aims for more."""
    days = pool(size=4, minimum=3, look_back_days=2, when_short=WhenShort.EXTEND)
    result = compute(rule(days), history(flat_days(9, 3, 2, 1)), event_day(**evening()))
    assert statuses(result) == [S.TOO_OLD, S.SELECTED, S.SELECTED, S.SELECTED]
    assert (result.baseline_kwh[0, 17], notes_in(result.notes[0])) == (2, (Note.FEWER_DAYS, Note.LOOK_BACK_EXTENDED))
    near = pool(size=4, minimum=2, look_back_days=2, when_short=WhenShort.EXTEND)
    enough = compute(rule(near), history(flat_days(9, 3, 2, 1)), event_day(**evening()))
    assert (enough.baseline_kwh[0, 17], notes_in(enough.notes[0])) == (1.5, (Note.FEWER_DAYS,))


def test_a_pool_of_the_minimum_does_not_look_further() -> None:
    """Two days are left of three and two are enough: the low day stays out, though beside one day alone it would not be low."""
    days = pool(size=3, minimum=2, when_short=WhenShort.EXTEND, low_usage_share=0.25)
    result = compute(rule(days), history(flat_days(10, 10, 1.5)), event_day(**evening()))
    assert statuses(result) == [S.SELECTED, S.SELECTED, S.LOW_USAGE]


def test_a_short_pool_may_take_event_days_back() -> None:
    """Those of the highest load first, as they understate the baseline least."""
    past = history(flat_days(5, 7, 6, 1, 2), event_days=[MONDAY - timedelta(days=age) for age in (5, 4, 3)])
    days = pool(**SHORT, when_short=WhenShort.READMIT_EVENT_DAYS)
    result = compute(rule(days), past, event_day(**evening()))
    assert statuses(result) == [S.EVENT_DAY, S.SELECTED_EVENT_DAY, S.EVENT_DAY, S.SELECTED, S.SELECTED]
    assert result.baseline_kwh[0, 17] == pytest.approx(10 / 3, abs=1e-15)
    assert notes_in(result.notes[0]) == (Note.EVENT_DAYS_READMITTED,)


def test_dropping_both_ends_of_two_days_leaves_nothing() -> None:
    """A middle of too few days is no baseline."""
    days = pool(size=3, minimum=2, select=MiddleDays(dropped_each_end=1))
    result = compute(rule(days), history(flat_days(1, 2)), event_day(**evening()))
    assert (result.verdict[0], statuses(result)) == (Verdict.TOO_FEW_DAYS, [S.POOL_TOO_SMALL] * 2)


def test_no_history_at_all() -> None:
    """No days and no meters are answered like any other input."""
    result = compute(RULES["10-of-10+ratio20"], history(np.zeros((2, 0, 24))), event_day(np.ones((2, 24)), first=17, last=19))
    assert (result.verdict.tolist(), result.days_found.tolist(), result.day_status.shape) == ([1, 1], [0, 0], (2, 0))
    nobody = compute(RULES["10-of-10+ratio20"], history(np.zeros((0, 9, 24))), event_day(np.ones((0, 24)), first=17, last=19))
    assert nobody.baseline_kwh.shape == (0, 24)


# Days ruled out


def test_days_that_never_count() -> None:
    """Event days, holidays, clock-change days, days with gaps, days too near or too far: each has its own reason."""
    past = history(
        flat_days(*[1] * 8),
        until=MONDAY + timedelta(days=2),  # the last two are the event day and the one after
        holidays=[MONDAY - timedelta(days=5)],
        irregular=[MONDAY - timedelta(days=4)],
        event_days=[MONDAY - timedelta(days=3)],
    )
    past.load_kwh[0, 4, 18] = np.nan  # two days before: a gap in the event's hours
    days = pool(size=1, look_back_days=5, holidays=True)
    result = compute(rule(days), past, event_day(**evening()))
    assert statuses(result) == [
        S.TOO_OLD, S.HOLIDAY, S.CLOCK_CHANGE, S.EVENT_DAY, S.INCOMPLETE, S.SELECTED, S.AFTER_EVENT, S.AFTER_EVENT
    ]  # fmt: skip
    later = compute(rule(pool(size=1, look_back_days=5, first_day_offset=3, event_days=False)), past, event_day(**evening()))
    assert statuses(later)[3:6] == [S.SELECTED, S.TOO_RECENT, S.TOO_RECENT]


def test_an_event_day_without_a_rule() -> None:
    """A program for weekdays alone has no baseline on a Saturday, and says so."""
    saturday = MONDAY + timedelta(days=5)
    weekdays = rule(pool(kind=DayKind.WEEKDAY), scheme=RULES["10-of-10"].day_scheme)
    result = compute(weekdays, history(flat_days(1, 1), until=saturday), event_day(**evening(), on=saturday))
    assert (result.verdict[0], statuses(result)) == (Verdict.NO_RULE_FOR_DAY, [S.NOT_LOOKED_AT] * 2)
    assert np.isnan(result.baseline_kwh).all()


def test_a_gap_outside_the_hours_that_count_does_no_harm() -> None:
    """A day that lacks its morning still serves an evening event; the morning is averaged over the other days."""
    past = history(flat_days(2, 4))
    past.valid[0, 1, 6] = False
    past.valid[0, :, 7] = False
    result = compute(rule(pool(size=2)), past, event_day(**evening()))
    assert (result.unadjusted_kwh[0, 5], result.unadjusted_kwh[0, 6]) == (3, 2)
    assert np.isnan(result.unadjusted_kwh[0, 7])
    assert (result.verdict[0], result.baseline_kwh[0, 17]) == (Verdict.OK, 3)


def test_a_gap_in_the_adjustment_hours_rules_a_day_out() -> None:
    """With an adjustment the hours before the event count too."""
    past = history(flat_days(2, 4))
    past.valid[0, 1, 14] = False
    adjusted = rule(pool(size=2), adjustment=ratio())
    assert statuses(compute(adjusted, past, event_day(**evening()))) == [S.SELECTED, S.INCOMPLETE]
    assert statuses(compute(rule(pool(size=2)), past, event_day(**evening()))) == [S.SELECTED, S.SELECTED]


# Adjustments


def ratio(low: float | None = 0.8, high: float | None = 1.2, when: WhenUnknown = WhenUnknown.UNADJUSTED) -> RatioAdjustment:
    """Three hours ending one hour before."""
    return RatioAdjustment(window_start_minutes=240, window_end_minutes=60, when_unknown=when, ratio_min=low, ratio_max=high)


def additive(kw: float | None = None, share: float | None = None, *, upward_only: bool = False) -> AdditiveAdjustment:
    """Three hours ending one hour before."""
    return AdditiveAdjustment(
        window_start_minutes=240,
        window_end_minutes=60,
        when_unknown=WhenUnknown.UNADJUSTED,
        offset_max_kw=kw,
        offset_max_share=share,
        upward_only=upward_only,
    )


@pytest.mark.parametrize(
    ("adjustment", "today", "raw", "applied", "status"),
    [
        (ratio(), 11.0, 1.1, 1.1, AdjustmentStatus.APPLIED),
        (ratio(), 12.0, 1.2, 1.2, AdjustmentStatus.APPLIED),
        (ratio(), 15.0, 1.5, 1.2, AdjustmentStatus.CAPPED_HIGH),
        (ratio(), 0.0, 0.0, 0.8, AdjustmentStatus.CAPPED_LOW),
        (ratio(None, None), 0.0, 0.0, 0.0, AdjustmentStatus.APPLIED),
        (ratio(None, None), 50.0, 5.0, 5.0, AdjustmentStatus.APPLIED),
        (ratio(1.0, None), 5.0, 0.5, 1.0, AdjustmentStatus.CAPPED_LOW),
        (additive(), 4.0, -6.0, -6.0, AdjustmentStatus.APPLIED),
        (additive(kw=2.0), 14.0, 4.0, 2.0, AdjustmentStatus.CAPPED_HIGH),
        (additive(kw=2.0), 4.0, -6.0, -2.0, AdjustmentStatus.CAPPED_LOW),
        (additive(share=0.25), 14.0, 4.0, 2.5, AdjustmentStatus.CAPPED_HIGH),
        (additive(kw=2.0, share=0.25), 14.0, 4.0, 2.0, AdjustmentStatus.CAPPED_HIGH),
        (additive(kw=3.0, share=0.25), 14.0, 4.0, 2.5, AdjustmentStatus.CAPPED_HIGH),
        (additive(upward_only=True), 9.0, -1.0, 0.0, AdjustmentStatus.CAPPED_LOW),
        (additive(upward_only=True), 11.0, 1.0, 1.0, AdjustmentStatus.APPLIED),
    ],
)
def test_adjustments_and_their_limits(
    adjustment: RatioAdjustment | AdditiveAdjustment, today: float, raw: float, applied: float, status: AdjustmentStatus
) -> None:
    """A day of 10 kWh an hour against an event day of another load before the event."""
    result = compute(rule(adjustment=adjustment), history(flat_days(10)), event_day(**evening(today)))
    assert (result.adjustment_raw[0], result.adjustment[0], result.adjustment_status[0]) == (raw, applied, status)
    expected = 10 * applied if adjustment.kind == "ratio" else 10 + applied
    assert result.baseline_kwh[0, 16:20].tolist() == [10, expected, expected, 10]


def test_a_limit_in_kw_is_a_limit_of_power() -> None:
    """2 kW is half a kWh in a quarter of an hour."""
    past = history(np.full((1, 1, 96), 1.0))
    event = event_day(np.full((1, 96), 3.0), first=68, last=76)
    result = compute(rule(adjustment=additive(kw=2.0)), past, event)
    assert (result.adjustment_raw[0], result.adjustment[0], result.baseline_kwh[0, 68]) == (2.0, 0.5, 1.5)


def unknown_cases() -> dict[AdjustmentStatus, tuple[np.ndarray, dict]]:
    """Past day and event day for each way in which an adjustment cannot be computed."""
    gap = np.ones((1, 24), dtype=np.bool_)
    gap[0, 14] = False
    one, nothing, export = flat_days(1), flat_days(0), flat_days(-1)
    return {
        AdjustmentStatus.MISSING_READINGS: (one, {**evening(), "valid": gap}),
        AdjustmentStatus.OUTSIDE_DAY: (one, {**evening(), "first": 3, "last": 5}),
        AdjustmentStatus.ZERO_BASELINE: (nothing, evening()),
        AdjustmentStatus.NEGATIVE_LOAD: (export, evening()),
    }


@pytest.mark.parametrize("status", unknown_cases())
def test_an_adjustment_that_cannot_be_computed_is_named(status: AdjustmentStatus) -> None:
    """The rule decides: the unadjusted baseline counts, or there is none. Either way the reason is given."""
    past, today = unknown_cases()[status]
    lenient = compute(rule(adjustment=ratio(), floor_at_zero=False), history(past), event_day(**today))
    assert (lenient.adjustment_status[0], lenient.verdict[0], lenient.adjustment[0]) == (status, Verdict.OK, 1)
    assert np.isnan(lenient.adjustment_raw[0])
    assert lenient.baseline_kwh[0].tolist() == lenient.unadjusted_kwh[0].tolist() == past[0, 0].tolist()
    strict = rule(adjustment=ratio(when=WhenUnknown.NO_BASELINE), floor_at_zero=False)
    refused = compute(strict, history(past), event_day(**today))
    assert (refused.adjustment_status[0], refused.verdict[0]) == (status, Verdict.NO_ADJUSTMENT)
    assert np.isnan(refused.baseline_kwh).all()
    assert refused.unadjusted_kwh[0].tolist() == past[0, 0].tolist()


def test_hours_that_do_not_fit_the_meter_are_named() -> None:
    """Ninety minutes cannot be cut from a meter that reads every hour."""
    adjustment = RatioAdjustment(
        window_start_minutes=90, window_end_minutes=0, when_unknown=WhenUnknown.UNADJUSTED, ratio_min=None, ratio_max=None
    )
    result = compute(rule(adjustment=adjustment), history(flat_days(1)), event_day(**evening(2.0)))
    assert (result.adjustment_status[0], result.baseline_kwh[0, 17]) == (AdjustmentStatus.NOT_WHOLE_INTERVALS, 1)


def test_gaps_during_the_event_do_not_matter() -> None:
    """What is missing in the event's own hours is for the settlement to say; the baseline stands."""
    valid = np.ones((1, 24), dtype=np.bool_)
    valid[0, 17:] = False
    result = compute(rule(adjustment=ratio()), history(flat_days(10)), event_day(**evening(11.0), valid=valid))
    assert (result.verdict[0], result.baseline_kwh[0, 17]) == (Verdict.OK, 11)


# Notes and the floor


def test_the_floor() -> None:
    """A site that cannot export has no baseline below zero; one that can has."""
    past, today = history(flat_days(1)), event_day(**evening(-2.0))
    floored = compute(rule(pool(size=1), adjustment=additive()), past, today)
    assert (floored.baseline_kwh[0, 17], notes_in(floored.notes[0])) == (0, (Note.CONSTANT, Note.FLOORED))
    assert floored.adjusted_kwh[0].tolist() == [0] * 24
    exporting = compute(rule(pool(size=1), adjustment=additive(), floor_at_zero=False), past, today)
    assert (exporting.baseline_kwh[0, 17], notes_in(exporting.notes[0])) == (-2, (Note.CONSTANT,))


@pytest.mark.parametrize(
    ("kwh", "note"),
    [((0, 0), Note.ALL_ZERO), ((3, 3), Note.CONSTANT), ((3, 4), None), ((-2, 4), Note.NEGATIVE)],
)
def test_odd_meters_are_pointed_out(kwh: tuple[float, float], note: Note | None) -> None:
    """A dead meter, a stuck one and one that runs backwards have a baseline, and a note beside it."""
    result = compute(rule(pool(size=2), floor_at_zero=False), history(flat_days(*kwh)), event_day(**evening()))
    assert (result.verdict[0], result.baseline_kwh[0, 17]) == (Verdict.OK, sum(kwh) / 2)
    assert notes_in(result.notes[0]) == ((note,) if note else ())


def test_an_event_on_the_day_the_clocks_change() -> None:
    """It is computed by local label, and said so. The hour that does not exist has no reading."""
    sunday = date(2026, 3, 29)
    valid = np.ones((1, 24), dtype=np.bool_)
    valid[0, 2] = False
    event = event_day(np.full((1, 24), 2.0), first=6, last=8, on=sunday, valid=valid, irregular=True)
    result = compute(rule(adjustment=ratio(None, None)), history(flat_days(1), until=sunday), event)
    assert notes_in(result.notes[0])[-1] is Note.CLOCK_CHANGE_EVENT
    assert (result.adjustment_status[0], result.baseline_kwh[0, 6]) == (AdjustmentStatus.MISSING_READINGS, 1)
    later = event_day(np.full((1, 24), 2.0), first=7, last=9, on=sunday, valid=valid, irregular=True)
    assert compute(rule(adjustment=ratio(None, None)), history(flat_days(1), until=sunday), later).baseline_kwh[0, 7] == 2
