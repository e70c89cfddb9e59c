"""Send the waiting mail: outside any transaction, each at least once, given up after a bounded number of attempts."""

from __future__ import annotations

import smtplib
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.core import mail
from django.core.mail.backends.base import BaseEmailBackend
from django.db.models import F
from django.utils import translation
from django.utils.translation import gettext as _

from commonwatt.notify.models import Delivery, DeliveryState
from commonwatt.notify.queries import due_mail

# Two days in all: long enough for a mail server to be mended over a weekend night, short enough that nobody gets stale news.
RETRY_AFTER = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 480, 720, 1440))
# Whoever takes a mail has this long to send it; after that, it was killed, and the next run takes the mail again.
TAKEN_FOR = timedelta(minutes=5)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class MailRun:
    """What one run did."""

    sent: int
    postponed: int
    given_up: int


def send_waiting_mail(*, now: datetime, limit: int = 200) -> MailRun:
    """Send up to `limit` mails that are due; what fails is tried again later, and given up after the last attempt.

    `now` is the machine's own time: attempts at a mail server are spaced by it even where the install shows a time-lapse.

    Two runs at once never send the same mail. A run killed between sending and noting it leaves that one mail to be sent again,
    with the same Message-ID, by which the receiving side can drop the repeat. A mail server that cannot be reached postpones the
    mail in hand and ends the run: the others keep their place.
    """
    waiting = list(due_mail(now=now).order_by(F("next_attempt_at").asc(nulls_first=True), "pk").select_related("message__user")[:limit])
    outcomes: list[str] = []
    backend = mail.get_connection()
    try:
        for delivery in waiting:
            if not _take(delivery, now=now):
                continue
            outcomes.append(_send_one(delivery, backend, now=now))
            if outcomes[-1] == "unreachable":
                break
    finally:
        backend.close()
    return MailRun(
        sent=outcomes.count("sent"),
        postponed=outcomes.count("postponed") + outcomes.count("unreachable"),
        given_up=outcomes.count("given_up"),
    )


def _take(delivery: Delivery, *, now: datetime) -> bool:
    """Keep others off this mail for a while; False if somebody else was quicker."""
    untouched = Delivery.objects.filter(
        pk=delivery.pk, state=DeliveryState.WAITING, attempts=delivery.attempts, next_attempt_at=delivery.next_attempt_at
    )
    delivery.attempts += 1
    return untouched.update(attempts=delivery.attempts, next_attempt_at=now + TAKEN_FOR) == 1


def _send_one(delivery: Delivery, backend: BaseEmailBackend, *, now: datetime) -> str:
    """Send a mail that was taken, and note what became of it."""
    try:
        backend.open()
    except OSError as error:  # smtplib's own errors are OSErrors too
        return _put_off(delivery, error, now=now, outcome="unreachable")
    try:
        backend.send_messages([_mail_of(delivery, backend)])
    except (smtplib.SMTPRecipientsRefused, smtplib.SMTPDataError, smtplib.SMTPSenderRefused) as error:
        return _put_off(delivery, error, now=now, outcome="postponed")
    except OSError as error:
        return _put_off(delivery, error, now=now, outcome="unreachable")
    except ValueError as error:  # an address that cannot stand in a mail
        return _put_off(delivery, error, now=now, outcome="postponed")
    Delivery.objects.filter(pk=delivery.pk).update(state=DeliveryState.SENT, sent_at=now, next_attempt_at=None, error="")
    return "sent"


def _put_off(delivery: Delivery, error: Exception, *, now: datetime, outcome: str) -> str:
    """Set the next attempt, or give the mail up when the receiver refuses it for good or the attempts are used up."""
    text = f"{type(error).__name__}: {error}"[:300]
    rows = Delivery.objects.filter(pk=delivery.pk)
    if _is_final(error) or delivery.attempts > len(RETRY_AFTER):
        rows.update(state=DeliveryState.FAILED, next_attempt_at=None, error=text)
        log.warning("mail.given_up", message=delivery.message.public_id, attempts=delivery.attempts, error=type(error).__name__)
        return "given_up"
    rows.update(next_attempt_at=now + RETRY_AFTER[delivery.attempts - 1], error=text)
    log.warning("mail.postponed", message=delivery.message.public_id, attempts=delivery.attempts, error=type(error).__name__)
    return outcome


def _is_final(error: Exception) -> bool:
    """Whether no later attempt can succeed: a permanent refusal (5xx, RFC 5321 section 4.2.1), or no usable address."""
    if isinstance(error, ValueError):
        return True
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= 500 for code, _text in error.recipients.values())
    return isinstance(error, smtplib.SMTPDataError | smtplib.SMTPSenderRefused) and error.smtp_code >= 500


def _mail_of(delivery: Delivery, backend: BaseEmailBackend) -> mail.EmailMessage:
    """The mail as sent: plain text, the page's address, and an id that is the same on every attempt."""
    message = delivery.message
    host = urlsplit(settings.BASE_URL).hostname or "localhost"
    with translation.override(message.user.language or settings.LANGUAGE_CODE):
        footer = _("You receive this because you use Commonwatt at %(address)s. Your account page says what is sent by mail.") % {
            "address": settings.BASE_URL
        }
    parts = [message.body, f"{settings.BASE_URL}{message.address}" if message.address else "", f"-- \n{footer}"]
    return mail.EmailMessage(
        subject=message.subject,
        body="\n\n".join(part for part in parts if part) + "\n",
        to=[message.user.email],
        headers={"Message-ID": f"<{message.public_id}@{host}>", "Auto-Submitted": "auto-generated"},
        connection=backend,
    )
