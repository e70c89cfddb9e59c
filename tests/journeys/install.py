"""A real install for journeys: its own folder, its own processes, its own clock, on a port of loopback."""

from __future__ import annotations

import email
import email.policy
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from commonwatt.kernel.clock import TimeLapse

READY_WITHIN_S = 60


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class Install:
    """One install; `start` and `stop` its server as often as needed."""

    folder: Path
    port: int = field(default_factory=_free_port)
    server: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """Where it is served."""
        return f"http://127.0.0.1:{self.port}"

    def run(self, *arguments: str) -> str:
        """Run a command of the install to its end; what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "commonwatt", *arguments],
            env=self._environment(),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start(self, *, shown: datetime, rate: float) -> None:
        """Serve, with a clock that shows an instant now and runs `rate` times as fast."""
        lapse = TimeLapse(anchor_real=datetime.now(UTC), anchor_shown=shown, rate=rate)
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "time-lapse.json").write_bytes(msgspec.json.encode(lapse))
        with (self.folder / "server.log").open("ab") as log:
            self.server = subprocess.Popen(
                [sys.executable, "-m", "commonwatt", "serve", "--port", str(self.port)], env=self._environment(), stdout=log, stderr=log
            )
        self._wait()

    def stop(self) -> None:
        """End the server as an operator would, and wait until it is gone."""
        if self.server is not None:
            self.server.send_signal(signal.SIGTERM)
            self.server.wait(timeout=40)
            self.server = None

    def mail_to(self, address: str) -> str:
        """The newest mail to an address, as text; waits a little for it."""
        for _ in range(100):
            found = [text for path in sorted(self.folder.glob("mail/*.log")) for to, text in _mails(path) if to == address]
            if found:
                return found[-1]
            time.sleep(0.1)
        raise AssertionError(f"no mail to {address} in {self.folder / 'mail'}")

    def link_in_mail_to(self, address: str) -> str:
        """The first address of this install that the newest mail names."""
        found = re.search(rf"{re.escape(self.address)}\S+", self.mail_to(address))
        assert found is not None
        return found.group(0)

    def _environment(self) -> dict[str, str]:
        # The suite's own data folder and database belong to other tests.
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(("COMMONWATT_", "DJANGO_"))}
        return inherited | {
            "COMMONWATT_DATA_DIR": str(self.folder),
            "COMMONWATT_BASE_URL": self.address,
            "COMMONWATT_TIME_ZONE": "Europe/Brussels",
            "COMMONWATT_COUNTRY": "BE",
            "COMMONWATT_CURRENCY": "EUR",
        }

    def _wait(self) -> None:
        until = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < until:
            assert self.server is not None
            assert self.server.poll() is None, (self.folder / "server.log").read_text()
            try:
                with urllib.request.urlopen(f"{self.address}/readyz", timeout=2):
                    return
            except OSError:
                time.sleep(0.1)
        raise AssertionError((self.folder / "server.log").read_text())


def _mails(path: Path) -> list[tuple[str, str]]:
    """Whom each message of a file of Django's mail backend is to, and what it says, newest last."""
    mails = []
    for raw in path.read_bytes().split(b"\n" + b"-" * 79 + b"\n"):
        message = email.message_from_bytes(raw.lstrip(), policy=email.policy.default)
        body = message.get_body(("plain",))
        if message["To"] and body is not None:
            mails.append((str(message["To"]), str(body.get_content())))
    return mails
