"""Who may read a message: the person it is for, and nobody else."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from commonwatt.accounts.access import NotFound, Right, Viewer
from commonwatt.notify.models import Message


@dataclass(frozen=True, slots=True)
class MessageView:
    """A message as its reader sees it; `address` is the path it leads to, or empty."""

    id: int
    public_id: str
    subject: str
    body: str
    address: str
    created_at: datetime
    read_at: datetime | None

    @property
    def is_unread(self) -> bool:
        """Whether its reader has yet to see it."""
        return self.read_at is None

    @classmethod
    def of(cls, row: Message) -> MessageView:
        """The view of one row."""
        return cls(row.pk, row.public_id, row.subject, row.body, row.address, row.created_at, row.read_at)


def access_message(viewer: Viewer, public_id: str, right: Right = Right.VIEW, *, now: datetime) -> MessageView:
    """The message, for the person it was written to; raises NotFound for everybody else, the operator included."""
    del right, now  # a person may do everything with their own messages, at any time
    if viewer.user_id is None:
        raise NotFound("message", public_id)
    row = Message.objects.filter(public_id=public_id, user_id=viewer.user_id).first()
    if row is None:
        raise NotFound("message", public_id)
    return MessageView.of(row)
