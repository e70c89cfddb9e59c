"""Django's name for this room."""

from __future__ import annotations

from django.apps import AppConfig


class JobsConfig(AppConfig):
    """The jobs room."""

    name = "commonwatt.jobs"
    label = "jobs"
    default_auto_field = "django.db.models.BigAutoField"
