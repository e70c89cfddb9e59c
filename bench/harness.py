"""The frame of every measurement: alternate ours with the peer, take medians, print a table, append to bench/results.jsonl.

How to add one: put `bench/<name>.py` beside this file. `python -m bench --only <name>` finds it. It offers one function:

    def measurements(bench: Bench) -> Iterator[Measurement]:
        path = bench.data("readings-10m-v1.csv", build=write_readings)     # made once, deterministic, ignored by git
        yield Measurement(
            name="import_sealed", unit="s",
            ours=lambda: bench.isolated("bench.import_sealed:ours", path=str(path)).value,
            peer=lambda: bench.isolated("bench.import_sealed:peer", path=str(path)).value,
            peer_name="polars read_csv + sort + write_parquet", max_ratio=4.0,
        )

- `ours` and `peer` do the work once and return one number in `unit`; the harness calls them in turn, ours, peer, ours, peer, …,
  at least five times each, and keeps the medians. ratio = ours / peer.
- No peer: leave it out and give `max_value` (an absolute limit) instead. Both limits may be given. For a rate, where more is
  better, say `higher_is_better=True`: then the limits are the least allowed.
- Code before the `yield` sets up, code after it cleans up (use try/finally): a module may yield several measurements.
- `bench.isolated("module:function", **arguments)` runs a function in a fresh Python and gives what it returned (`value`, any JSON),
  its own wall time (`seconds`) and its peak memory (`peak_mb`). Prefer it: nothing of one run warms or fattens the next.
- A peer that is a package of its own goes into `bench/peers/requirements.txt`; pass `python=bench.peers_python()` to `isolated`.
- `tree_memory_mb(pid)` sums the memory of a running process and its children, for servers.
"""

from __future__ import annotations

import hashlib
import json
import os
import statistics
import subprocess
import sys
import time
import venv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent
LEAST_RUNS = 5


@dataclass(frozen=True, kw_only=True)
class Measurement:
    """What to measure, against what, and the limit that must hold."""

    name: str
    unit: str
    ours: Callable[[], float]
    peer: Callable[[], float] | None = None
    peer_name: str | None = None
    max_ratio: float | None = None
    max_value: float | None = None
    higher_is_better: bool = False
    runs: int = LEAST_RUNS


@dataclass(frozen=True, kw_only=True)
class Result:
    """The medians of one measurement; the fields of a line of bench/results.jsonl."""

    name: str
    value: float
    unit: str
    peer: str | None
    peer_value: float | None
    ratio: float | None
    runs: int
    commit: str


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one isolated run gave."""

    value: Any  # whatever JSON the measured function returned
    seconds: float
    peak_mb: float


class RunFailed(RuntimeError):
    """A measured program ended with an error; the message holds the end of what it said."""


class Bench:
    """What a measurement may ask for."""

    def data(self, name: str, *, build: Callable[[Path], None]) -> Path:
        """The file bench/.data/<name>, built when missing and then renamed into place, so that a broken build leaves nothing."""
        path = ROOT / ".data" / name
        if not path.exists():
            path.parent.mkdir(exist_ok=True)
            unfinished = path.with_name(f"{name}.{os.getpid()}.tmp")
            print(f"building {path.relative_to(ROOT.parent)} …", file=sys.stderr, flush=True)
            build(unfinished)
            unfinished.rename(path)
        return path

    def isolated(self, target: str, *, python: Path | None = None, env: dict[str, str] | None = None, **arguments: object) -> Outcome:
        """Call `module:function` with keyword arguments in a fresh Python; see Outcome. Raises RunFailed."""
        command = [str(python or sys.executable), "-m", "bench.isolated", target, json.dumps(arguments)]
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT.parent, env={**os.environ, **(env or {})}, check=False)
        if done.returncode != 0:
            raise RunFailed(f"{target} ended with {done.returncode}:\n{done.stderr[-3000:]}")
        return Outcome(**json.loads(done.stdout.splitlines()[-1]))

    def peers_python(self) -> Path:
        """The Python of bench/peers/.venv, made or renewed when bench/peers/requirements.txt has changed."""
        folder, wanted = ROOT / "peers" / ".venv", ROOT / "peers" / "requirements.txt"
        python, stamp = folder / "bin" / "python", folder / "requirements.sha256"
        digest = hashlib.sha256(wanted.read_bytes()).hexdigest()
        if not stamp.exists() or stamp.read_text() != digest:
            venv.create(folder, with_pip=True, clear=True)
            subprocess.run([python, "-m", "pip", "install", "-q", "-r", wanted], check=True)
            stamp.write_text(digest)
        return python


def measure(measurement: Measurement, *, runs: int | None, commit: str) -> Result:
    """Run ours and the peer in turn; the medians."""
    count = max(LEAST_RUNS, runs or measurement.runs)
    ours, peers = [], []
    for _ in range(count):
        ours.append(measurement.ours())
        if measurement.peer is not None:
            peers.append(measurement.peer())
    value = statistics.median(ours)
    peer_value = statistics.median(peers) if peers else None
    return Result(
        name=measurement.name,
        value=round(value, 6),
        unit=measurement.unit,
        peer=measurement.peer_name,
        peer_value=None if peer_value is None else round(peer_value, 6),
        ratio=round(value / peer_value, 4) if peer_value else None,
        runs=count,
        commit=commit,
    )


def missed(measurement: Measurement, result: Result) -> list[str]:
    """The limits that do not hold, in words; empty when all is well."""
    words = []
    for what, got, limit in (
        ("ratio", result.ratio, measurement.max_ratio),
        (measurement.unit, result.value, measurement.max_value),
    ):
        if got is None or limit is None:
            continue
        too_far = got < limit if measurement.higher_is_better else got > limit
        if too_far:
            words.append(f"{what} {got:g}, {'least' if measurement.higher_is_better else 'most'} allowed {limit:g}")
    return words


def timed(work: Callable[[], object]) -> float:
    """Seconds that one call takes."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def tree_memory_mb(pid: int) -> float:
    """Resident memory of a process and all its descendants, shared pages counted once each (PSS). [MB]"""
    # A child belongs to the thread that started it.
    children = [child for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()]
    return _pss_mb(pid) + sum(tree_memory_mb(int(child)) for child in children)


def _pss_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) / 1000
    raise ValueError(f"process {pid} has no memory figures")


def current_commit() -> str:
    """The short hash of the checkout, with a plus sign when files differ from it."""
    short = _git("rev-parse", "--short", "HEAD")
    return short + ("+" if _git("status", "--porcelain", "--untracked-files=no") else "")


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT.parent, capture_output=True, text=True, check=False)
    return done.stdout.strip()
