"""The operator's meters: find one, enter one, hand it to a customer, make its claim code."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from commonwatt.accounts import queries as accounts
from commonwatt.accounts.access import Right, require_operator
from commonwatt.accounts.values import CustomerView, SiteView
from commonwatt.kernel.time import local_midnight
from commonwatt.metering import actions, energy, queries
from commonwatt.metering.access import access_meter
from commonwatt.metering.choices import Quantity
from commonwatt.metering.values import AssignmentView, MeterView
from commonwatt.portal.meter_forms import ClaimCodeForm, EndForm, HolderForm, MeterForm, MeterListForm, in_zone
from commonwatt.portal.meter_list import MeterLine, UnreadableList, read_list
from commonwatt.portal.requests import PortalRequest, page_number

HOLDINGS = {"": None, "held": True, "free": False}
SITES_SHOWN = 200


@login_required
@require_safe
def operator_meters(request: PortalRequest) -> HttpResponse:
    """Every meter, by number or name; those that nobody holds can be picked out (S0-65)."""
    require_operator(request.viewer)
    holding = request.GET.get("holding", "")
    search = request.GET.get("q", "").strip()[:120]
    page = queries.meter_page(page=page_number(request), search=search, is_held=HOLDINGS.get(holding))
    names = _holder_names([row.meter for row in page.items])
    context = {
        "page": page,
        "rows": [{"meter": row.meter, "last_day": row.last_day, "holder": names.get(row.meter.id)} for row in page.items],
        "search": search,
        "holding": holding,
        "holdings": [("", _("All meters")), ("held", _("Held by a customer")), ("free", _("Held by nobody"))],
    }
    return render(request, "portal/operator_meters.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def operator_meter_new(request: PortalRequest) -> HttpResponse:
    """Enter a meter (S0-46)."""
    require_operator(request.viewer)
    form = MeterForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            meter = actions.create_meter(actor=request.viewer, **form.cleaned_data, now=request.now)
        except actions.MeterNumberTaken:
            form.add_error("number", _("There is a meter with this number already."))
        else:
            messages.success(request, _("Meter %(number)s is entered. Next: who holds it.") % {"number": meter.number})
            return redirect("portal:operator_meter", meter.public_id)
    return render(request, "portal/operator_meter_new.html", {"form": form, "crumbs": _crumbs(_("New meter"))})


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def operator_meters_list(request: PortalRequest) -> HttpResponse:
    """Enter many meters from a CSV: every line says what became of it, and claim codes are shown this once."""
    require_operator(request.viewer)
    form = MeterListForm(request.POST or None, request.FILES or None)
    context: dict[str, Any] = {"form": form, "crumbs": _crumbs(_("Many meters"))}
    if request.method == "POST" and form.is_valid():
        try:
            lines = read_list(form.cleaned_data["file"])
        except UnreadableList as error:
            form.add_error("file", str(error))
        else:
            outcomes = [_enter(request, line, with_code=form.cleaned_data["with_codes"]) for line in lines]
            context |= {"outcomes": outcomes, "entered": sum(not outcome["problem"] for outcome in outcomes)}
    return render(request, "portal/operator_meters_list.html", context)


@login_required
@never_cache
@require_safe
def operator_meter(request: PortalRequest, public_id: str) -> HttpResponse:
    """One meter: what it measures, who held it when, its claim codes, its newest reading."""
    require_operator(request.viewer)
    meter = access_meter(request.viewer, public_id, now=request.now).meter
    return _show(request, meter)


@login_required
@require_POST
def operator_meter_assign(request: PortalRequest, public_id: str) -> HttpResponse:
    """Hand the meter to a customer, from an instant on (S0-47)."""
    require_operator(request.viewer)
    meter = access_meter(request.viewer, public_id, Right.CHANGE, now=request.now).meter
    form = _holder_form(request, meter, data=request.POST)
    if not form.is_valid():
        return _show(request, meter, holder_form=form)
    site = next(site for site in _sites(request) if site.public_id == form.cleaned_data["site"])
    from_at = in_zone(form.cleaned_data["from_at"], ZoneInfo(site.time_zone))
    try:
        actions.assign_meter(
            actor=request.viewer, meter_id=meter.id, customer_id=site.customer_id, site_id=site.id, from_at=from_at, now=request.now
        )
    except actions.AssignmentOverlaps:
        form.add_error("from_at", _("Somebody holds the meter then, or later. End their time first."))
        return _show(request, meter, holder_form=form)
    messages.success(request, _("The meter is assigned."))
    return redirect("portal:operator_meter", meter.public_id)


@login_required
@require_POST
def operator_meter_end(request: PortalRequest, public_id: str) -> HttpResponse:
    """End the present holder's time; what was measured before stays theirs to see."""
    require_operator(request.viewer)
    meter = access_meter(request.viewer, public_id, Right.CHANGE, now=request.now).meter
    form = EndForm(request.POST)
    if form.is_valid():
        try:
            until_at = in_zone(form.cleaned_data["until_at"], ZoneInfo(meter.time_zone))
            actions.end_assignment(actor=request.viewer, meter_id=meter.id, until_at=until_at, now=request.now)
        except actions.NobodyHoldsMeter:
            messages.error(request, _("Nobody holds the meter at that time, or their end is already set."))
        else:
            messages.success(request, _("The holder's time is ended. What was measured before stays theirs."))
    else:
        messages.error(request, _("Give a date and a time."))
    return redirect("portal:operator_meter", meter.public_id)


