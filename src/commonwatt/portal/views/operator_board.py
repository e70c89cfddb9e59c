"""The operator's board of one event: live while it runs; afterwards how it went, its settlements, and whether they recompute."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from io import StringIO
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from commonwatt.accounts import queries as accounts
from commonwatt.accounts.access import Viewer, require_operator
from commonwatt.demand_response import queries
from commonwatt.demand_response.access import access_event
from commonwatt.demand_response.choices import EventStatus
from commonwatt.demand_response.live import board
from commonwatt.demand_response.views import EventView
from commonwatt.portal import event_words as words
from commonwatt.portal import figures, live
from commonwatt.portal.charts import board_chart, changed_rows, zulu
from commonwatt.portal.desk_board import BoardRow, DeskBoard, desk_board
from commonwatt.portal.event_forms import CancelForm
from commonwatt.portal.requests import PortalRequest
from commonwatt.settlement import savings
from commonwatt.settlement.verification import verify

ROWS_SHOWN = 200
_OPEN = (EventStatus.UPCOMING, EventStatus.ACTIVE)
_CSV_HEAD = ("site", "customer", "answer", "expected_wh", "baseline_wh", "metered_wh", "delivered_wh", "delivered_w", "newest_reading_utc")


@login_required
@never_cache
@require_safe
def operator_event(request: PortalRequest, public_id: str) -> HttpResponse:
    """The whole board."""
    require_operator(request.viewer)
    shown = access_event(request.viewer, public_id, now=request.now)
    desk = _desk(request, shown)
    with timezone.override(ZoneInfo(shown.program_time_zone)):
        context = {
            **_figures(desk),
            "chart": board_chart(desk.board, zone=shown.program_time_zone, target_kw=shown.target_kw),
            "table": words.board_table(desk.board),
            "summary": words.summary(desk.board),
            "performance": savings.event_performance(shown.id),
            "cancel_form": CancelForm(),
            "is_open": shown.status in _OPEN,
            "live_url": reverse("portal:operator_event_live", args=[public_id]) if shown.status in _OPEN else "",
            "timeline": queries.timeline(shown.id),
            "crumbs": _crumbs(shown),
        }
        return render(request, "portal/operator_event.html", context)


@login_required
@require_safe
def operator_event_live(request: PortalRequest, public_id: str) -> HttpResponseBase:
    """News for an open board."""
    require_operator(request.viewer)
    opened = access_event(request.viewer, public_id, now=request.now)
    rows: dict[str, object] = {}
    told: list[str] = []

    def tell(viewer: Viewer, now: Any) -> Iterator[live.Message]:
        require_operator(viewer)
        shown = access_event(viewer, public_id, now=now)
        desk = _board_of(shown, now=now)
        html = render_to_string("portal/_operator_event_figures.html", _figures(desk))
        if told != [html]:
            told[:] = [html]
            yield live.Message("figures", html)
        yield from (live.row(row) for row in changed_rows(desk.board, rows, target_kw=shown.target_kw))
        if shown.status not in _OPEN:
            yield live.ENDED

    return live.respond(request, tell, concerns=lambda entry: entry.kind == "readings.recorded" or entry.subject_id == opened.public_id)


@login_required
@never_cache
@require_safe
def operator_event_csv(request: PortalRequest, public_id: str) -> HttpResponse:
    """The sites of the board for a spreadsheet."""
    require_operator(request.viewer)
    shown = access_event(request.viewer, public_id, now=request.now)
    text = StringIO()
    writer = csv.writer(text)
    writer.writerow(_CSV_HEAD)
    writer.writerows(_csv_row(row) for row in _desk(request, shown).sites)
    response = HttpResponse(text.getvalue(), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{public_id}.csv"'
    return response


@login_required
@require_POST
def operator_event_verify(request: PortalRequest, public_id: str) -> HttpResponse:
    """Recompute the event's settlements from the readings they knew, and say whether every figure stands."""
    require_operator(request.viewer)
    shown = access_event(request.viewer, public_id, now=request.now)
    result = verify(event_id=shown.id, now=request.now)
    if result.is_whole:
        counts = {"lines": result.lines, "meters": result.meters, "settlements": result.settlements}
        messages.success(
            request,
            _("Recomputed: %(lines)d lines of %(meters)d meters in %(settlements)d settlements, all the same to the nano.") % counts,
        )
    else:
        for difference in result.differences[:5]:
            messages.error(request, str(difference))
        messages.error(request, _("%(n)d figures differ. Keep the database as it is and ask for help.") % {"n": len(result.differences)})
    return redirect("portal:operator_event", public_id)


def _desk(request: PortalRequest, shown: EventView) -> DeskBoard:
    return _board_of(shown, now=request.now)


def _board_of(shown: EventView, *, now: Any) -> DeskBoard:
    so_far = board(event_id=shown.id, now=now)
    sites = accounts.site_views({one.site_id for one in so_far.sites})
    customers = accounts.customer_views({one.customer_id for one in so_far.sites})
    return desk_board(so_far, sites=sites, customers=customers, now=now)


def _figures(desk: DeskBoard) -> dict[str, Any]:
    """What is swapped while the event runs."""
    board_now = desk.board
    kind, icon = words.PILLS[board_now.event.status]
    projected = board_now.projected_wh
    return {
        "event": board_now.event,
        "desk": desk,
        "pill": kind,
        "pill_icon": icon,
        "delivered_text": figures.energy(board_now.delivered_wh) if board_now.baseline_wh else "–",
        "power_text": figures.power(board_now.delivered_w) if board_now.delivered_w is not None else "–",
        "target_text": figures.power(desk.target_w) if desk.target_w else "",
        "projected_text": figures.energy(projected) if projected is not None else "–",
        "sites": desk.sites[:ROWS_SHOWN],
        "more": max(0, len(desk.sites) - ROWS_SHOWN),
        "customers": desk.customers[:ROWS_SHOWN],
    }


def _csv_row(row: BoardRow) -> tuple[object, ...]:
    newest = zulu(row.newest_at) if row.newest_at else ""
    power = "" if row.delivered_w is None else round(row.delivered_w)
    figures_of_row = (row.expected_wh, row.baseline_wh, row.metered_wh, row.delivered_wh)
    return (row.name, row.customer.name, row.choice or "no answer", *figures_of_row, power, newest)


def _crumbs(shown: EventView) -> list[dict[str, str]]:
    return [
        {"label": _("Events"), "url": reverse("portal:events")},
        {"label": shown.program_name, "url": reverse("portal:event", args=[shown.public_id])},
        {"label": _("Board"), "url": ""},
    ]
