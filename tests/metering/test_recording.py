"""Deliveries of readings: what is taken, what is refused and why, what is logged."""

from __future__ import annotations

import threading
from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.metering.builders import NOW, QUARTER, R, at, clear_store, columns, make_meter, record, stored

from commonwatt.metering import plan, rows, store
from commonwatt.metering.columns import REFUSALS_KEPT, ReadingColumns
from commonwatt.metering.models import IngestBatch, Reading
from commonwatt.outbox.queries import entries_after

NOON = at("2026-11-19T12:00")


@pytest.mark.django_db
def test_new_repeated_and_revised_readings_are_told_apart() -> None:
    """Sending readings again changes nothing; sending another amount replaces the old one, which is kept."""
    channel = make_meter("E1").channels[0].id
    first = record([R(channel, NOON, 100), R(channel, NOON + QUARTER, 200)])
    assert (first.sequence, first.accepted, first.repeated, first.revised, first.refused_count) == (1, 2, 0, 0, 0)
    second = record([R(channel, NOON, 100), R(channel, NOON + QUARTER, 250), R(channel, NOON + 2 * QUARTER, 300)])
    assert (second.sequence, second.accepted, second.repeated, second.revised, second.refused_count) == (2, 1, 1, 1, 0)
    assert second.readings == 3
    assert [reading.amount for reading in stored([channel])] == [100, 250, 300]
    assert [reading.amount for reading in stored([channel], as_of=1)] == [100, 200]
    assert Reading.objects.count() == 4


@pytest.mark.django_db
def test_another_quality_is_a_revision() -> None:
    """An estimate that is later measured at the same amount is no longer an estimate."""
    channel = make_meter("E1").channels[0].id
    record([R(channel, NOON, 100, quality=2)])
    assert record([R(channel, NOON, 100, quality=0)]).revised == 1
    assert stored([channel]) == [R(channel, NOON, 100, 0)]


@pytest.mark.django_db
def test_an_amount_that_comes_back_is_a_revision_again() -> None:
    """A correction that is taken back counts again, although the same amount was there before."""
    channel = make_meter("E1").channels[0].id
    assert [record([R(channel, NOON, amount)]).revised for amount in (100, 200, 100)] == [0, 1, 1]
    assert stored([channel]) == [R(channel, NOON, 100)]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("reading", "reason"),
    [
        (R(999_999, NOON, 1), "unknown_channel"),
        (R(0, NOON, 1, quality=4), "unknown_quality"),
        (R(0, NOON, 1, quality=-1), "unknown_quality"),
        (R(0, NOON, -1), "negative"),
        (R(0, NOON, 1_000_000_000_001), "too_large"),
        (R(0, at("1989-12-31T23:45"), 1), "implausible_time"),
        (R(0, -QUARTER, 1), "implausible_time"),
        (R(0, NOON + 1, 1), "off_grid"),
        (R(0, NOON, 1, length_s=1800), "wrong_length"),
        (R(0, NOON, 1, length_s=0), "wrong_length"),
        (R(0, at("2026-10-31T22:45"), 1), "before_installation"),
        (R(0, at("2026-11-19T23:00"), 1), "after_removal"),
        (R(0, at("2026-11-20T12:15"), 1), "in_future"),
    ],
)
def test_a_reading_that_cannot_be_right_is_refused_alone(reading: R, reason: str) -> None:
    """What is wrong with one reading is said in words, and the others are taken."""
    # From midnight of 1 November to midnight after the 19th, in Brussels: 23:00 UTC the evening before.
    meter = make_meter("E1", installed_on=date(2026, 11, 1), removed_on=date(2026, 11, 19))
    channel = meter.channels[0].id
    bad = reading if reading.channel_id else reading._replace(channel_id=channel)
    good = [R(channel, at("2026-10-31T23:00"), 5), R(channel, at("2026-11-19T22:45"), 6)]
    report = record([good[0], bad, good[1]])
    assert (report.accepted, report.refused_count) == (2, 1)
    assert report.refused_by_reason == {reason: 1}
    assert report.refused[0].reason == reason
    assert len(report.refused[0].text) > 30
    assert stored([channel]) == good


