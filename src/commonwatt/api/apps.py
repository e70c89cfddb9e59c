"""Django's name for this room."""

from __future__ import annotations

from django.apps import AppConfig


class ApiConfig(AppConfig):
    """The api room."""

    name = "commonwatt.api"
    label = "api"
    default_auto_field = "django.db.models.BigAutoField"
