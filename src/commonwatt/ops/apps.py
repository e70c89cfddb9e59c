"""Django's name for this room."""

from __future__ import annotations

from django.apps import AppConfig


class OpsConfig(AppConfig):
    """The ops room."""

    name = "commonwatt.ops"
    label = "ops"
    default_auto_field = "django.db.models.BigAutoField"
