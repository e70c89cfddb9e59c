"""The trail of what was done: append-only, each entry chained to the one before it by a digest."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from commonwatt.accounts.access import Viewer
from commonwatt.accounts.choices import ActorRole
from commonwatt.accounts.models import AuditEntry, AuditHead
from commonwatt.kernel.time import require_utc

GENESIS = "0" * 64
"""What the first entry is chained to."""

Detail = Mapping[str, str | int | bool | Sequence[str] | None]


class OutsideTransaction(RuntimeError):
    """Something was to be recorded apart from the change it tells of; one could then exist without the other."""


@dataclass(frozen=True, slots=True)
class Verification:
    """The outcome of walking the whole trail."""

    entries: int
    newest_digest: str
    broken_at: int | None
    """The first sequence number that is missing, altered or out of order; None for a whole trail."""


def record(
    *,
    actor: Viewer | None,
    action: str,
    kind: str,
    object_id: str,
    customer_id: int | None,
    detail: Detail,
    now: datetime,
) -> int:
    """Append one entry inside the caller's transaction and return its sequence; no readings, names or secrets in `detail`.

    Raises:
        OutsideTransaction: If no transaction is open.
        TypeError: For a detail that is not text, a whole number, a boolean, nothing or a list of text.
    """
    if not connection.in_atomic_block:
        raise OutsideTransaction(f"{action} must be recorded in the transaction that does it")
    _check_detail(action, detail)
    head = _locked_head()
    entry = AuditEntry(
        sequence=head.sequence + 1,
        at=require_utc(now, name="now"),
        actor_id=actor.user_id if actor else None,
        actor_role=_role(actor),
        action=action,
        object_kind=kind,
        object_id=object_id,
        customer_id=customer_id,
        detail=dict(detail),
        previous_digest=head.digest,
    )
    entry.digest = _digest(entry)
    entry.save(force_insert=True)
    AuditHead.objects.filter(pk=1).update(sequence=entry.sequence, digest=entry.digest)
    return entry.sequence


def verify() -> Verification:
    """Walk the trail from its beginning and recompute every digest."""
    sequence, digest = 0, GENESIS
    for entry in AuditEntry.objects.order_by("sequence").iterator(chunk_size=2000):
        whole = entry.sequence == sequence + 1 and entry.previous_digest == digest and entry.digest == _digest(entry)
        if not whole:
            return Verification(entries=sequence, newest_digest=digest, broken_at=sequence + 1)
        sequence, digest = entry.sequence, entry.digest
    head = AuditHead.objects.filter(pk=1).first()
    # Entries cut off at the end leave a whole chain; only the head remembers how far it went.
    cut_off = head is not None and (head.sequence, head.digest) != (sequence, digest)
    return Verification(entries=sequence, newest_digest=digest, broken_at=sequence + 1 if cut_off else None)


def _locked_head() -> AuditHead:
    head = AuditHead.objects.select_for_update().filter(pk=1).first()
    if head is None:
        # Two first writers may both come here: one inserts, the other's insert is a no-op, and both then queue for the lock.
        AuditHead.objects.bulk_create([AuditHead(pk=1, sequence=0, digest=GENESIS)], ignore_conflicts=True)
        head = AuditHead.objects.select_for_update().get(pk=1)
    return head


def _role(actor: Viewer | None) -> ActorRole:
    if actor is None or actor.is_anonymous:
        return ActorRole.SYSTEM
    return ActorRole.OPERATOR if actor.is_operator else ActorRole.CUSTOMER


def _digest(entry: AuditEntry) -> str:
    said = [
        entry.previous_digest,
        entry.sequence,
        entry.at.isoformat(),
        entry.actor_id,
        str(entry.actor_role),
        entry.action,
        entry.object_kind,
        entry.object_id,
        entry.customer_id,
        entry.detail,
    ]
    text = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def _check_detail(action: str, detail: Detail) -> None:
    # Fractions are refused: databases may write them differently than they got them, and the digest would no longer fit.
    for key, value in detail.items():
        simple = value is None or isinstance(value, (str, int))
        if not simple and not (isinstance(value, (list, tuple)) and all(isinstance(item, str) for item in value)):
            raise TypeError(f"detail {key!r} of {action} is {value!r}; it takes text, whole numbers, booleans or lists of text")
