"""Django's name for this room."""

from __future__ import annotations

from django.apps import AppConfig


class OutboxConfig(AppConfig):
    """The outbox room."""

    name = "commonwatt.outbox"
    label = "outbox"
    default_auto_field = "django.db.models.BigAutoField"
