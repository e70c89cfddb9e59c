"""The change log: what happened, in commit order, and how far each of its readers has come."""

from __future__ import annotations

from django.db import models
from django.db.models import Q


class Counter(models.Model):
    """A number handed out in commit order: its row is locked until the transaction that took it ends.

    A database sequence hands out numbers before commit, so that a cursor over it can step past rows not yet visible.
    """

    name = models.CharField(max_length=32, primary_key=True)
    value = models.BigIntegerField(default=0)


class Entry(models.Model):
    """One change: what kind, of what, with what a deliverer needs to act on it."""

    sequence = models.BigIntegerField(primary_key=True)
    kind = models.CharField(max_length=64)
    subject_kind = models.CharField(max_length=32)
    subject_id = models.CharField(max_length=64)
    payload = models.JSONField(default=dict)
    at = models.DateTimeField()

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(sequence__gt=0), name="outbox_sequence_is_positive")]
        indexes = [models.Index(fields=["subject_kind", "subject_id"], name="outbox_by_subject")]


class Cursor(models.Model):
    """How far one deliverer has come: every entry up to and including `sequence` has been acted on."""

    name = models.CharField(max_length=64, primary_key=True)
    sequence = models.BigIntegerField(default=0)
    updated_at = models.DateTimeField(null=True)
