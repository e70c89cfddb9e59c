"""The durable queue: jobs that survive their worker."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _


class JobState(models.TextChoices):
    """Where a job is."""

    WAITING = "waiting", _("Waiting")
    RUNNING = "running", _("Running")
    DONE = "done", _("Done")
    FAILED = "failed", _("Failed")
    CANCELLED = "cancelled", _("Cancelled")


UNFINISHED = (JobState.WAITING, JobState.RUNNING)
_unfinished = Q(state__in=["waiting", "running"])


class Job(models.Model):
    """One piece of work; whoever holds the lease works on it, and a lease that ran out may be taken by another.

    `run_at`, `created_at` and `finished_at` are told by the install's clock, which may be a time-lapse. `lease_until` is told by the
    database's own clock, so that machines whose clocks differ agree: of a running job, until when its worker is believed alive; of
    a waiting one, before when it is not tried again.
    """

    public_id = models.CharField(max_length=32, unique=True)
    kind = models.CharField(max_length=64)
    arguments = models.JSONField(default=dict)
    key = models.CharField(max_length=160, null=True, help_text="At most one unfinished job has the same key.")  # noqa: DJ001 (null: most have none)
    state = models.CharField(max_length=16, choices=JobState, default=JobState.WAITING)
    run_at = models.DateTimeField()
    attempts = models.PositiveSmallIntegerField(default=0)
    lease_owner = models.CharField(max_length=64, blank=True)
    lease_until = models.DateTimeField(null=True)
    progress_done = models.BigIntegerField(default=0)
    progress_total = models.BigIntegerField(default=0)
    outcome = models.JSONField(default=dict)
    error = models.TextField(blank=True)
    requested_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["key"], condition=_unfinished, name="job_one_unfinished_per_key"),
            models.CheckConstraint(condition=Q(state__in=JobState.values), name="job_state_is_known"),
            models.CheckConstraint(condition=~Q(state="running") | Q(lease_until__isnull=False), name="job_running_has_a_lease"),
            models.CheckConstraint(
                condition=(_unfinished & Q(finished_at__isnull=True)) | (~_unfinished & Q(finished_at__isnull=False)),
                name="job_finished_has_a_time",
            ),
        ]
        indexes = [
            models.Index(fields=["run_at"], condition=_unfinished, name="job_open_by_time"),
            models.Index(fields=["kind", "-created_at"], name="job_by_kind"),
        ]
