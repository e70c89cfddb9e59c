"""Meters, who holds them, their channels, and readings in two states: open rows and sealed months."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from commonwatt.metering.choices import Quality, Quantity


class Meter(models.Model):
    """A device that measures, known by the number printed on it."""

    public_id = models.CharField(max_length=32, unique=True)
    number = models.CharField(_("meter number"), max_length=64, unique=True)
    name = models.CharField(_("name"), max_length=120, blank=True)
    interval_s = models.PositiveIntegerField(_("interval"), default=900, help_text=_("How long one reading lasts, in seconds."))
    time_zone = models.CharField(max_length=64, help_text="Whose civil days its rollups follow: that of the site it stands at.")
    installed_on = models.DateField(_("installed on"), null=True, blank=True)
    removed_on = models.DateField(_("removed on"), null=True, blank=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(interval_s__gte=60, interval_s__lte=86_400), name="meter_interval_is_sensible"),
            models.CheckConstraint(
                condition=Q(removed_on__isnull=True) | Q(installed_on__isnull=True) | Q(removed_on__gte=F("installed_on")),
                name="meter_removed_after_installed",
            ),
        ]

    def __str__(self) -> str:
        return self.name or self.number


class MeterAssignment(models.Model):
    """From when until when a customer held a meter, and at which site. Spans of one meter never overlap (a constraint)."""

    meter = models.ForeignKey(Meter, models.PROTECT, related_name="assignments")
    customer = models.ForeignKey("accounts.Customer", models.PROTECT, related_name="+")
    site = models.ForeignKey("accounts.Site", models.PROTECT, related_name="+")
    from_at = models.DateTimeField()
    until_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["meter"], condition=Q(until_at__isnull=True), name="assignment_one_current_holder"),
            models.CheckConstraint(condition=Q(until_at__isnull=True) | Q(until_at__gt=F("from_at")), name="assignment_ends_after_start"),
        ]
        indexes = [models.Index(fields=["customer", "until_at"], name="assignment_by_customer")]


class ClaimCode(models.Model):
    """A one-time code, handed over with the meter, that proves it is yours; only its digest is kept."""

    meter = models.ForeignKey(Meter, models.CASCADE, related_name="claim_codes")
    code_digest = models.CharField(max_length=64, unique=True)
    created_at = models.DateTimeField()
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True)
    used_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    revoked_at = models.DateTimeField(null=True)
    holds_from = models.DateTimeField(null=True, help_text="Since when its holder has had the meter; null: from the claim.")

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(expires_at__gt=F("created_at")), name="claim_code_expires_later")]


class Channel(models.Model):
    """One quantity of one meter."""

    meter = models.ForeignKey(Meter, models.PROTECT, related_name="channels")
    quantity = models.CharField(max_length=32, choices=Quantity)
    unit = models.CharField(max_length=8, default="Wh", help_text="The unit of its integer amounts.")
    interval_s = models.PositiveIntegerField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["meter", "quantity"], name="channel_once_per_quantity"),
            models.CheckConstraint(condition=Q(interval_s__gt=0), name="channel_interval_is_positive"),
        ]


class IngestBatch(models.Model):
    """One accepted delivery of readings; its sequence orders revisions and answers "what did we know then"."""

    sequence = models.BigIntegerField(primary_key=True)
    received_at = models.DateTimeField()
    source = models.CharField(max_length=32, help_text="Where it came from: csv, api, demo, edit, ….")
    reference = models.CharField(max_length=200, blank=True, help_text="The file name or job.")
    idempotency_key = models.CharField(max_length=128, null=True, unique=True)  # noqa: DJ001 (null: most batches have none)
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+")
    accepted = models.BigIntegerField(default=0)
    repeated = models.BigIntegerField(default=0)
    revised = models.BigIntegerField(default=0)
    refused = models.BigIntegerField(default=0)
    report = models.JSONField(default=dict)

    class Meta:
        indexes = [models.Index(fields=["-received_at"], name="ingest_batch_newest")]


class Reading(models.Model):
    """The amount of one channel over one interval, as learned by one batch: an open row, until its month is sealed.

    Times are whole seconds since 1970-01-01T00:00Z: a third of the size of a text time in SQLite, and the sealed files' own form.
    """

    pk = models.CompositePrimaryKey("channel_id", "start_s", "ingest_sequence")
    channel = models.ForeignKey(Channel, models.PROTECT, related_name="+", db_index=False)
    start_s = models.BigIntegerField()
    ingest_sequence = models.BigIntegerField()
    length_s = models.IntegerField()
    amount = models.BigIntegerField()
    quality = models.SmallIntegerField(choices=Quality)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(length_s__gt=0), name="reading_has_length"),
            models.CheckConstraint(condition=Q(amount__gte=0), name="reading_is_not_negative"),
            models.CheckConstraint(condition=Q(quality__in=Quality.values), name="reading_quality_is_known"),
        ]
        # No other index: everyone comes by channel, the sealer too, and each index would cost every write.


class SealedFile(models.Model):
    """One immutable Parquet file of the lake; the current one of its month and bucket has no `superseded_at`."""

    month = models.DateField()
    bucket = models.PositiveIntegerField()
    path = models.CharField(max_length=200, unique=True, help_text="Relative to the lake.")
    digest = models.CharField(max_length=64)
    rows = models.BigIntegerField()
    size_bytes = models.BigIntegerField()
    revisions = models.BigIntegerField(default=0, help_text="Rows that a later row of the same file replaces.")
    newest_sequence = models.BigIntegerField()
    created_at = models.DateTimeField()
    superseded_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["month", "bucket"], condition=Q(superseded_at__isnull=True), name="sealed_file_one_current"),
        ]


class DailyRollup(models.Model):
    """The sum of one channel over one local day of its site; repaired whenever a reading of that day changes."""

    pk = models.CompositePrimaryKey("channel_id", "day")
    channel = models.ForeignKey(Channel, models.PROTECT, related_name="+", db_index=False)
    day = models.DateField()
    amount = models.BigIntegerField()
    peak_amount = models.BigIntegerField()
    peak_start_s = models.BigIntegerField()
    readings = models.IntegerField()
    covered_s = models.IntegerField(help_text="Seconds of the day that readings cover.")
    worst_quality = models.SmallIntegerField(choices=Quality)

    class Meta:
        indexes = [models.Index(fields=["day"], name="daily_rollup_by_day")]
