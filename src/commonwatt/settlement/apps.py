"""Django's name for this room."""

from __future__ import annotations

from django.apps import AppConfig


class SettlementConfig(AppConfig):
    """The settlement room."""

    name = "commonwatt.settlement"
    label = "settlement"
    default_auto_field = "django.db.models.BigAutoField"
