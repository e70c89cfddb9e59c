"""Who may see a job: whoever works at the operator's desk."""

from __future__ import annotations

from datetime import datetime

from commonwatt.accounts.access import NotFound, Right, Viewer
from commonwatt.jobs.models import Job
from commonwatt.jobs.queries import JobView


def access_job(viewer: Viewer, public_id: str, right: Right = Right.VIEW, *, now: datetime) -> JobView:
    """The job, for an operator; raises NotFound for everybody else."""
    del right, now  # an operator may do everything with a job, at any time
    row = Job.objects.filter(public_id=public_id).first() if viewer.is_operator else None
    if row is None:
        raise NotFound("job", public_id)
    return JobView.of(row)
