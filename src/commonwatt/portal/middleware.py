"""What every request carries: the clock, one instant read once, who asks; and how refusals become pages."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.cache import patch_cache_control

from commonwatt.accounts.access import Forbidden, NotFound, viewer_for
from commonwatt.kernel.clock import Clock, WallClock
from commonwatt.portal.requests import portal_request
from commonwatt.portal.sessions import keep_alive

_clock: Clock = WallClock()


def use_clock(clock: Clock) -> None:
    """Make the process's requests live by this clock; called once, by whoever composes the process."""
    global _clock  # noqa: PLW0603 (one process has one present)
    _clock = clock


class Present:
    """Give the request its clock, its instant and its viewer; answer in the viewer's zone and language; turn refusals into pages."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer one request."""
        request.clock = _clock  # type: ignore[attr-defined]  # ours: see portal.requests.PortalRequest
        request.now = _clock.now()  # type: ignore[attr-defined]
        request.viewer = viewer_for(request.user)  # type: ignore[attr-defined]
        zone = getattr(request.user, "time_zone", "") or settings.COMMONWATT.time_zone
        language = getattr(request.user, "language", "") or translation.get_language()
        keep_alive(portal_request(request))
        with timezone.override(ZoneInfo(zone)), translation.override(language):
            response = self._get_response(request)
        if request.user.is_authenticated and not response.has_header("Cache-Control"):
            # What one person saw is not for whoever uses the browser, or a proxy, after them.
            patch_cache_control(response, private=True, no_store=True)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        """The page for a refusal. Whoever is not signed in is asked to, whatever the address: that tells nothing."""
        if not isinstance(exception, NotFound | Forbidden):
            return None
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        is_forbidden = isinstance(exception, Forbidden)
        status = HTTPStatus.FORBIDDEN if is_forbidden else HTTPStatus.NOT_FOUND
        return HttpResponse(render_to_string("403.html" if is_forbidden else "404.html", {}, request), status=status)
