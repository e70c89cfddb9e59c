"""Read a person's messages, and see what still waits to be sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.core.paginator import Paginator
from django.db.models import Q, QuerySet

from commonwatt.accounts.values import Page
from commonwatt.notify.access import MessageView
from commonwatt.notify.models import Delivery, DeliveryState, Message, Preference, Transport

PAGE_SIZE = 25


@dataclass(frozen=True, slots=True)
class MailCounts:
    """How many mails wait, and how many were given up."""

    waiting: int
    given_up: int


def inbox(user_id: int, page: int = 1) -> Page[MessageView]:
    """One page of a person's messages, newest first; a page number out of range gives the nearest page."""
    rows = Message.objects.filter(user_id=user_id).order_by("-created_at", "-pk")
    shown = Paginator(rows, PAGE_SIZE).get_page(page)
    items = tuple(MessageView.of(row) for row in shown.object_list)
    return Page(items=items, number=shown.number, pages=shown.paginator.num_pages, total=shown.paginator.count)


def unread_count(user_id: int) -> int:
    """How many messages a person has not seen."""
    return Message.objects.filter(user_id=user_id, read_at__isnull=True).count()


def wants_mail(user_id: int) -> bool:
    """Whether messages are also sent to the person's e-mail address."""
    return not Preference.objects.filter(user_id=user_id, transport=Transport.EMAIL, wanted=False).exists()


def due_mail(*, now: datetime) -> QuerySet[Delivery]:
    """What to send by an instant of the machine's own clock: mail never tried, and mail to be tried again. For this room alone."""
    waiting = Delivery.objects.filter(transport=Transport.EMAIL, state=DeliveryState.WAITING, message__user__is_active=True)
    return waiting.filter(Q(next_attempt_at__isnull=True) | Q(next_attempt_at__lte=now))


def is_mail_due(*, now: datetime) -> bool:
    """Whether any mail is to be sent by an instant of the machine's own clock."""
    return due_mail(now=now).exists()


def mail_counts() -> MailCounts:
    """How much mail waits or was given up, for the operator and the metrics."""
    mail = Delivery.objects.filter(transport=Transport.EMAIL, message__user__is_active=True)
    return MailCounts(waiting=mail.filter(state=DeliveryState.WAITING).count(), given_up=mail.filter(state=DeliveryState.FAILED).count())
