"""Where an import works: one at a time, in a folder that goes with it, and what a killed one left behind goes with the next."""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

_LOOK_AGAIN_S = 0.2
_WORK = "work-"


def imports_dir() -> Path:
    """The folder of imports of this install: work in progress, and the lists that were too long for a report."""
    return Path(settings.COMMONWATT.data_dir) / "imports"


@contextmanager
def work_folder(*, waiting: Callable[[], None]) -> Iterator[Path]:
    """An empty folder for one import, removed at its end. While another import runs, this waits, and calls `waiting` now and then.

    The lock belongs to the open file, so the kernel gives it back when the process is killed; who holds it may clear away what earlier
    imports left.
    """
    imports_dir().mkdir(parents=True, exist_ok=True)
    descriptor = os.open(imports_dir() / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        while not _locked(descriptor):
            waiting()
            time.sleep(_LOOK_AGAIN_S)
        for left in imports_dir().glob(f"{_WORK}*"):
            shutil.rmtree(left, ignore_errors=True)
        folder = imports_dir() / f"{_WORK}{secrets.token_hex(8)}"
        folder.mkdir(mode=0o700)
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    finally:
        os.close(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
