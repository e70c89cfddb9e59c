"""An event as its participants read it: what is asked, how it goes, what it comes to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from commonwatt.accounts.values import SiteView
from commonwatt.demand_response.boards import Board, SiteBoard
from commonwatt.demand_response.choices import Choice, EventStatus, NegativeIntervals
from commonwatt.demand_response.views import EventFacts, EventView
from commonwatt.kernel.money import amount_nanos
from commonwatt.portal import figures
from commonwatt.portal.tables import column, table
from commonwatt.settlement.plan import credited_price

EXAMPLE_SHARE = 0.2
PILLS = {
    EventStatus.UPCOMING: ("info", "calendar-event"),
    EventStatus.ACTIVE: ("live", ""),
    EventStatus.COMPLETED: ("success", "circle-check"),
    EventStatus.CANCELLED: ("neutral", "ban"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """One of the viewer's sites in an event."""

    site: SiteView
    board: SiteBoard
    may_act: bool

    @property
    def is_out(self) -> bool:
        """Whether it does not take part."""
        return self.board.choice == Choice.OUT

    @property
    def has_said_yes(self) -> bool:
        """Whether somebody answered that it does."""
        return self.board.choice == Choice.IN


def price_of(facts: EventFacts) -> int:
    """What a delivered kilowatt-hour of the event earns. [micros]"""
    return credited_price(price_micros_per_kwh=facts.price_micros_per_kwh, credit_factor_ppm=facts.credit_factor_ppm)


def figures_of(board: Board, facts: EventFacts, *, rate: float | None, now: datetime) -> dict[str, Any]:
    """What the cards of the page show; `rate` is the customer's savings rate so far, if there is one."""
    price = price_of(facts)
    credited_wh = _credited_wh(board, facts)
    share = rate if rate is not None and rate > 0 else EXAMPLE_SHARE
    end = facts.effective_ends_at
    length = (end - facts.starts_at).total_seconds()
    passed = min(max((now - facts.starts_at).total_seconds(), 0), length)
    return {
        "board": board,
        "price": figures.price(price, facts.currency),
        "credit": figures.money(amount_nanos(credited_wh, price), facts.currency),
        "could_share": share,
        "could_is_theirs": share == rate,
        "could_wh": round(board.expected_wh * share),
        "could_earn": figures.money(amount_nanos(round(board.expected_wh * share), price), facts.currency),
        "passed_s": round(passed),
        "length_s": round(length),
        "left_text": figures.duration(60 * -(-(length - passed) // 60)),
        "saved_share": board.delivered_wh / board.baseline_wh if board.baseline_wh > 0 else None,
    }


def _credited_wh(board: Board, facts: EventFacts) -> int:
    """What the sum of the sites would be credited so far by the program's convention; meters are settled each for itself later."""
    deliveries = [
        step.baseline_wh - step.metered_wh
        for step in board.series
        if step.in_event and step.baseline_wh is not None and step.metered_wh is not None
    ]
    if facts.negative_intervals == NegativeIntervals.NET:
        return max(0, sum(deliveries))
    return sum(max(0, delivered_wh) for delivered_wh in deliveries)


def board_table(board: Board) -> dict[str, Any]:
    """The same figures as the chart, in a table."""
    zone_text = _("Interval")
    return table(
        caption=_("Used against baseline, by interval"),
        columns=[
            column(zone_text),
            column(_("Baseline"), unit="kWh"),
            column(_("Used"), unit="kWh"),
            column(_("Delivered"), unit="kWh"),
            column(_("Part of the event"), numeric=False),
        ],
        rows=[
            [
                f"{timezone.localtime(step.start):%H:%M}–{timezone.localtime(step.start + timedelta(seconds=step.length_s)):%H:%M}",
                figures.kwh(step.baseline_wh),
                figures.kwh(step.metered_wh),
                figures.kwh(None if step.baseline_wh is None or step.metered_wh is None else step.baseline_wh - step.metered_wh),
                _("yes") if step.in_event else _("no"),
            ]
            for step in board.series
        ],
    )


def summary(board: Board) -> str:
    """The chart in a sentence."""
    if not board.series:
        return _("There is no baseline to draw yet.")
    if not board.baseline_wh:
        return _("The baseline, in steps of its meters' intervals; what is used is added as readings arrive.")
    return used_of(baseline_wh=board.baseline_wh, metered_wh=board.metered_wh)


def used_of(*, baseline_wh: int, metered_wh: int) -> str:
    """Use against baseline in a sentence."""
    less_wh = baseline_wh - metered_wh
    text = _("Of a baseline of %(baseline)s, %(used)s was used: %(less)s less.")
    if less_wh < 0:
        text = _("Of a baseline of %(baseline)s, %(used)s was used: %(less)s more.")
    return text % {"baseline": figures.energy(baseline_wh), "used": figures.energy(metered_wh), "less": figures.energy(abs(less_wh))}


def places(boards: Iterable[SiteBoard], sites: Mapping[int, SiteView], *, may_act_for: frozenset[int]) -> list[Place]:
    """The sites by name."""
    found = [Place(site=sites[one.site_id], board=one, may_act=one.customer_id in may_act_for) for one in boards]
    return sorted(found, key=lambda place: (place.site.name.casefold(), place.site.id))


def settles_at(event: EventView, facts: EventFacts) -> datetime:
    """When readings have been waited for long enough."""
    return event.effective_ends_at + timedelta(minutes=facts.data_wait_minutes)
