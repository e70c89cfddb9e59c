"""`commonwatt serve`: the web server and, by default, one worker process beside it."""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable
from types import FrameType

import structlog
import uvicorn

from commonwatt.kernel.clock import Clock
from commonwatt.ops.settings import Settings
from commonwatt.ops.supervisor import WorkerProcess

# Longer than any page takes; a live page's stream is cut then, and its browser comes back by itself.
GRACE_S = 5

log = structlog.get_logger(__name__)


class AddressTaken(RuntimeError):
    """The server cannot listen where it should."""

    def __init__(self, *, host: str, port: int, error: OSError) -> None:
        reason = (error.strerror or str(error)).split(" (")[0]  # Python adds what it attempted, which the message says already
        super().__init__(f"Cannot listen on {host} port {port}: {reason}. Choose another with --port or --host.")


def serve(
    *, settings: Settings, clock: Clock, host: str, port: int, with_worker: bool, on_listening: Callable[[str], None] | None = None
) -> None:
    """Serve until SIGTERM or Ctrl-C, then let requests end, stop the worker, and return.

    Args:
        settings: The install's settings.
        clock: What its pages and jobs take for the present.
        host: The address to listen on.
        port: The port; 0 for a free one.
        with_worker: Whether to keep a worker process beside the server.
        on_listening: Called with the server's address once it accepts connections.

    Raises:
        AddressTaken: When another program listens there, or it is not this machine's address.
    """
    from commonwatt.ops.asgi import build

    listener = _listen(host, port)
    worker = WorkerProcess() if with_worker else None
    config = uvicorn.Config(
        build(clock),
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        timeout_graceful_shutdown=GRACE_S,
    )
    server = _Server(config, worker)
    if worker is not None:
        worker.start()
    address = f"http://{_shown(host)}:{listener.getsockname()[1]}"
    log.info("server.listening", address=address, pid=os.getpid(), worker=with_worker)
    if on_listening is not None:
        on_listening(address)
    try:
        with listener:
            _run(server, listener)
    finally:
        if worker is not None:
            worker.stop()
    log.info("server.stopped")


class _Server(uvicorn.Server):
    """Tells the worker to stop in the same moment as the server is told, so that both wind down at once."""

    def __init__(self, config: uvicorn.Config, worker: WorkerProcess | None) -> None:
        super().__init__(config)
        self._worker = worker

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Begin to stop."""
        super().handle_exit(sig, frame)
        if self._worker is not None:
            self._worker.ask_to_stop()


def _run(server: uvicorn.Server, listener: socket.socket) -> None:
    # uvicorn raises the signal that ended it once more when it is done; by then it has been obeyed.
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        server.run(sockets=[listener])
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise AddressTaken(host=host, port=port, error=error) from error


def _shown(host: str) -> str:
    """The host as a person on this machine would type it."""
    if host in {"0.0.0.0", "::"}:  # noqa: S104 (compared, not bound)
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host
