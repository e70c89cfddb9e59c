"""The page that explains baselines: its example is recomputed, its lists are held against the code."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from commonwatt.baseline.engine import BaselineResult, EventDay, History, compute
from commonwatt.baseline.programs import RULES
from commonwatt.baseline.reasons import AdjustmentStatus, DayStatus, Note, Verdict

PAGE = (Path(__file__).parents[2] / "docs" / "explanation" / "baselines.md").read_text()
EVENT_ON = date(2026, 6, 18)
GAP = "–"


def rows(pattern: str) -> list[tuple[str, ...]]:
    """Cells of the table rows whose first cell looks like this."""
    lines = re.findall(rf"^\| ({pattern}) \| (.*) \|$", PAGE, flags=re.MULTILINE)
    return [(first, *(cell.strip() for cell in rest.split("|"))) for first, rest in lines]


def ana() -> tuple[History, EventDay, list[str]]:
    """Ana's meter as the page tells it, and what the page says of each day, oldest first."""
    table = rows(r"[A-Z][a-z]{2} \d{4}-\d{2}-\d{2}")[::-1]
    load = np.full((1, len(table), 24), 0.3)
    for index, (_, before, first, second, _) in enumerate(table):
        load[0, index, 13:16] = float(before) / 3
        load[0, index, 17:19] = [float("nan") if cell == GAP else float(cell) for cell in (first, second)]
    dates = [date.fromisoformat(day.split()[1]) for day, *_ in table]
    assert [f"{day:%a}" for day in dates] == [day.split()[0] for day, *_ in table]
    history = History(
        load_kwh=load,
        valid=~np.isnan(load),
        dates=np.array(dates, dtype="datetime64[D]"),
        holidays=np.zeros(len(dates), dtype=np.bool_),
        irregular_days=np.zeros(len(dates), dtype=np.bool_),
        excluded=np.array([[day == date(2026, 6, 11) for day in dates]]),
        interval_minutes=60,
    )
    today = np.full((1, 24), 0.3)
    today[0, 13:16] = 0.792 / 3
    today[0, 17:19] = [0.3, 0.4]
    event = EventDay(date=EVENT_ON, first=17, last=19, load_kwh=today, valid=~np.isnan(today), is_holiday=False, irregular=False)
    return history, event, [row[-1] for row in table]


def run(key: str) -> BaselineResult:
    """Ana's baseline by one rule."""
    history, event, _ = ana()
    return compute(RULES[key], history, event)


def test_every_day_of_the_example_is_what_the_page_says() -> None:
    """Each of the seventeen days is used, or left out for the reason given."""
    _, _, said = ana()
    assert len(said) == 17
    assert [DayStatus(code).text for code in run("10-of-10+ratio20").day_status[0]] == said


def test_the_figures_of_the_example() -> None:
    """Means, factor, baseline and delivered energy, as printed."""
    result = run("10-of-10+ratio20")
    before, first, second = result.unadjusted_kwh[0, 13:16].sum(), *result.unadjusted_kwh[0, 17:19]
    means = f"The ten days give {before:.3f} kWh for 13:00–16:00, {first:.3f} kWh for 17:00–18:00 and {second:.3f} kWh for 18:00–19:00"
    assert means in PAGE
    assert f"0.792 / {before:.3f} = {result.adjustment_raw[0]:.3f}" in PAGE
    _, event, _ = ana()
    delivered = [round(1000 * kwh) for kwh in result.baseline_kwh[0, 17:19] - event.load_kwh[0, 17:19]]
    assert rows(r"\d\d:00–\d\d:00") == [
        (f"{hour}:00–{hour + 1}:00", f"{result.baseline_kwh[0, hour]:.3f}", f"{event.load_kwh[0, hour]:.3f}", str(delivered[hour - 17]))
        for hour in (17, 18)
    ]
    assert f"Ana delivered {sum(delivered):,} Wh." in PAGE


def test_the_other_rules_of_the_page() -> None:
    """All shipped rules stand in the table, with the figures they give."""
    table = rows(r"`[\w+-]+`")
    shown = [row for row in table if row[0].strip("`") in RULES]
    assert [row[0].strip("`") for row in shown] == list(RULES)
    for key, *cells in shown:
        result = run(key.strip("`"))
        sign = {"none": "none", "ratio": f"× {result.adjustment[0]:.3f}", "additive": f"+ {result.adjustment[0]:.3f}"}
        figures = [f"{kwh:.3f}" for kwh in (*result.unadjusted_kwh[0, 17:19], *result.baseline_kwh[0, 17:19])]
        assert cells == [*figures[:2], sign[result.rule.adjustment.kind], *figures[2:]]
    high, plain = run("high-5-of-10").baseline_kwh, run("10-of-10").baseline_kwh
    assert high[0, 17:19].sum() / plain[0, 17:19].sum() == pytest.approx(1.10, abs=1e-12)


@pytest.mark.parametrize("kind", [DayStatus, AdjustmentStatus, Verdict, Note])
def test_every_outcome_stands_on_the_page(kind: type[DayStatus | AdjustmentStatus | Verdict | Note]) -> None:
    """A reader finds each name with the sentence that the statement shows."""
    table = rows(r"`[A-Z_]+`")
    for member in kind:
        assert (f"`{member.name}`", member.text) in table
    every = sum(len(list(outcome)) for outcome in (DayStatus, AdjustmentStatus, Verdict, Note))
    assert len(table) == every
