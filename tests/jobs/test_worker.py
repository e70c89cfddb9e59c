"""Real worker processes, killed, stopped and frozen: no job is lost, and none is finished twice."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from commonwatt.accounts.access import Viewer
from commonwatt.jobs import actions, queries
from commonwatt.jobs.models import Job
from commonwatt.jobs.registry import GiveUp, JobContext, Registry
from commonwatt.jobs.worker import Worker
from commonwatt.kernel.clock import WallClock

NOW = datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
PROGRAM = Path(__file__).with_name("worker_program.py")
LEASE_S = 2


@dataclass
class Bench:
    """Starts worker processes on the test's database and reads what they wrote."""

    environment: dict[str, str]
    log: Path

    @contextmanager
    def worker(self) -> Iterator[subprocess.Popen[bytes]]:
        """A worker process, ready to work; killed at the end if it still lives."""
        process = subprocess.Popen([sys.executable, str(PROGRAM), str(self.log), str(LEASE_S)], env=self.environment)
        try:
            until(lambda: f"{process.pid} ready" in self.lines())
            yield process
        finally:
            process.kill()
            process.wait()

    def lines(self) -> list[str]:
        """What the workers wrote, each line beginning with a process id."""
        return self.log.read_text().splitlines() if self.log.exists() else []

    def said(self, *words: object) -> list[str]:
        """The ids of the processes that wrote this."""
        text = " ".join(str(word) for word in words)
        return [line.split(" ", 1)[0] for line in self.lines() if line.split(" ", 1)[1] == text]


@pytest.fixture
def bench(child_environment: dict[str, str], tmp_path: Path) -> Bench:
    return Bench(child_environment, tmp_path / "log")


def until(is_so: Callable[[], bool], *, within_s: float = 40) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.05)


def put(kind: str, **arguments: Any) -> str:
    return actions.enqueue(kind=kind, arguments=arguments, run_at=NOW, now=NOW)


def job(public_id: str) -> queries.JobView:
    return queries.JobView.of(Job.objects.get(public_id=public_id))


@pytest.mark.django_db(transaction=True)
def test_a_killed_workers_job_is_taken_over(bench: Bench) -> None:
    """A worker killed in the middle of a job loses nothing: within seconds of its lease, another does the job to its end, once."""
    public_id = put("units", name="a", units=10, unit_s=0.4)
    with bench.worker() as first, bench.worker() as second:
        until(lambda: len(bench.said("unit", 1, "of", "a")) == 1)
        (owner,) = bench.said("unit", 1, "of", "a")
        killed, heir = (first, second) if owner == str(first.pid) else (second, first)
        killed.send_signal(signal.SIGKILL)
        killed_at = time.monotonic()
        until(lambda: job(public_id).state == "done")
        assert time.monotonic() - killed_at < LEASE_S + 20
    assert bench.said("done", "a") == [str(heir.pid)]
    assert (job(public_id).attempts, job(public_id).outcome, job(public_id).progress_done) == (2, {"units": 10}, 10)


@pytest.mark.django_db(transaction=True)
def test_a_long_job_keeps_its_lease(bench: Bench) -> None:
    """A job three times as long as a lease is done once although a second worker waits for work all the time."""
    public_id = put("deaf", name="long", seconds=3 * LEASE_S)
    with bench.worker(), bench.worker():
        until(lambda: job(public_id).state == "done")
    assert len(bench.said("begin", "long")) == len(bench.said("done", "long")) == 1
    assert job(public_id).attempts == 1


@pytest.mark.django_db(transaction=True)
def test_a_frozen_worker_that_comes_back_cannot_finish_what_was_taken_from_it(bench: Bench) -> None:
    """A worker frozen past its lease loses the job to another; woken up, it finishes its work but its word no longer counts."""
    public_id = put("deaf", name="x", seconds=1.5)
    with bench.worker() as frozen:
        until(lambda: bench.said("begin", "x") == [str(frozen.pid)])
        frozen.send_signal(signal.SIGSTOP)
        with bench.worker() as other:
            until(lambda: job(public_id).state == "done")
            frozen.send_signal(signal.SIGCONT)
            until(lambda: len(bench.said("done", "x")) == 2)
            time.sleep(1)
    assert job(public_id).outcome == {"by": other.pid}
    assert (job(public_id).attempts, job(public_id).state) == (2, "done")


