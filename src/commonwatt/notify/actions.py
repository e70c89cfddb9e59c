"""Tell people things: write the message once, and send its copies."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.contrib.auth import get_user_model
from django.db import transaction

from commonwatt.accounts.access import Viewer
from commonwatt.kernel.ids import new_public_id
from commonwatt.notify.access import access_message
from commonwatt.notify.models import Delivery, DeliveryState, Message, Preference, Transport

_BATCH = 500


class NotATransportOfChoice(ValueError):
    """A transport that does not exist, or that nobody can switch off."""

    def __init__(self, transport: str) -> None:
        super().__init__(f"{transport!r} cannot be switched on or off; only {Transport.EMAIL.value!r} can")


def tell(*, user_ids: Iterable[int], cause: str, subject: str, body: str, address: str, now: datetime) -> int:
    """Write one message to each person and queue its copies; return how many were new.

    Whoever has already been told of this cause is left out, so telling twice is telling once. Closed accounts are left out too.

    Args:
        user_ids: Whom to tell; repeats and unknown ids do no harm.
        cause: What happened, as an idempotency key, such as `event.issued:evt_7K3M9Q2X4T8V:0`.
        subject: In the reader's language; made one line of at most 200 characters.
        body: Plain text, in the reader's language.
        address: The page it leads to, as a path; empty for none.
        now: When it is written.
    """
    subject = " ".join(subject.split())[:200]  # it becomes a mail header, which is one line
    new = 0
    for part in _parts(sorted(set(user_ids))):
        new += _tell_some(part, cause=cause, subject=subject, body=body, address=address, now=now)
    return new


def _parts(user_ids: list[int]) -> Iterable[list[int]]:
    return (user_ids[index : index + _BATCH] for index in range(0, len(user_ids), _BATCH))


@transaction.atomic
def _tell_some(user_ids: list[int], *, cause: str, subject: str, body: str, address: str, now: datetime) -> int:
    told = set(Message.objects.filter(user_id__in=user_ids, cause=cause).values_list("user_id", flat=True))
    open_accounts = get_user_model().objects.filter(pk__in=user_ids, is_active=True).order_by("pk").values_list("pk", flat=True)
    new = [user_id for user_id in open_accounts if user_id not in told]
    # Two tellers at once meet at the constraint: the second fails whole, is run again, and finds everybody told.
    messages = Message.objects.bulk_create(
        Message(public_id=new_public_id("msg"), user_id=user_id, cause=cause, subject=subject, body=body, address=address, created_at=now)
        for user_id in new
    )
    unwanted = set(Preference.objects.filter(user_id__in=new, transport=Transport.EMAIL, wanted=False).values_list("user_id", flat=True))
    in_portal = [Delivery(message=m, transport=Transport.PORTAL, state=DeliveryState.SENT, sent_at=now) for m in messages]
    by_mail = [Delivery(message=m, transport=Transport.EMAIL, state=DeliveryState.WAITING) for m in messages if m.user_id not in unwanted]
    Delivery.objects.bulk_create([*in_portal, *by_mail])
    return len(messages)


@transaction.atomic
def mark_read(*, actor: Viewer, public_id: str, now: datetime) -> None:
    """Note that the reader has seen a message; the first time counts. Raises NotFound for another person's message."""
    message = access_message(actor, public_id, now=now)
    Message.objects.filter(pk=message.id, read_at__isnull=True).update(read_at=now)


@transaction.atomic
def mark_all_read(*, actor: Viewer, now: datetime) -> int:
    """Note that the reader has seen everything in the inbox; return how many messages were unread."""
    if actor.user_id is None:
        return 0
    return Message.objects.filter(user_id=actor.user_id, read_at__isnull=True, created_at__lte=now).update(read_at=now)


@transaction.atomic
def set_preference(*, user_id: int, transport: str, wanted: bool) -> None:
    """Switch one transport on or off for one person; raises NotATransportOfChoice for the portal itself."""
    if transport != Transport.EMAIL:
        raise NotATransportOfChoice(transport)
    Preference.objects.update_or_create(user_id=user_id, transport=transport, defaults={"wanted": wanted})
