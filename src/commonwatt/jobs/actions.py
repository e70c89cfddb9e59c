"""Put work into the queue, take it out again, and forget what is long done."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from commonwatt.accounts.access import Viewer, require_operator
from commonwatt.jobs.models import UNFINISHED, Job, JobState
from commonwatt.kernel.ids import new_public_id

_TRIES = 3


def enqueue(
    *,
    kind: str,
    arguments: Mapping[str, Any],
    run_at: datetime,
    now: datetime,
    key: str | None = None,
    requested_by: int | None = None,
) -> str:
    """Put a job into the queue, in the caller's transaction, and return its public id.

    Args:
        kind: Which function does it; see `jobs.registry.job`.
        arguments: What it needs, as JSON: ids and paths, never readings or secrets.
        run_at: Not before this instant of the install's clock.
        now: When it was asked for.
        key: At most one unfinished job has the same key: if there is one, its id is returned and nothing is added.
        requested_by: The person who asked; None for the system.
    """
    for _ in range(_TRIES):
        if key is not None and (existing := _unfinished_with(key)) is not None:
            return existing
        try:
            with transaction.atomic():
                return Job.objects.create(
                    public_id=new_public_id("job"),
                    kind=kind,
                    arguments=dict(arguments),
                    key=key,
                    run_at=run_at,
                    requested_by_id=requested_by,
                    created_at=now,
                ).public_id
        except IntegrityError:  # another process added the same key in between, or something else is wrong
            if key is None or _unfinished_with(key) is None:
                raise
    raise RuntimeError(f"jobs with the key {key!r} come and go faster than one can be added")


def _unfinished_with(key: str) -> str | None:
    return Job.objects.filter(key=key, state__in=UNFINISHED).values_list("public_id", flat=True).first()


@transaction.atomic
def cancel(*, actor: Viewer, public_id: str, now: datetime) -> bool:
    """Take an unfinished job out of the queue; False if it was finished already. Raises NotFound for whoever is not an operator.

    A worker that is in the middle of it notices within seconds and stops before its next unit of work; what it had finished stays.
    """
    require_operator(actor)
    open_job = Job.objects.filter(public_id=public_id, state__in=UNFINISHED)
    return open_job.update(state=JobState.CANCELLED, finished_at=now, lease_owner="", lease_until=None) == 1


def forget_finished(*, before: datetime, limit: int = 1000) -> int:
    """Delete up to `limit` jobs that were finished before an instant; return how many."""
    old = Job.objects.filter(finished_at__lt=before).order_by("pk").values_list("pk", flat=True)[:limit]
    return Job.objects.filter(pk__in=list(old)).delete()[0]
