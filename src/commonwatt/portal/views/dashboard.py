"""A meter's dashboard: what was used against what like days say, savings, participation, the power now; live while readings arrive."""

from __future__ import annotations

from collections.abc import Iterator
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
from django.views.decorators.http import require_safe

from commonwatt.accounts import queries as accounts
from commonwatt.accounts.access import Viewer, access_customer
from commonwatt.accounts.values import CustomerView
from commonwatt.demand_response import queries as demand_response
from commonwatt.kernel.time import local_date
from commonwatt.metering import queries as metering
from commonwatt.metering.access import access_meter
from commonwatt.metering.values import MeterAccess
from commonwatt.outbox.queries import Entry
from commonwatt.portal import dashboard as shown_as
from commonwatt.portal import figures, live
from commonwatt.portal.charts import participation_chart, zulu
from commonwatt.portal.context import start_page
from commonwatt.portal.meter_energy import MeterPeriod, meter_period
from commonwatt.portal.periods import BadPeriod, Period, Span, asked_for, period
from commonwatt.portal.requests import PortalRequest
from commonwatt.portal.tables import csv_response
from commonwatt.settlement import savings

_LAST = "dashboard_meter"
_KEPT = ("period", "on", "from", "to")


@login_required
@require_safe
def dashboard(request: PortalRequest) -> HttpResponse:
    """The dashboard of the meter chosen, or looked at last, or the first there is; where there is none, what to do about it."""
    wanted = request.GET.get("customer", "")
    customers = (access_customer(request.viewer, wanted, now=request.now),) if wanted else request.viewer.customers
    if not customers:
        return redirect("portal:waiting") if not request.viewer.is_operator else redirect(start_page(request.viewer))
    chosen = request.GET.get("meter", "") or request.session.get(_LAST, "")
    held = [meter.public_id for customer in customers for meter in metering.meters_of(customer.id, request.now)]
    if held:
        kept = request.GET.copy()
        for name in set(kept) - set(_KEPT):
            del kept[name]
        address = reverse("portal:meter_dashboard", args=[chosen if chosen in held else held[0]])
        return redirect(f"{address}?{kept.urlencode()}" if kept else address)
    if customers[0].id in request.viewer.acts_for and not customers[0].is_organisation:
        messages.info(request, _("Welcome! Your dashboard starts with a meter: enter the claim code that your operator sent you."))
        return redirect("portal:claim")
    return render(request, "portal/dashboard_empty.html", {"customer": customers[0]})


@login_required
@never_cache
@require_safe
def meter_dashboard(request: PortalRequest, public_id: str) -> HttpResponse:
    """One meter over one period (S0-38 to S0-41); the address says which."""
    access = access_meter(request.viewer, public_id, now=request.now)
    if request.session.get(_LAST) != public_id:
        request.session[_LAST] = public_id
    with timezone.override(ZoneInfo(access.meter.time_zone)):
        shown, problem = _period(request, access)
        view = meter_period(access, shown, now=request.now)
        context = {
            **_frame(request, access),
            **_figures(access, view, now=request.now),
            "problem": problem,
            "live_url": f"{reverse('portal:meter_live', args=[public_id])}{shown.query}" if _is_now(shown, access, request.now) else "",
            "csv_url": f"{reverse('portal:meter_csv', args=[public_id])}{shown.query}",
            "like_days": shown_as.like_days_text(view.expected_day.days if view.expected_day else ()),
            "chart": shown_as.chart(view, access, now=request.now),
            "table": shown_as.figures_table(view),
            "summary": _summary(view),
        }
        return render(request, "portal/dashboard.html", context)


@login_required
@never_cache
@require_safe
def meter_csv(request: PortalRequest, public_id: str) -> HttpResponse:
    """The figures of a dashboard for a spreadsheet."""
    access = access_meter(request.viewer, public_id, now=request.now)
    try:
        shown = asked_for(request.GET, today=local_date(request.now, ZoneInfo(access.meter.time_zone)))
    except BadPeriod as refusal:
        return HttpResponse(f"{_PROBLEMS()[refusal.problem]}\n", status=400, content_type="text/plain; charset=utf-8")
    view = meter_period(access, shown, now=request.now)
    return csv_response(shown_as.csv_rows(view, access), name=f"{access.public_id}-{shown.first:%Y%m%d}-{shown.last:%Y%m%d}.csv")


