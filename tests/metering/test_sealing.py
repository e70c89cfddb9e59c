"""Sealing months: what goes into a file, what stays, what is cleaned away, and what happens when two do it at once."""

from __future__ import annotations

import os
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest
from django.db import transaction
from tests.metering.builders import NOW, QUARTER, R, at, make_meter, make_meter_at, record, stored

from commonwatt.metering import lake, sealing, store
from commonwatt.metering.models import Reading, SealedFile

OCTOBER = date(2026, 10, 1)
START = at("2026-10-10T00:00")


@pytest.mark.django_db
def test_a_sealed_file_holds_every_revision_in_order() -> None:
    """The file of a month has the documented place and columns, all revisions, ordered by meter, channel, start and sequence."""
    meters = [make_meter_at(7000, "E1", both=True), make_meter_at(7001, "E2")]
    ids = [channel.id for meter in meters for channel in meter.channels]
    record([R(channel, START + QUARTER * step, step) for step in range(3) for channel in reversed(ids)])
    record([R(ids[0], START, 50)])
    assert store.seal(month=OCTOBER, bucket=7, now=NOW) == 10
    (file,) = store.lake_files()
    assert (file.month, file.rows, file.newest_sequence) == (OCTOBER, 10, 2)
    assert file.path.parent == lake.lake_dir() / "month=2026-10" / f"bucket={file.bucket:04d}"
    frame = pl.read_parquet(file.path, hive_partitioning=False)
    assert frame.schema == lake.SCHEMA
    assert frame.select("meter_id", "channel_id", pl.col("start").dt.epoch("s"), "amount", "ingest_sequence").rows() == [
        (meters[0].id, ids[0], START, 0, 1),
        (meters[0].id, ids[0], START, 50, 2),
        (meters[0].id, ids[0], START + 900, 1, 1),
        (meters[0].id, ids[0], START + 1800, 2, 1),
        *((meters[0].id, ids[1], START + 900 * step, step, 1) for step in range(3)),
        *((meters[1].id, ids[2], START + 900 * step, step, 1) for step in range(3)),
    ]
    assert SealedFile.objects.get().revisions == 1
    assert not Reading.objects.exists()


@pytest.mark.django_db
def test_each_bucket_and_month_has_its_own_file() -> None:
    """A thousand meters share a file; the next one has another, and so has the next month."""
    ids = [make_meter_at(number, f"E{number}").channels[0].id for number in (41_999, 42_000, 42_999, 43_000)]
    edge = at("2026-11-01T00:00")
    record([R(channel, edge + offset, 1) for channel in ids for offset in (-QUARTER, 0)])
    for bucket in (41, 42, 43):
        for month in (OCTOBER, date(2026, 11, 1)):
            store.seal(month=month, bucket=bucket, now=NOW)
    assert [(file.month.month, file.bucket, file.rows) for file in store.lake_files()] == [
        (10, 41, 1), (10, 42, 2), (10, 43, 1), (11, 41, 1), (11, 42, 2), (11, 43, 1),
    ]  # fmt: skip
    assert len(stored(ids)) == 8


@pytest.mark.django_db
def test_a_late_reading_stays_a_row_until_the_next_sealing() -> None:
    """Late and corrected readings count at once, beside the sealed file, and enter it the next time; repeats of sealed ones do nothing."""
    channel = make_meter("E1").channels[0].id
    record([R(channel, START, 1), R(channel, START + QUARTER, 2)])
    bucket = store.parts_due(now=NOW, after_days=7)[0].bucket
    store.seal(month=OCTOBER, bucket=bucket, now=NOW)
    report = record([R(channel, START, 1), R(channel, START + QUARTER, 22), R(channel, START + 2 * QUARTER, 3)])
    assert (report.accepted, report.repeated, report.revised) == (1, 1, 1)
    assert Reading.objects.count() == 2
    newest = [R(channel, START, 1), R(channel, START + QUARTER, 22), R(channel, START + 2 * QUARTER, 3)]
    assert stored([channel]) == newest
    assert record([R(channel, START + QUARTER, 22)]).repeated == 1
    assert record([R(channel, START + QUARTER, 2)]).revised == 1
    assert store.seal(month=OCTOBER, bucket=bucket, now=NOW) == 3
    assert stored([channel]) == [newest[0], R(channel, START + QUARTER, 2), newest[2]]
    assert stored([channel], as_of=2) == newest
    assert [file.rows for file in store.lake_files()] == [5]
    assert store.seal(month=OCTOBER, bucket=bucket, now=NOW) == 0


