"""Deliveries, sealing, late data, repeats, revisions and bulk history, in any order, against a plain dictionary."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from tests.metering.builders import NOW, QUARTER, R, at, clear_store, columns, kept_rollups, make_meter_at, naive_rollups, record, stored

from commonwatt.metering import rollups, rows, store
from commonwatt.metering.facts import channel_facts
from commonwatt.metering.lake import SCHEMA
from commonwatt.metering.models import IngestBatch, Meter, Reading
from commonwatt.outbox.actions import next_value

# Both sides of a month's end, of midnight in the zones below, of the doubled hour in Europe, and a plain stretch.
SPANS = ("2026-09-30T21:00", "2026-10-24T22:30", "2026-10-25T00:30", "2026-10-31T22:00", "2026-11-02T04:00")
STARTS = [at(span) + QUARTER * step for span in SPANS for step in range(6)]
FIRST_METER = 7000
BUCKET = 7
MONTHS = [date(2026, 9, 1), date(2026, 10, 1), date(2026, 11, 1)]

channels = st.integers(0, 3)
starts = st.sampled_from(STARTS)
amounts = st.integers(0, 4)  # few, so that repeats happen
qualities = st.sampled_from([0, 0, 0, 0, 1, 2, 3])
deliveries = st.lists(st.tuples(channels, starts, amounts, qualities), min_size=1, max_size=12)


class Store(RuleBasedStateMachine):
    """What was said of each interval, in order: (ingest sequence, amount, quality)."""

    def __init__(self) -> None:
        super().__init__()
        clear_store()
        Meter.objects.all().update(time_zone="Europe/Brussels")
        meters = list(Meter.objects.order_by("pk"))
        Meter.objects.filter(pk=meters[2].pk).update(time_zone="America/St_Johns")
        self.ids = [channel for meter in meters for channel in meter.channels.order_by("pk").values_list("pk", flat=True)]
        self.zones = dict(channel_facts_zones(self.ids))
        self.said: dict[tuple[int, int], list[tuple[int, int, int]]] = {}
        self.sequences = [0]

    def expected(self, as_of: int | None = None) -> list[R]:
        """The newest readings up to a sequence."""
        newest = []
        for (channel, start), history in self.said.items():
            known = [item for item in history if as_of is None or item[0] <= as_of]
            if known:
                newest.append(R(channel, start, known[-1][1], known[-1][2]))
        return sorted(newest)

    @rule(delivery=deliveries)
    def deliver(self, delivery: list[tuple[int, int, int, int]]) -> None:
        """A delivery is counted reading by reading, and changes just what is new."""
        given = [R(self.ids[channel], *rest) for channel, *rest in delivery]
        by_interval: dict[tuple[int, int], list[R]] = {}
        for reading in given:
            by_interval.setdefault((reading.channel_id, reading.start_s), []).append(reading)
        report = record(given)
        accepted = repeated = revised = refused = 0
        for key, readings in by_interval.items():
            if len(set(readings)) > 1:
                refused += len(readings)
                continue
            repeated += len(readings) - 1
            told = (readings[0].amount, readings[0].quality)
            history = self.said.setdefault(key, [])
            if not history:
                accepted += 1
            elif history[-1][1:] == told:
                repeated += 1
                continue
            else:
                revised += 1
            history.append((report.sequence, *told))
        self.said = {key: history for key, history in self.said.items() if history}
        self.sequences.append(report.sequence)
        assert (report.accepted, report.repeated, report.revised, report.refused_count) == (accepted, repeated, revised, refused)

    @rule(month=st.sampled_from(MONTHS))
    def seal(self, month: date) -> None:
        """Sealing moves rows and changes nothing that anybody reads."""
        store.seal(month=month, bucket=BUCKET, now=NOW)
        start_s, end_s = store.Part(month, BUCKET).bounds
        assert not Reading.objects.filter(start_s__gte=start_s, start_s__lt=end_s).exists()

    @rule(month=st.sampled_from(MONTHS), delivery=deliveries)
    def bring_history(self, month: date, delivery: list[tuple[int, int, int, int]]) -> None:
        """Readings of intervals that had none go straight into the sealed file, as an import brings them."""
        start_s, end_s = store.Part(month, BUCKET).bounds
        new = {(self.ids[channel], start): R(self.ids[channel], start, *rest) for channel, start, *rest in delivery}
        fresh = [reading for key, reading in new.items() if key not in self.said and start_s <= reading.start_s < end_s]
        if not fresh:
            return
        with transaction.atomic():
            rows.lock_store()
            sequence = next_value("ingest")
            before = store.stored_month(month=month, bucket=BUCKET)
            facts = channel_facts([reading.channel_id for reading in fresh])
            meter_of = dict(zip(facts.channel_id.tolist(), facts.meter_id.tolist(), strict=True))
            frame = pl.DataFrame(
                [(meter_of[r.channel_id], r.channel_id, r.start_s * 1000, r.length_s, r.amount, r.quality, sequence) for r in fresh],
                schema=SCHEMA.names(),
                orient="row",
            ).cast(SCHEMA)
            written = store.write_part(stored=before, frame=pl.concat([before.frame, frame]), adds_readings=True)
            store.swap_parts([written], now=NOW)
            rollups.add(columns(fresh), facts=facts)
            IngestBatch.objects.create(sequence=sequence, received_at=NOW, source="history")
        self.sequences.append(sequence)
        for reading in fresh:
            self.said[reading.channel_id, reading.start_s] = [(sequence, reading.amount, reading.quality)]

    @rule()
    def clean(self) -> None:
        """Cleaning removes only what nobody reads any more."""
        store.clean_lake(now=NOW + timedelta(seconds=1), grace=timedelta(0))

    @precondition(lambda self: self.said)
    @rule(data=st.data())
    def look_back(self, data: Any) -> None:
        """What was known at any earlier sequence can still be read."""
        as_of = data.draw(st.sampled_from(self.sequences))
        assert stored(self.ids, as_of=as_of) == self.expected(as_of)

    @invariant()
    def reads_what_was_said_last(self) -> None:
        """The newest word on every interval counts, and the days add up."""
        expected = self.expected()
        assert stored(self.ids) == expected
        assert kept_rollups() == naive_rollups(expected, self.zones)


def channel_facts_zones(ids: list[int]) -> list[tuple[int, str]]:
    """The zone of each channel."""
    facts = channel_facts(ids)
    return list(zip(facts.channel_id.tolist(), facts.zones, strict=True))


@pytest.mark.django_db(transaction=True)
def test_store_is_a_dictionary_of_the_newest_words() -> None:
    """Whatever order readings, corrections and sealing come in, every interval holds what was last said of it, and nothing is lost."""
    for meter_id in range(FIRST_METER, FIRST_METER + 3):
        make_meter_at(meter_id, f"E{meter_id}", both=meter_id == FIRST_METER + 1)
    checked = settings(
        max_examples=60, stateful_step_count=20, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
    )
    run_state_machine_as_test(Store, settings=checked)
