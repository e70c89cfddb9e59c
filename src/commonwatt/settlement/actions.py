"""Settle events, and correct settlements when readings change. Every action may be run twice, and by two processes at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from commonwatt.demand_response import queries as demand_response
from commonwatt.demand_response.choices import EventStatus
from commonwatt.demand_response.views import EventFacts
from commonwatt.outbox import actions as outbox
from commonwatt.outbox.queries import Entry
from commonwatt.settlement import queries, recording
from commonwatt.settlement.models import Watch
from commonwatt.settlement.values import Outcome, SettlementResult

CURSOR = "settlement.readings"
ENTRIES_AT_ONCE = 1000


class EventNotOver(ValueError):
    """The event has not ended, so nothing can be final."""

    def __init__(self, event: EventFacts) -> None:
        text = _("Event %(event)s ends at %(end)s UTC; settle it when it is over.")
        super().__init__(text % {"event": event.public_id, "end": f"{event.ends_at:%Y-%m-%d %H:%M}"})


class TooEarly(ValueError):
    """The program still waits for readings of the event."""

    def __init__(self, event: EventFacts, ready_at: datetime) -> None:
        text = _("Event %(event)s waits for readings until %(ready)s UTC; settle it after that.")
        super().__init__(text % {"event": event.public_id, "ready": f"{ready_at:%Y-%m-%d %H:%M}"})
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
    from commonwatt.demand_response.delivery import measure  # loads the numbers, which a page that only lists results does not need

    event = demand_response.event_facts(event_id)
    if event.is_test or (event.status == EventStatus.CANCELLED and event.effective_ends_at <= event.starts_at):
        return SettlementResult(event_public_id=event.public_id, outcome=Outcome.NOTHING_TO_SETTLE)
    if event.status not in {EventStatus.COMPLETED, EventStatus.CANCELLED}:
        raise EventNotOver(event)
    ready_at = event.effective_ends_at + timedelta(minutes=event.data_wait_minutes)
    if now < ready_at:
        raise TooEarly(event, ready_at)
    # Reading and computing stay outside the transaction that writes: they may take a while, and hold nobody up.
    return recording.record(delivery=measure(event_id=event_id, now=now), now=now)


def settle_due(*, now: datetime) -> list[SettlementResult]:
    """Settle every event whose wait for readings is over and that was not settled yet, the earliest end first.

    One event that cannot be settled does not keep the others from it.

    Raises:
        ExceptionGroup: After all were tried, with what went wrong.
    """
    return _each(queries.events_due(now=now), lambda event_id: settle_event(event_id=event_id, now=now))


def correct_for_readings(*, now: datetime) -> list[SettlementResult]:
    """Measure again every settled event whose meters got readings that it does not know, and correct it where they matter.

    Raises:
        ExceptionGroup: As `settle_due`.
    """
    while outbox.advance(CURSOR, _notice, limit=ENTRIES_AT_ONCE, now=now) == ENTRIES_AT_ONCE:
        pass
    due = {watch.event_id: watch for watch in queries.watches_due()}
    touched = [event_id for event_id, watch in due.items() if _is_touched(watch)]
    for event_id in due.keys() - set(touched):
        # Readings of other meters. Whatever comes later raises due_sequence again.
        Watch.objects.filter(event_id=event_id, checked_sequence__lt=due[event_id].due_sequence).update(
            checked_sequence=due[event_id].due_sequence
        )
    return _each(touched, lambda event_id: settle_event(event_id=event_id, now=now))


def _notice(entry: Entry) -> None:
    """Mark the settled events over whose span readings came in."""
    if entry.kind != "readings.recorded":
        return
    sequence = entry.payload["ingest_sequence"]
    touched = Watch.objects.filter(first_start_s__lte=entry.payload["last_start_s"], end_s__gt=entry.payload["first_start_s"])
    touched.filter(due_sequence__lt=sequence).update(due_sequence=sequence)


def _is_touched(watch: queries.DueWatch) -> bool:
    """Whether any meter that stood at a called site within the span got a reading that the settlement does not know.

    Not only the meters that were settled: one may have been exchanged within the days looked back on, or assigned afterwards.
    """
    from commonwatt.metering import queries as metering  # see settle_event

    sites = [participant.site_id for participant in demand_response.participants_of(watch.event_id)]
    assignments = metering.assignments_at_sites(site_ids=sites, start=watch.start, end=watch.end)
    meters = sorted({assignment.meter_id for assignment in assignments})
    return bool(metering.meters_touched_since(sequence=watch.checked_sequence, meter_ids=meters, start=watch.start, end=watch.end))


def _each(event_ids: Iterable[int], settle: Callable[[int], SettlementResult]) -> list[SettlementResult]:
    results, failures = [], []
    for event_id in event_ids:
        try:
            results.append(settle(event_id))
        except Exception as error:  # noqa: BLE001 (raised below, when the others are done)
            error.add_note(f"while settling event {event_id}")
            failures.append(error)
    if failures:
        raise ExceptionGroup("some events could not be settled", failures)
    return results
