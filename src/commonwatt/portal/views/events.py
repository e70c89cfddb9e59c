"""Events as their participants see them: before, while they run (live), and after; answering for a site."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.html import escape
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from commonwatt.accounts import queries as accounts
from commonwatt.accounts.access import Right, Viewer
from commonwatt.demand_response import actions, queries
from commonwatt.demand_response.access import access_event, access_participant
from commonwatt.demand_response.boards import Board
from commonwatt.demand_response.choices import Choice, EventStatus, OptSource
from commonwatt.demand_response.live import board
from commonwatt.demand_response.views import EventView
from commonwatt.outbox.queries import Entry
from commonwatt.portal import event_words as words
from commonwatt.portal import figures, live
from commonwatt.portal.charts import board_chart, changed_rows
from commonwatt.portal.context import address_of
from commonwatt.portal.requests import PortalRequest, page_number
from commonwatt.settlement import queries as settlement
from commonwatt.settlement import savings

SITES_SHOWN = 100
_OPEN = (EventStatus.UPCOMING, EventStatus.ACTIVE)


@login_required
@require_safe
def events(request: PortalRequest) -> HttpResponse:
    """Events that call the viewer's sites, or all of them for the operator; those to come first."""
    theirs = None if request.viewer.is_operator else request.viewer.member_of
    ahead = queries.open_events(customer_ids=theirs)
    page = queries.events_page(customer_ids=theirs, statuses=(EventStatus.COMPLETED, EventStatus.CANCELLED), page=page_number(request))
    context = {
        "ahead": [_row(event) for event in ahead],
        "page": page,
        "past": [_row(event) for event in page.items],
        "new_url": address_of("portal:event_new") if request.viewer.is_operator else None,
        "is_operator": request.viewer.is_operator,
    }
    return render(request, "portal/events.html", context)


@login_required
@never_cache
@require_safe
def event(request: PortalRequest, public_id: str) -> HttpResponse:
    """One event: what it asks, how it goes, what it came to."""
    shown = access_event(request.viewer, public_id, now=request.now)
    facts = queries.event_facts(shown.id)
    sites = _sites(request.viewer, shown)
    so_far = board(event_id=shown.id, now=request.now, site_ids=sites)
    views = accounts.site_views([one.site_id for one in so_far.sites[:SITES_SHOWN]])
    zone = _zone(shown, [view.time_zone for view in views.values()])
    with timezone.override(ZoneInfo(zone)):
        context = {
            "event": shown,
            "row": _row(shown),
            "is_test": shown.is_test,
            "more_places": max(0, len(so_far.sites) - SITES_SHOWN),
            "may_answer": shown.status in _OPEN,
            **_figures(request.viewer, shown, so_far, now=request.now),
            "chart": board_chart(so_far, zone=zone),
            **_told_words(request.viewer, shown, so_far),
            "statements": _statements(request.viewer, shown),
            "settles_at": words.settles_at(shown, facts),
            "live_url": reverse("portal:event_live", args=[public_id]) if shown.status in _OPEN else "",
            "crumbs": [{"label": _("Events"), "url": reverse("portal:events")}, {"label": shown.program_name, "url": ""}],
            "board_url": address_of("portal:operator_event", public_id) if request.viewer.is_operator else None,
        }
        return render(request, "portal/event.html", context)


@login_required
@require_safe
def event_live(request: PortalRequest, public_id: str) -> HttpResponseBase:
    """News for an open event page: the cards, and every interval as its readings come in; ends with the event."""
    opened = access_event(request.viewer, public_id, now=request.now)
    rows: dict[str, object] = {}
    parts = live.Parts()

    def tell(viewer: Viewer, now: datetime) -> Iterator[live.Message]:
        shown = access_event(viewer, public_id, now=now)
        so_far = board(event_id=shown.id, now=now, site_ids=_sites(viewer, shown))
        context = {**_figures(viewer, shown, so_far, now=now), **_told_words(viewer, shown, so_far)}
        yield from parts.changed("figures", render_to_string("portal/_event_figures.html", {"event": shown, **context}))
        changed = [live.row(row) for row in changed_rows(so_far, rows)]
        if changed:
            yield from changed
            yield from parts.changed("interval-summary", escape(context["summary"]))
            yield from parts.changed("interval-table", render_to_string("portal/components/table.html", context["table"]))
        yield from parts.changed("timeline", render_to_string("portal/_event_timeline.html", context))
        for place in context["places"]:
            yield from parts.changed(f"site-{place.site.public_id}", render_to_string("portal/_event_place_figures.html", {"place": place}))
        if shown.status not in _OPEN:
            yield live.ENDED

    sites = queries.participants_of(opened.id, customer_ids=None if request.viewer.is_operator else request.viewer.member_of)
    zones = [view.time_zone for view in accounts.site_views([one.site_id for one in sites[:SITES_SHOWN]]).values()]
    with timezone.override(ZoneInfo(_zone(opened, zones))):
        return live.respond(request, tell, concerns=lambda entry: _concerns(entry, opened))


