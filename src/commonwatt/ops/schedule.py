"""What is put into the queue by the clock. Every worker runs this; a key per entry keeps each job single."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from commonwatt.jobs.actions import enqueue
from commonwatt.jobs.queries import last_enqueued
from commonwatt.kernel.clock import WallClock


@dataclass(slots=True)
class Entry:
    """One recurring job: how often to look, and whether there is anything to do (None: always)."""

    kind: str
    every: timedelta
    is_due: Callable[[datetime], bool] | None = None
    looked_at: datetime | None = field(default=None, init=False)


def _events_are_due(now: datetime) -> bool:
    from commonwatt.demand_response.event_queries import next_transition_at

    at = next_transition_at()
    return at is not None and at <= now


def _settlements_are_due(now: datetime) -> bool:
    from commonwatt.settlement.queries import events_due

    return bool(events_due(now=now))


def _readings_came_in(now: datetime) -> bool:
    from commonwatt.outbox.queries import waiting_for
    from commonwatt.settlement.actions import CURSOR
    from commonwatt.settlement.queries import watches_due

    del now  # readings count when they are in, whatever they tell of
    return waiting_for(CURSOR) > 0 or bool(watches_due())


def _mail_is_due(now: datetime) -> bool:
    from commonwatt.notify.queries import is_mail_due

    del now  # mail lives by the machine's own clock
    return is_mail_due(now=WallClock().now())


def entries() -> list[Entry]:
    """Everything that recurs; a look is one cheap query, so the frequent ones leave nothing behind when there is nothing to do."""
    return [
        Entry("advance-events", timedelta(seconds=1), _events_are_due),
        Entry("settle", timedelta(seconds=15), _settlements_are_due),
        Entry("correct", timedelta(seconds=60), _readings_came_in),
        Entry("send-mail", timedelta(seconds=5), _mail_is_due),
        Entry("seal", timedelta(hours=1)),
        Entry("follow-site-zones", timedelta(hours=1)),
        Entry("clean", timedelta(days=1)),
    ]


def tick(entry: Entry, *, now: datetime) -> bool:
    """Put the entry's job into the queue if it is due; False if there is nothing to do."""
    if _is_early(entry, now=now):
        return False
    entry.looked_at = now
    if entry.is_due is not None and not entry.is_due(now):
        return False
    enqueue(kind=entry.kind, arguments={}, run_at=now, key=f"schedule:{entry.kind}", now=now)
    return True


def _is_early(entry: Entry, *, now: datetime) -> bool:
    """Whether the entry has had its look; after a start, the queue remembers when an unconditional one last ran.

    A look in the future is none: the install's clock was set back.
    """
    if entry.looked_at is None and entry.is_due is None:
        entry.looked_at = last_enqueued(entry.kind)
    return entry.looked_at is not None and entry.looked_at <= now < entry.looked_at + entry.every
