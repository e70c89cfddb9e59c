"""Make the project's own environment: `.venv`, with exactly the versions of one requirements file.

Runs on a bare Python, so it uses the standard library only.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PACKAGE_LINE = "sudo apt-get install -y python3 python3-venv make"


def main(kind: str) -> None:
    """Create or bring up to date the environment for `kind`: base (to run) or dev (to run and test)."""
    if sys.version_info < (3, 11):
        sys.exit(f"Commonwatt needs Python 3.11 or newer; {sys.executable} is {sys.version.split()[0]}.")
    if not is_usable():
        create()
    requirements = ROOT / "requirements" / f"{kind}.txt"
    print(f"Installing {requirements.relative_to(ROOT)} into .venv (a minute or two) …", flush=True)
    pip("install", "--require-hashes", "--requirement", str(requirements))
    pip("install", "--no-deps", "--no-build-isolation", "--editable", str(ROOT))
    (VENV / f".{kind}").touch()
    if kind == "dev":
        (VENV / ".base").touch()


def is_usable() -> bool:
    """Whether there is an environment with a working pip: an attempt that was broken off leaves one without."""
    python = VENV / "bin" / "python"
    return python.exists() and subprocess.run([python, "-m", "pip", "--version"], check=False, capture_output=True).returncode == 0


def create() -> None:
    """Make an empty environment, or say which system package is missing."""
    missing = [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]
    if missing:
        sys.exit(
            f"This Python has no {' and no '.join(missing)} module, which Commonwatt's environment needs.\n"
            f"On Debian and Ubuntu, install it with:\n\n    {PACKAGE_LINE}\n"
        )
    print("Creating .venv …", flush=True)
    made = subprocess.run([sys.executable, "-m", "venv", "--clear", str(VENV)], check=False)
    if made.returncode:
        sys.exit(f"Could not create .venv. On Debian and Ubuntu, this installs what it needs:\n\n    {PACKAGE_LINE}\n")


def pip(*arguments: str) -> None:
    """Run the environment's own pip, quietly."""
    command = [str(VENV / "bin" / "python"), "-m", "pip", "--disable-pip-version-check", *arguments, "--quiet"]
    if subprocess.run(command, cwd=ROOT, check=False).returncode:
        sys.exit("Installing the Python packages failed; the message above says which one and why.")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "base")
