"""Work on the queue: threads that take jobs, and one that says they live."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import structlog
from django.db import DatabaseError, close_old_connections, connections

from commonwatt.jobs import leases
from commonwatt.jobs.registry import GiveUp, JobStopped, Registry
from commonwatt.kernel.clock import Clock

LEASE = timedelta(seconds=30)
POLL_S = 1.0
HEARTBEAT_S = 1.0

log = structlog.get_logger(__name__)


class RunningJob:
    """One attempt, as its job sees it (a `registry.JobContext`) and as the heartbeat does."""

    def __init__(self, lease: leases.Lease, *, clock: Clock, stopping: threading.Event, renewed: float) -> None:
        self.lease = lease
        self.renewed = renewed
        self.lost = False
        self.done = self.total = 0
        self._told = (0, 0)
        self._clock = clock
        self._stopping = stopping

    @property
    def public_id(self) -> str:
        """The job's id."""
        return self.lease.public_id

    @property
    def arguments(self) -> Mapping[str, Any]:
        """What was asked for."""
        return self.lease.arguments

    @property
    def requested_by(self) -> int | None:
        """The person who asked, or None."""
        return self.lease.requested_by

    def now(self) -> datetime:
        """The present instant of the install's clock."""
        return self._clock.now()

    @property
    def stop_requested(self) -> bool:
        """Whether to stop before the next unit of work."""
        return self.lost or self._stopping.is_set()

    def progress(self, done: int, total: int) -> None:
        """Note how far the job has come (the heartbeat tells the database, so a job's own transaction never holds its row)."""
        self.done, self.total = done, total
        if self.stop_requested:
            raise JobStopped

    def beat(self, *, length: timedelta) -> None:
        """Renew the lease when a third of it is gone or there is progress to tell; note when it is lost."""
        news = (self.done, self.total)
        if self.lost or (news == self._told and time.monotonic() - self.renewed < length.total_seconds() / 3):
            return
        asked = time.monotonic()
        try:
            held = leases.renew(self.lease, length=length, done=news[0], total=news[1])
        except DatabaseError:
            # Without a database nobody else can take the job either, but its lease runs out all the same.
            self.lost = time.monotonic() - self.renewed > length.total_seconds()
            raise
        self.lost = not held
        self.renewed, self._told = asked, news


class Worker:
    """Threads that take jobs of the kinds it knows until they are asked to stop."""

    def __init__(self, *, kinds: Registry, clock: Clock, threads: int = 2, lease: timedelta = LEASE) -> None:
        self._kinds = kinds
        self._clock = clock
        self._lease = lease
        self._stopping = threading.Event()
        self._wake = threading.Condition()
        self._running: dict[str, RunningJob] = {}
        self._threads = [threading.Thread(target=self._work, name=f"job-{number}", daemon=True) for number in range(threads)]
        self._heart = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Start working; returns at once."""
        for thread in (self._heart, *self._threads):
            thread.start()

    def wake(self) -> None:
        """Look into the queue now: a job was just added."""
        with self._wake:
            self._wake.notify_all()

    def stop(self, *, within_s: float) -> bool:
        """Ask every job to stop before its next unit of work, and wait; False if one is still in the middle of it.

        What is left then keeps its lease until the process ends and the lease runs out; another worker takes it over.
        """
        self._stopping.set()
        self.wake()
        deadline = time.monotonic() + within_s
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def _work(self) -> None:
        while not self._stopping.is_set():
            try:
                close_old_connections()
                lease = leases.take(kinds=self._kinds, length=self._lease, now=self._clock.now())
                if lease is not None:
                    self._run(lease)
                    continue
            except Exception:  # the thread's outermost loop: whatever happened, the next job gets its turn
                log.exception("worker.failed")
            with self._wake:
                if not self._stopping.is_set():
                    self._wake.wait(POLL_S)
        connections.close_all()

    def _run(self, lease: leases.Lease) -> None:
        running = RunningJob(lease, clock=self._clock, stopping=self._stopping, renewed=time.monotonic())
        self._running[lease.token] = running
        started = time.monotonic()
        try:
            ended, is_noted = self._attempt(running)
        finally:
            del self._running[lease.token]
        took = round(time.monotonic() - started, 3)
        log.info("job.ended", job=lease.public_id, kind=lease.kind, attempt=lease.attempt, ended=ended if is_noted else "lost", took_s=took)

    def _attempt(self, running: RunningJob) -> tuple[str, bool]:
        """Do the job once and note how it ended; the second value says whether the lease still held."""
        lease, kind = running.lease, self._kinds[running.lease.kind]
        try:
            outcome = kind.run(running)
        except JobStopped:
            return "handed back", leases.hand_back(lease)
        except GiveUp as error:
            return "given up", leases.fail(lease, error=str(error), now=self._clock.now())
        except Exception as error:  # a job may fail in any way; it is told to the operator and tried again
            log.exception("job.failed", job=lease.public_id, kind=lease.kind, attempt=lease.attempt)
            return self._failed(lease, kind.retry_after, error)
        finally:
            close_old_connections()
        done, total = running.done, running.total
        return "done", leases.complete(lease, outcome=outcome, done=done, total=total, now=self._clock.now())

    def _failed(self, lease: leases.Lease, retry_after: tuple[timedelta, ...], error: Exception) -> tuple[str, bool]:
        text = f"{type(error).__name__}: {error}"
        if lease.attempt > len(retry_after):
            return "failed", leases.fail(lease, error=text, now=self._clock.now())
        return "to be retried", leases.retry_later(lease, error=text, wait=retry_after[lease.attempt - 1])

    def _beat(self) -> None:
        while not self._stopping.is_set() or self._running:
            for running in list(self._running.values()):
                try:
                    running.beat(length=self._lease)
                except Exception:  # the heartbeat must outlive whatever happens to the database
                    log.exception("heartbeat.failed", job=running.public_id)
                    connections.close_all()
            if self._stopping.wait(HEARTBEAT_S):
                time.sleep(HEARTBEAT_S / 10)  # the jobs that still run are looked after until they have stopped
        connections.close_all()