@pytest.mark.django_db
def test_refusals_say_which_reading_and_what_to_do() -> None:
    """The words of a refusal name the time and the next step."""
    channel = make_meter("E1", installed_on=date(2026, 11, 19)).channels[0].id
    readings = columns([R(channel, at("2026-11-18T10:00"), 1)])
    readings = ReadingColumns(
        **{name: getattr(readings, name) for name in ("channel_id", "start_s", "length_s", "amount", "quality")}, line=np.array([88])
    )
    from commonwatt.metering.actions import record_readings

    report = record_readings(readings=readings, source="csv", reference="november.csv", now=NOW)
    assert report.refused[0].line == 88
    assert report.refused[0].text == (
        "2026-11-18T10:00:00Z lies before the meter was installed (2026-11-18T23:00:00Z). Correct the installation date, or leave it out."
    )


@pytest.mark.django_db
def test_two_amounts_for_one_interval_in_one_delivery_are_both_refused() -> None:
    """Nobody can say which of two amounts is right, so neither is taken; the same amount twice is one reading and a repeat."""
    channel = make_meter("E1").channels[0].id
    twice, torn = NOON, NOON + QUARTER
    report = record([R(channel, twice, 7), R(channel, torn, 1), R(channel, twice, 7), R(channel, torn, 2), R(channel, torn, 1)])
    assert (report.accepted, report.repeated, report.refused_by_reason) == (1, 1, {"contradictory": 3})
    assert stored([channel]) == [R(channel, twice, 7)]


@pytest.mark.django_db
def test_hourly_readings_of_india_are_taken_and_overlaps_are_not() -> None:
    """An hour may begin at half past where the zone does so; an hour that covers part of a stored one is refused."""
    channel = make_meter("E1", interval_s=3600, zone="Asia/Kolkata").channels[0].id
    at_half = [R(channel, at("2026-11-18T18:30") + 3600 * hour, 500 + hour, length_s=3600) for hour in range(3)]
    assert record(at_half).accepted == 3
    report = record([R(channel, at("2026-11-18T19:00"), 1, length_s=3600), R(channel, at("2026-11-18T21:30"), 2, length_s=3600)])
    assert (report.accepted, report.refused_by_reason) == (1, {"overlapping": 1})
    assert record([at_half[1]._replace(amount=9)]).revised == 1


@pytest.mark.django_db
def test_hours_that_overlap_in_one_delivery_are_both_refused() -> None:
    """Two hours of one delivery that share half an hour cannot both be right."""
    channel = make_meter("E1", interval_s=3600).channels[0].id
    report = record(
        [R(channel, NOON, 1, length_s=3600), R(channel, NOON + 1800, 2, length_s=3600), R(channel, NOON + 7200, 3, length_s=3600)]
    )
    assert (report.accepted, report.refused_by_reason) == (1, {"overlapping": 2})


@pytest.mark.django_db
def test_daily_readings_last_as_long_as_their_civil_day() -> None:
    """A meter read once a day in Brussels has a day of 25 hours in October, and the next one touches it."""
    channel = make_meter("E1", interval_s=86_400).channels[0].id
    days = [("2026-10-23T22:00", 86_400), ("2026-10-24T22:00", 90_000), ("2026-10-25T23:00", 86_400)]
    report = record([R(channel, at(text), 1000, length_s=length) for text, length in days])
    assert report.accepted == 3
    refused = record([R(channel, at("2026-10-26T22:00"), 1, length_s=90_000), R(channel, at("2026-10-27T23:00"), 1, length_s=80_000)])
    assert refused.refused_by_reason == {"overlapping": 1, "wrong_length": 1}


@pytest.mark.django_db
def test_a_report_keeps_the_first_refusals_in_words_and_counts_the_rest() -> None:
    """A file in which everything is wrong gives a report of bounded size whose counts are complete."""
    channel = make_meter("E1").channels[0].id
    report = record([*(R(channel, NOON + 1 + i, 1) for i in range(800)), *(R(channel, NOON, -1) for _ in range(50))])
    assert len(report.refused) == REFUSALS_KEPT
    assert report.refused_by_reason == {"off_grid": 800, "negative": 50}
    assert report.readings == 850