@pytest.mark.django_db
def test_months_are_due_when_they_ended_long_enough_ago() -> None:
    """October is sealed from 8 November on when seven days are waited, and November not before 8 December."""
    channel = make_meter("E1").channels[0].id
    record([R(channel, at("2026-10-31T23:45"), 1), R(channel, at("2026-11-01T00:00"), 2), R(channel, at("2026-08-02T00:00"), 3)])
    early, due = NOW.replace(day=7, hour=23), NOW.replace(day=8, hour=0)
    assert [part.month.month for part in store.parts_due(now=early, after_days=7)] == [8]
    assert [part.month.month for part in store.parts_due(now=due, after_days=7)] == [8, 10]
    assert store.seal_due(now=due, after_days=7, go_on=lambda done, total: done < 1) == store.Sealed(1, 1, is_complete=False)
    assert store.seal_due(now=due, after_days=7) == store.Sealed(1, 1, is_complete=True)
    assert Reading.objects.get().amount == 2


@pytest.mark.django_db
def test_a_trickle_of_late_readings_waits_a_day() -> None:
    """One late reading an hour does not rewrite the month's file every hour."""
    channel = make_meter("E1").channels[0].id
    record([R(channel, START, 1)])
    store.seal_due(now=NOW, after_days=7)
    record([R(channel, START + QUARTER, 2)])
    assert store.parts_due(now=NOW + timedelta(hours=23), after_days=7) == []
    assert store.seal_due(now=NOW + timedelta(hours=25), after_days=7).readings == 1


@pytest.mark.django_db
def test_replaced_files_go_after_the_grace_time_and_strangers_too() -> None:
    """A file that was replaced stays for those who are still reading it; files nobody names go as well, the current one never."""
    channel = make_meter("E1").channels[0].id
    record([R(channel, START, 1)])
    store.seal_due(now=NOW, after_days=7)
    old = store.lake_files()[0].path
    record([R(channel, START, 2)])
    later = NOW + timedelta(days=2)
    store.seal_due(now=later, after_days=7)
    current = store.lake_files()[0].path
    orphan, unfinished = old.with_name("f" * 64 + ".parquet"), old.with_name(".abc.unfinished")
    for stranger in (orphan, unfinished):
        stranger.write_bytes(b"left behind by a crash")
        os.utime(stranger, (0, 0))
    grace = timedelta(hours=1)
    assert store.clean_lake(now=later + timedelta(minutes=59), grace=grace) == store.Cleaned(superseded=0, orphans=2)
    assert old.exists()
    assert store.clean_lake(now=later + timedelta(minutes=61), grace=grace) == store.Cleaned(superseded=1, orphans=0)
    assert [path.exists() for path in (old, orphan, unfinished, current)] == [False, False, False, True]
    assert stored([channel]) == [R(channel, START, 2)]


@pytest.mark.django_db
def test_a_young_file_without_a_name_is_left_alone() -> None:
    """A file that a running import has just written is not taken for rubbish."""
    channel = make_meter("E1").channels[0].id
    record([R(channel, START, 1)])
    part = store.parts_due(now=NOW, after_days=7)[0]
    before = store.stored_month(month=part.month, bucket=part.bucket)
    written = store.write_part(stored=before, frame=before.frame, adds_readings=False)
    assert store.clean_lake(now=NOW, grace=timedelta(hours=1)).orphans == 0
    assert store.clean_lake(now=NOW, grace=timedelta(seconds=-1)).orphans == 1
    with pytest.raises(store.PartOvertaken), transaction.atomic():
        store.swap_parts([written], now=NOW)
    assert stored([channel]) == [R(channel, START, 1)]


