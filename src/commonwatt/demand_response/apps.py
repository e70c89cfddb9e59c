"""Django's name for this room."""

from __future__ import annotations

from django.apps import AppConfig


class DemandResponseConfig(AppConfig):
    """The demand response room."""

    name = "commonwatt.demand_response"
    label = "demand_response"
    default_auto_field = "django.db.models.BigAutoField"
