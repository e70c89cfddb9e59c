"""Signing up with a code: checked before, kept while the address is verified (perhaps on another device), opened then."""

from __future__ import annotations

from typing import Any

from allauth.account.forms import SignupForm
from allauth.core import context
from allauth.core.internal import ratelimit  # its public face does not count GET
from django import forms
from django.contrib import messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from commonwatt.accounts.access import viewer_for
from commonwatt.accounts.choices import PendingKind
from commonwatt.accounts.people import Pending, keep_pending, take_pending
from commonwatt.portal.entry import REFUSAL, CodeRefused, Opened, open_with, read_code
from commonwatt.portal.requests import PortalRequest, portal_request

TOO_MANY = gettext_lazy("Too many codes were tried from here. Please wait a minute.")


class SignUpForm(SignupForm):  # type: ignore[misc]  # allauth carries no types
    """Who signs up, and the code that proves they have something to do here (S0-35: a meter number alone proves nothing)."""

    field_order = ("code", "name", "email", "password1")
    account_already_exists: bool

    code = forms.CharField(
        label=gettext_lazy("Code"),
        max_length=64,
        strip=True,
        help_text=gettext_lazy(
            "The claim code of your meter or your invitation (like 7K3M-9Q2X-4T8V-WZ5R), or your organisation's number (org_…)."
        ),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false", "class": "code"}),
    )
    name = forms.CharField(label=gettext_lazy("Your name"), max_length=120, widget=forms.TextInput(attrs={"autocomplete": "name"}))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].label = _("E-mail address")
        self.fields["password1"].help_text = _("Ten characters or more; a few words are easier to remember than signs.")
        self.fields["code"].initial = context.request.GET.get("code", "")[:64]
        self.pending: Pending | None = None

    def clean(self) -> dict[str, Any]:
        """Allauth's checks, then the code: known only once the address is, which an invitation may be made out to."""
        cleaned: dict[str, Any] = super().clean()
        if "code" in cleaned and "email" in cleaned:
            try:
                self.pending = check_code(portal_request(context.request), cleaned["code"], email=cleaned["email"])
            except CodeRefused as refusal:
                self.add_error("code", str(refusal))
        return cleaned

    def try_save(self, request: HttpRequest) -> Any:
        """Save, unless the address has an account already; that is told by mail to that address alone, and takes as long."""
        try:
            if self.account_already_exists:
                make_password(self.cleaned_data["password1"])
            with transaction.atomic():
                return super().try_save(request)
        except IntegrityError:  # the same address signed up in another window a moment ago
            self.account_already_exists = True
            return super().try_save(request)

    def signup(self, request: HttpRequest, user: AbstractBaseUser) -> None:
        """Allauth's hook, inside `try_save`: keep the code's digest until the address is verified."""
        if self.pending is None:
            raise CodeRefused
        keep_pending(user_id=user.pk, pending=self.pending, now=portal_request(request).now)


def check_code(request: PortalRequest, text: str, *, email: str, kind: PendingKind | None = None) -> Pending:
    """What a code would open (of this kind, if one is named); raises CodeRefused with the sentence to show.

    Also when too many were tried from one place within a while: then the right one is refused as well.
    """
    if not ratelimit.consume(request, app="allauth.account", action="code", limit_get=True):
        raise CodeRefused(TOO_MANY)
    try:
        pending = read_code(text, email=email, now=request.now)
    except CodeRefused:
        raise CodeRefused(REFUSAL) from None
    if kind is not None and pending.kind != kind:
        raise CodeRefused(REFUSAL)
    return pending


def use_what_was_kept(request: PortalRequest, user: AbstractBaseUser) -> None:
    """Open what a person signed up with, now that their address is verified, and tell them what came of it."""
    pending = take_pending(user_id=user.pk)
    if pending is None:
        return
    try:
        with transaction.atomic():
            opened = open_with(viewer=viewer_for(user), pending=pending, customer_id=None, now=request.now)
    except CodeRefused:
        messages.error(request, REFUSAL)
    else:
        messages.success(request, welcome(opened))


def welcome(opened: Opened) -> str:
    """What a code has just opened, in a sentence."""
    if opened.kind == PendingKind.METER:
        return _("Your meter is connected to %(name)s.") % {"name": opened.customer.name}
    if opened.kind == PendingKind.INVITATION:
        return _("You now belong to %(name)s.") % {"name": opened.customer.name}
    return _("Your request has gone to the administrators of %(name)s.") % {"name": opened.customer.name}