@login_required
@require_POST
def event_answer(request: PortalRequest, public_id: str, site_id: str) -> HttpResponse:
    """Say for a site whether it takes part."""
    participant = access_participant(request.viewer, public_id, site_id, Right.CHANGE, now=request.now)
    choice = request.POST.get("choice", "")
    if choice not in set(Choice):
        messages.error(request, _("Choose whether to take part."))
        return redirect("portal:event", public_id)
    try:
        actions.opt(
            event_id=participant.event_id,
            site_id=participant.site_id,
            choice=Choice(choice),
            source=OptSource.PERSON,
            actor=request.viewer,
            now=request.now,
        )
    except actions.EventIsOver as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("Noted: taking part.") if choice == Choice.IN else _("Noted: not this time."))
    return redirect("portal:event", public_id)


def _concerns(entry: Entry, opened: EventView) -> bool:
    """Whether readings came in, or something happened to the event."""
    return entry.kind == "readings.recorded" or (entry.subject_kind == "event" and entry.subject_id == opened.public_id)


def _sites(viewer: Viewer, shown: EventView) -> Collection[int] | None:
    """The viewer's sites that the event called; None, all of them, for the operator."""
    if viewer.is_operator:
        return None
    return frozenset(one.site_id for one in queries.participants_of(shown.id, customer_ids=viewer.member_of))


def _zone(shown: EventView, zones: Collection[str]) -> str:
    """The zone of the sites where they share one, else the program's."""
    return next(iter(zones)) if len(set(zones)) == 1 else shown.program_time_zone


def _row(shown: EventView) -> dict[str, Any]:
    kind, icon = words.PILLS[shown.status]
    return {"event": shown, "pill": kind, "pill_icon": icon, "status": shown.status.label}


def _figures(viewer: Viewer, shown: EventView, so_far: Board, *, now: datetime) -> dict[str, Any]:
    """What is swapped when readings arrive or the event changes."""
    facts = queries.event_facts(shown.id)
    sites = [one.site_id for one in so_far.sites]
    rate = savings.savings(site_ids=sites, until=shown.starts_at).rate.ratio if shown.status is EventStatus.UPCOMING else None
    owed = [one["statement"].amount_nanos for one in _statements(viewer, shown)]
    settled = figures.money(sum(owed), shown.currency, 4) if owed else ""
    return {"row": _row(shown), "settled": settled, **words.figures_of(so_far, facts, rate=rate, now=now)}


def _told_words(viewer: Viewer, shown: EventView, so_far: Board) -> dict[str, Any]:
    """The chart in a sentence and in a table, each site, and what happened so far."""
    first = so_far.sites[:SITES_SHOWN]
    views = accounts.site_views([one.site_id for one in first])
    return {
        "summary": words.summary(so_far),
        "table": {**words.board_table(so_far), "caption_hidden": True},
        "places": words.places(first, views, may_act_for=viewer.acts_for),
        "timeline": queries.timeline(shown.id, customer_ids=None if viewer.is_operator else viewer.member_of),
    }


def _statements(viewer: Viewer, shown: EventView) -> list[dict[str, Any]]:
    """The statements of the event that are the viewer's customers'."""
    found = [(one, settlement.statement_of_event(event_id=shown.id, customer_id=one.id)) for one in viewer.customers]
    return [{"customer": customer, "statement": row} for customer, row in found if row is not None]
