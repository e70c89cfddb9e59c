"""Double entry with one row per transfer: it balances by construction, and rows never change."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q


class AccountKind(models.TextChoices):
    """What an account stands for; the kind says which side it normally grows on."""

    PARTY = "party", "What is owed to a customer"
    PROGRAM = "program", "What a program has spent"
    PAYOUT = "payout", "What has been paid out"


class Account(models.Model):
    """A place that amounts move between, in one currency."""

    code = models.CharField(max_length=96, unique=True)
    kind = models.CharField(max_length=16, choices=AccountKind)
    currency = models.CharField(max_length=3)
    party_id = models.CharField(max_length=32, blank=True, db_index=True)
    created_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(kind__in=AccountKind.values), name="account_kind_is_known"),
            models.CheckConstraint(
                condition=(Q(kind="party") & ~Q(party_id="")) | (~Q(kind="party") & Q(party_id="")),
                name="account_of_a_party_names_it",
            ),
        ]


class Transfer(models.Model):
    """An amount that moved from the debit to the credit account; a trigger refuses changes and mixed currencies."""

    public_id = models.CharField(max_length=32, unique=True)
    reference = models.CharField(max_length=128, unique=True, help_text="The idempotency key: what this transfer is for.")
    debit = models.ForeignKey(Account, models.PROTECT, related_name="+")
    credit = models.ForeignKey(Account, models.PROTECT, related_name="+")
    amount_nanos = models.BigIntegerField()
    currency = models.CharField(max_length=3)
    at = models.DateTimeField()
    reason = models.CharField(max_length=64)
    corrects = models.ForeignKey("self", models.PROTECT, null=True, related_name="corrections")

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(amount_nanos__gt=0), name="transfer_amount_is_positive"),
            models.CheckConstraint(condition=~Q(debit=F("credit")), name="transfer_moves_between_two_accounts"),
        ]
        indexes = [
            models.Index(fields=["debit", "at"], name="transfer_by_debit"),
            models.Index(fields=["credit", "at"], name="transfer_by_credit"),
        ]
