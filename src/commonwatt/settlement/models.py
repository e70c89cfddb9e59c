"""What was delivered, what it is worth, and the statement that says so line by line."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class Settlement(models.Model):
    """One computation of one event, at one ingest sequence. Number 1 credits; later ones correct."""

    public_id = models.CharField(max_length=32, unique=True)
    event = models.ForeignKey("demand_response.Event", models.PROTECT, related_name="+")
    number = models.PositiveIntegerField()
    terms_version = models.PositiveIntegerField()
    rule = models.JSONField(help_text="The baseline rule as it was, whole.")
    ingest_sequence = models.BigIntegerField()
    readings_digest = models.CharField(max_length=64)
    result_digest = models.CharField(max_length=64)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["event", "number"], name="settlement_number_once_per_event"),
            models.CheckConstraint(condition=Q(number__gt=0), name="settlement_numbers_start_at_one"),
        ]


class SettledMeter(models.Model):
    """One meter's part of a settlement: its baseline days, its adjustment, its sums.

    A later settlement of the event holds only the meters of which it says something else; the others stand as they are.
    """

    settlement = models.ForeignKey(Settlement, models.PROTECT, related_name="meters")
    meter = models.ForeignKey("metering.Meter", models.PROTECT, related_name="+")
    site = models.ForeignKey("accounts.Site", models.PROTECT, related_name="+")
    party_id = models.CharField(max_length=32)
    verdict = models.CharField(max_length=32, help_text="ok, opted_out, withdrawn, or why there is no baseline.")
    notes = models.PositiveIntegerField(default=0, help_text="Bits of baseline.reasons.Note.")
    days = models.JSONField(help_text='[{"day": "2026-03-02", "status": "selected"}, …], newest first.')
    adjustment_kind = models.CharField(max_length=16)
    adjustment_value = models.FloatField(null=True, help_text="The factor, or kWh per interval.")
    adjustment_raw = models.FloatField(null=True, help_text="The same before the cap.")
    cap_status = models.CharField(max_length=32)
    baseline_wh = models.BigIntegerField()
    metered_wh = models.BigIntegerField()
    delivered_wh = models.BigIntegerField()
    credited_wh = models.BigIntegerField()
    amount_nanos = models.BigIntegerField()
    readings_digest = models.CharField(max_length=64, blank=True)
    result_digest = models.CharField(max_length=64)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["settlement", "meter"], name="settled_meter_once"),
            models.CheckConstraint(condition=Q(verdict="ok") | Q(credited_wh=0), name="settled_meter_without_verdict_is_unpaid"),
            models.CheckConstraint(
                condition=Q(delivered_wh=F("baseline_wh") - F("metered_wh")), name="settled_meter_delivered_is_the_difference"
            ),
        ]
        indexes = [models.Index(fields=["party_id"], name="settled_meter_by_party")]


class SettlementLine(models.Model):
    """One interval of one meter."""

    settled_meter = models.ForeignKey(SettledMeter, models.PROTECT, related_name="lines")
    start = models.DateTimeField()
    length_s = models.PositiveIntegerField()
    baseline_wh = models.BigIntegerField(null=True)
    metered_wh = models.BigIntegerField(null=True, help_text="Null: no reading, nothing is paid.")
    delivered_wh = models.BigIntegerField(null=True)
    credited_wh = models.BigIntegerField(help_text="Delivered, after the program's rule for negative intervals.")
    price_micros_per_kwh = models.BigIntegerField()
    amount_nanos = models.BigIntegerField()
    quality = models.SmallIntegerField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["settled_meter", "start"], name="settlement_line_once_per_interval"),
            models.CheckConstraint(
                condition=Q(amount_nanos=F("credited_wh") * F("price_micros_per_kwh")),
                name="settlement_line_amount_is_wh_times_price",
            ),
            models.CheckConstraint(
                condition=Q(metered_wh__isnull=False, baseline_wh__isnull=False) | Q(credited_wh=0),
                name="settlement_line_unmetered_is_unpaid",
            ),
            models.CheckConstraint(condition=Q(credited_wh__gte=0), name="settlement_line_takes_nothing_away"),
        ]


class Statement(models.Model):
    """What one customer was credited for one event: the first credit and every later correction."""

    public_id = models.CharField(max_length=32, unique=True)
    event = models.ForeignKey("demand_response.Event", models.PROTECT, related_name="+")
    customer = models.ForeignKey("accounts.Customer", models.PROTECT, related_name="+")
    party_id = models.CharField(max_length=32)
    currency = models.CharField(max_length=3)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [models.UniqueConstraint(fields=["event", "customer"], name="statement_once_per_event")]
        indexes = [models.Index(fields=["customer", "-created_at"], name="statement_by_customer")]


class EntryKind(models.TextChoices):
    """Why an amount stands on a statement."""

    CREDIT = "credit", _("Credit")
    CORRECTION = "correction", _("Correction")


class StatementEntry(models.Model):
    """One amount on a statement, with the transfer that booked it; a correction holds only the difference."""

    statement = models.ForeignKey(Statement, models.PROTECT, related_name="entries")
    settlement = models.ForeignKey(Settlement, models.PROTECT, related_name="+")
    kind = models.CharField(max_length=16, choices=EntryKind)
    credited_wh = models.BigIntegerField(help_text="Signed: a correction may take away.")
    amount_nanos = models.BigIntegerField(help_text="Signed: a correction may take away.")
    transfer_reference = models.CharField(max_length=128, blank=True, help_text="Empty where the amount is zero.")
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["statement", "settlement"], name="statement_entry_once_per_settlement"),
            models.UniqueConstraint(fields=["statement"], condition=Q(kind="credit"), name="statement_has_one_credit"),
            models.UniqueConstraint(
                fields=["transfer_reference"], condition=~Q(transfer_reference=""), name="statement_entry_has_its_own_transfer"
            ),
            models.CheckConstraint(
                condition=Q(amount_nanos=0, transfer_reference="") | (~Q(amount_nanos=0) & ~Q(transfer_reference="")),
                name="statement_entry_is_booked",
            ),
            models.CheckConstraint(condition=Q(kind__in=EntryKind.values), name="statement_entry_kind_is_known"),
        ]


class Watch(models.Model):
    """Up to where the readings of a settled event have been looked at, so that later ones are noticed. The one row that changes."""

    event = models.OneToOneField("demand_response.Event", models.PROTECT, related_name="+", primary_key=True)
    first_start_s = models.BigIntegerField(help_text="The first moment whose readings may count, baseline days included.")
    end_s = models.BigIntegerField(help_text="The moment after the last.")
    checked_sequence = models.BigIntegerField(help_text="The ingest sequence up to which the settlement knows all readings.")
    due_sequence = models.BigIntegerField(help_text="The newest ingest sequence that touched the span.")

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(end_s__gt=F("first_start_s")), name="watch_has_a_span")]
        indexes = [
            models.Index(fields=["event"], condition=Q(due_sequence__gt=F("checked_sequence")), name="watch_due"),
            models.Index(fields=["end_s"], name="watch_by_end"),
        ]
