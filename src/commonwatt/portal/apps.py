"""Django's name for this room."""

from __future__ import annotations

from django.apps import AppConfig


class PortalConfig(AppConfig):
    """The portal room."""

    name = "commonwatt.portal"
    label = "portal"
    default_auto_field = "django.db.models.BigAutoField"
