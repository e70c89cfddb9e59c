"""The last step of an import: one transaction in which everything prepared becomes visible, with its report."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from django.db import transaction

from commonwatt.metering import rollups, rows
from commonwatt.metering.import_parts import Given, compare
from commonwatt.metering.import_prepare import BulkPart, Outcome, Preparation, WaitingPart, outcome_of
from commonwatt.metering.import_reading import FileRows
from commonwatt.metering.import_report import ImportReport
from commonwatt.metering.import_totals import METERS_KEPT, MeterTotals
from commonwatt.metering.recording import COUNTER, Delivery, Touched, log_delivery
from commonwatt.metering.store import PartOvertaken, readings_between, swap_parts
from commonwatt.outbox import actions as outbox

_ROWS_AT_ONCE = 20_000


class SequenceOvertaken(Exception):
    """A million deliveries came in while the files were written, and took the sequence that they carry."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Import:
    """Everything about one file that is ready to be committed; the lists are names in the folder of imports."""

    file: FileRows
    preparation: Preparation
    parts: Sequence[BulkPart | WaitingPart]
    delivery: Delivery
    meters: Sequence[MeterTotals]
    refused_file: str | None
    meters_file: str | None


@transaction.atomic
def commit(ready: Import) -> ImportReport:
    """Store it all; when this returns, it is on the disk. Raises SequenceOvertaken, and then nothing has changed."""
    rows.lock_store()
    sequence = _claimed(ready)
    outcomes: list[Outcome] = []
    for part in ready.parts:
        if isinstance(part, WaitingPart):
            outcomes.append(_insert(part.given, ready.preparation, sequence))
        else:
            outcomes += _swap(part, ready.preparation)
    _roll_up(outcomes)
    report = _report(ready, outcomes, sequence=sequence)
    log_delivery(report, ready.delivery, touched=_touched(outcomes), now=ready.preparation.now)
    return report


def _claimed(ready: Import) -> int:
    """The ingest sequence: the one in the files, or simply the next where no file was written."""
    if not any(isinstance(part, BulkPart) and part.written for part in ready.parts):
        return outbox.next_value(COUNTER)
    if not outbox.advance_to(COUNTER, ready.preparation.sequence):
        raise SequenceOvertaken
    return ready.preparation.sequence


def _swap(part: BulkPart, preparation: Preparation) -> tuple[Outcome, ...]:
    """Let the part's new file count. One that was overtaken is prepared again: under the lock nobody overtakes it twice."""
    if part.written is None:
        return part.outcomes
    try:
        with transaction.atomic():
            swap_parts([part.written], now=preparation.now)
    except PartOvertaken:
        part = preparation.again(part)
        if part.written is not None:
            swap_parts([part.written], now=preparation.now)
    return part.outcomes


def _insert(given: Given, preparation: Preparation, sequence: int) -> Outcome:
    """Compare waiting rows with what is stored, and insert what is new or different."""
    readings = given.readings
    held = pl.DataFrame()
    if len(readings):
        first, last = int(readings.start_s.min()), int(readings.start_s.max())
        held = readings_between(channel_ids=np.unique(readings.channel_id), start_s=first, end_s=last + 1)
    comparison = compare(given, held)
    changed = np.flatnonzero(comparison.is_written)
    for begin in range(0, len(changed), _ROWS_AT_ONCE):
        rows.insert(readings.take(changed[begin : begin + _ROWS_AT_ONCE]), sequence=sequence)
    return outcome_of(given, comparison, facts=preparation.facts)


def _roll_up(outcomes: Sequence[Outcome]) -> None:
    """Add the days of all new readings, and then count those with a revision again: that includes what was added to them."""
    for outcome in outcomes:
        rollups.add_counted(dict(outcome.counted))
    revised = pl.concat([outcome.revised_days for outcome in outcomes]) if outcomes else pl.DataFrame()
    if revised.height:
        rollups.repair(revised.unique())


def _touched(outcomes: Sequence[Outcome]) -> Touched | None:
    spans = [outcome.span for outcome in outcomes if outcome.span is not None]
    if not spans:
        return None
    meters = np.unique(np.concatenate([outcome.meter_ids for outcome in outcomes]))
    return Touched(
        first_start_s=min(first for first, _ in spans), last_start_s=max(last for _, last in spans), meter_ids=tuple(meters.tolist())
    )


def _report(ready: Import, outcomes: Sequence[Outcome], *, sequence: int) -> ImportReport:
    refused = ready.preparation.refused
    return ImportReport(
        sequence=sequence,
        accepted=sum(outcome.accepted for outcome in outcomes),
        repeated=sum(outcome.repeated for outcome in outcomes),
        revised=sum(outcome.revised for outcome in outcomes),
        refused=refused.in_words(),
        refused_by_reason=dict(refused.by_reason),
        rows_read=ready.file.rows_read,
        bytes_read=ready.file.bytes_read,
        meters=tuple(ready.meters[:METERS_KEPT]),
        meters_count=len(ready.meters),
        notes=ready.file.notes,
        refused_file=ready.refused_file,
        meters_file=ready.meters_file,
    )
