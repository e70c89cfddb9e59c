"""Run the suite: on SQLite, then what touches the database once more on PostgreSQL; close with what was left out, by name.

run_tests.py [--soak] [--only sqlite|postgres] [pytest's own arguments]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))
SOAK_ROUNDS = "200"


@dataclass(frozen=True)
class Run:
    """How one run over the suite ended."""

    name: str
    exit_code: int
    seconds: float
    counts: dict[str, int]
    left_out: list[tuple[str, str]]

    @property
    def line(self) -> str:
        """One line that says it all."""
        counted = ", ".join(f"{count} {what}" for what, count in sorted(self.counts.items())) or "nothing ran"
        return f"{self.name}: {counted}, {self.seconds:.0f} s{'' if self.exit_code == 0 else f' (exit code {self.exit_code})'}"


def run_pytest(name: str, database: str, arguments: list[str]) -> Run:
    """Run pytest against one kind of database; its output goes straight to the terminal."""
    print(f"\n=== {name} ===", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        notes = Path(folder) / "notes.json"
        environment = {**os.environ, "COMMONWATT_TEST_DATABASE": database, "COMMONWATT_TEST_NOTES": str(notes)}
        environment.pop("DJANGO_SETTINGS_MODULE", None)
        started = time.monotonic()
        code = subprocess.run([sys.executable, "-m", "pytest", *arguments], cwd=ROOT, env=environment, check=False).returncode
        told = json.loads(notes.read_text()) if notes.exists() else {"counts": {}, "left_out": []}
    return Run(name, code, time.monotonic() - started, told["counts"], [(one, why) for one, why in told["left_out"]])


def main() -> int:
    """Run, sum up, and return the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--soak", action="store_true", help=f"only the crash series, {SOAK_ROUNDS} rounds of each")
    parser.add_argument("--only", choices=["sqlite", "postgres"], help="one database instead of both")
    options, arguments = parser.parse_known_args()
    if options.soak:
        os.environ.setdefault("COMMONWATT_SOAK_ROUNDS", SOAK_ROUNDS)
        arguments = ["-m", "soak", "--timeout=0", "--durations=0", "-v", *arguments]
    else:
        arguments = ["-n", str(min(4, os.cpu_count() or 2)), "-q", *arguments]
    runs = []
    if options.only != "postgres":
        runs.append(run_pytest("SQLite", "sqlite", arguments))
    missing = postgres_missing()
    if options.only != "sqlite" and not missing:
        runs.append(run_pytest("PostgreSQL", "postgres", arguments))
    return sum_up(runs, missing if options.only != "sqlite" else "")


def postgres_missing() -> str:
    """Why there is no run on PostgreSQL; empty when there can be one."""
    from tests import services

    return services.postgres_missing()


def sum_up(runs: list[Run], missing: str) -> int:
    """Print the closing lines and return the exit code."""
    required = os.environ.get("COMMONWATT_TEST_REQUIRE") == "all"
    print("\n=== summary ===")
    for name, why in sorted({one for run in runs for one in run.left_out}):
        print(f"left out: {name}: {why}")
    if missing:
        print(f"left out: every test of the database on PostgreSQL: {missing}")
    for run in runs:
        print(run.line)
    failed = any(run.exit_code for run in runs) or bool(missing and required)
    print("FAILED" if failed else "passed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
