"""A customer's sites with the meters there: what they are called, when they last reported."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from commonwatt.accounts import queries as accounts
from commonwatt.accounts.access import NotFound, Right, access_customer
from commonwatt.demand_response import queries as demand_response
from commonwatt.metering import actions
from commonwatt.metering import queries as metering
from commonwatt.metering.access import access_meter
from commonwatt.portal.dashboard import STALE
from commonwatt.portal.requests import PortalRequest


class MeterNameForm(forms.Form):
    """What the people of a meter call it."""

    name = forms.CharField(max_length=120, required=False)


@login_required
@require_safe
def meters(request: PortalRequest) -> HttpResponse:
    """The meters of the first of the viewer's customers; from there one goes to the others."""
    if not request.viewer.customers:
        return redirect("portal:waiting")
    return redirect("portal:meters_of", request.viewer.customers[0].public_id)


@login_required
@never_cache
@require_safe
def meters_of(request: PortalRequest, public_id: str) -> HttpResponse:
    """A customer's sites, the meters at each, and the programs each takes part in."""
    customer = access_customer(request.viewer, public_id, now=request.now)
    held = metering.meters_of(customer.id, request.now)
    newest = metering.latest_reading([meter.id for meter in held])
    enrolled: dict[int, list[Any]] = {}
    for enrolment in demand_response.enrolments_of(customer_ids=[customer.id]):
        enrolled.setdefault(enrolment.site_id, []).append(enrolment)
    rows: dict[int, list[dict[str, Any]]] = {}
    for meter in held:
        latest = newest.get(meter.id)
        is_late = latest is not None and request.now - latest.end > STALE
        if meter.holder is not None:
            rows.setdefault(meter.holder.site_id, []).append({"meter": meter, "latest": latest, "is_late": is_late})
    context = {
        "customer": customer,
        "others": [other for other in request.viewer.customers if other.id != customer.id],
        "places": [
            {"site": site, "meters": rows.get(site.id, []), "enrolments": enrolled.get(site.id, [])}
            for site in accounts.sites_of(customer.id)
        ],
        "may_change": (request.viewer.right_in(customer.id) or 0) >= Right.CHANGE,
    }
    return render(request, "portal/meters.html", context)


@login_required
@require_POST
def meter_rename(request: PortalRequest, public_id: str) -> HttpResponse:
    """Give a meter another name; empty for its number."""
    access = access_meter(request.viewer, public_id, Right.CHANGE, now=request.now)
    holder = access.meter.holder
    if holder is None:
        raise NotFound("meter", public_id)
    form = MeterNameForm(request.POST)
    if form.is_valid():
        renamed = actions.rename_meter(actor=request.viewer, meter_id=access.id, name=form.cleaned_data["name"], now=request.now)
        messages.success(request, _("The meter is now called %(name)s.") % {"name": renamed.label})
    else:
        messages.error(request, _("A name has at most 120 characters."))
    return redirect("portal:meters_of", accounts.customer_views([holder.customer_id])[holder.customer_id].public_id)
