"""The people and places of a customer: who belongs, who waits, who is invited, where the sites are."""

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

from commonwatt.accounts import actions
from commonwatt.accounts import queries as accounts
from commonwatt.accounts.access import NotFound, Right, access_customer, access_site
from commonwatt.accounts.choices import MembershipStatus, Standing
from commonwatt.accounts.values import CustomerView, MembershipView, SiteView
from commonwatt.portal.invitations import invitation_address, send_invitation
from commonwatt.portal.membership import decide
from commonwatt.portal.people_forms import InviteForm, NameForm, SiteForm, StandingForm
from commonwatt.portal.requests import PortalRequest, page_number
from commonwatt.portal.trail import lines


@login_required
@require_safe
def organisation(request: PortalRequest) -> HttpResponse:
    """The first of the viewer's customers; from there one goes to the others."""
    if not request.viewer.customers:
        return redirect("portal:waiting")
    return redirect("portal:organisation_members", request.viewer.customers[0].public_id)


@login_required
@require_safe
def organisation_members(request: PortalRequest, public_id: str) -> HttpResponse:
    """Everybody's place in a customer; who may decide finds the forms for it (S0-43)."""
    customer = access_customer(request.viewer, public_id, now=request.now)
    return render(request, "portal/organisation_members.html", people_and_places(request, customer))


@login_required
@require_POST
def organisation_rename(request: PortalRequest, public_id: str) -> HttpResponse:
    """Give a customer another name."""
    customer = access_customer(request.viewer, public_id, Right.CHANGE, now=request.now)
    form = NameForm(request.POST)
    if form.is_valid():
        actions.rename_customer(actor=request.viewer, customer_id=customer.id, name=form.cleaned_data["name"], now=request.now)
        messages.success(request, _("The new name is saved."))
    else:
        messages.error(request, _("A name has 1 to 120 characters."))
    return redirect(page_of(request, customer))


@login_required
@require_POST
def organisation_member_decide(request: PortalRequest, public_id: str, membership_id: str) -> HttpResponse:
    """Let a member in, turn them down, or change their role."""
    customer = access_customer(request.viewer, public_id, Right.MANAGE, now=request.now)
    member = _member_of(customer, membership_id)
    form = StandingForm(request.POST)
    if not form.is_valid():
        messages.error(request, _("Choose where the member stands."))
        return redirect(page_of(request, customer))
    standing: Standing = form.cleaned_data["standing"]
    status, role = standing.decision
    try:
        decide(viewer=request.viewer, membership_id=member.id, status=status, role=role, now=request.now)
    except actions.LastAdministrator:
        messages.error(request, _("Somebody must administer. Make another member an administrator first."))
    else:
        messages.success(request, _("%(name)s: %(standing)s.") % {"name": member.person.label, "standing": standing.label})
    return redirect(page_of(request, customer))


@login_required
@never_cache
@require_POST
def organisation_invite(request: PortalRequest, public_id: str) -> HttpResponse:
    """Make an invitation and show its code, this once: it is kept nowhere, so the page is the answer to the POST."""
    customer = access_customer(request.viewer, public_id, Right.MANAGE, now=request.now)
    form = InviteForm(request.POST)
    if not form.is_valid():
        context = {**people_and_places(request, customer), "invite_form": form}
        return render(request, "portal/organisation_members.html", context, status=400)
    email, role = form.cleaned_data["email"], form.cleaned_data["role"]
    code = actions.invite(actor=request.viewer, customer_id=customer.id, role=role, email=email, now=request.now)
    sent = bool(email) and send_invitation(
        code=code, email=email, customer=customer, invited_by=request.viewer.name or request.viewer.email
    )
    context = {"customer": customer, "code": code, "address": invitation_address(code), "email": email, "sent": sent}
    context |= {"back_url": page_of(request, customer), "crumbs": crumbs_to(request, customer, _("Invitation"))}
    return render(request, "portal/invitation_made.html", context)


@login_required
@require_POST
def organisation_invitation_withdraw(request: PortalRequest, public_id: str, invitation_id: str) -> HttpResponse:
    """Make an invitation worthless."""
    customer = access_customer(request.viewer, public_id, Right.MANAGE, now=request.now)
    if not actions.withdraw_invitation(actor=request.viewer, customer_id=customer.id, public_id=invitation_id, now=request.now):
        raise NotFound("invitation", invitation_id)
    messages.success(request, _("The invitation is withdrawn."))
    return redirect(page_of(request, customer))