@login_required
@require_safe
def meter_live(request: PortalRequest, public_id: str) -> HttpResponseBase:
    """News for an open dashboard: the newest power, the sums, and every bar that a reading changes."""
    access = access_meter(request.viewer, public_id, now=request.now)
    with timezone.override(ZoneInfo(access.meter.time_zone)):
        shown, _problem = _period(request, access)
        parts = live.Parts()

        def tell(viewer: Viewer, now: datetime) -> Iterator[live.Message]:
            seen = access_meter(viewer, public_id, now=now)
            view = meter_period(seen, shown, now=now)
            yield from parts.changed("figures", render_to_string("portal/_dashboard_figures.html", _figures(seen, view, now=now)))
            yield from parts.changed("interval-summary", escape(_summary(view)))
            table = {**shown_as.figures_table(view), "caption_hidden": True}
            yield from parts.changed("interval-table", render_to_string("portal/components/table.html", table))
            for bar in view.bars:
                if bar.energy_wh is not None and list(parts.changed(zulu(bar.start), f"{bar.energy_wh} {shown_as.quality(bar)}")):
                    yield live.row(shown_as.row(bar, now=now))

        return live.respond(request, tell, concerns=lambda entry: _touches(entry, access.id))


def _touches(entry: Entry, meter_id: int) -> bool:
    """Whether readings of the meter came in; of a large delivery the log does not say whose they were."""
    if entry.kind != "readings.recorded":
        return False
    meters = entry.payload.get("meter_ids")
    return meters is None or meter_id in meters


def _period(request: PortalRequest, access: MeterAccess) -> tuple[Period, str]:
    """The period of the address; today, and what is wrong, where it cannot be read."""
    today = local_date(request.now, ZoneInfo(access.meter.time_zone))
    try:
        return asked_for(request.GET, today=today), ""
    except BadPeriod as refusal:
        return period(Span.DAY, today), _PROBLEMS()[refusal.problem]


def _PROBLEMS() -> dict[str, str]:  # noqa: N802 (a table whose words depend on the reader)
    return {
        "unknown": _("The address asks for a period that there is not. Today is shown instead."),
        "no_date": _("The dates in the address could not be read; they are written like 2026-11-20. Today is shown instead."),
        "backwards": _("The last day lies before the first. Today is shown instead."),
        "too_long": _("At most three years are shown at once. Today is shown instead."),
    }


def _is_now(shown: Period, access: MeterAccess, now: datetime) -> bool:
    return shown.first <= local_date(now, ZoneInfo(access.meter.time_zone)) <= shown.last


def _frame(request: PortalRequest, access: MeterAccess) -> dict[str, Any]:
    """Whose meter it is, what else there is to choose, and how the customer has done in events."""
    holder, viewer = access.meter.holder, request.viewer
    is_theirs = holder is not None and viewer.right_in(holder.customer_id) is not None
    customer = accounts.customer_views([holder.customer_id]).get(holder.customer_id) if holder and is_theirs else None
    site = accounts.site_views([holder.site_id]).get(holder.site_id) if holder and is_theirs else None
    channels = [channel.id for channel in access.meter.channels]
    known = metering.days_known(channels)
    shown, _problem = _period(request, access)
    today = local_date(request.now, ZoneInfo(access.meter.time_zone))
    return {
        "access": access,
        "meter": access.meter,
        "customer": customer,
        "site": site,
        "customers": viewer.customers if customer in viewer.customers else ((customer,) if customer else ()),
        "meters": metering.meters_of(customer.id, request.now) if customer else [access.meter],
        "kept": [(name, request.GET[name]) for name in _KEPT if request.GET.get(name)],
        "period": shown_as.period_bar(shown, today=today, known=known),
        "first_day": known[0] if known else None,
        **(_savings(customer, request.now) if customer else {}),
    }


def _savings(customer: CustomerView, now: datetime) -> dict[str, Any]:
    so_far = savings.savings_of_customer(customer_id=customer.id, until=now)
    return {
        "savings": so_far,
        "donut": participation_chart(so_far.participation),
        "open_events": demand_response.open_events(customer_ids=[customer.id])[:3],
    }


def _figures(access: MeterAccess, view: MeterPeriod, *, now: datetime) -> dict[str, Any]:
    """What is swapped when readings arrive."""
    return {
        "view": view,
        "power": shown_as.power_card(access, view, now=now),
        "previous": shown_as.change_stat(view.against_previous, than=shown_as.than_before(view.period)),
        "against": shown_as.change_stat(view.against_expected, than=_("than expected")),
    }


def _summary(view: MeterPeriod) -> str:
    if not view.has_readings:
        return _("There are no readings in this period.")
    values = {"period": shown_as.label(view.period), "energy": figures.energy(view.energy_wh)}
    text = _("%(period)s: %(energy)s metered.") % values
    against = shown_as.change_stat(view.against_expected, than=_("than expected"))
    return f"{text} {against['delta']} {against['hint']}." if against else text
