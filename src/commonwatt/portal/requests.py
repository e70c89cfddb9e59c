"""What a page may count on in its request."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, cast

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

from commonwatt.accounts.access import Viewer
from commonwatt.kernel.clock import Clock

if TYPE_CHECKING:
    from django.contrib.auth.models import _AnyUser


class PortalRequest(HttpRequest):
    """A request behind our middleware: one clock, one instant that all its parts share, and who asks."""

    clock: Clock
    now: datetime
    viewer: Viewer
    htmx: HtmxDetails
    user: _AnyUser


def portal_request(request: HttpRequest) -> PortalRequest:
    """The same request with the type it has behind our middleware."""
    return cast("PortalRequest", request)  # the middleware has set every attribute that the class names


def page_number(request: HttpRequest) -> int:
    """The page of a list that the address asks for; the first for anything that is no number."""
    text = request.GET.get("page", "1")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 9 else 1
