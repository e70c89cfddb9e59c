"""How much memory an idle install holds: the web server and the worker beside it, after their first pages and jobs. [MB]

A new install on the embedded database with a month of readings for ten meters; the pages that load the most code are opened, the
worker seals and cleans once, and after a quarter of a minute of rest the memory of both processes is added up.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.harness import Bench, Measurement, tree_memory_mb

MAX_MB = 300.0
REST_S = 15.0


def measurements(_bench: Bench) -> Iterator[Measurement]:
    """The one figure; no peer, an absolute limit."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("COMMONWATT_")},
            "COMMONWATT_DATA_DIR": f"{folder}/data",
            "COMMONWATT_LOG_LEVEL": "info",
        }
        _fill(Path(folder), environment)
        yield Measurement(name="idle_memory", unit="MB", ours=lambda: _idle(environment), max_value=MAX_MB)


def _fill(folder: Path, environment: dict[str, str]) -> None:
    """Tables, and a closed month that the worker will seal."""
    _commonwatt("migrate", environment)
    lines = ["meter,start,wh"]
    for meter in range(10):
        lines += [
            f"M{meter},2026-01-{day:02}T{hour:02}:{minute:02}Z,250"
            for day in range(1, 32)
            for hour in range(24)
            for minute in (0, 15, 30, 45)
        ]
    path = folder / "readings.csv"
    path.write_text("\n".join(lines))
    _commonwatt("import-readings", environment, str(path), "--create-meters", "--interval-s", "900")


def _commonwatt(command: str, environment: dict[str, str], *arguments: str) -> None:
    subprocess.run([sys.executable, "-m", "commonwatt", command, *arguments], env=environment, check=True, capture_output=True)


def _idle(environment: dict[str, str]) -> float:
    with _server(environment) as (process, address):
        for path in ("/", "/help/", "/auth/login/", "/readyz", "/metrics"):
            urllib.request.urlopen(f"{address}{path}", timeout=30).read()
        time.sleep(REST_S)
        return tree_memory_mb(process.pid)


@contextmanager
def _server(environment: dict[str, str]) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-m", "commonwatt", "serve", "--port", "0"]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        said = next(line for line in process.stderr if "listens on" in line)
        next(line for line in process.stderr if "worker.started" in line)
        yield process, said.split("listens on ")[1].split(". ")[0]
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
