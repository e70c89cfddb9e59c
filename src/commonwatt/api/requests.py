"""What an endpoint may count on in its request, and where a person stands."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, cast

from django.http import HttpRequest

from commonwatt.accounts.access import Viewer
from commonwatt.kernel.clock import Clock

if TYPE_CHECKING:
    from django.contrib.auth.models import _AnyUser


class ApiRequest(HttpRequest):
    """A request behind our middleware: one clock, one instant that all its parts share, and who asks."""

    clock: Clock
    now: datetime
    viewer: Viewer
    user: _AnyUser


def api_request(request: HttpRequest) -> ApiRequest:
    """The same request with the type it has behind our middleware."""
    return cast("ApiRequest", request)  # the middleware has set every attribute that the class names
