"""The sign-ins that a demo shows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SignIn:
    """Somebody a visitor may sign in as."""

    label: str
    text: str
    email: str
    password: str