@pytest.mark.django_db
def test_a_repeated_key_answers_with_the_first_report() -> None:
    """A delivery that is sent again because its answer was lost changes nothing and gets the answer it missed."""
    channel = make_meter("E1").channels[0].id
    first = record([R(channel, NOON, 100), R(channel, NOON + 1, 5)], key="k1")
    again = record([R(channel, NOON, 777)], key="k1")
    assert again == first
    assert (IngestBatch.objects.count(), store.newest_sequence()) == (1, 1)
    assert stored([channel]) == [R(channel, NOON, 100)]


@pytest.mark.django_db
def test_an_empty_delivery_is_reported_and_tells_nobody() -> None:
    """An empty household's empty delivery is no error, and nobody is told of readings."""
    newest = len(entries_after(0, 1000))
    report = record([])
    assert (report.readings, IngestBatch.objects.count()) == (0, 1)
    assert len(entries_after(0, 1000)) == newest


@pytest.mark.django_db
def test_the_change_log_names_what_was_touched() -> None:
    """Those who follow readings learn from when to when, and of which meters; a repeat tells them nothing."""
    meters = [make_meter(number) for number in ("E1", "E2")]
    readings = [R(meters[0].channels[0].id, NOON, 1), R(meters[1].channels[0].id, NOON + QUARTER, 2)]
    report = record(readings)
    record(readings)
    entries = [entry for entry in entries_after(0, 100) if entry.kind == "readings.recorded"]
    assert len(entries) == 1
    assert entries[0].payload == {
        "ingest_sequence": report.sequence,
        "source": "test",
        "accepted": 2,
        "revised": 0,
        "first_start_s": NOON,
        "last_start_s": NOON + QUARTER,
        "meter_ids": [meters[0].id, meters[1].id],
    }


@pytest.mark.django_db
def test_a_delivery_is_stored_whole_or_not_at_all() -> None:
    """When the transaction around a delivery fails, neither readings nor report nor sequence remain."""
    channel = make_meter("E1").channels[0].id
    with transaction.atomic():
        record([R(channel, NOON, 1)])
        transaction.set_rollback(True)
    assert (stored([channel]), IngestBatch.objects.count(), store.newest_sequence()) == ([], 0, 0)
    assert record([R(channel, NOON, 1)]).accepted == 1


@pytest.mark.django_db
def test_fractions_are_refused_before_anything_is_stored() -> None:
    """An amount of 1.5 watt-hours is an error of the caller; it is never cut off silently."""
    with pytest.raises(TypeError, match="amount must be a flat array of whole numbers"):
        ReadingColumns(
            channel_id=np.array([1]), start_s=np.array([0]), length_s=np.array([900]), amount=np.array([1.5]), quality=np.array([0])
        )


@pytest.mark.django_db(transaction=True)
def test_the_same_delivery_twice_at_once_is_stored_once() -> None:
    """Two copies of a delivery that race each other store every reading once, and one of them is all repeats."""
    channel = make_meter("E1").channels[0].id
    readings = [R(channel, NOON + QUARTER * step, 100 + step) for step in range(-40, 0)]
    reports = []
    gate = threading.Barrier(4)

    def deliver(key: str | None) -> None:
        gate.wait()
        reports.append(record(readings, key=key))
        connection.close()

    threads = [threading.Thread(target=deliver, args=(key,)) for key in ("same", "same", None, None)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    distinct = {report.sequence: report for report in reports}
    assert sorted(report.accepted for report in distinct.values()) == [0, 0, 40]  # the two of one key share a report
    assert stored([channel]) == readings
    assert Reading.objects.count() == 40


held_rows = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 4), st.integers(1, 4), st.integers(0, 2)), max_size=20)
given_rows = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 4), st.integers(0, 2), st.booleans()), max_size=15)


