"""A mail server of our own on loopback: it speaks enough SMTP to receive mail, refuse a receiver, or be busy."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_string
from email.message import Message


@dataclass
class Mailbox:
    """What the server received, and how it answers whom."""

    port: int = 0
    received: list[tuple[str, Message]] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    """Receiver -> reply to RCPT TO; everybody else is accepted."""


class _Session(socketserver.StreamRequestHandler):
    mailbox: Mailbox

    def handle(self) -> None:
        """One connection, command by command."""
        self._say("220 ready")
        to = ""
        while line := self.rfile.readline().decode().strip():
            verb = line[:4].upper()
            if verb == "RCPT":
                to = line[line.index("<") + 1 : line.index(">")]
                self._say(self.mailbox.answers.get(to, "250 ok"))
            elif verb == "DATA":
                self._say("354 go on")
                self.mailbox.received.append((to, message_from_string(self._data())))
                self._say("250 queued")
            else:
                self._say("221 bye" if verb == "QUIT" else "250 ok")
            if verb == "QUIT":
                return

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())

    def _data(self) -> str:
        lines = []
        while (line := self.rfile.readline().decode().rstrip("\r\n")) != ".":
            lines.append(line.removeprefix(".") if line.startswith("..") else line)
        return "\n".join(lines)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


@contextmanager
def mail_server(port: int = 0) -> Iterator[Mailbox]:
    """A server that runs while the block does, on a free port unless one is given."""
    mailbox = Mailbox()
    handler = type("Session", (_Session,), {"mailbox": mailbox})
    with _Server(("127.0.0.1", port), handler) as server:
        mailbox.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield mailbox
        finally:
            server.shutdown()
            thread.join()
