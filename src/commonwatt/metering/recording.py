"""Taking readings in: judged one by one, compared with what is stored, written in one statement, rolled up, logged; or nothing at all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
import polars as pl
from django.db import transaction

from commonwatt.kernel.time import epoch_seconds, require_utc
from commonwatt.metering import refusals, rollups, rows
from commonwatt.metering.columns import Flags, IngestReport, Ints, ReadingColumns, Refusal, Refusals
from commonwatt.metering.facts import channel_facts
from commonwatt.metering.models import IngestBatch
from commonwatt.metering.plan import DAY_S, ChannelFacts, Reason, grid_s, judge, overlapping, settle_duplicates
from commonwatt.metering.store import readings_between, sealed_readings
from commonwatt.outbox import actions as outbox

COUNTER = "ingest"
METERS_LOGGED = 1000
"""A log entry names so many meters; where more were touched it names none, and who needs them asks `meters_touched_since`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """Where readings came from."""

    source: str
    reference: str
    idempotency_key: str | None
    actor_id: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Touched:
    """What a delivery changed: the first and last start, and the meters."""

    first_start_s: int
    last_start_s: int
    meter_ids: tuple[int, ...]


def record_readings(
    *, readings: ReadingColumns, source: str, reference: str, idempotency_key: str | None = None, actor_id: int | None = None, now: datetime
) -> IngestReport:
    """Store a delivery of readings as open rows; when this returns, they are committed.

    Each reading is new, a repeat (nothing happens), a revision (the old one is kept) or refused with a reason, and a refused one never
    blocks the rest. A delivery with a key that was seen before changes nothing and gets the report it got then.

    Args:
        readings: In any order.
        source, reference: Where they come from: csv, api, demo …; the file's name or the job.
        idempotency_key: Chosen by the sender, the same when it sends the same delivery again.
        actor_id: The person behind it, if any.
        now: Readings that start later than this, by more than the clock tolerance, are refused.
    """
    delivery = Delivery(source=source, reference=reference, idempotency_key=idempotency_key, actor_id=actor_id)
    known = stored_report(idempotency_key)
    if known is not None:
        return known
    with transaction.atomic():
        rows.lock_store()
        # Again under the lock: the same delivery may have been under way twice.
        return stored_report(idempotency_key) or _record(readings, delivery, now=now)


def stored_report(idempotency_key: str | None) -> IngestReport | None:
    """The report that a delivery with this key got, if there was one."""
    if idempotency_key is None:
        return None
    batch = IngestBatch.objects.filter(idempotency_key=idempotency_key).first()
    return None if batch is None else report_of(batch)


def report_of(batch: IngestBatch) -> IngestReport:
    """The report that was kept with a batch."""
    return IngestReport(
        sequence=batch.sequence,
        accepted=batch.accepted,
        repeated=batch.repeated,
        revised=batch.revised,
        refused=tuple(Refusal(*parts) for parts in batch.report.get("refused", [])),
        refused_by_reason=batch.report.get("refused_by_reason", {}),
    )


def log_delivery(report: IngestReport, delivery: Delivery, *, touched: Touched | None, now: datetime) -> None:
    """Keep the report, and tell those who follow readings; the last thing in the transaction that stores them."""
    IngestBatch.objects.create(
        sequence=report.sequence,
        received_at=require_utc(now, name="now"),
        source=delivery.source,
        reference=delivery.reference[:200],
        idempotency_key=delivery.idempotency_key,
        actor_id=delivery.actor_id,
        accepted=report.accepted,
        repeated=report.repeated,
        revised=report.revised,
        refused=report.refused_count,
        report=report.to_json(),
    )
    if touched is None:
        return
    payload = {
        "ingest_sequence": report.sequence,
        "source": delivery.source,
        "accepted": report.accepted,
        "revised": report.revised,
        "first_start_s": touched.first_start_s,
        "last_start_s": touched.last_start_s,
        "meter_ids": list(touched.meter_ids) if len(touched.meter_ids) <= METERS_LOGGED else None,
    }
    outbox.append(kind="readings.recorded", subject_kind="ingest_batch", subject_id=str(report.sequence), payload=payload, now=now)


def touched_by(readings: ReadingColumns, *, facts: ChannelFacts) -> Touched | None:
    """What these new or revised readings change; None for no readings."""
    if not len(readings):
        return None
    return Touched(
        first_start_s=int(readings.start_s.min()),
        last_start_s=int(readings.start_s.max()),
        meter_ids=tuple(np.unique(facts.meter_id[facts.places(readings.channel_id)]).tolist()),
    )


def take_in(readings: ReadingColumns, *, facts: ChannelFacts, refused: Refusals, now_s: int) -> tuple[ReadingColumns, int]:
    """The readings of a delivery that can be stored, at most one of an interval, and how many merely repeat one of them.

    Those refused are added to `refused`. Readings of one interval must all be in the same call.
    """
    reasons = judge(readings=readings, facts=facts, now_s=now_s)
    fine = np.flatnonzero(reasons == Reason.TAKEN)
    repeats, torn = settle_duplicates(readings.take(fine))
    reasons[fine[torn]] = Reason.CONTRADICTORY
    whole = fine[~repeats & ~torn]
    reasons[whole[_overlaps(readings.take(whole), facts=facts)]] = Reason.OVERLAPPING
    refusals.collect(refused, readings=readings, reasons=reasons, facts=facts)
    return readings.take(whole[reasons[whole] == Reason.TAKEN]), int(repeats.sum())


