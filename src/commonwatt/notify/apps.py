"""Django's name for this room."""

from __future__ import annotations

from django.apps import AppConfig


class NotifyConfig(AppConfig):
    """The notify room."""

    name = "commonwatt.notify"
    label = "notify"
    default_auto_field = "django.db.models.BigAutoField"
