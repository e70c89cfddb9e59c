"""A real server with its worker: they start together, stop together, and nothing is left behind however one of them dies."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.db import transaction
from tests.cast import make_cast

from commonwatt.accounts.models import User
from commonwatt.jobs.actions import enqueue
from commonwatt.jobs.models import Job
from commonwatt.notify.models import Delivery, Message
from commonwatt.outbox.actions import append
from commonwatt.outbox.models import Cursor

NOW = datetime(2026, 3, 29, 1, 0, tzinfo=UTC)


class Process:
    """`commonwatt …` as a process of its own, with what it writes into its log as fields."""

    def __init__(self, environment: dict[str, str], *arguments: str) -> None:
        command = [sys.executable, "-m", "commonwatt", *arguments]
        self.popen = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, stdin=subprocess.PIPE, text=True)
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.popen.stderr is not None
        for line in self.popen.stderr:
            self.lines.append(line.rstrip("\n"))

    def events(self, name: str) -> list[dict[str, Any]]:
        """The log's lines of one kind."""
        found = [json.loads(line) for line in list(self.lines) if line.startswith("{")]
        return [line for line in found if line["event"] == name]

    def wait_for(self, name: str, count: int = 1) -> dict[str, Any]:
        """The line, once it is there."""
        until(lambda: len(self.events(name)) >= count, what=f"{name} in {self.lines}")
        return self.events(name)[count - 1]

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and wait; the exit code."""
        self.popen.send_signal(number)
        code = self.popen.wait(timeout=40)
        self._reader.join(timeout=10)
        return code


def until(is_so: Callable[[], bool], *, what: str, within_s: float = 40) -> None:
    deadline = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < deadline, f"did not happen: {what}"
        time.sleep(0.05)


def is_alive(pid: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


@pytest.fixture
def environment(child_environment: dict[str, str]) -> dict[str, str]:
    return {**child_environment, "COMMONWATT_LOG_FORMAT": "json", "COMMONWATT_TRUSTED_PROXIES": "127.0.0.1"}


@contextmanager
def process(environment: dict[str, str], *arguments: str) -> Iterator[Process]:
    running = Process(environment, *arguments)
    try:
        yield running
    finally:
        if running.popen.poll() is None:
            running.end(signal.SIGKILL)
        for line in running.events("worker.started"):  # a test that fails leaves none behind either
            with suppress(ProcessLookupError):
                os.kill(line["pid"], signal.SIGKILL)
        for pipe in (running.popen.stdin, running.popen.stderr):
            if pipe is not None:
                pipe.close()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_server_and_its_worker_start_and_stop_together(environment: dict[str, str], number: int) -> None:
    """`commonwatt serve` answers, has a worker beside it, and at Ctrl-C or SIGTERM both end in good order within seconds."""
    with process(environment, "serve", "--port", "0") as server:
        address = server.wait_for("server.listening")["address"]
        worker = server.wait_for("worker.started")["pid"]
        assert httpx.get(f"{address}/readyz", timeout=20).json()["status"] == "ok"
        time.sleep(2)
        assert is_alive(worker)
        asked_at = time.monotonic()
        assert server.end(number) == 0
        assert time.monotonic() - asked_at < 10
        assert server.events("worker.stopped")[0]["in_order"] is True
        assert not is_alive(worker)
        assert len(server.events("server.stopped")) == 1
        assert server.events("worker.died") == []


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_dies_is_replaced(environment: dict[str, str]) -> None:
    """When the worker beside the server is killed, another takes its place within seconds."""
    with process(environment, "serve", "--port", "0") as server:
        first = server.wait_for("worker.started")["pid"]
        os.kill(first, signal.SIGKILL)
        second = server.wait_for("worker.started", 2)["pid"]
        assert second != first
        assert server.events("worker.died")[0]["code"] == -signal.SIGKILL
        assert server.end() == 0
        assert not is_alive(second)


@pytest.mark.django_db(transaction=True)
def test_no_worker_outlives_a_server_that_was_killed(environment: dict[str, str]) -> None:
    """Even when the server is killed without any warning, its worker notices and goes."""
    with process(environment, "serve", "--port", "0") as server:
        worker = server.wait_for("worker.started")["pid"]
        server.end(signal.SIGKILL)
        until(lambda: not is_alive(worker), what="the worker is gone")


@pytest.mark.django_db(transaction=True)
def test_the_client_behind_a_trusted_proxy_is_the_real_one(environment: dict[str, str]) -> None:
    """Behind our proxy the log has the client's own address; what a stranger's machine claims about itself is not believed."""
    forwarded = {"X-Forwarded-For": "198.51.100.4, 203.0.113.7", "X-Forwarded-Proto": "https"}
    with process(environment, "serve", "--port", "0", "--no-worker") as server:
        address = server.wait_for("server.listening")["address"]
        assert httpx.get(f"{address}/healthz", headers=forwarded, timeout=20).status_code == 200
        assert server.wait_for("request")["client"] == "203.0.113.7"
        assert httpx.get(f"{address}/metrics", headers=forwarded, timeout=20).status_code == 404
        server.end()
    with process({**environment, "COMMONWATT_TRUSTED_PROXIES": "192.0.2.1"}, "serve", "--port", "0", "--no-worker") as server:
        address = server.wait_for("server.listening")["address"]
        httpx.get(f"{address}/healthz", headers=forwarded, timeout=20)
        assert server.wait_for("request")["client"] == "127.0.0.1"


@pytest.mark.django_db(transaction=True)
def test_an_address_that_is_taken_is_told_without_a_worker(environment: dict[str, str]) -> None:
    """When another program listens on the port, the server says so, starts nothing, and exits with 1."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with process(environment, "serve", "--port", str(port)) as server:
            assert server.popen.wait(timeout=40) == 1
            until(lambda: len(server.lines) > 0, what="a message")
            assert server.lines[-1] == (
                f"Error: Cannot listen on 127.0.0.1 port {port}: Address already in use. Choose another with --port or --host."
            )
            assert server.events("worker.started") == []


@pytest.mark.django_db(transaction=True)
def test_the_worker_does_jobs_and_delivers_what_happened(environment: dict[str, str]) -> None:
    """A membership request becomes a message to the desk and a mail in a file; a job in the queue is done; all by one worker."""
    cast = make_cast()
    User.objects.exclude(pk=cast.otto.user_id).update(is_active=False)
    with transaction.atomic():
        payload = {"customer_id": cast.other_home.id, "user_id": cast.ana.user_id, "status": "pending", "role": "member"}
        append(kind="membership.requested", subject_kind="membership", subject_id="mem_1", payload=payload, now=NOW)
    asked = enqueue(kind="clean", arguments={}, run_at=NOW, now=NOW)
    with process(environment, "worker") as worker:
        until(lambda: Delivery.objects.filter(transport="email", state="sent").count() == 1, what=str(worker.lines))
        until(lambda: Job.objects.get(public_id=asked).state == "done", what=str(worker.lines))
        assert worker.end() == 0
    message = Message.objects.get()
    assert message.user_id == cast.otto.user_id
    assert message.subject == f"Ana asks to join {cast.other_home.name}"
    assert Cursor.objects.get(name="people").sequence >= 1
    mails = list((Path(environment["COMMONWATT_DATA_DIR"]) / "mail").iterdir())
    assert any("otto@example.org" in mail.read_text() for mail in mails)