@login_required
@require_safe
def organisation_trail(request: PortalRequest, public_id: str) -> HttpResponse:
    """Who did what in a customer's affairs, for those who manage it."""
    customer = access_customer(request.viewer, public_id, Right.MANAGE, now=request.now)
    page = accounts.audit_of(customer_id=customer.id, page=page_number(request))
    context = {"customer": customer, "page": page, "lines": lines(page), "crumbs": crumbs_to(request, customer, _("Trail"))}
    return render(request, "portal/organisation_trail.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def site_new(request: PortalRequest, public_id: str) -> HttpResponse:
    """A new place of a customer."""
    customer = access_customer(request.viewer, public_id, Right.CHANGE, now=request.now)
    form = SiteForm(request.POST or None, initial=_place_of_the_operator())
    if request.method == "POST" and form.is_valid():
        try:
            actions.create_site(actor=request.viewer, customer_id=customer.id, **form.cleaned_data, now=request.now)
        except actions.SiteNameTaken as error:
            form.add_error("name", str(error))
        else:
            messages.success(request, _("The site is added."))
            return redirect(page_of(request, customer))
    return _site_page(request, customer, form, place=None)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def site(request: PortalRequest, public_id: str) -> HttpResponse:
    """A place's name, zone, country and position."""
    place = access_site(request.viewer, public_id, Right.CHANGE, now=request.now)
    customer = accounts.customer_views([place.customer_id])[place.customer_id]
    names = ("name", "time_zone", "country", "latitude", "longitude")
    form = SiteForm(request.POST or None, initial={name: getattr(place, name) for name in names})
    if request.method == "POST" and form.is_valid():
        try:
            actions.update_site(actor=request.viewer, site_id=place.id, **form.cleaned_data, now=request.now)
        except actions.SiteNameTaken as error:
            form.add_error("name", str(error))
        else:
            messages.success(request, _("The site is saved."))
            return redirect(page_of(request, customer))
    return _site_page(request, customer, form, place=place)


def people_and_places(request: PortalRequest, customer: CustomerView) -> dict[str, Any]:
    """What the pages of a customer show of its people and places, to whom it may be shown."""
    right = request.viewer.right_in(customer.id) or Right.VIEW
    manages = right >= Right.MANAGE
    members = accounts.members_of(customer.id)
    return {
        "customer": customer,
        "others": [other for other in request.viewer.customers if other != customer],
        "may_change": right >= Right.CHANGE,
        "may_manage": manages,
        "waiting": [member for member in members if member.status == MembershipStatus.PENDING] if manages else [],
        "members": [member for member in members if _is_shown(member, to_manager=manages)],
        "standings": Standing.choices,
        "invitations": accounts.open_invitations(customer.id, now=request.now) if manages else [],
        "invite_form": InviteForm(),
        "name_form": NameForm(initial={"name": customer.name}),
        "sites": accounts.sites_of(customer.id),
    }


def page_of(request: PortalRequest, customer: CustomerView) -> str:
    """The page of a customer: the operator's own for staff, the members' for its people."""
    is_theirs = customer.id in request.viewer.member_of
    return reverse("portal:organisation_members" if is_theirs else "portal:operator_customer", args=[customer.public_id])


def crumbs_to(request: PortalRequest, customer: CustomerView, here: str) -> list[dict[str, str]]:
    """The way from a customer's page to the one shown."""
    return [{"label": customer.name, "url": page_of(request, customer)}, {"label": here, "url": ""}]


def _site_page(request: PortalRequest, customer: CustomerView, form: SiteForm, *, place: SiteView | None) -> HttpResponse:
    context = {"customer": customer, "form": form, "site": place, "back_url": page_of(request, customer)}
    context["crumbs"] = crumbs_to(request, customer, place.name if place else _("New site"))
    return render(request, "portal/organisation_site.html", context)


def _member_of(customer: CustomerView, membership_id: str) -> MembershipView:
    member = accounts.membership(membership_id)
    if member is None or member.customer_id != customer.id:
        raise NotFound("membership", membership_id)
    return member


def _is_shown(member: MembershipView, *, to_manager: bool) -> bool:
    """Whom the list of members shows: who belongs; and to managers also who was turned down (who waits has a list apart)."""
    return member.status == MembershipStatus.APPROVED or (to_manager and member.status == MembershipStatus.REJECTED)


def _place_of_the_operator() -> dict[str, str]:
    return {"time_zone": settings.COMMONWATT.time_zone, "country": settings.COMMONWATT.country}
