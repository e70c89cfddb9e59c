"""See what is in the queue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core.paginator import Paginator
from django.db.models import Max, Min

from commonwatt.accounts.values import Page
from commonwatt.jobs.models import Job, JobState

PAGE_SIZE = 25


@dataclass(frozen=True, slots=True)
class JobView:
    """A job as the operator sees it; `progress_total` is 0 while nobody knows how much there is to do."""

    id: int
    public_id: str
    kind: str
    arguments: Mapping[str, Any]
    state: str
    run_at: datetime
    attempts: int
    progress_done: int
    progress_total: int
    outcome: Mapping[str, Any]
    error: str
    requested_by: int | None
    created_at: datetime
    finished_at: datetime | None

    @property
    def is_finished(self) -> bool:
        """Whether nothing more will happen to it."""
        return self.finished_at is not None

    @classmethod
    def of(cls, row: Job) -> JobView:
        """The view of one row."""
        return cls(
            id=row.pk,
            public_id=row.public_id,
            kind=row.kind,
            arguments=row.arguments,
            state=row.state,
            run_at=row.run_at,
            attempts=row.attempts,
            progress_done=row.progress_done,
            progress_total=row.progress_total,
            outcome=row.outcome,
            error=row.error,
            requested_by=row.requested_by_id,
            created_at=row.created_at,
            finished_at=row.finished_at,
        )


@dataclass(frozen=True, slots=True)
class QueueState:
    """How the queue is doing: how many jobs are due, for how long the oldest of them has been, how many run and how many failed."""

    due: int
    oldest_due_for: timedelta
    running: int
    failed: int


def job_page(page: int = 1, *, kinds: Sequence[str] = ()) -> Page[JobView]:
    """One page of jobs, newest first; of all kinds, or only of those named. A number out of range gives the nearest page."""
    rows = Job.objects.filter(kind__in=kinds) if kinds else Job.objects.all()
    shown = Paginator(rows.order_by("-pk"), PAGE_SIZE).get_page(page)
    items = tuple(JobView.of(row) for row in shown.object_list)
    return Page(items=items, number=shown.number, pages=shown.paginator.num_pages, total=shown.paginator.count)


def queue_state(*, now: datetime) -> QueueState:
    """How the queue is doing at an instant of the install's clock; failed jobs are those of the last day."""
    due = Job.objects.filter(state=JobState.WAITING, run_at__lte=now)
    oldest = due.aggregate(at=Min("run_at"))["at"]
    return QueueState(
        due=due.count(),
        oldest_due_for=now - oldest if oldest else timedelta(0),
        running=Job.objects.filter(state=JobState.RUNNING).count(),
        failed=Job.objects.filter(state=JobState.FAILED, finished_at__gt=now - timedelta(days=1)).count(),
    )


def last_enqueued(kind: str) -> datetime | None:
    """When a job of this kind was last put into the queue; None if never, as far as the queue remembers."""
    newest: datetime | None = Job.objects.filter(kind=kind).aggregate(at=Max("created_at"))["at"]
    return newest