@pytest.mark.django_db(transaction=True)
def test_a_worker_that_is_asked_to_stop_hands_its_job_back_between_two_units(bench: Bench) -> None:
    """At SIGTERM a worker ends its unit of work, hands the job back and exits; the next worker does it, as the first attempt."""
    public_id = put("units", name="a", units=50, unit_s=0.2)
    with bench.worker() as worker:
        until(lambda: bool(bench.said("unit", 2, "of", "a")))
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(timeout=10) == 0
        assert bench.said("stopped") == [str(worker.pid)]
    assert (job(public_id).state, job(public_id).attempts) == ("waiting", 0)
    assert not bench.said("unit", 20, "of", "a")
    with bench.worker() as worker:
        until(lambda: (job(public_id).state, job(public_id).attempts) == ("running", 1))


@pytest.mark.django_db(transaction=True)
def test_a_cancelled_job_stops_between_two_units(bench: Bench) -> None:
    """A job that Otto cancels while it runs stops within seconds, and the worker goes on with the next."""
    otto = Viewer(user_id=None, name="Otto", email="otto@example.org", is_operator=True)
    cancelled = put("units", name="a", units=200, unit_s=0.1)
    with bench.worker() as worker:
        until(lambda: job(cancelled).progress_done > 2)
        assert actions.cancel(actor=otto, public_id=cancelled, now=NOW) is True
        following = put("units", name="b", units=1, unit_s=0)
        until(lambda: job(following).state == "done", within_s=10)
        assert bench.said("done", "b") == [str(worker.pid)]
    assert bench.said("done", "a") == []
    assert job(cancelled).state == "cancelled"


@pytest.mark.django_db(transaction=True)
def test_a_job_that_kills_its_worker_does_not_kill_for_ever(bench: Bench) -> None:
    """A job that brings down three workers is failed by the fourth, which then does the other work."""
    deadly = put("deadly", name="d")
    for _ in range(3):
        with bench.worker() as worker:
            assert worker.wait(timeout=40) == -signal.SIGKILL
    harmless = put("units", name="b", units=1, unit_s=0)
    with bench.worker():
        until(lambda: job(harmless).state == "done")
        until(lambda: job(deadly).state == "failed")
    assert len(bench.said("begin", "d")) == 3
    assert job(deadly).error.startswith("The worker died in each of 3 attempts")


@pytest.mark.soak
@pytest.mark.django_db(transaction=True)
def test_random_kills_lose_no_job_and_finish_none_twice(bench: Bench, rounds: int) -> None:
    """Two workers are killed over and over at arbitrary moments; in the end every job is done."""
    ids = [put("units", name=f"j{number}", units=3, unit_s=0.05) for number in range(3 * rounds)]
    for number in range(rounds):
        with bench.worker() as first, bench.worker():
            done = sum(job(one).state == "done" for one in ids)
            until(lambda done=done: sum(job(one).state == "done" for one in ids) > done or done == len(ids))
            time.sleep(0.037 * (number % 7))
            first.send_signal(signal.SIGKILL)
        Job.objects.filter(state="running").update(attempts=1)  # one job may meet more deaths here than it is meant to survive
    with bench.worker(), bench.worker():
        until(lambda: all(job(one).state == "done" for one in ids), within_s=60)
    for number, public_id in enumerate(ids):
        assert job(public_id).outcome == {"units": 3}
        assert bench.said("done", f"j{number}")


registry = Registry()


@registry.job("broken", retry_after=(timedelta(0), timedelta(0)))
def broken(context: JobContext) -> Mapping[str, Any]:
    raise OSError(f"disk full at {context.arguments['path']}")


@registry.job("hopeless")
def hopeless(context: JobContext) -> Mapping[str, Any]:
    raise GiveUp("The file has no column “start”.")


@registry.job("well")
def well(context: JobContext) -> Mapping[str, Any]:
    assert not context.stop_requested
    return {"attempt_of": context.public_id, "asked_by": context.requested_by, "year": context.now().year}


@pytest.mark.django_db(transaction=True)
def test_failures_are_told_tried_again_and_bounded() -> None:
    """A job that fails is tried three times and then says why; one that cannot succeed says so at once; the others go on."""
    failing, hopeless_one, fine = put("broken", path="/lake"), put("hopeless"), put("well")
    worker = Worker(kinds=registry, clock=WallClock(), threads=2)
    worker.start()
    try:
        until(lambda: all(job(one).is_finished for one in (failing, hopeless_one, fine)))
    finally:
        assert worker.stop(within_s=10) is True
        until(lambda: not connection.in_atomic_block)
    assert (job(failing).state, job(failing).attempts, job(failing).error) == ("failed", 3, "OSError: disk full at /lake")
    assert (job(hopeless_one).state, job(hopeless_one).attempts) == ("failed", 1)
    assert job(hopeless_one).error == "The file has no column “start”."
    assert job(fine).outcome == {"attempt_of": fine, "asked_by": None, "year": datetime.now(UTC).year}
