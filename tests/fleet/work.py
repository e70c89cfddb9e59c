"""Functions to map, where other processes find them."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

NOTE = {"left_here": False}


class FussyError(Exception):
    """As many an exception of ours: built from its data by keyword, so it does not come back from a pickle."""

    def __init__(self, *, meter: int) -> None:
        super().__init__(f"meter {meter} has no readings")


def square(number: int) -> int:
    """A result that tells its bucket."""
    return number * number


def slow_square(number: int) -> int:
    """Later buckets are done sooner."""
    time.sleep(max(0.0, 0.05 * (5 - number)))
    return number * number


def whereabouts(_: int) -> tuple[int, bool]:
    """This process, and whether it holds what the parent left in memory."""
    return os.getpid(), NOTE["left_here"]


def refuse_three(number: int) -> int:
    """Fails on one bucket."""
    if number == 3:
        raise FussyError(meter=number)
    return number


def leave_on_three(number: int) -> int:
    """Ends the process in an orderly way, which a library may do."""
    if number == 3:
        sys.exit("enough")
    return number


def die_on_three(number: int) -> int:
    """Is killed, as the system does when memory runs out."""
    if number == 3:
        os.kill(os.getpid(), signal.SIGKILL)
    return number


def unsendable_result(number: int) -> object:
    """A generator cannot travel."""
    return (part for part in range(number))


def touch(path: Path) -> None:
    """Leaves a trace; the first fails."""
    path.touch()
    if path.name == "0":
        raise ValueError("the first")
    time.sleep(0.2)


def wait_long(path: Path) -> None:
    """Says which process it is, and waits."""
    (path / str(os.getpid())).touch()
    time.sleep(60)


def map_waiting(folder: str) -> None:
    """A parent that maps a long wait."""
    from commonwatt.fleet import map_buckets

    map_buckets(wait_long, [Path(folder)] * 2, workers=2)


if __name__ == "__main__":
    map_waiting(sys.argv[1])
