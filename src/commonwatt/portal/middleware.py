"""The present: every request carries the clock and one instant, read once, that all its parts share."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from commonwatt.kernel.clock import Clock, WallClock

_clock: Clock = WallClock()


def use_clock(clock: Clock) -> None:
    """Make the process's requests live by this clock; called once, by whoever composes the process."""
    global _clock  # noqa: PLW0603 (one process has one present)
    _clock = clock


def present(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Give the request its clock (`request.clock`) and its instant (`request.now`)."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        request.clock = _clock  # type: ignore[attr-defined]  # ours: see portal.requests.PortalRequest
        request.now = _clock.now()  # type: ignore[attr-defined]
        return get_response(request)

    return middleware
