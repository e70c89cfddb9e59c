"""Rules as data: what is stored comes back the same, and nothing else gets in."""

from __future__ import annotations

import json
import pickle
from datetime import date
from typing import Any

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from tests.baseline.cases import pool, rule
from tests.baseline.strategies import rules

from commonwatt.baseline.calendars import holiday_flags, nerc_holidays
from commonwatt.baseline.programs import RULES
from commonwatt.baseline.reasons import AdjustmentStatus, DayStatus, Note, Verdict
from commonwatt.baseline.rules import BaselineRule, BaselineRuleError, DayKind, rule_from_dict, rule_to_dict


def plain() -> Any:
    """A shipped rule as it is stored."""
    return rule_to_dict(RULES["pjm-high-4-of-5+additive"])


@settings(max_examples=100, deadline=None)
@given(any_rule=rules())
def test_a_stored_rule_comes_back_the_same(any_rule: BaselineRule) -> None:
    """A settlement of years ago is recomputed with exactly the rule it was made with."""
    assert rule_from_dict(json.loads(json.dumps(rule_to_dict(any_rule)))) == any_rule


def test_the_shipped_rules_are_whole() -> None:
    """Each is found by its own key, survives storage, names its source, and travels to other processes."""
    kinds = ("", "+ratio20", "+additive")
    assert list(RULES) == [name + kind for name in ("10-of-10", "high-5-of-10", "pjm-high-4-of-5") for kind in kinds]
    for key, shipped in RULES.items():
        assert shipped.key == key
        assert rule_from_dict(json.loads(json.dumps(rule_to_dict(shipped)))) == shipped
        assert pickle.loads(pickle.dumps(shipped)) == shipped
        assert {pool.kind for pool in shipped.pools} == shipped.day_scheme.kinds
        assert "general" in shipped.source
    with pytest.raises(TypeError):
        RULES["mine"] = RULES["10-of-10"]  # type: ignore[index]  # refused on purpose


def test_what_a_stored_rule_looks_like() -> None:
    """The form on disk never changes meaning; this is the one that programs and settlements hold."""
    stored = plain()
    assert (stored["key"], stored["version"]) == ("pjm-high-4-of-5+additive", "2026-11-21")
    assert stored["day_scheme"] == {"weekdays": ["weekday"] * 5 + ["saturday", "sunday_or_holiday"],
                                    "holiday": "sunday_or_holiday", "calendar": "nerc"}  # fmt: skip
    assert stored["pools"][0] == {
        "kind": "weekday", "look_back_days": 45, "first_day_offset": 1, "size": 5, "minimum": 4,
        "when_short": "readmit_event_days", "rank_by": "event_window", "select": {"pick": "highest", "days": 4},
        "exclude": {"event_days": True, "holidays": False, "clock_change_days": True, "low_usage_share": 0.25},
    }  # fmt: skip
    assert stored["adjustment"] == {
        "kind": "additive", "window_start_minutes": 240, "window_end_minutes": 60, "when_unknown": "unadjusted",
        "offset_max_kw": None, "offset_max_share": None, "upward_only": False,
    }  # fmt: skip


def without(*path: str | int) -> Any:
    """A stored rule that lacks one field."""
    stored = plain()
    part = stored
    for step in path[:-1]:
        part = part[step]
    del part[path[-1]]
    return stored


def changed(value: object, *path: str | int) -> Any:
    """A stored rule with one field changed."""
    stored = plain()
    part = stored
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = value
    return stored


@pytest.mark.parametrize(
    ("stored", "message"),
    [
        (without("source"), "missing required field `source`"),
        (without("pools", 0, "minimum"), r"missing required field `minimum` - at `\$.pools"),
        (without("adjustment", "kind"), "missing required field `kind`"),
        (changed("x", "colour"), "unknown field `colour`"),
        (changed(True, "adjustment", "ratio_max"), "unknown field `ratio_max`"),
        (changed("median", "pools", 0, "select", "pick"), "Invalid value 'median'"),
        (changed("5", "pools", 0, "size"), "Expected `int`, got `str`"),
        (changed(5.5, "pools", 0, "size"), "Expected `int`"),
        (changed(True, "pools", 0, "size"), "Expected `int`, got `bool`"),
        (changed(0, "pools", 0, "minimum"), "Expected `int` >= 1"),
        (changed(6, "pools", 0, "minimum"), r"minimum must be at most size \(5\), got 6"),
        (changed(46, "pools", 0, "first_day_offset"), r"first_day_offset must be at most look_back_days \(45\), got 46"),
        (changed(6, "pools", 0, "select", "days"), r"select.days must be at most size \(5\), got 6"),
        (
            changed({"pick": "middle", "dropped_each_end": 3}, "pools", 0, "select"),
            "select.dropped_each_end leaves no day of 5, got 3",
        ),
        (changed(float("nan"), "pools", 0, "exclude", "low_usage_share"), "Expected `float`"),
        (changed(1.5, "pools", 0, "exclude", "low_usage_share"), "Expected `float` <= 1"),
        (changed("weekday", "pools", 1, "kind"), "one pool per kind of day"),
        (changed([], "pools"), "one pool per kind of day, at least one"),
        (changed("any_day", "pools", 1, "kind"), r"kinds that day_scheme never gives: .*any_day"),
        (changed(["weekday"], "day_scheme", "weekdays"), "Expected `array` of length 7"),
        (changed(60, "adjustment", "window_start_minutes"), r"must be more than window_end_minutes \(60\), got 60"),
        (changed("yesterday", "version"), "Invalid RFC3339 encoded date"),
        (changed("", "key"), "Expected `str` of length >= 1"),
    ],
)
def test_a_wrong_rule_is_refused_by_name(stored: Any, message: str) -> None:
    """Nothing is guessed and nothing ignored: the message names the field, what it got and what it takes."""
    with pytest.raises(BaselineRuleError, match=message):
        rule_from_dict(stored)


