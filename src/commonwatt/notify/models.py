"""Messages to people, and how each copy reached them."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q


class Transport(models.TextChoices):
    """How a copy travels."""

    PORTAL = "portal", "In the portal"
    EMAIL = "email", "E-mail"


class Message(models.Model):
    """Something a person should know, written once however often its cause is delivered."""

    public_id = models.CharField(max_length=32, unique=True)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="messages")
    cause = models.CharField(max_length=128, help_text="The idempotency key, such as event.issued:evt_…:4.")
    subject = models.CharField(max_length=200)
    body = models.TextField()
    address = models.CharField(max_length=200, blank=True, help_text="The page it leads to, as a path.")
    created_at = models.DateTimeField()
    read_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "cause"], name="message_once_per_cause")]
        indexes = [models.Index(fields=["user", "-created_at"], name="message_by_user")]


class DeliveryState(models.TextChoices):
    """Where a copy is."""

    WAITING = "waiting", "Waiting"
    SENT = "sent", "Sent"
    FAILED = "failed", "Given up"


class Delivery(models.Model):
    """One copy of a message by one transport."""

    message = models.ForeignKey(Message, models.CASCADE, related_name="deliveries")
    transport = models.CharField(max_length=16, choices=Transport)
    state = models.CharField(max_length=16, choices=DeliveryState)
    attempts = models.PositiveSmallIntegerField(default=0)
    next_attempt_at = models.DateTimeField(null=True)
    sent_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=300, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["message", "transport"], name="delivery_once_per_transport"),
            models.CheckConstraint(condition=Q(state__in=DeliveryState.values), name="delivery_state_is_known"),
        ]
        indexes = [models.Index(fields=["next_attempt_at"], condition=Q(state="waiting"), name="delivery_waiting")]


class Preference(models.Model):
    """Whether a person wants one transport; without a row, they do."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="notify_preferences")
    transport = models.CharField(max_length=16, choices=Transport)
    wanted = models.BooleanField(default=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["user", "transport"], name="preference_once_per_transport")]
