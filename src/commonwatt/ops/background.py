"""The worker process: jobs, the schedule and the deliverers, until it is asked to stop or its server is gone."""

from __future__ import annotations

import os
import signal
import sys
import threading
from datetime import datetime

import structlog

from commonwatt.jobs.worker import Worker
from commonwatt.kernel.clock import Clock, TimeLapse
from commonwatt.ops import deliverers, schedule
from commonwatt.ops.pulse import Act, Beat, Pulse
from commonwatt.ops.tasks import registry

STOP_WITHIN_S = 20.0

log = structlog.get_logger(__name__)


def run_worker(*, clock: Clock, threads: int, beside_server: bool) -> bool:
    """Work until SIGTERM or Ctrl-C, or until the server's end of standard input closes; False if a job had to be left in the middle.

    Args:
        clock: What jobs and the schedule take for the present.
        threads: How many jobs to do at once.
        beside_server: Whether standard input is the pipe of a server that this worker must not outlive.
    """
    asked = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: asked.set())
    if beside_server:
        threading.Thread(target=_wait_for_server, args=(asked,), name="server-watch", daemon=True).start()
    worker = Worker(kinds=registry, clock=clock, threads=threads)
    pulses = [Pulse("deliverers", _deliverers(), clock=clock), Pulse("schedule", _schedule(worker, clock), clock=clock)]
    worker.start()
    for pulse in pulses:
        pulse.start()
    log.info("worker.started", pid=os.getpid(), threads=threads)
    asked.wait()
    for pulse in pulses:
        pulse.ask_to_stop()
    ended = [worker.stop(within_s=STOP_WITHIN_S), *(pulse.join(within_s=1) for pulse in pulses)]
    log.info("worker.stopped", pid=os.getpid(), in_order=all(ended))
    return all(ended)


def _deliverers() -> list[Beat]:
    return [Beat("people", deliverers.deliver_to_people)]


def _schedule(worker: Worker, clock: Clock) -> list[Beat]:
    beats = [Beat(f"schedule {entry.kind}", _tick(entry, worker)) for entry in schedule.entries()]
    if isinstance(clock, TimeLapse):
        beats.insert(0, Beat("demo", _demo(clock)))
    return beats


def _tick(entry: schedule.Entry, worker: Worker) -> Act:
    def tick(now: datetime) -> None:
        if schedule.tick(entry, now=now):
            worker.wake()

    return tick


def _demo(clock: TimeLapse) -> Act:
    """The demo's own beat: its meters report as its time passes."""
    from commonwatt.ops.demo import director

    return lambda _now: director.tick(clock=clock)


def _wait_for_server(asked: threading.Event) -> None:
    """Standard input ends when the server closes it or dies, however suddenly."""
    sys.stdin.buffer.read()
    asked.set()
