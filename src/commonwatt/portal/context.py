"""What every template may use."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest

from commonwatt import __version__


def portal(request: HttpRequest) -> dict[str, Any]:
    """The version, and (from navigation) what the viewer may open."""
    return {"version": __version__}
