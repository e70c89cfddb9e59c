"""Invitations by mail: the code travels in one message to one address, and is not kept."""

from __future__ import annotations

from smtplib import SMTPException

import structlog
from django.conf import settings
from django.core.mail import EmailMessage
from django.template.loader import render_to_string
from django.urls import reverse

from commonwatt.accounts.values import CustomerView

log = structlog.get_logger(__name__)


def invitation_address(code: str) -> str:
    """Where the person invited goes; the code is part of the address."""
    return settings.BASE_URL + reverse("portal:accept_invitation", args=[code])


def send_invitation(*, code: str, email: str, customer: CustomerView, invited_by: str) -> bool:
    """Send a code to the address it is made out to; False if no mail server took it (neither goes into the log)."""
    words = {"customer": customer, "invited_by": invited_by, "code": code, "address": invitation_address(code)}
    subject = " ".join(render_to_string("portal/invitation_subject.txt", words).split())
    message = EmailMessage(subject, render_to_string("portal/invitation_message.txt", words), None, [email])
    try:
        return message.send() == 1
    except (OSError, SMTPException) as error:
        log.error("mail.not_sent", template="portal/invitation", problem=type(error).__name__)  # noqa: TRY400 (its text names the address)
        return False
