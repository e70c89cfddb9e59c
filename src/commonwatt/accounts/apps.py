"""Django's name for this room."""

from __future__ import annotations

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """The accounts room."""

    name = "commonwatt.accounts"
    label = "accounts"
    default_auto_field = "django.db.models.BigAutoField"