@login_required
@never_cache
@require_POST
def operator_meter_claim_code(request: PortalRequest, public_id: str) -> HttpResponse:
    """Make a claim code and show it, this once; earlier codes become worthless."""
    require_operator(request.viewer)
    meter = access_meter(request.viewer, public_id, Right.CHANGE, now=request.now).meter
    form = ClaimCodeForm(request.POST)
    if not form.is_valid():
        return _show(request, meter, claim_form=form)
    day = form.cleaned_data["holds_on"]
    holds_from = local_midnight(day, ZoneInfo(meter.time_zone)) if day else None
    try:
        code = actions.new_claim_code(actor=request.viewer, meter_id=meter.id, holds_from=holds_from, now=request.now)
    except actions.AssignmentOverlaps:
        form.add_error("holds_on", _("Somebody else began or ended to hold the meter after that day."))
        return _show(request, meter, claim_form=form)
    except actions.HoldsFromTheFuture:
        form.add_error("holds_on", _("That day has not come yet."))
        return _show(request, meter, claim_form=form)
    context = {
        "meter": meter,
        "code": code,
        "sign_up_url": settings.BASE_URL + reverse("account_signup"),
        "crumbs": [*_crumbs(meter.label, reverse("portal:operator_meter", args=[meter.public_id])), {"label": _("Claim code"), "url": ""}],
    }
    return render(request, "portal/operator_meter_claim_code.html", context)


def _enter(request: PortalRequest, line: MeterLine, *, with_code: bool) -> dict[str, Any]:
    """Enter one meter of a list, or say why not."""
    if line.problem:
        return {"line": line, "problem": line.problem}
    try:
        meter = actions.create_meter(actor=request.viewer, number=line.number, name=line.name, interval_s=line.interval_s, now=request.now)
    except actions.MeterNumberTaken:
        return {"line": line, "problem": _("There is a meter with this number already.")}
    code = actions.new_claim_code(actor=request.viewer, meter_id=meter.id, now=request.now) if with_code else ""
    return {"line": line, "problem": "", "meter": meter, "code": code}


def _show(
    request: PortalRequest, meter: MeterView, *, holder_form: HolderForm | None = None, claim_form: ClaimCodeForm | None = None
) -> HttpResponse:
    # A span that reaches over every assignment there can be.
    held = queries.holders_between([meter.id], request.now - timedelta(days=36_500), request.now + timedelta(days=36_500))
    sites, customers = _places(held)
    newest = energy.latest_reading([meter.id]).get(meter.id)
    context = {
        "meter": meter,
        "crumbs": _crumbs(meter.label),
        "facts": _facts(meter),
        "newest": newest,
        "held": [
            {"row": item, "site": sites[item.site_id], "customer": customers[item.customer_id], "is_current": item.holds_at(request.now)}
            for item in reversed(held)
        ],
        "holder_form": holder_form or _holder_form(request, meter),
        "may_assign": not any(item.until_at is None for item in held),
        "end_form": EndForm(initial={"until_at": timezone.localtime(request.now, ZoneInfo(meter.time_zone))}),
        "claim_form": claim_form or ClaimCodeForm(),
        "codes": [(code, code.works_at(request.now)) for code in queries.claim_codes(meter.id)],
        "search": _search(request),
    }
    return render(request, "portal/operator_meter.html", context)


def _facts(meter: MeterView) -> list[dict[str, str]]:
    return [
        {"label": _("Number"), "value": meter.number, "hint": ""},
        {"label": _("Measures"), "value": ", ".join(str(Quantity(channel.quantity).label) for channel in meter.channels), "hint": ""},
        {"label": _("Interval"), "value": _("%(n)d minutes") % {"n": meter.interval_s // 60}, "hint": ""},
        {"label": _("Days follow"), "value": meter.time_zone, "hint": _("the zone of its site")},
        {"label": _("Installed"), "value": f"{meter.installed_on:%Y-%m-%d}" if meter.installed_on else "–", "hint": ""},
    ]


def _search(request: PortalRequest) -> str:
    return (request.GET.get("customer") or request.POST.get("customer") or "").strip()[:120]


def _sites(request: PortalRequest) -> list[SiteView]:
    """The sites of the customers that the search names (all of them while there are few)."""
    found = accounts.all_customers(search=_search(request), page_size=SITES_SHOWN)
    ids = accounts.site_ids_of([row.customer.id for row in found.items])
    views = accounts.site_views([site for group in ids.values() for site in group])
    return [views[site] for row in found.items for site in ids[row.customer.id]][:SITES_SHOWN]


def _holder_form(request: PortalRequest, meter: MeterView, data: Any = None) -> HolderForm:
    sites = _sites(request)
    customers = accounts.customer_views({site.customer_id for site in sites})
    choices = [(site.public_id, f"{customers[site.customer_id].name} · {site.name}") for site in sites]
    zone = ZoneInfo(meter.time_zone)
    return HolderForm(data, sites=choices, zone=zone, initial={"from_at": timezone.localtime(request.now, zone)})


def _places(held: list[AssignmentView]) -> tuple[dict[int, SiteView], dict[int, CustomerView]]:
    return accounts.site_views({item.site_id for item in held}), accounts.customer_views({item.customer_id for item in held})


def _holder_names(meters: list[MeterView]) -> dict[int, dict[str, Any]]:
    held = [meter.holder for meter in meters if meter.holder]
    sites, customers = _places(held)
    return {item.meter_id: {"customer": customers[item.customer_id], "site": sites[item.site_id]} for item in held}


def _crumbs(here: str, url: str = "") -> list[dict[str, str]]:
    return [{"label": _("Meters"), "url": reverse("portal:operator_meters")}, {"label": here, "url": url}]
