"""The two doors: what machines ask for, what is written about a request, and who may read the figures."""

from __future__ import annotations

import asyncio
import io
import json
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import structlog
from django.db import connection, connections

from commonwatt.accounts.people import create_operator
from commonwatt.jobs.actions import enqueue
from commonwatt.jobs.models import Job
from commonwatt.kernel.clock import WallClock
from commonwatt.ops import asgi, database, logs
from commonwatt.ops.answers import Application, Receive, Scope, Send
from commonwatt.ops.metrics import Metrics
from commonwatt.ops.settings import load

NOW = datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
Ask = Callable[[httpx.AsyncClient], Awaitable[Any]]


@pytest.fixture
def lines() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """What the process writes into its log, each line as its fields."""
    stream = io.StringIO()
    logs.set_up(load({"COMMONWATT_LOG_FORMAT": "json"}))
    handler = logging.getLogger().handlers[0]
    assert isinstance(handler, logging.StreamHandler)
    handler.setStream(stream)
    logging.getLogger("httpx").setLevel("WARNING")  # the tests' own client tells what it asks for
    logging.getLogger("uvicorn.error").setLevel("NOTSET")  # a test that served in this process may have quietened it
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    logging.getLogger().handlers.clear()
    structlog.reset_defaults()


@asynccontextmanager
async def client(application: Application, *, address: str = "127.0.0.1") -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(app=application, client=(address, 5000), raise_app_exceptions=False)  # type: ignore[arg-type]  # httpx names the same interface differently
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as http:
        yield http


def ask(ask_for: Ask, *, address: str = "127.0.0.1") -> Any:
    """Ask the whole application, and leave no connection behind in its threads."""

    async def run() -> Any:
        async with client(asgi.build(WallClock()), address=address) as http:
            try:
                return await ask_for(http)
            finally:
                await asyncio.gather(*(database.in_database(connections.close_all) for _ in range(2 * database.THREADS)))

    return asyncio.run(run())


@pytest.mark.django_db(transaction=True)
def test_the_process_says_that_it_lives_and_that_it_is_ready() -> None:
    """A load balancer learns that the process lives, that its database answers, that its tables are current, and how the queue is."""
    Job.objects.create(public_id="job_1", kind="seal", run_at=datetime.now(UTC) - timedelta(minutes=20), created_at=NOW)

    async def look(http: httpx.AsyncClient) -> list[httpx.Response]:
        return [await http.get("/healthz"), await http.get("/readyz")]

    live, ready = ask(look)
    assert (live.status_code, live.json()) == (200, {"status": "ok"})
    assert ready.status_code == 200
    told = ready.json()
    assert 1190 < told.pop("oldest_due_s") < 1300
    assert told == {"status": "ok", "database": "ok", "migrations": "ok", "queue": "late", "jobs_due": 1}


@pytest.mark.django_db(transaction=True)
def test_a_server_whose_tables_are_old_is_not_ready() -> None:
    """After an upgrade without its migration, the load balancer is told to wait, and why."""
    with connection.cursor() as cursor:
        cursor.execute("UPDATE django_migrations SET name = 'x' WHERE app = 'outbox' AND name = '0001_initial'")
    try:
        response = ask(lambda http: http.get("/readyz"))
    finally:
        with connection.cursor() as cursor:
            cursor.execute("UPDATE django_migrations SET name = '0001_initial' WHERE app = 'outbox' AND name = 'x'")
    assert (response.status_code, response.json()["status"], response.json()["migrations"]) == (503, "unready", "missing")


@pytest.mark.django_db(transaction=True)
def test_only_those_named_read_the_figures() -> None:
    """Prometheus on this machine reads the figures; for everybody else there is no such page."""
    enqueue(kind="seal", arguments={}, run_at=NOW, now=NOW)

    async def look(http: httpx.AsyncClient) -> httpx.Response:
        await http.get("/healthz")
        return await http.get("/metrics")

    seen, refused = ask(look), ask(look, address="203.0.113.7")
    assert seen.status_code == 200
    for line in (
        'commonwatt_jobs{state="due"} 1.0',
        'commonwatt_mail{state="waiting"} 0.0',
        'commonwatt_request_seconds_count{method="GET",route="/healthz",status="200"} 1.0',
    ):
        assert line in seen.text.splitlines()
    assert (refused.status_code, refused.text) == (404, "Not found.\n")


