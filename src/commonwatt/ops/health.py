"""/healthz: the process lives. /readyz: it can do its work, and whether somebody works on the queue."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import timedelta

import msgspec
import structlog
from django.db import DatabaseError, connection

from commonwatt.jobs import queries as jobs
from commonwatt.kernel.clock import Clock
from commonwatt.ops.answers import Receive, Scope, Send, answer
from commonwatt.ops.database import in_database
from commonwatt.ops.tables import unapplied_migrations

# A due job that nobody has taken for so long means that no worker runs.
QUEUE_IS_LATE_AFTER = timedelta(minutes=15)

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Readiness:
    """What a load balancer or an operator asks for; `queue` never makes the server unready: without a worker, pages still work."""

    database: str
    migrations: str
    queue: str
    jobs_due: int
    oldest_due_s: int

    @property
    def is_ready(self) -> bool:
        """Whether requests can be answered."""
        return self.database == self.migrations == "ok"


class Health:
    """The two callables; the one that looks at the database remembers that the migrations are applied, once they are."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._migrated = False

    async def live(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """200 as long as the process answers."""
        await answer(send, 200, b'{"status":"ok"}', content_type=b"application/json")

    async def ready(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        """200 when the database answers and its tables are up to date, else 503; the body says which."""
        readiness = await in_database(self.readiness)
        body = msgspec.json.encode({"status": "ok" if readiness.is_ready else "unready", **asdict(readiness)})
        await answer(send, 200 if readiness.is_ready else 503, body, content_type=b"application/json")

    def readiness(self) -> Readiness:
        """Ask the database."""
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
            self._migrated = self._migrated or not unapplied_migrations()
            if not self._migrated:
                return Readiness("ok", "missing", "unknown", 0, 0)
            state = jobs.queue_state(now=self._clock.now())
        except DatabaseError as error:
            log.warning("readyz.database_failed", error=type(error).__name__)
            return Readiness("failed", "unknown", "unknown", 0, 0)
        is_late = state.oldest_due_for > QUEUE_IS_LATE_AFTER
        return Readiness("ok", "ok", "late" if is_late else "ok", state.due, int(state.oldest_due_for.total_seconds()))
