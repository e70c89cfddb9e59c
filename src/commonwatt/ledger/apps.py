"""Django's name for this room."""

from __future__ import annotations

from django.apps import AppConfig


class LedgerConfig(AppConfig):
    """The ledger room."""

    name = "commonwatt.ledger"
    label = "ledger"
    default_auto_field = "django.db.models.BigAutoField"