def _record(readings: ReadingColumns, delivery: Delivery, *, now: datetime) -> IngestReport:
    facts = channel_facts(readings.channel_id)
    refused = Refusals()
    given, repeated = take_in(readings, facts=facts, refused=refused, now_s=epoch_seconds(now.replace(microsecond=0)))
    is_sealed, is_sealed_repeat = _compare_sealed(given)
    sequence = outbox.next_value(COUNTER)
    is_written, is_revision = _write(given, facts=facts, is_sealed_repeat=is_sealed_repeat, sequence=sequence)
    is_revision |= is_written & is_sealed
    new, revised = given.take(is_written & ~is_revision), given.take(is_revision)
    _roll_up(new, revised, facts=facts)
    report = IngestReport(
        sequence=sequence,
        accepted=len(new),
        repeated=repeated + int((~is_written).sum()),
        revised=len(revised),
        refused=tuple(refused.kept),
        refused_by_reason=refused.by_reason,
    )
    log_delivery(report, delivery, touched=touched_by(given.take(is_written), facts=facts), now=now)
    return report


def _overlaps(given: ReadingColumns, *, facts: ChannelFacts) -> Flags:
    """Whether each reading overlaps another one. Only where readings last longer than the grid they start on can that be."""
    flags = np.zeros(len(given), dtype=np.bool_)
    interval_s = facts.interval_s[facts.places(given.channel_id)] if len(given) else given.length_s
    loose = np.flatnonzero(grid_s(interval_s) < interval_s)
    if len(loose):
        some = given.take(loose)
        first, last = int(some.start_s.min()), int(some.start_s.max())
        around = readings_between(channel_ids=some.channel_id, start_s=first - 2 * DAY_S, end_s=last + 2 * DAY_S)
        flags[loose] = overlapping(given=some, held=ReadingColumns.of(around))
    return flags


def _compare_sealed(given: ReadingColumns) -> tuple[Flags, Flags]:
    """Whether each reading's interval is in a sealed file, and whether the file's newest revision says the same."""
    nothing = np.zeros(len(given), dtype=np.bool_)
    if not len(given):
        return nothing, nothing
    first, last = int(given.start_s.min()), int(given.start_s.max())
    sealed = sealed_readings(channel_ids=given.channel_id, start_s=first, end_s=last + 1)
    if sealed is None:
        return nothing, nothing
    keys = pl.DataFrame({"channel_id": given.channel_id, "start_s": given.start_s})
    held = keys.join(sealed, on=["channel_id", "start_s"], how="left", maintain_order="left")
    is_sealed = held["amount"].is_not_null().to_numpy()
    amount, length, quality = (held[name].fill_null(-1).to_numpy() for name in ("amount", "length_s", "quality"))
    return is_sealed, is_sealed & (amount == given.amount) & (length == given.length_s) & (quality == given.quality)


def _write(given: ReadingColumns, *, facts: ChannelFacts, is_sealed_repeat: Flags, sequence: int) -> tuple[Flags, Flags]:
    """Write what is new or different; whether each reading was written, and whether it revises an open row."""
    is_written, is_revision = np.zeros(len(given), dtype=np.bool_), np.zeros(len(given), dtype=np.bool_)
    if not len(given):
        return is_written, is_revision
    channel_id, start_s, has_older = rows.write(given, is_sealed_repeat=is_sealed_repeat, sequence=sequence)
    keys = _keys(given.channel_id, given.start_s, facts=facts, like=given)
    order = np.argsort(keys)
    found = order[np.searchsorted(keys, _keys(channel_id, start_s, facts=facts, like=given), sorter=order)]
    is_written[found] = True
    is_revision[found] = has_older
    return is_written, is_revision


def _keys(channel_id: Ints, start_s: Ints, *, facts: ChannelFacts, like: ReadingColumns) -> Ints:
    """One whole number per channel and start, the same for both sides of a comparison."""
    first, last = int(like.start_s.min()), int(like.start_s.max())
    return facts.places(channel_id) * (last - first + 1) + start_s - first


def _roll_up(new: ReadingColumns, revised: ReadingColumns, *, facts: ChannelFacts) -> None:
    """Bring the daily rollups up to date: days with a revision are counted again, the new readings of all others are added."""
    if not len(revised):
        if len(new):
            rollups.add(new, facts=facts)
        return
    days = rollups.local_days_of(revised.channel_id, revised.start_s, facts=facts)
    again = pl.DataFrame({"channel_id": revised.channel_id, "day": days}).unique()
    new_days = pl.DataFrame({"channel_id": new.channel_id, "day": rollups.local_days_of(new.channel_id, new.start_s, facts=facts)})
    elsewhere = new_days.with_row_index().join(again, on=["channel_id", "day"], how="anti")["index"].to_numpy().astype(np.int64)
    if len(elsewhere):
        rollups.add(new.take(elsewhere), facts=facts)
    rollups.repair(again)