@pytest.mark.django_db
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(held=held_rows, new=given_rows)
def test_the_write_statement_does_what_plain_python_does(
    held: list[tuple[int, int, int, int]], new: list[tuple[int, int, int, bool]]
) -> None:
    """The one statement that writes a delivery agrees with a loop over its readings."""
    clear_store()
    ids = _three_channels()
    before = {(ids[channel], start * QUARTER, sequence): amount for channel, start, sequence, amount in held}
    Reading.objects.bulk_create(
        Reading(channel_id=key[0], start_s=key[1], ingest_sequence=key[2], length_s=QUARTER, amount=amount, quality=0)
        for key, amount in before.items()
    )
    distinct = {(ids[channel], start * QUARTER): (amount, flag) for channel, start, amount, flag in new}
    readings = columns(R(channel, start, amount) for (channel, start), (amount, _) in distinct.items())
    flags = np.array([flag for _, flag in distinct.values()], dtype=np.bool_)
    with transaction.atomic():
        written = rows.write(readings, is_sealed_repeat=flags, sequence=9)
    expected = set()
    for (channel, start), (amount, is_sealed_repeat) in distinct.items():
        older = sorted((key[2], value) for key, value in before.items() if key[:2] == (channel, start))
        if (older and older[-1][1] != amount) or (not older and not is_sealed_repeat):
            expected.add((channel, start, bool(older)))
    assert set(zip(*(array.tolist() for array in written), strict=True)) == expected
    after = {(row.channel_id, row.start_s): row.amount for row in Reading.objects.filter(ingest_sequence=9)}
    assert after == {(channel, start): distinct[channel, start][0] for channel, start, _ in expected}


def _three_channels() -> list[int]:
    from commonwatt.metering.models import Channel

    known = list(Channel.objects.order_by("pk").values_list("pk", flat=True))
    return known or [make_meter(number).channels[0].id for number in ("E1", "E2", "E3")]


spans = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 12), st.sampled_from([2, 4, 5])), max_size=10, unique_by=lambda item: item[:2])


@given(new=spans, old=spans)
def test_overlaps_are_found_as_by_comparing_every_pair(new: list[tuple[int, int, int]], old: list[tuple[int, int, int]]) -> None:
    """No two intervals that share a moment are both taken."""
    # What is stored never overlaps itself.
    held: list[tuple[int, int, int]] = []
    for span in sorted(old):
        if not held or held[-1][0] != span[0] or held[-1][1] + held[-1][2] <= span[1]:
            held.append(span)
    flags = plan.overlapping(
        given=columns(R(c, s, 0, length_s=n) for c, s, n in new), held=columns(R(c, s, 0, length_s=n) for c, s, n in held)
    )
    others = [span for span in held if span[:2] not in {item[:2] for item in new}] + list(new)

    def clashes(one: tuple[int, int, int]) -> bool:
        return any(
            two is not one and two[0] == one[0] and two[1] != one[1] and one[1] < two[1] + two[2] and two[1] < one[1] + one[2]
            for two in others
        )

    taken = [span for span, flag in zip(new, flags, strict=True) if not flag]
    assert not any(clashes(span) for span in taken)
    assert all(clashes(span) for span, flag in zip(new, flags, strict=True) if flag)


@pytest.mark.django_db
def test_the_number_of_queries_does_not_grow_with_the_delivery() -> None:
    """A delivery of a thousand meters takes as many statements as one of two."""
    from django.test.utils import CaptureQueriesContext

    counts = []
    for size in (2, 300):
        ids = [make_meter(f"S{size}-{number}").channels[0].id for number in range(size)]
        with CaptureQueriesContext(connection) as captured:
            assert record([R(channel, NOON, 5) for channel in ids]).accepted == size
        counts.append(len(captured))
    assert counts[0] == counts[1]
    assert counts[0] <= 11


@pytest.mark.django_db
def test_a_clock_a_little_ahead_is_tolerated() -> None:
    """A meter whose clock is four minutes ahead may report the interval that it believes has begun."""
    channel = make_meter("E1").channels[0].id
    now = datetime(2026, 11, 19, 11, 56, tzinfo=UTC)
    assert record([R(channel, NOON, 1)], now=now).accepted == 1
    assert record([R(channel, NOON + QUARTER, 1)], now=now + timedelta(minutes=1)).refused_by_reason == {"in_future": 1}
