"""What makes the demo move: meters report as its time passes, and on some days an event is called."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta

import numpy as np
import structlog

from commonwatt.demand_response import event_queries, events
from commonwatt.demand_response import queries as demand_response
from commonwatt.kernel.clock import TimeLapse
from commonwatt.kernel.time import epoch_seconds
from commonwatt.metering import energy, queries
from commonwatt.metering.actions import record_readings
from commonwatt.metering.columns import ReadingColumns
from commonwatt.metering.values import MeterView
from commonwatt.ops.demo import build, cast, plan
from commonwatt.ops.demo.loads import reported_wh
from commonwatt.ops.demo.response import Call

log = structlog.get_logger(__name__)
_DAY = timedelta(days=1)
_COLUMNS = ("channel_id", "start_s", "length_s", "amount", "quality")


def tick(*, clock: TimeLapse) -> None:
    """Bring the demo up to what its clock shows; runs every real second, and after any standstill makes up for it."""
    now = clock.now()
    report_until(now)
    call_due_event(now=now, opening=clock.anchor_shown)


def report_until(now: datetime) -> int:
    """Record the quarter-hours that have ended since the newest reading, a day at a time; returns how many readings."""
    meters = queries.meters_by_number(list(cast.SOURCE_OF))
    start, end = newest_end(meters), plan.floor_quarter(now)
    recorded = 0
    while start < end:
        until = min(start + _DAY, end)
        readings = _reported(meters, start, until)
        record_readings(readings=readings, source="demo", reference="time-lapse", idempotency_key=None, actor_id=None, now=now)
        recorded += len(readings)
        start = until
    return recorded


def newest_end(meters: Mapping[str, MeterView]) -> datetime:
    """Up to where every meter has reported."""
    newest = energy.latest_reading([meter.id for meter in meters.values()])
    return min(reading.end for reading in newest.values())


def call_due_event(*, now: datetime, opening: datetime) -> None:
    """Call the event of the day once its hour has come, unless somebody has called one already."""
    day = now.astimezone(plan.LOCAL).date()
    opening_day = opening.astimezone(plan.LOCAL).date()
    if not plan.is_called(day, opening_day=opening_day) or not plan.at(day, plan.CALLED_AT) <= now < plan.event_span(day)[0]:
        return
    program = next((program for program in demand_response.programs() if program.name == cast.PROGRAM_NAME), None)
    if program is None or event_queries.calls_between(start=now, end=plan.event_span(day)[1]):
        return
    try:
        event = build.call_event(program_id=program.id, actor=build.operator(), day=day, now=now)
    except events.EventRefused as refused:  # the notice is too short by now, or an operator's event came first
        log.info("demo.event_refused", reason=str(refused))
        return
    log.info("demo.event_called", event_id=event.public_id, starts_at=event.starts_at.isoformat())


def _reported(meters: Mapping[str, MeterView], start: datetime, end: datetime) -> ReadingColumns:
    """What every meter reports for the quarter-hours of [start, end)."""
    starts = plan.quarters(start, end)
    calls = _calls(start - plan.QUARTER * 2, end)  # the snap-back reaches half an hour beyond an event
    parts = [_columns(number, meter, starts, calls) for number, meter in meters.items()]
    return ReadingColumns(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in _COLUMNS})


def _calls(start: datetime, end: datetime) -> dict[int, list[Call]]:
    """The calls each site answers in [start, end): those it was sent and has not opted out of."""
    calls: dict[int, list[Call]] = defaultdict(list)
    for called in event_queries.calls_between(start=start, end=end):
        calls[called.site_id].append(Call(starts_at=called.from_at, ends_at=called.until_at))
    return calls


def _columns(number: str, meter: MeterView, starts: list[datetime], calls: Mapping[int, list[Call]]) -> ReadingColumns:
    site_calls = calls.get(meter.holder.site_id, []) if meter.holder else []
    count = len(starts)
    return ReadingColumns(
        channel_id=np.full(count, meter.channels[0].id),
        start_s=np.array([epoch_seconds(start) for start in starts]),
        length_s=np.full(count, meter.interval_s),
        amount=reported_wh(number=number, starts=starts, calls=site_calls),
        quality=np.zeros(count, dtype=np.int64),
    )
