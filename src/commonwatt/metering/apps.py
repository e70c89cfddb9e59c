"""Django's name for this room."""

from __future__ import annotations

from django.apps import AppConfig


class MeteringConfig(AppConfig):
    """The metering room."""

    name = "commonwatt.metering"
    label = "metering"
    default_auto_field = "django.db.models.BigAutoField"
