"""Write the change log, and move those who act on it forward."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from django.db import connection, transaction

from commonwatt.outbox import queries
from commonwatt.outbox.models import Cursor, Entry

COUNTER = "outbox"
Act = Callable[[queries.Entry], None]


class NeedsTransaction(RuntimeError):
    """A number was asked for outside a transaction, where no lock would keep the numbers in commit order."""

    def __init__(self, counter_name: str) -> None:
        super().__init__(
            f"The next {counter_name!r} number was asked for outside a transaction; call it inside transaction.atomic(), "
            "as its row must stay locked until the work it numbers is committed."
        )


def next_value(counter_name: str) -> int:
    """The next number of a counter, in commit order: 1, 2, 3, … (gaps only where `advance_to` leapt).

    The counter's row stays locked until the caller's transaction ends, so whoever takes a later number also commits later, and a
    transaction that is rolled back gives its number back. Take it as late in the transaction as possible: others wait. A
    transaction that takes several counters takes them in one order everywhere: ingest, then audit, then outbox.

    Raises:
        NeedsTransaction: Outside a transaction.
    """
    if not connection.in_atomic_block:
        raise NeedsTransaction(counter_name)
    with connection.cursor() as cursor:
        # One statement: it creates the row, or waits for whoever holds it and then sees their number.
        cursor.execute(
            "INSERT INTO outbox_counter (name, value) VALUES (%s, 1) "
            "ON CONFLICT (name) DO UPDATE SET value = outbox_counter.value + 1 RETURNING value",
            [counter_name],
        )
        return int(cursor.fetchone()[0])


def advance_to(counter_name: str, value: int) -> bool:
    """Move a counter forward to `value`, and hold its row until the caller's transaction ends; False if it is already there or beyond.

    For work that must carry its number before its transaction begins, such as files written ahead: it picks a number well in the
    future, does the work, and claims the number here. On False somebody overtook it, and the work is redone with another number.

    Raises:
        NeedsTransaction: Outside a transaction.
    """
    if not connection.in_atomic_block:
        raise NeedsTransaction(counter_name)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO outbox_counter (name, value) VALUES (%s, %s) "
            "ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE outbox_counter.value < excluded.value RETURNING value",
            [counter_name, value],
        )
        return cursor.fetchone() is not None


def append(*, kind: str, subject_kind: str, subject_id: str, payload: Mapping[str, Any], now: datetime) -> int:
    """Log one change in the caller's transaction and return its sequence; the last thing an action does.

    Raises:
        NeedsTransaction: Outside a transaction: the change and its entry must be committed together or not at all.
    """
    sequence = next_value(COUNTER)
    Entry.objects.create(sequence=sequence, kind=kind, subject_kind=subject_kind, subject_id=subject_id, payload=dict(payload), at=now)
    return sequence


def advance(cursor_name: str, act: Act, *, limit: int, now: datetime) -> int:
    """Act on up to `limit` entries that lie after the cursor, in order, and move it past each; return how many.

    Each entry is acted on and passed in one transaction under the cursor's lock: what `act` writes to the database happens
    exactly once, and what it does elsewhere at least once, however often the process dies. When `act` raises, the cursor stays
    before that entry and the error goes to the caller. A cursor that does not exist yet starts before the first entry.
    """
    if not queries.waiting_for(cursor_name):
        return 0  # without a lock: a deliverer that looks every second never takes the write lock of an embedded database for nothing
    Cursor.objects.bulk_create([Cursor(name=cursor_name)], ignore_conflicts=True)  # the name is its only constraint
    done = 0
    while done < limit and _step(cursor_name, act, now=now):
        done += 1
    return done


@transaction.atomic
def _step(cursor_name: str, act: Act, *, now: datetime) -> bool:
    """Act on the next entry, if there is one."""
    # The lock comes first: two deliverers of one name take turns instead of acting on the same entry.
    cursor = Cursor.objects.select_for_update().get(name=cursor_name)
    waiting = queries.entries_after(cursor.sequence, limit=1)
    if not waiting:
        return False
    act(waiting[0])
    cursor.sequence = waiting[0].sequence
    cursor.updated_at = now
    cursor.save(update_fields=["sequence", "updated_at"])
    return True
