"""How people sign in and up: allauth, with our own rules where it leaves a choice."""

from __future__ import annotations

from allauth.account.adapter import DefaultAccountAdapter


class Adapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth carries no types
    """Commonwatt's choices for allauth."""
