"""Read the change log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Max

from commonwatt.outbox import models


@dataclass(frozen=True, slots=True)
class Entry:
    """One change: `sequence` orders entries as they were committed, `payload` is what a deliverer needs."""

    sequence: int
    kind: str
    subject_kind: str
    subject_id: str
    payload: Mapping[str, Any]
    at: datetime


@dataclass(frozen=True, slots=True)
class CursorPosition:
    """How far one deliverer has come, and how many entries wait for it."""

    name: str
    sequence: int
    waiting: int
    updated_at: datetime | None


def entries_after(sequence: int, limit: int) -> list[Entry]:
    """Up to `limit` committed entries with a higher sequence, in order.

    Complete: once an entry is seen, every entry with a lower sequence has been seen or can be.
    """
    fields = ("sequence", "kind", "subject_kind", "subject_id", "payload", "at")
    rows = models.Entry.objects.filter(sequence__gt=sequence).order_by("sequence").values_list(*fields)
    return [Entry(*row) for row in rows[:limit]]


def newest() -> int:
    """The sequence of the newest entry; 0 when there is none."""
    return models.Entry.objects.aggregate(newest=Max("sequence"))["newest"] or 0


def counter_value(counter_name: str) -> int:
    """The last number that was committed of a counter; 0 when there is none. For work that is numbered ahead (`actions.advance_to`)."""
    return models.Counter.objects.filter(name=counter_name).values_list("value", flat=True).first() or 0


def waiting_for(cursor_name: str) -> int:
    """How many entries a deliverer has yet to act on; all of them for one that never has."""
    sequence = models.Cursor.objects.filter(name=cursor_name).values_list("sequence", flat=True).first()
    return max(0, newest() - (sequence or 0))


def cursor_positions() -> list[CursorPosition]:
    """Every deliverer's place in the log, by name; sequences have no gaps, so what waits is a difference."""
    end = newest()
    rows = models.Cursor.objects.order_by("name")
    return [CursorPosition(row.name, row.sequence, max(0, end - row.sequence), row.updated_at) for row in rows]
