"""One's own account: profile, sign-in, browsers, messages, places, and closing it."""

from __future__ import annotations

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.contrib.auth import logout
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from commonwatt.accounts import people
from commonwatt.accounts import queries as accounts
from commonwatt.accounts.access import NotFound
from commonwatt.accounts.actions import LastAdministrator
from commonwatt.notify import queries as notify
from commonwatt.notify.actions import set_preference
from commonwatt.portal.people_forms import MailForm, ProfileForm
from commonwatt.portal.requests import PortalRequest, page_number
from commonwatt.portal.sessions import end_session, end_sessions, sessions_of
from commonwatt.portal.trail import lines


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def account(request: PortalRequest) -> HttpResponse:
    """The account page; a POST changes the profile."""
    stored = {name: getattr(request.user, name) for name in ("name", "time_zone", "language")}
    form = ProfileForm(request.POST or None, initial=stored)
    if request.method == "POST" and form.is_valid():
        people.update_profile(actor=request.viewer, **form.cleaned_data, now=request.now)
        messages.success(request, _("Your profile is saved."))
        return redirect("portal:account")
    context = {
        "form": form,
        "mail_form": MailForm(initial={"mail": notify.wants_mail(request.viewer.person_id)}),
        "sessions": sessions_of(request),
        "places": accounts.places_of(user_id=request.viewer.person_id),
    }
    return render(request, "portal/account.html", context)


@login_required
@require_POST
def account_notifications(request: PortalRequest) -> HttpResponse:
    """Choose whether messages also come by mail."""
    form = MailForm(request.POST)
    if form.is_valid():
        set_preference(user_id=request.viewer.person_id, transport="email", wanted=form.cleaned_data["mail"])
        messages.success(request, _("Your choice is saved."))
    return redirect("portal:account")


@login_required
@require_POST
def account_session_end(request: PortalRequest, session_id: int) -> HttpResponse:
    """Sign out in one browser."""
    if not end_session(user_id=request.viewer.person_id, session_id=session_id):
        raise NotFound("session", str(session_id))
    messages.success(request, _("That browser is signed out."))
    return redirect("portal:account")


@login_required
@require_POST
def account_sessions_end(request: PortalRequest) -> HttpResponse:
    """Sign out everywhere, here included (S0-70)."""
    end_sessions(user_id=request.viewer.person_id)
    logout(request)
    messages.success(request, _("You are signed out everywhere."))
    return redirect("account_login")


@login_required
@require_safe
def account_trail(request: PortalRequest) -> HttpResponse:
    """What happened to one's own account and by oneself."""
    page = accounts.audit_of_person(user_id=request.viewer.person_id, page=page_number(request))
    return render(request, "portal/account_trail.html", {"page": page, "lines": lines(page), "crumbs": _crumbs(_("What you did"))})


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
@reauthentication_required  # type: ignore[untyped-decorator]  # allauth carries no types
def account_close(request: PortalRequest) -> HttpResponse:
    """Say what closing means; a POST does it."""
    if request.method == "POST":
        try:
            people.close_account(actor=request.viewer, now=request.now)
        except LastAdministrator:
            messages.error(request, _("You are the only administrator of something that others use. Make somebody else one first."))
            return redirect("portal:account_close")
        end_sessions(user_id=request.viewer.person_id)
        logout(request)
        messages.success(request, _("Your account is closed, and what named you is erased."))
        return redirect("portal:landing")
    places = accounts.places_of(user_id=request.viewer.person_id)
    return render(request, "portal/account_close.html", {"places": places, "crumbs": _crumbs(_("Close account"))})


def _crumbs(here: str) -> list[dict[str, str]]:
    return [{"label": _("Account"), "url": reverse("portal:account")}, {"label": here, "url": ""}]
