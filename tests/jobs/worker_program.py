"""A real worker process for the tests: `python worker_program.py LOG LEASE_S`; it writes what its jobs do into LOG."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import django

django.setup()

from commonwatt.jobs.registry import JobContext, Registry  # noqa: E402 (Django first)
from commonwatt.jobs.worker import Worker  # noqa: E402
from commonwatt.kernel.clock import WallClock  # noqa: E402

LOG = Path(sys.argv[1])
registry = Registry()


def note(*words: object) -> None:
    """One line, written whole."""
    with LOG.open("a") as file:
        file.write(" ".join(str(word) for word in (os.getpid(), *words)) + "\n")


@registry.job("units", retry_after=(timedelta(0), timedelta(0)))
def units(context: JobContext) -> Mapping[str, Any]:
    """Work in units of so many seconds, saying how far it is."""
    total = context.arguments["units"]
    for number in range(total):
        note("unit", number, "of", context.arguments["name"])
        time.sleep(context.arguments["unit_s"])
        context.progress(number + 1, total)
    note("done", context.arguments["name"])
    return {"units": total}


@registry.job("deaf", retry_after=(timedelta(0), timedelta(0)))
def deaf(context: JobContext) -> Mapping[str, Any]:
    """Work without ever asking whether to stop."""
    note("begin", context.arguments["name"])
    time.sleep(context.arguments["seconds"])
    note("done", context.arguments["name"])
    return {"by": os.getpid()}


@registry.job("deadly", retry_after=(timedelta(0), timedelta(0)))
def deadly(context: JobContext) -> Mapping[str, Any]:
    """Kill the worker that does it."""
    note("begin", context.arguments["name"])
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


def main() -> None:
    """Work until SIGTERM."""
    asked = threading.Event()
    signal.signal(signal.SIGTERM, lambda _number, _frame: asked.set())
    worker = Worker(kinds=registry, clock=WallClock(), threads=1, lease=timedelta(seconds=float(sys.argv[2])))
    worker.start()
    note("ready")
    asked.wait()
    note("stopped" if worker.stop(within_s=10) else "left")
    sys.stdout.flush()
    os._exit(0)


main()
