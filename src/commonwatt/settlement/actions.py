"""Settle events, and correct settlements when readings change. Every action may be run twice, and by two processes at once."""

from __future__ import annotations

from datetime import datetime, timedelta

from commonwatt.demand_response import delivery
from commonwatt.demand_response import queries as demand_response
from commonwatt.demand_response.choices import EventStatus
from commonwatt.demand_response.views import EventFacts
from commonwatt.metering import queries as metering
from commonwatt.outbox import actions as outbox
from commonwatt.outbox.queries import Entry
from commonwatt.settlement import queries, recording
from commonwatt.settlement.models import Watch
from commonwatt.settlement.values import Outcome, SettlementResult

CURSOR = "settlement.readings"
ENTRIES_A_RUN = 5000


class EventNotOver(ValueError):
    """The event has not ended, so nothing can be final."""

    def __init__(self, event: EventFacts) -> None:
        super().__init__(f"Event {event.public_id} is {event.status} until {event.ends_at:%Y-%m-%d %H:%M}Z; settle it when it is over.")


class TooEarly(ValueError):
    """The program still waits for readings of the event."""

    def __init__(self, event: EventFacts, ready_at: datetime) -> None:
        super().__init__(f"Event {event.public_id} waits for readings until {ready_at:%Y-%m-%d %H:%M}Z; settle it after that.")
        self.ready_at = ready_at


def settle_event(*, event_id: int, now: datetime) -> SettlementResult:
    """Measure an event that is over, and credit every customer that took part; or correct what was credited before.

    Run again, it changes nothing unless the measurement says something else; then it writes one correcting entry for each customer
    whose sum differs (see `recording.record`). A cancelled event settles the whole intervals that ran before the cancellation; one
    cancelled before it began settles nothing, and neither does a test event.

    Raises:
        NoSuchEvent: There is no such event.
        EventNotOver, TooEarly: It cannot be settled yet.
    """
    event = demand_response.event_facts(event_id)
    if event.is_test or (event.status == EventStatus.CANCELLED and event.effective_ends_at <= event.starts_at):
        return SettlementResult(event_public_id=event.public_id, outcome=Outcome.NOTHING_TO_SETTLE)
    if event.status not in (EventStatus.COMPLETED, EventStatus.CANCELLED):
        raise EventNotOver(event)
    ready_at = event.effective_ends_at + timedelta(minutes=event.data_wait_minutes)
    if now < ready_at:
        raise TooEarly(event, ready_at)
    # Reading and computing stay outside the transaction that writes: they may take a while, and hold nobody up.
    return recording.record(delivery=delivery.measure(event_id=event_id, now=now), now=now)


def settle_due(*, now: datetime) -> list[SettlementResult]:
    """Settle every event whose wait for readings is over and that was not settled yet, the oldest first.

    One event that cannot be settled does not keep the others from it.

    Raises:
        ExceptionGroup: After all were tried, with what went wrong.
    """
    results, failures = [], []
    for event_id in queries.events_due(now=now):
        try:
            results.append(settle_event(event_id=event_id, now=now))
        except Exception as error:  # noqa: BLE001 (raised below, when the others are done)
            error.add_note(f"while settling event {event_id}")
            failures.append(error)
    if failures:
        raise ExceptionGroup("some events could not be settled", failures)
    return results


def correct_for_readings(*, now: datetime) -> list[SettlementResult]:
    """Look again at every settled event whose meters got readings that it does not know, and correct it where they matter."""
    while outbox.advance(CURSOR, _notice, limit=ENTRIES_A_RUN, now=now) == ENTRIES_A_RUN:
        pass
    results = []
    for watch in queries.watches_due():
        touched = metering.meters_touched_since(
            sequence=watch.checked_sequence, meter_ids=watch.meter_ids, start=watch.start, end=watch.end
        )
        if touched:
            results.append(settle_event(event_id=watch.event_id, now=now))
        # Readings of other meters, or no more than what the settlement knows. Newer ones will raise due_sequence again.
        else:
            Watch.objects.filter(event_id=watch.event_id, checked_sequence__lt=watch.due_sequence).update(
                checked_sequence=watch.due_sequence
            )
    return results


def _notice(entry: Entry) -> None:
    """Mark the settled events over whose span readings came in."""
    if entry.kind != "readings.recorded":
        return
    sequence = entry.payload["ingest_sequence"]
    Watch.objects.filter(
        first_start_s__lte=entry.payload["last_start_s"], end_s__gt=entry.payload["first_start_s"], due_sequence__lt=sequence
    ).update(due_sequence=sequence)