def test_limits_may_not_cross() -> None:
    """A ratio of at least 1.2 and at most 0.8 is no ratio."""
    stored = rule_to_dict(RULES["10-of-10+ratio20"])
    stored["adjustment"] |= {"ratio_min": 1.2, "ratio_max": 0.8}
    with pytest.raises(BaselineRuleError, match=r"ratio_min must be at most ratio_max \(0.8\), got 1.2"):
        rule_from_dict(stored)


def test_a_rule_cannot_be_changed_in_place() -> None:
    """A program's rule is replaced as a whole or not at all."""
    with pytest.raises(AttributeError):
        RULES["10-of-10"].key = "mine"  # type: ignore[misc]  # refused on purpose
    other = msgspec.structs.replace(RULES["10-of-10"], key="mine")
    assert (other.key, RULES["10-of-10"].key) == ("mine", "10-of-10")
    assert rule(pool(size=2)).pool_for(DayKind.WEEKDAY) is None


def test_every_outcome_has_its_words() -> None:
    """Whatever is stored as a number can be shown as a sentence, and no two are the same."""
    texts = [member.text for kind in (DayStatus, AdjustmentStatus, Verdict, Note) for member in kind]
    assert len(texts) == 15 + 10 + 4 + 8
    assert len(set(texts)) == len(texts)
    assert all(text[0].isupper() and text.endswith(".") for text in texts)


def test_numbers_of_outcomes_never_change() -> None:
    """Settlements store these numbers."""
    assert [(member.name, member.value) for member in Verdict] == [
        ("OK", 0), ("TOO_FEW_DAYS", 1), ("NO_RULE_FOR_DAY", 2), ("NO_ADJUSTMENT", 3)
    ]  # fmt: skip
    assert [member.name for member in sorted(AdjustmentStatus)] == [
        "NONE", "APPLIED", "CAPPED_HIGH", "CAPPED_LOW", "NO_DAYS", "MISSING_READINGS", "OUTSIDE_DAY", "NOT_WHOLE_INTERVALS",
        "ZERO_BASELINE", "NEGATIVE_LOAD",
    ]  # fmt: skip
    assert [member.name for member in sorted(DayStatus)] == [
        "NOT_LOOKED_AT", "SELECTED", "SELECTED_EVENT_DAY", "NOT_SELECTED", "NOT_NEEDED", "POOL_TOO_SMALL", "AFTER_EVENT",
        "TOO_RECENT", "TOO_OLD", "OTHER_DAY_KIND", "HOLIDAY", "EVENT_DAY", "CLOCK_CHANGE", "INCOMPLETE", "LOW_USAGE",
    ]  # fmt: skip


# Calendars


def test_the_six_nerc_holidays() -> None:
    """New Year of 2023 was a Sunday and is kept on Monday; the Fourth of July of 2026, a Saturday, stays."""
    assert nerc_holidays(2023) == (
        date(2023, 1, 2), date(2023, 5, 29), date(2023, 7, 4), date(2023, 9, 4), date(2023, 11, 23), date(2023, 12, 25)
    )  # fmt: skip
    assert nerc_holidays(2026) == (
        date(2026, 1, 1), date(2026, 5, 25), date(2026, 7, 4), date(2026, 9, 7), date(2026, 11, 26), date(2026, 12, 25)
    )  # fmt: skip


def test_each_rule_keeps_its_own_holidays() -> None:
    """PJM's holidays are NERC's wherever the program is; the others follow the program's country."""
    dates = np.array(["2025-12-25", "2025-12-26", "2026-01-01"], dtype="datetime64[D]")
    boxing_day = [date(2025, 12, 26)]
    pjm, generic = RULES["pjm-high-4-of-5"], RULES["10-of-10"]
    assert holiday_flags(rule=pjm, dates=dates, program_holidays=boxing_day).tolist() == [True, False, True]
    assert holiday_flags(rule=generic, dates=dates, program_holidays=boxing_day).tolist() == [False, True, False]
    assert holiday_flags(rule=pjm, dates=dates[:0], program_holidays=()).tolist() == []
