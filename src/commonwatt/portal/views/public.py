"""Pages for everybody, signed in or not."""

from __future__ import annotations

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from commonwatt.portal.requests import PortalRequest


@require_safe
def landing(request: PortalRequest) -> HttpResponse:
    """What this is, and the way in."""
    return render(request, "portal/landing.html")


@require_safe
def help_page(request: PortalRequest) -> HttpResponse:
    """Short answers, and every word that the platform uses."""
    return render(request, "portal/help.html")
