"""Calling an event: what is asked for, what would happen, and then the call."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from commonwatt.accounts.access import require_operator
from commonwatt.demand_response import actions, queries
from commonwatt.demand_response.access import access_event
from commonwatt.demand_response.plan import EventRequest
from commonwatt.demand_response.preview import Preview, preview
from commonwatt.demand_response.views import ProgramView
from commonwatt.portal import figures
from commonwatt.portal.enrolled_sites import site_choices
from commonwatt.portal.event_forms import CancelForm, EventForm
from commonwatt.portal.requests import PortalRequest

# The form's field for each field of a request.
_FIELDS = {"starts_at": "begins", "ends_at": "ends", "targets": "aim", "reason": "reason", "target_kw": "target_kw"}


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def event_new(request: PortalRequest) -> HttpResponse:
    """Enter an event, look at what it would do, and call it."""
    require_operator(request.viewer)
    form = _form(request)
    context: dict[str, Any] = {"form": form, "crumbs": _crumbs()}
    if request.method == "POST" and form.is_valid():
        wanted = form.request()
        if "call" in request.POST:
            called = _call(request, form, wanted)
            if called:
                return called
        context |= _looked_at(request, form.program_view, wanted)
        for obstacle in context["preview"].obstacles:
            form.add_error(_FIELDS.get(obstacle.field), obstacle.text)
    return render(request, "portal/operator_event_new.html", context)


@login_required
@require_POST
def event_cancel(request: PortalRequest, public_id: str) -> HttpResponse:
    """Call an event off, with a reason that everybody is told."""
    require_operator(request.viewer)
    event = access_event(request.viewer, public_id, now=request.now)
    form = CancelForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Say why: every participant is told."))
        return redirect("portal:event", public_id)
    try:
        actions.cancel_event(actor=request.viewer, event_id=event.id, reason=form.cleaned_data["reason"], now=request.now)
    except actions.EventIsOver:
        messages.error(request, _("The event is over; there is nothing left to cancel."))
    else:
        messages.success(request, _("The event is cancelled, and everybody is told."))
    return redirect("portal:event", public_id)


def _call(request: PortalRequest, form: EventForm, wanted: EventRequest) -> HttpResponse | None:
    try:
        event = actions.issue_event(actor=request.viewer, program_id=form.program_view.id, request=wanted, now=request.now)
    except actions.EventRefused:
        return None  # the preview that follows says why
    told = ngettext("The event is called: %(n)d site.", "The event is called: %(n)d sites.", event.participants)
    messages.success(request, told % {"n": event.participants})
    return redirect("portal:event", event.public_id)


def _form(request: PortalRequest) -> EventForm:
    programs = queries.programs()
    chosen = next((program for program in programs if program.public_id == request.GET.get("program")), programs[0] if programs else None)
    return EventForm(
        request.POST or None, programs=programs, groups=queries.groups(), sites=site_choices(), initial=_initial(chosen, request.now)
    )


def _initial(program: ProgramView | None, now: datetime) -> dict[str, Any]:
    """The earliest whole hour that the program's notice allows, for as long as its shortest event (an hour at least)."""
    if program is None:
        return {}
    zone = ZoneInfo(program.time_zone)
    earliest = now + timedelta(minutes=program.terms.notice_minutes + 5)
    begins = (earliest + timedelta(minutes=59)).astimezone(zone).replace(minute=0, second=0, microsecond=0)
    length = timedelta(minutes=min(max(program.terms.shortest_minutes, 60), program.terms.longest_minutes))
    ends = begins + length
    return {"program": program.public_id, "day": begins.date(), "begins": begins.time(), "ends": ends.time()}


def _looked_at(request: PortalRequest, program: ProgramView, wanted: EventRequest) -> dict[str, Any]:
    """What the event would do, in figures and words."""
    seen = preview(program_id=program.id, request=wanted, now=request.now)
    hours = (wanted.ends_at - wanted.starts_at).total_seconds() / 3600
    return {
        "preview": seen,
        "program": program,
        "wanted": wanted,
        "zone": program.time_zone,
        "expected_text": figures.power(seen.expected_kw * 1000) if seen.expected_kw is not None else "–",
        "saving_text": _saving(seen, hours),
        "facts": _facts(seen),
    }


def _saving(seen: Preview, hours: float) -> str:
    rate = seen.usual_rate.ratio if seen.usual_rate else None
    if seen.expected_kw is None or rate is None:
        return ""
    saved = seen.expected_kw * 1000 * rate
    return _("About %(power)s less (%(energy)s over the event), if as much is saved as in the last event (%(rate)s).") % {
        "power": figures.power(saved),
        "energy": figures.energy(saved * hours),
        "rate": figures.percent(rate),
    }


def _facts(seen: Preview) -> list[dict[str, Any]]:
    return [
        {"label": _("Sites called"), "value": seen.called, "hint": ""},
        {"label": _("People told"), "value": seen.people_told, "hint": _("in the portal, and by mail if they want")},
        {"label": _("Wait for consent"), "value": seen.waiting_for_consent, "hint": _("have not agreed to the newest terms; not called")},
        {"label": _("Without a baseline"), "value": seen.without_baseline, "hint": _("too few readings; cannot be credited")},
        {"label": _("Skipped the last event"), "value": seen.opted_out_last_time, "hint": ""},
    ]


def _crumbs() -> list[dict[str, str]]:
    return [{"label": _("Events"), "url": reverse("portal:events")}, {"label": _("Call an event"), "url": ""}]
