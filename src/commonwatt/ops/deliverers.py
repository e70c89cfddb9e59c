"""Who reads the change log: each with a durable cursor of its own, so that a crash resumes where it was."""

from __future__ import annotations

from datetime import datetime

import structlog

from commonwatt.notify.actions import tell
from commonwatt.ops.letters import letters
from commonwatt.outbox.actions import advance
from commonwatt.outbox.queries import Entry

PEOPLE = "people"
ENTRIES_A_TURN = 50

log = structlog.get_logger(__name__)


def deliver_to_people(now: datetime) -> int:
    """Turn what happened into messages in the portal and waiting mail; return how many entries were passed.

    The messages and the cursor's step are one transaction: nobody is told twice, nobody is left out.
    """

    def act(entry: Entry) -> None:
        told = sum(
            tell(
                user_ids=letter.user_ids,
                cause=letter.cause,
                subject=letter.subject,
                body=letter.body,
                address=letter.address,
                now=entry.at,
            )
            for letter in letters(entry)
        )
        if told:
            log.info("people.told", kind=entry.kind, sequence=entry.sequence, messages=told)

    return advance(PEOPLE, act, limit=ENTRIES_A_TURN, now=now)
