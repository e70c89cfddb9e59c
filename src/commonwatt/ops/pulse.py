"""What must happen again and again: each beat in its turn, every second, whatever becomes of the others."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import structlog
from django.db import close_old_connections, connections

from commonwatt.kernel.clock import Clock

PERIOD_S = 1.0
LONGEST_WAIT_S = 60.0

Act = Callable[[datetime], object]

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Beat:
    """One thing to do each second; after a failure it rests, longer each time."""

    name: str
    act: Act
    failures: int = field(default=0, init=False)
    rests_until: float = field(default=0.0, init=False)


class Pulse:
    """A thread that gives each beat its turn with the present instant of the install's clock."""

    def __init__(self, name: str, beats: Sequence[Beat], *, clock: Clock) -> None:
        self._beats = beats
        self._clock = clock
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Start beating; returns at once."""
        self._thread.start()

    def ask_to_stop(self) -> None:
        """Let the beat in hand end, and no other begin; returns at once."""
        self._stopping.set()

    def join(self, *, within_s: float) -> bool:
        """Wait for the end; False if a beat takes longer."""
        self._thread.join(within_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._stopping.is_set():
            for beat in self._beats:
                if not self._stopping.is_set() and time.monotonic() >= beat.rests_until:
                    self._give_turn(beat)
            self._stopping.wait(PERIOD_S)
        connections.close_all()

    def _give_turn(self, beat: Beat) -> None:
        close_old_connections()
        try:
            beat.act(self._clock.now())
        except Exception:  # the thread's outermost loop: the others must go on
            beat.failures += 1
            wait = min(2.0**beat.failures, LONGEST_WAIT_S)
            beat.rests_until = time.monotonic() + wait
            log.exception("beat.failed", beat=beat.name, again_in_s=wait)
            close_old_connections()
        else:
            beat.failures = 0
