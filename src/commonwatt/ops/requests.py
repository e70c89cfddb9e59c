"""One request as the log tells it: an id, a route, an answer. No path, no query, nobody's name: tokens and ids stand in those."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import structlog
from django.http import HttpRequest, HttpResponseBase

SCOPE_KEY = "commonwatt.request"

log = structlog.get_logger("commonwatt.requests")


@dataclass(slots=True)
class RequestFacts:
    """What is known of a request while it is answered."""

    method: str
    client: str
    route: str = "(none)"
    """The pattern that matched, such as `/events/<str:public_id>/`, never the path itself."""
    request_id: str = field(default_factory=lambda: secrets.token_hex(8))
    status: int = 0
    body_bytes: int = 0
    started: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """How long it has taken so far."""
        return time.monotonic() - self.started

    def write(self, error: BaseException | None = None) -> None:
        """Write the request's line."""
        fields: dict[str, Any] = {
            "method": self.method,
            "route": self.route,
            "status": self.status,
            "ms": round(self.seconds * 1000, 1),
            "bytes": self.body_bytes,
            "client": self.client,
        }
        if error is not None:
            log.error("request.failed", **fields, exc_info=error)
        else:
            log.info("request", **fields)


def noted(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Django's outermost middleware: gives the request its id (`request.request_id`, for error pages) and notes its route."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        # Only the ASGI server has a scope; Django's test client calls the views without one.
        facts = getattr(request, "scope", {}).get(SCOPE_KEY) or RequestFacts(request.method or "", request.META.get("REMOTE_ADDR", ""))
        request.request_id = facts.request_id  # type: ignore[attr-defined]  # ours, see portal.requests.PortalRequest
        response = get_response(request)
        facts.route = _route(request)
        return response

    return middleware


def _route(request: HttpRequest) -> str:
    return f"/{request.resolver_match.route}" if request.resolver_match is not None else "(none)"
