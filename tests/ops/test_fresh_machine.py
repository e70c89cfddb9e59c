"""On a machine with only Python and make, the first command says what is missing, in one line that can be copied."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINE = "sudo apt-get install -y python3 python3-venv make"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A clone in which nothing was ever made."""
    folder = tmp_path / "commonwatt"
    for name in ("tools/environment.py", "requirements/base.txt", "pyproject.toml", "Makefile"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    return folder


def make(clone: Path, *, hide: str) -> subprocess.CompletedProcess[str]:
    """`make demo` with a Python from which a module is missing, as on Debian without python3-venv."""
    site = clone / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(f"import sys\nsys.modules[{hide!r}] = None\n")
    python = clone / "python"
    python.write_text(f'#!/bin/sh\nPYTHONPATH={site} exec {sys.executable} "$@"\n')
    python.chmod(0o755)
    command = ["make", f"PYTHON={python}", "demo"]
    return subprocess.run(command, cwd=clone, env={"PATH": os.environ["PATH"]}, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("module", ["venv", "ensurepip"])
def test_a_missing_venv_is_answered_with_the_package_line(clone: Path, module: str) -> None:
    """Without Python's venv module, `make demo` prints the one line that installs it, without a traceback, and leaves nothing behind."""
    done = make(clone, hide=module)
    assert done.returncode != 0
    assert f"This Python has no {module} module, which Commonwatt's environment needs." in done.stderr
    assert LINE in done.stderr.splitlines()[3]
    assert "Traceback" not in done.stderr
    assert not (clone / ".venv").exists()


def test_an_old_python_is_told_so(clone: Path) -> None:
    """A Python that is too old is named with its version."""
    code = "import sys, runpy; sys.version_info = (3, 9, 2); sys.argv = ['x']; runpy.run_path('tools/environment.py', run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", code], cwd=clone, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("Commonwatt needs Python 3.11 or newer; ")
    assert "Traceback" not in done.stderr


def test_the_readme_names_the_same_line() -> None:
    """The README's line for a fresh machine is the one that the command prints."""
    assert LINE in (ROOT / "README.md").read_text()