@pytest.mark.django_db(transaction=True)
def test_a_line_names_the_route_and_nobody(lines: Callable[[], list[dict[str, Any]]]) -> None:
    """The log tells of a request its route, its answer and the client's address; a one-time address's secret is nowhere in it."""
    _person, token = create_operator(email="otto@example.org", name="Otto", role="administrator", now=datetime.now(UTC))

    async def look(http: httpx.AsyncClient) -> list[httpx.Response]:
        return [
            await http.get(f"/sign-in-link/{token}/"),
            await http.get("/no/such/page?email=ana@example.org"),
            await http.get("/healthz"),
        ]

    responses = ask(look, address="203.0.113.7")
    requests = [line for line in lines() if line["event"] == "request"]
    assert [(line["route"], line["status"], line["client"]) for line in requests] == [
        ("/sign-in-link/<str:token>/", 200, "203.0.113.7"),
        ("(none)", 404, "203.0.113.7"),
        ("/healthz", 200, "203.0.113.7"),
    ]
    assert [line["request"] for line in requests] == [response.headers["x-request-id"] for response in responses]
    text = json.dumps(lines())
    assert token is not None
    for secret in (token, "ana@example.org", "/no/such/page"):
        assert secret not in text


def _metrics() -> Metrics:
    return Metrics(WallClock(), open_to=())


def test_what_nobody_caught_is_answered_and_logged(lines: Callable[[], list[dict[str, Any]]]) -> None:
    """When a door breaks, the client gets an answer with an id to quote, and the log has the traceback under the same id."""

    async def broken(_scope: Scope, _receive: Receive, _send: Send) -> None:
        raise ArithmeticError("no idea")

    async def run() -> httpx.Response:
        async with client(asgi.House(machines={"/broken": broken}, people=broken, metrics=_metrics())) as http:
            return await http.get("/broken/deeper")

    response = asyncio.run(run())
    assert response.status_code == 500
    assert response.text == f"Something went wrong. Please quote {response.headers['x-request-id']}.\n"
    (line,) = [line for line in lines() if line["event"] == "request.failed"]
    assert (line["route"], line["status"], line["request"]) == ("/broken", 500, response.headers["x-request-id"])
    assert "ArithmeticError: no idea" in line["exception"]


def test_the_portals_own_files_are_served_and_nothing_else(tmp_path: Path) -> None:
    """A browser gets the portal's picture once, keeps it, and cannot reach a file outside."""

    async def look(http: httpx.AsyncClient) -> list[httpx.Response]:
        first = await http.get("/static/portal/mark.svg")
        again = await http.get("/static/portal/mark.svg", headers={"If-None-Match": first.headers["etag"]})
        part = await http.get("/static/portal/mark.svg", headers={"Range": "bytes=0-3"})
        posted = await http.post("/static/portal/mark.svg")
        outside = await http.get("/static/..%2f..%2fapps.py")
        return [first, again, part, posted, outside]

    first, again, part, posted, outside = ask(look)
    assert (first.status_code, first.headers["content-type"], first.headers["x-content-type-options"]) == (200, "image/svg+xml", "nosniff")
    assert first.text.startswith("<svg")
    assert (again.status_code, again.text) == (304, "")
    assert (part.status_code, part.text) == (206, "<svg")
    assert (posted.status_code, outside.status_code) == (405, 404)


def test_a_websocket_is_turned_away() -> None:
    """Nobody speaks WebSocket here; whoever tries is told at once."""

    async def run() -> list[Any]:
        sent: list[Any] = []

        async def send(message: Any) -> None:
            sent.append(message)

        async def receive() -> Any:
            return {"type": "websocket.connect"}

        nobody: Application = asgi.House(machines={}, people=_never, metrics=_metrics())
        await nobody({"type": "websocket", "path": "/"}, receive, send)
        return sent

    assert asyncio.run(run()) == [{"type": "websocket.close", "code": 1000}]


async def _never(_scope: Scope, _receive: Receive, _send: Send) -> None:
    raise AssertionError("nobody should have been asked")


def test_log_lines_of_libraries_carry_no_path(lines: Callable[[], list[dict[str, Any]]]) -> None:
    """Django's own message about a broken page is written without the page's path, in which a secret may stand."""
    logging.getLogger("django.request").error("%s: %s", "Internal Server Error", "/sign-in-link/secret/")
    logging.getLogger("uvicorn.error").warning("Shutting down", extra={"color_message": "\x1b[31mShutting down"})
    assert [(line["event"], line["level"]) for line in lines()] == [("Internal Server Error", "error"), ("Shutting down", "warning")]
    assert "secret" not in json.dumps(lines())
