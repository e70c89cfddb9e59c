"""`python -m bench [--only a,b] [--runs N]`: find the measurements, run them, print a table, append to results.jsonl."""

from __future__ import annotations

import argparse
import dataclasses
import importlib
import json
import pkgutil
import sys
from collections.abc import Iterator

from bench.harness import ROOT, Bench, Measurement, Result, current_commit, measure, missed

FRAME = {"__main__", "harness", "isolated"}
COLUMNS = ("name", "value", "unit", "peer_value", "ratio", "runs", "verdict", "peer")
WIDTHS = (28, 12, 9, 12, 8, 5, 8, 0)


def modules(only: set[str]) -> list[str]:
    """The names of the bench modules asked for; ends the program for a name that does not exist."""
    found = sorted(module.name for module in pkgutil.iter_modules([str(ROOT)]) if module.name not in FRAME and not module.ispkg)
    unknown = only - set(found)
    if unknown:
        sys.exit(f"bench: no measurement named {', '.join(sorted(unknown))}; there are {', '.join(found)}")
    return [name for name in found if not only or name in only]


def measured(names: list[str], runs: int | None) -> Iterator[tuple[Measurement, Result]]:
    """Each measurement of each module with its result."""
    commit = current_commit()
    for name in names:
        for measurement in importlib.import_module(f"bench.{name}").measurements(Bench()):
            yield measurement, measure(measurement, runs=runs, commit=commit)


def row(cells: tuple[object, ...]) -> str:
    """One line of the table."""
    return "  ".join(f"{'' if cell is None else cell!s:<{width}}" for cell, width in zip(cells, WIDTHS, strict=True)).rstrip()


def main() -> None:
    """Run what was asked for; exit 1 when a limit does not hold."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--only", default="", help="names separated by commas")
    parser.add_argument("--runs", type=int, help="runs of each side (never fewer than five)")
    arguments = parser.parse_args()
    failures = []
    print(row(COLUMNS))
    for measurement, result in measured(modules({name for name in arguments.only.split(",") if name}), arguments.runs):
        with (ROOT / "results.jsonl").open("a") as file:
            file.write(json.dumps(dataclasses.asdict(result)) + "\n")
        problems = missed(measurement, result)
        failures += [f"{result.name}: {problem}" for problem in problems]
        verdict = "MISSED" if problems else "ok"
        value, peer_value = f"{result.value:.4g}", None if result.peer_value is None else f"{result.peer_value:.4g}"
        ratio = None if result.ratio is None else f"{result.ratio:.2f}"
        print(row((result.name, value, result.unit, peer_value, ratio, result.runs, verdict, result.peer)), flush=True)
    if failures:
        sys.exit("bench: " + "; ".join(failures))


if __name__ == "__main__":
    main()
