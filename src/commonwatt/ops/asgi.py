"""Two doors, one house: the machines' plain callables behind a table of prefixes, and Django for everybody else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

import structlog
from django.conf import settings
from django.core.asgi import get_asgi_application

from commonwatt.kernel.clock import Clock
from commonwatt.ops.answers import Application, Message, Receive, Scope, Send, answer
from commonwatt.ops.requests import SCOPE_KEY, RequestFacts

if TYPE_CHECKING:
    from commonwatt.ops.metrics import Metrics


def build(clock: Clock) -> Application:
    """The whole application, living by this clock."""
    django = cast("Application", get_asgi_application())  # its types name dict where the interface allows any mapping
    # Imported once Django's apps are loaded, as they reach models.
    from commonwatt.ops.health import Health
    from commonwatt.ops.metrics import Metrics
    from commonwatt.ops.static import StaticFiles
    from commonwatt.portal.middleware import use_clock

    use_clock(clock)
    health = Health(clock)
    metrics = Metrics(clock, open_to=settings.COMMONWATT.metrics_from)
    machines: dict[str, Application] = {"/healthz": health.live, "/readyz": health.ready, "/metrics": metrics.tell}
    machines["/static"] = StaticFiles().tell
    return House(machines=machines, people=django, metrics=metrics)


class House:
    """Sends each request to its door, gives it an id, writes its line, and answers what nobody caught."""

    def __init__(self, *, machines: Mapping[str, Application], people: Application, metrics: Metrics) -> None:
        self._machines = machines
        self._people = people
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection's life, or one request."""
        match scope["type"]:
            case "http":
                await self._request(scope, receive, send)
            case "lifespan":
                await _lifespan(receive, send)
            case _:  # nobody here speaks WebSocket
                await send({"type": "websocket.close", "code": 1000})

    def _door(self, path: str) -> tuple[Application, str]:
        """Who answers this path, and under which name it is counted."""
        first = "/" + path.split("/", 2)[1] if path.startswith("/") else path
        if first in self._machines:
            return self._machines[first], first
        return self._people, "(none)"

    async def _request(self, scope: Scope, receive: Receive, send: Send) -> None:
        door, route = self._door(scope["path"])
        facts = RequestFacts(method=scope["method"], client=(scope.get("client") or ("",))[0], route=route)
        scope[SCOPE_KEY] = facts
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request=facts.request_id)
        try:
            await door(scope, receive, _watched(send, facts))
        except Exception as error:  # noqa: BLE001 (the outermost loop of a request: nobody below could answer)
            if not facts.status:
                await answer(_watched(send, facts), 500, f"Something went wrong. Please quote {facts.request_id}.\n".encode())
            facts.write(error)
        else:
            facts.write()
        self._metrics.count(facts)


def _watched(send: Send, facts: RequestFacts) -> Send:
    """Note the status and the size of what is sent, and add the request's id to its headers."""

    async def watched(message: Message) -> None:
        if message["type"] == "http.response.start":
            facts.status = message["status"]
            message["headers"] = [*message.get("headers", []), (b"x-request-id", facts.request_id.encode())]
        elif message["type"] == "http.response.body":
            facts.body_bytes += len(message.get("body", b""))
        await send(message)

    return watched


async def _lifespan(receive: Receive, send: Send) -> None:
    """Tell the server that there is nothing to wait for at either end: the command line has checked everything before."""
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
