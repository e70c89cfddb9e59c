"""Ways in: a code, an invitation, a one-time link; and where one stands while others decide."""

from __future__ import annotations

from allauth.account.adapter import get_adapter
from allauth.account.internal.flows.login import record_authentication
from django.conf import settings
from django.contrib import messages
from django.contrib.auth import get_user_model
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_safe

from commonwatt.accounts import people
from commonwatt.accounts import queries as accounts
from commonwatt.accounts.access import Right, access_customer
from commonwatt.accounts.choices import MembershipStatus, PendingKind
from commonwatt.portal.context import start_page
from commonwatt.portal.entry import REFUSAL, CodeRefused, Opened, open_with
from commonwatt.portal.people_forms import OWN_HOUSEHOLD, CodeForm, NewPasswordForm
from commonwatt.portal.requests import PortalRequest
from commonwatt.portal.sign_up import check_code, welcome


@login_required
@require_safe
def home(request: PortalRequest) -> HttpResponse:
    """Where a signed-in person starts: their dashboard, the operator's desk, or what is missing to get there."""
    return redirect(start_page(request.viewer))


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def claim(request: PortalRequest) -> HttpResponse:
    """Enter a code: of a meter, of an invitation, or an organisation's number."""
    places = [place for place in request.viewer.customers if place.id in request.viewer.acts_for]
    form = CodeForm(request.POST or None, places=places)
    if request.method == "POST" and form.is_valid():
        try:
            opened = _open(request, form)
        except CodeRefused as refusal:
            form.add_error("code", str(refusal))
        else:
            messages.success(request, welcome(opened))
            return redirect(_page_of(opened))
    return render(request, "portal/claim.html", {"form": form})


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def accept_invitation(request: PortalRequest, code: str) -> HttpResponse:
    """Where an invitation leads: sign up with its code, or, signed in already, join with one click."""
    if not request.user.is_authenticated:
        return render(request, "portal/invitation.html", _ways_in(code))
    try:
        pending = check_code(request, code, email=request.viewer.email, kind=PendingKind.INVITATION)
        if request.method == "POST":
            opened = open_with(viewer=request.viewer, pending=pending, customer_id=None, now=request.now)
            messages.success(request, welcome(opened))
            return redirect(_page_of(opened))
    except CodeRefused as refusal:
        return render(request, "portal/invitation.html", {"refusal": str(refusal) or REFUSAL}, status=400)
    customer = accounts.invited_to(code_digest=pending.code_digest)
    return render(request, "portal/invitation.html", {"customer": customer})


@login_required
@require_safe
def waiting(request: PortalRequest) -> HttpResponse:
    """Where one stands with every organisation one asked to join, and who decides (S0-56)."""
    places = accounts.places_of(user_id=request.viewer.person_id)
    pending = [place.customer.id for place in places if place.status == MembershipStatus.PENDING]
    administrators = accounts.administrator_user_ids(customer_ids=pending)
    # Their names are not said: an organisation's number is no secret, and would give them away.
    standing = [(place, _steps(len(administrators.get(place.customer.id, ())))) for place in places]
    return render(request, "portal/organisation_waiting.html", {"standing": standing, "claim_url": reverse("portal:claim")})


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in_link(request: PortalRequest, token: str) -> HttpResponse:
    """The first sign-in of somebody the operator added: choose a password; looking uses nothing up (S0-57)."""
    if not people.link_works(token=token, now=request.now):
        return render(request, "portal/account_link.html", {"form": None}, status=400)
    form = NewPasswordForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            user_id = people.use_sign_in_link(token=token, new_password=form.cleaned_data["password"], now=request.now)
        except people.LinkRefused:
            return render(request, "portal/account_link.html", {"form": None}, status=400)
        user = get_user_model()._default_manager.get(pk=user_id)
        get_adapter().login(request, user)
        record_authentication(request, user, method="password")
        messages.success(request, _("Your password is set, and you are signed in."))
        return redirect(settings.LOGIN_REDIRECT_URL)
    return render(request, "portal/account_link.html", {"form": form})


def _open(request: PortalRequest, form: CodeForm) -> Opened:
    pending = check_code(request, form.cleaned_data["code"], email=request.viewer.email)
    number = form.cleaned_data.get("customer", OWN_HOUSEHOLD)
    chosen = None if number == OWN_HOUSEHOLD else access_customer(request.viewer, number, Right.CHANGE, now=request.now)
    try:
        return open_with(viewer=request.viewer, pending=pending, customer_id=chosen.id if chosen else None, now=request.now)
    except CodeRefused:
        raise CodeRefused(REFUSAL) from None


def _steps(deciders: int) -> list[dict[str, str]]:
    """Where somebody stands who waits to be let in: asked, being decided about, not yet in."""
    if deciders:
        told = ngettext("Its administrator has been told.", "Any of its %(n)d administrators may; they have been told.", deciders) % {
            "n": deciders
        }
    else:
        told = _("It has no administrator yet, so your operator decides.")
    return [
        {"label": _("You asked to join"), "state": "done"},
        {"label": _("An administrator decides"), "text": told, "state": "current"},
        {"label": _("You see meters, events and statements"), "text": _("You get a message as soon as it is decided."), "state": "todo"},
    ]


def _page_of(opened: Opened) -> str:
    if opened.kind == PendingKind.JOIN:
        return reverse("portal:waiting")
    return reverse("portal:organisation_members", args=[opened.customer.public_id])


def _ways_in(code: str) -> dict[str, str]:
    here = reverse("portal:accept_invitation", args=[code])
    return {
        "signup_url": f"{reverse('account_signup')}?{urlencode({'code': code})}",
        "login_url": f"{reverse('account_login')}?{urlencode({'next': here})}",
    }
