"""The operator's view of customers, of its own staff, and of the whole trail."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from commonwatt.accounts import actions, people
from commonwatt.accounts import queries as accounts
from commonwatt.accounts.access import access_customer, require_operator, require_operator_administrator, viewer_for
from commonwatt.accounts.choices import CustomerKind, Role
from commonwatt.accounts.values import CustomerView
from commonwatt.metering import queries as metering
from commonwatt.portal.context import address_of
from commonwatt.portal.people_forms import CustomerForm, RoleForm, StaffForm
from commonwatt.portal.requests import PortalRequest, page_number
from commonwatt.portal.trail import lines
from commonwatt.portal.views.people import people_and_places


@login_required
@require_safe
def operator_customers(request: PortalRequest) -> HttpResponse:
    """Every customer, by name, kind or number."""
    require_operator(request.viewer)
    kind = request.GET.get("kind", "")
    search = request.GET.get("q", "").strip()[:120]
    page = accounts.all_customers(page=page_number(request), kind=kind if kind in CustomerKind.values else "", search=search)
    context = {
        "page": page,
        "kind": kind,
        "search": search,
        "kinds": CustomerKind.choices,
        "new_url": reverse("portal:operator_customer_new"),
    }
    return render(request, "portal/operator_customers.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def operator_customer_new(request: PortalRequest) -> HttpResponse:
    """Enter a new organisation or household (S0-45)."""
    require_operator(request.viewer)
    form = CustomerForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        customer = actions.create_customer(actor=request.viewer, **form.cleaned_data, now=request.now)
        messages.success(request, _("%(name)s is entered. Next: its sites, its meters, its first administrator.") % {"name": customer.name})
        return redirect("portal:operator_customer", customer.public_id)
    context = {"form": form, "back_url": reverse("portal:operator_customers"), "crumbs": _crumbs(_("New customer"))}
    return render(request, "portal/operator_customer_new.html", context)


@login_required
@require_safe
def operator_customer(request: PortalRequest, public_id: str) -> HttpResponse:
    """One customer: its people, sites and meters."""
    require_operator(request.viewer)
    customer = access_customer(request.viewer, public_id, now=request.now)
    context = people_and_places(request, customer)
    context["crumbs"] = _crumbs(customer.name)
    context["meters"] = _meters(request, customer, {site.id: site.name for site in context["sites"]})
    context["facts"] = [
        {
            "label": _("Number"),
            "value": customer.public_id,
            "hint": _("Colleagues can sign up with it.") if customer.is_organisation else "",
        },
        {"label": _("Pseudonym"), "value": customer.party_id, "hint": _("In ledger and settlements.")},
    ]
    return render(request, "portal/operator_customer.html", context)


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def operator_staff(request: PortalRequest) -> HttpResponse:
    """Who works at the desk; a POST adds somebody and shows their one-time link, this once."""
    require_operator_administrator(request.viewer)
    form = StaffForm(request.POST or None)
    link = added = None
    if request.method == "POST" and form.is_valid():
        try:
            added, token = people.create_operator(actor=request.viewer, **form.cleaned_data, now=request.now)
        except people.AlreadyOperator:
            form.add_error("email", _("This person works at the desk already."))
        else:
            link = token and settings.BASE_URL + reverse("portal:sign_in_link", args=[token])
            form = StaffForm()
    context = {"form": form, "staff": accounts.operators(), "roles": Role.choices, "added": added, "link": link}
    return render(request, "portal/operator_staff.html", context)


@login_required
@require_POST
def operator_staff_role(request: PortalRequest, public_id: str) -> HttpResponse:
    """Change what a member of the staff may do, or take them off the desk."""
    require_operator_administrator(request.viewer)
    form = RoleForm(request.POST)
    if form.is_valid():
        try:
            people.set_operator_role(actor=request.viewer, public_id=public_id, role=form.cleaned_data["role"] or None, now=request.now)
        except actions.LastAdministrator:
            messages.error(request, _("Somebody must administer the desk. Make another member an administrator first."))
        else:
            messages.success(request, _("The staff is changed."))
    # Whoever stepped down themselves may not open the page of the staff any more.
    is_still_one = viewer_for(request.user).is_operator_administrator
    return redirect("portal:operator_staff" if is_still_one else settings.LOGIN_REDIRECT_URL)


@login_required
@require_safe
def operator_audit(request: PortalRequest) -> HttpResponse:
    """Everything that anybody did, newest first."""
    require_operator_administrator(request.viewer)
    page = accounts.audit_of(page=page_number(request))
    return render(request, "portal/operator_audit.html", {"page": page, "lines": lines(page)})


def _crumbs(here: str) -> list[dict[str, str]]:
    return [{"label": _("Customers"), "url": reverse("portal:operator_customers")}, {"label": here, "url": ""}]


def _meters(request: PortalRequest, customer: CustomerView, site_names: dict[int, str]) -> list[dict[str, Any]]:
    """The meters that a customer holds now, as lines."""
    return [
        {
            "label": meter.label,
            "number": meter.number,
            "site": site_names.get(meter.holder.site_id, ""),
            "since": meter.holder.from_at,
            "url": address_of("portal:operator_meter", meter.public_id),
        }
        for meter in metering.meters_of(customer.id, request.now)
        if meter.holder is not None
    ]
