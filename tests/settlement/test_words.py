"""A statement says in words what its codes mean, for every code there is."""

from __future__ import annotations

import msgspec
import pytest

from commonwatt.baseline.programs import RULES
from commonwatt.baseline.reasons import AdjustmentStatus, DayStatus, Note, Verdict
from commonwatt.baseline.rules import (
    AdditiveAdjustment,
    HighestDays,
    LowestDays,
    MiddleDays,
    RatioAdjustment,
    WhenShort,
    WhenUnknown,
)
from commonwatt.settlement import words
from commonwatt.settlement.rule_words import rule_in_words


def test_every_code_has_words_of_its_own() -> None:
    """No day, verdict, note or adjustment is left without its own sentence."""
    days = {words.day_text(status.name.lower()) for status in DayStatus}
    verdicts = {words.verdict_text(verdict) for verdict in ("opted_out", "withdrawn", *(verdict.name.lower() for verdict in Verdict))}
    notes = set(words.note_texts(sum(Note)))
    adjustments = {
        words.adjustment_text(kind="ratio", value=1.2, raw=1.5, cap_status=status.name.lower(), interval_s=900)
        for status in AdjustmentStatus
        if status is not AdjustmentStatus.CAPPED_LOW  # told as CAPPED_HIGH is, with the other figures
    }
    assert (len(days), len(verdicts), len(notes)) == (len(DayStatus), len(Verdict) + 2, len(Note))
    assert len(adjustments) == len(AdjustmentStatus) - 1
    assert all(text.endswith(".") for text in days | verdicts | notes | adjustments)


def test_only_selected_days_are_used() -> None:
    """The baseline is made of the days that the rule picked, event days let back in among them."""
    assert [status for status in DayStatus if words.is_used(status.name.lower())] == [DayStatus.SELECTED, DayStatus.SELECTED_EVENT_DAY]


@pytest.mark.parametrize(
    ("kind", "value", "raw", "status", "text"),
    [
        ("ratio", 1.123, 1.123, "applied", "Adjusted by +12.3\u00a0%, as the hours before the event asked for."),
        (
            "ratio",
            0.8,
            0.61,
            "capped_low",
            "Adjusted by −20.0\u00a0%, as far as the rule allows; the hours before the event asked for −39.0\u00a0%.",
        ),
        ("additive", 0.1, 0.1, "applied", "Adjusted by +0.40\u00a0kW, as the hours before the event asked for."),
        (
            "additive",
            -0.05,
            -0.2,
            "capped_low",
            "Adjusted by −0.20\u00a0kW, as far as the rule allows; the hours before the event asked for −0.80\u00a0kW.",
        ),
        ("ratio", 1.0, None, "missing_readings", "Not adjusted: readings before the event are missing."),
        ("none", None, None, "none", "The rule has no adjustment to the day of the event."),
    ],
)
def test_the_adjustment_is_told_with_its_figures(kind: str, value: float | None, raw: float | None, status: str, text: str) -> None:
    """By how much the baseline moved, and by how much it would have moved without the rule's limit."""
    assert words.adjustment_text(kind=kind, value=value, raw=raw, cap_status=status, interval_s=900) == text


def test_terms_are_told_in_words() -> None:
    """What happens to excess use, how much of the price is paid, and how long a window is."""
    assert words.negative_text("floor") == "An interval in which more was used than the baseline counts as zero."
    assert "is deducted from what was saved in the others of the same meter" in words.negative_text("net")
    assert words.factor_text(1_000_000) == "The full price is paid."
    assert words.factor_text(875_000) == "87.5 % of the price is paid (the program's credit factor)."
    assert [words.duration_text(minutes) for minutes in (60, 180, 90, 1)] == ["1 hour", "3 hours", "90 minutes", "1 minute"]


def test_a_rule_is_told_from_its_own_figures() -> None:
    """Whoever reads the statement can follow the rule without knowing its name."""
    assert rule_in_words(RULES["pjm-high-4-of-5+ratio20"]) == (
        (
            "On weekdays, the 5 latest such days are taken, from at most 45 days before the event. At least 4 days are needed; "
            "with fewer, days with events of the highest use are taken."
        ),
        "The baseline is the mean of the 4 days with the highest use in the hours of the event.",
        (
            "On Saturdays, the 3 latest such days are taken, from at most 45 days before the event. At least 2 days are needed; "
            "with fewer, days with events of the highest use are taken."
        ),
        "The baseline is the mean of the 2 days with the highest use in the hours of the event.",
        (
            "On Sundays and public holidays, the 3 latest such days are taken, from at most 45 days before the event. At least 2 days are needed; "
            "with fewer, days with events of the highest use are taken."
        ),
        "The baseline is the mean of the 2 days with the highest use in the hours of the event.",
        (
            "Left out are days with events, days on which the clocks change, days with less than 25\u00a0% of the usual use in the hours of the event, "
            "days with readings missing in the hours that count."
        ),
        (
            "The baseline is then multiplied by how much was used in the time from 4 hours to 1 hour before the event, "
            "compared with the same hours of those days."
        ),
        "The factor is held between 0.80 and 1.20.",
        "Where this cannot be computed, the baseline stays as it is.",
        "A baseline below zero counts as zero.",
    )


def test_every_part_of_a_rule_changes_what_is_told() -> None:
    """Two rules that differ in a figure or a choice are never told alike."""
    rule = RULES["10-of-10"]
    pool = rule.pools[0]
    with_pool = [
        msgspec.structs.replace(pool, **changed)
        for changed in (
            {"select": HighestDays(days=3)},
            {"select": LowestDays(days=3)},
            {"select": MiddleDays(dropped_each_end=1)},
            {"size": 9},
            {"minimum": 1},
            {"look_back_days": 30},
            {"when_short": WhenShort.NO_BASELINE},
            {"when_short": WhenShort.SHRINK},
            {"when_short": WhenShort.EXTEND},
            {"exclude": msgspec.structs.replace(pool.exclude, holidays=True)},
            {"exclude": msgspec.structs.replace(pool.exclude, event_days=False)},
            {"exclude": msgspec.structs.replace(pool.exclude, clock_change_days=False)},
        )
    ]
    window = {"window_start_minutes": 120, "window_end_minutes": 0, "when_unknown": WhenUnknown.NO_BASELINE}
    adjustments = [
        RatioAdjustment(**window, ratio_min=None, ratio_max=None),
        RatioAdjustment(**window, ratio_min=1.0, ratio_max=None),
        RatioAdjustment(**window, ratio_min=None, ratio_max=1.4),
        AdditiveAdjustment(**window, offset_max_kw=None, offset_max_share=None, upward_only=False),
        AdditiveAdjustment(**window, offset_max_kw=1.5, offset_max_share=None, upward_only=False),
        AdditiveAdjustment(**window, offset_max_kw=None, offset_max_share=0.2, upward_only=False),
        AdditiveAdjustment(**window, offset_max_kw=None, offset_max_share=None, upward_only=True),
    ]
    rules = [
        rule,
        *(msgspec.structs.replace(rule, pools=(other, *rule.pools[1:])) for other in with_pool),
        *(msgspec.structs.replace(rule, adjustment=adjustment) for adjustment in adjustments),
        msgspec.structs.replace(rule, floor_at_zero=False),
    ]
    assert len({rule_in_words(other) for other in rules}) == len(rules) == 21
