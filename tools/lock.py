"""Write the exact versions, with hashes and without addresses, into requirements/."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "requirements"
OURS = ["pyproject.toml", "requirements/build.in"]
SETS: dict[str, list[str]] = {
    # dev first: the others are held to its versions
    "dev": [*OURS, "--extra", "dev", "--extra", "postgres", "--extra", "redis", "--extra", "cluster"],
    "base": OURS,
    "postgres": [*OURS, "--extra", "postgres"],
    "redis": [*OURS, "--extra", "redis"],
    "cluster": [*OURS, "--extra", "cluster"],
    # the node that tools/frontend.py takes where the system has none
    "node": ["requirements/node.in"],
}


def compile_set(name: str, arguments: list[str]) -> None:
    """Resolve one set of packages into requirements/NAME.txt."""
    constraint = [] if name == "dev" else ["--constraint", str(OUT / "dev.txt")]
    command = [
        sys.executable, "-m", "uv", "pip", "compile", *arguments, *constraint,
        "--python-version", "3.11", "--universal", "--generate-hashes", "--no-emit-index-url", "--no-emit-find-links",
        "--no-header", "--no-annotate", "--quiet", "--output-file", str(OUT / f"{name}.txt"),
    ]  # fmt: skip
    subprocess.run(command, cwd=ROOT, check=True)
    print(f"requirements/{name}.txt")


def without_funding() -> None:
    """Leave the addresses that packages ask for money at out of the browser's lock file; npm adds them and does not need them."""
    path = ROOT / "frontend" / "package-lock.json"
    lock = json.loads(path.read_text())
    for package in lock["packages"].values():
        package.pop("funding", None)
    path.write_text(json.dumps(lock, indent=2) + "\n")
    print("frontend/package-lock.json")


def main() -> None:
    """Compile every set."""
    for name, arguments in SETS.items():
        compile_set(name, arguments)
    without_funding()


if __name__ == "__main__":
    main()
