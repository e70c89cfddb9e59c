"""Keep one worker process beside the server: started with it, restarted when it dies, gone when the server is gone."""

from __future__ import annotations

import subprocess
import sys
import threading
import time

import structlog

# A worker that dies at once is given ever more time, so that a broken install does not burn the machine.
FIRST_WAIT_S = 1.0
LONGEST_WAIT_S = 30.0
LIVED_WELL_S = 60.0
STOP_WITHIN_S = 25.0

log = structlog.get_logger(__name__)


class WorkerProcess:
    """`commonwatt worker` as a child. It holds the other end of a pipe, whose closing tells it that its parent is gone, however it went."""

    def __init__(self) -> None:
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._keep, name="worker-keeper", daemon=True)

    def start(self) -> None:
        """Start the worker, and look after it from now on."""
        self._thread.start()

    @property
    def pid(self) -> int | None:
        """The worker's process id while it lives."""
        process = self._process
        return process.pid if process is not None and process.poll() is None else None

    def ask_to_stop(self) -> None:
        """Tell the worker to end its unit of work and go; returns at once."""
        with self._lock:
            self._stopping.set()
            process = self._process
        if process is not None and process.stdin is not None:
            process.stdin.close()

    def stop(self, *, within_s: float = STOP_WITHIN_S) -> None:
        """Tell the worker to go and wait for it; one that does not is killed, and its job taken over later."""
        self.ask_to_stop()
        process = self._process
        if process is not None:
            try:
                process.wait(timeout=within_s)
            except subprocess.TimeoutExpired:
                log.warning("worker.killed", pid=process.pid, waited_s=within_s)
                process.kill()
                process.wait()
        self._thread.join(timeout=5)

    def _keep(self) -> None:
        wait_s = FIRST_WAIT_S
        while (process := self._spawn()) is not None:
            started = time.monotonic()
            code = process.wait()
            if self._stopping.is_set():
                return
            if time.monotonic() - started > LIVED_WELL_S:
                wait_s = FIRST_WAIT_S
            log.error("worker.died", pid=process.pid, code=code, restart_in_s=wait_s)
            if self._stopping.wait(wait_s):
                return
            wait_s = min(2 * wait_s, LONGEST_WAIT_S)

    def _spawn(self) -> subprocess.Popen[bytes] | None:
        with self._lock:
            if self._stopping.is_set():
                return None
            # A session of its own: Ctrl-C on the terminal reaches the server alone, which then stops the worker in good order.
            self._process = subprocess.Popen(
                [sys.executable, "-m", "commonwatt", "worker", "--beside-server"], stdin=subprocess.PIPE, start_new_session=True
            )
            return self._process
