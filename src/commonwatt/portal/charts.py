"""What charts draw, from the rooms' figures: the JSON shapes stand at the top of frontend/src/charts/<kind>.ts."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from commonwatt.demand_response.boards import Board, BoardInterval
from commonwatt.demand_response.participation import Participation
from commonwatt.portal import figures

Chart = dict[str, Any]  # JSON


def zulu(instant: datetime) -> str:
    """An instant as charts and streams write it."""
    return f"{instant.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def board_chart(board: Board, *, zone: str, target_kw: float | None = None) -> Chart:
    """The "event" chart: baseline, metered and (for the whole portfolio) target around and within an event."""
    rows = [board_row(step, target_kw=target_kw) for step in board.series]
    event = board.event
    return {
        "zone": zone,
        "interval_s": board.series[0].length_s if board.series else 900,
        "start": [row["start"] for row in rows],
        "baseline_wh": [row["baseline_wh"] for row in rows],
        "metered_wh": [row["metered_wh"] for row in rows],
        **({"target_wh": [row["target_wh"] for row in rows]} if target_kw else {}),
        "window": {"start": zulu(event.starts_at), "end": zulu(max(event.effective_ends_at, event.starts_at))},
        "now": zulu(board.now),
    }


def board_row(step: BoardInterval, *, target_kw: float | None = None) -> dict[str, object]:
    """One interval of that chart, also as a stream sends it."""
    row: dict[str, object] = {"start": zulu(step.start), "baseline_wh": step.baseline_wh, "metered_wh": step.metered_wh}
    if target_kw:
        asked = step.in_event and step.baseline_wh is not None
        row["target_wh"] = round((step.baseline_wh or 0) - target_kw * 1000 * step.length_s / 3600) if asked else None
    return row


def changed_rows(board: Board, told: dict[str, object], *, target_kw: float | None = None) -> Iterable[dict[str, object]]:
    """The intervals that differ from what a page was told before; `told` is brought up to date."""
    for step in board.series:
        row = board_row(step, target_kw=target_kw)
        if told.get(str(row["start"])) != row:
            told[str(row["start"])] = row
            yield row | {"now": zulu(board.now)}


def participation_chart(participation: Participation) -> Chart:
    """The "donut" chart: how calls were answered."""
    slices = [
        (_("Used less"), participation.responded, "in"),
        (_("Did not use less"), participation.not_responded, "waiting"),
        (_("Opted out"), participation.opted_out, "out"),
        (_("Could not be measured"), participation.not_measured, "none"),
    ]
    return {
        "slices": [{"label": label, "value": value, "kind": kind} for label, value, kind in slices if value],
        "centre_value": figures.MISSING if participation.ratio is None else figures.percent(participation.ratio, 0),
        "centre_label": _("took part"),
        "unit": _("calls"),
    }


def step_text(start: datetime, length: timedelta) -> str:
    """An interval of one local day as a table names it: 17:00–17:15."""
    return f"{timezone.localtime(start):%H:%M}–{timezone.localtime(start + length):%H:%M}"