@pytest.mark.django_db
def test_whoever_comes_second_starts_again() -> None:
    """Two sealings of one month at once do not undo each other: the second sees that its file is out of date."""
    channel = make_meter("E1").channels[0].id
    record([R(channel, START, 1)])
    part = store.parts_due(now=NOW, after_days=7)[0]
    before = store.stored_month(month=part.month, bucket=part.bucket)
    slow = store.write_part(stored=before, frame=before.frame, adds_readings=False)
    record([R(channel, START + QUARTER, 2)])
    store.seal(month=part.month, bucket=part.bucket, now=NOW)
    with pytest.raises(store.PartOvertaken), transaction.atomic():
        store.swap_parts([slow], now=NOW)
    assert stored([channel]) == [R(channel, START, 1), R(channel, START + QUARTER, 2)]


@pytest.mark.django_db
def test_a_reading_that_comes_while_its_month_is_sealed_stays_a_row() -> None:
    """What arrives between the writing of the file and its naming is neither lost nor counted twice."""
    channel = make_meter("E1").channels[0].id
    record([R(channel, START, 1)])
    part = store.parts_due(now=NOW, after_days=7)[0]
    before = store.stored_month(month=part.month, bucket=part.bucket)
    written = store.write_part(stored=before, frame=before.frame, adds_readings=False)
    record([R(channel, START, 9), R(channel, START + QUARTER, 2)])
    with transaction.atomic():
        store.swap_parts([written], now=NOW)
    assert Reading.objects.count() == 2
    assert stored([channel]) == [R(channel, START, 9), R(channel, START + QUARTER, 2)]


@pytest.mark.django_db
def test_history_that_was_compared_with_older_rows_is_refused() -> None:
    """An import whose month received readings meanwhile must compare again, or it could bury a newer reading."""
    channel = make_meter("E1").channels[0].id
    record([R(channel, START, 1)])
    part = store.parts_due(now=NOW, after_days=7)[0]
    before = store.stored_month(month=part.month, bucket=part.bucket)
    written = store.write_part(stored=before, frame=before.frame, adds_readings=True)
    record([R(channel, START + QUARTER, 2)])
    with pytest.raises(store.PartOvertaken), transaction.atomic():
        store.swap_parts([written], now=NOW)
    assert Reading.objects.count() == 2


@pytest.mark.django_db
def test_rows_are_dropped_only_when_the_file_holds_them() -> None:
    """If the rows to be dropped are not as many as went into the file, nothing is dropped."""
    channel = make_meter("E1").channels[0].id
    record([R(channel, START, 1), R(channel, START + QUARTER, 2)])
    part = store.parts_due(now=NOW, after_days=7)[0]
    before = store.stored_month(month=part.month, bucket=part.bucket)
    written = store.write_part(stored=before, frame=before.frame, adds_readings=False)
    Reading.objects.filter(start_s=START).delete()
    with pytest.raises(sealing.SealingInconsistent, match="holds 2 open rows, but 1 would be dropped"), transaction.atomic():
        store.swap_parts([written], now=NOW)
    assert (Reading.objects.count(), SealedFile.objects.count()) == (1, 0)


@pytest.mark.django_db
def test_a_file_cleaned_away_while_it_is_read_makes_the_reader_look_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that was about to open a replaced file finds the readings in the one that replaced it."""
    channel = make_meter("E1").channels[0].id
    record([R(channel, START, 1)])
    store.seal_due(now=NOW, after_days=7)
    plain = lake.scan
    opened: list[Path] = []

    def replaced_meanwhile(path: str) -> pl.LazyFrame:
        opened.append(Path(path))
        if len(opened) == 1:
            record([R(channel, START, 2)])
            store.seal(month=OCTOBER, bucket=lake.bucket_of(_meter_of(channel)), now=NOW)
            store.clean_lake(now=NOW + timedelta(seconds=1), grace=timedelta(0))
        return plain(path)

    monkeypatch.setattr(lake, "scan", replaced_meanwhile)
    assert stored([channel]) == [R(channel, START, 2)]


def _meter_of(channel_id: int) -> int:
    from commonwatt.metering.models import Channel

    return Channel.objects.get(pk=channel_id).meter_id
