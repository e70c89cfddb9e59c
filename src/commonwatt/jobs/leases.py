"""Take a job, keep it, and hand it back: every statement names the lease, so whoever lost it can change nothing any more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Now

from commonwatt.jobs.models import UNFINISHED, Job, JobState
from commonwatt.jobs.registry import Registry


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to work on one job; `token` is its own for every attempt."""

    job_id: int
    token: str
    public_id: str
    kind: str
    arguments: Mapping[str, Any]
    requested_by: int | None
    attempt: int


def take(*, kinds: Registry, length: timedelta, now: datetime) -> Lease | None:
    """The most overdue job that nobody works on, leased; None if there is none. Two workers never get the same one.

    A job whose worker died in its last attempt is failed here instead of being tried for ever.
    """
    ready = Job.objects.filter(kind__in=list(kinds), state__in=UNFINISHED, run_at__lte=now)
    ready = ready.filter(Q(lease_until__isnull=True) | Q(lease_until__lt=Now()))
    while ready.exists():  # a look without a lock: an idle worker never takes the write lock of an embedded database
        with transaction.atomic():
            job = ready.select_for_update(skip_locked=True).order_by("run_at", "pk").first()
            if job is None:
                return None
            if job.state == JobState.RUNNING and job.attempts >= kinds[job.kind].max_attempts:
                _fail(job, now=now)
                continue
            return _lease(job, length=length)
    return None


def _lease(job: Job, *, length: timedelta) -> Lease:
    token = uuid4().hex
    Job.objects.filter(pk=job.pk).update(
        state=JobState.RUNNING, attempts=job.attempts + 1, lease_owner=token, lease_until=Now() + length, error=""
    )
    return Lease(job.pk, token, job.public_id, job.kind, job.arguments, job.requested_by_id, job.attempts + 1)


def _fail(job: Job, *, now: datetime) -> None:
    error = f"The worker died in each of {job.attempts} attempts; the last lease ran out at {job.lease_until:%Y-%m-%dT%H:%M:%SZ}."
    Job.objects.filter(pk=job.pk).update(state=JobState.FAILED, finished_at=now, lease_owner="", lease_until=None, error=error)


def renew(lease: Lease, *, length: timedelta, done: int, total: int) -> bool:
    """Say that the worker lives, and how far it has come; False if the lease was lost or the job cancelled."""
    return _held(lease).update(lease_until=Now() + length, progress_done=done, progress_total=total) == 1


def complete(lease: Lease, *, outcome: Mapping[str, Any], done: int, total: int, now: datetime) -> bool:
    """The job is done; False if the lease was lost, and then nothing is noted."""
    return _finish(lease, JobState.DONE, now=now, outcome=dict(outcome), progress_done=done, progress_total=total)


def fail(lease: Lease, *, error: str, now: datetime) -> bool:
    """The job is given up; False if the lease was lost."""
    return _finish(lease, JobState.FAILED, now=now, error=error)


def _finish(lease: Lease, state: JobState, *, now: datetime, **values: object) -> bool:
    return _held(lease).update(state=state, finished_at=now, lease_owner="", lease_until=None, **values) == 1


def retry_later(lease: Lease, *, error: str, wait: timedelta) -> bool:
    """The attempt failed; the job waits before the next. False if the lease was lost."""
    return _held(lease).update(state=JobState.WAITING, lease_owner="", lease_until=Now() + wait, error=error) == 1


def hand_back(lease: Lease) -> bool:
    """The worker stops between two units of work; another goes on at once, and the attempt does not count."""
    return _held(lease).update(state=JobState.WAITING, lease_owner="", lease_until=None, attempts=F("attempts") - 1) == 1


def _held(lease: Lease) -> QuerySet[Job]:
    return Job.objects.filter(pk=lease.job_id, lease_owner=lease.token, state=JobState.RUNNING)
