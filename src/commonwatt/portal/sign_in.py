"""How people sign in and up: allauth, with our own rules where it leaves a choice."""

from __future__ import annotations

from smtplib import SMTPException
from typing import Any

import structlog
from allauth.account.adapter import DefaultAccountAdapter
from django.conf import settings
from django.contrib import messages
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from commonwatt.portal.requests import portal_request
from commonwatt.portal.sessions import end_sessions, note_session
from commonwatt.portal.sign_up import use_what_was_kept

log = structlog.get_logger(__name__)


class Adapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth carries no types
    """Commonwatt's choices for allauth."""

    def new_user(self, request: HttpRequest) -> AbstractBaseUser:
        """A person who signs up now."""
        user = super().new_user(request)
        user.created_at = portal_request(request).now
        return user  # type: ignore[no-any-return]

    def save_user(self, request: HttpRequest, user: Any, form: Any, commit: bool = True) -> Any:  # noqa: FBT001, FBT002 (allauth's)
        """Keep the name as well, which allauth would look for in two parts."""
        user.name = " ".join(form.cleaned_data["name"].split())
        return super().save_user(request, user, form, commit)

    @transaction.atomic
    def confirm_email(self, request: HttpRequest, email_address: Any) -> bool:
        """Note that the address is the person's, and open what they signed up with: both or neither."""
        is_confirmed = bool(super().confirm_email(request, email_address))
        if is_confirmed:
            use_what_was_kept(portal_request(request), email_address.user)
        return is_confirmed

    def login(self, request: HttpRequest, user: Any) -> None:
        """Sign in; Django gives the browser a new session key, so that one planted before is worth nothing."""
        super().login(request, user)
        note_session(portal_request(request))

    def set_password(self, user: Any, password: str) -> None:
        """A new password signs the person out everywhere else."""
        super().set_password(user, password)
        end_sessions(user_id=user.pk, except_key=self.request.session.session_key)

    def get_email_confirmation_url(self, request: HttpRequest, emailconfirmation: Any) -> str:  # noqa: ARG002 (allauth's)
        """At the install's own address, whatever host the request named."""
        return _absolute(reverse("account_confirm_email", args=[emailconfirmation.key]))

    def get_reset_password_from_key_url(self, key: str) -> str:
        """At the install's own address, whatever host the request named."""
        return _absolute(reverse("account_reset_password_from_key", kwargs=dict(zip(("uidb36", "key"), key.split("-", 1), strict=True))))

    def get_password_change_redirect_url(self, request: HttpRequest) -> str:  # noqa: ARG002 (allauth's)
        """Back to the account."""
        return reverse("portal:account")

    def send_mail(self, template_prefix: str, email: str, context: dict[str, Any]) -> None:
        """Send, or say that it could not be sent; neither the address nor what was to be sent goes into the log."""
        try:
            super().send_mail(template_prefix, email, {**context, "base_url": settings.BASE_URL})
        except (OSError, SMTPException) as error:
            log.error("mail.not_sent", template=template_prefix, problem=type(error).__name__)  # noqa: TRY400 (its text names the address)
            messages.error(self.request, _("The mail could not be sent just now. Please try again in a few minutes."))


def _absolute(path: str) -> str:
    return f"{settings.BASE_URL}{path}"
