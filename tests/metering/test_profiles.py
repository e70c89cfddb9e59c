"""Daily profiles by local label: against a slow and plain way to the same numbers, and by example."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.metering.builders import NOW, QUARTER, R, at, clear_store, make_meter, record

from commonwatt.kernel.time import local_midnight
from commonwatt.metering import store
from commonwatt.metering.choices import Quality
from commonwatt.metering.labels import BadLabels
from commonwatt.metering.models import Channel, Meter
from commonwatt.metering.profiles import NET, Profiles, label_index, profiles

STEP = 300
# Days around a change of the clocks: by an hour, by half an hour, at midnight, and none at all.
PLACES = {
    "Europe/London": date(2026, 10, 25),
    "Europe/Brussels": date(2026, 3, 29),
    "America/New_York": date(2026, 11, 1),
    "Australia/Lord_Howe": date(2026, 4, 5),
    "Africa/Cairo": date(2026, 4, 24),
    "Asia/Kolkata": date(2026, 6, 1),
}


def plain_profile(readings: list[R], day: date, zone: ZoneInfo, minutes: int) -> dict[int, tuple[float, bool, bool]]:
    """Label -> (kWh, whether it is whole, whether part was estimated), counted in steps of five minutes."""
    begin = int(local_midnight(day, zone).timestamp())
    end = int(local_midnight(day + timedelta(days=1), zone).timestamp())
    label_of = {}
    for second in range(begin, end, STEP):
        local = datetime.fromtimestamp(second, zone)
        label_of[second] = (local.hour * 60 + local.minute) // minutes
    seconds: dict[int, int] = {}
    for label in label_of.values():
        seconds[label] = seconds.get(label, 0) + STEP
    energy, covered, guessed = dict.fromkeys(seconds, 0), dict.fromkeys(seconds, 0), dict.fromkeys(seconds, False)
    for reading in readings:
        labels = {label_of.get(second) for second in range(reading.start_s, reading.start_s + reading.length_s, STEP)}
        label = labels.pop()
        if labels or label is None:
            continue
        if reading.quality != Quality.MISSING:
            energy[label] += reading.amount
            covered[label] += reading.length_s
        guessed[label] = guessed[label] or reading.quality == Quality.ESTIMATED
    result = {}
    for label, real in seconds.items():
        is_day = minutes == 1440
        share = 1.0 if is_day else minutes * 60 / real
        is_whole = covered[label] == real and (is_day or real >= minutes * 60)
        result[label] = (energy[label] * share / 1000, is_whole, guessed[label])
    return result


def check_against_plain(got: Profiles, readings: dict[int, list[R]], zone: ZoneInfo) -> None:
    """Every cell of the arrays is what the plain way gives."""
    for m, meter_id in enumerate(got.meter_ids):
        for d, day in enumerate(got.days):
            plain = plain_profile(readings[meter_id], day, zone, got.interval_minutes)
            for i in range(1440 // got.interval_minutes):
                energy, is_whole, guessed = plain.get(i, (0.0, False, False))
                where = (meter_id, day, i)
                assert (where, bool(got.valid[m, d, i])) == (where, is_whole)
                if is_whole:
                    assert got.energy_kwh[m, d, i] == pytest.approx(energy, rel=1e-15)  # one rounding less or more
                    assert (where, bool(got.estimated[m, d, i])) == (where, guessed)


@pytest.mark.django_db
@settings(max_examples=70, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_profiles_are_what_counting_by_hand_gives(data: Any) -> None:
    """Whatever the zone, the change of clocks, gaps, corrections and sealing: every label holds what its readings say."""
    clear_store()
    place = data.draw(st.sampled_from(sorted(PLACES)))
    zone = ZoneInfo(place)
    longest = 1800 if place == "Australia/Lord_Howe" else 3600
    lengths = data.draw(
        st.lists(st.sampled_from([length for length in (300, 900, 1800, 3600) if length <= longest]), min_size=1, max_size=3)
    )
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    gaps = data.draw(st.sampled_from([0.0, 0.0, 0.02]))
    first = PLACES[place] - timedelta(days=1)
    meters = [_meter(place, length) for length in lengths]
    readings = {meter: _some_readings(meter, length, first, zone, rng, gaps=gaps) for meter, length in zip(meters, lengths, strict=True)}
    record([reading for rows in readings.values() for reading in rows], now=NOW)
    if data.draw(st.booleans()):
        store.seal_due(now=NOW, after_days=7)
    before = {meter: list(rows) for meter, rows in readings.items()}
    sequence = store.newest_sequence()
    revised = [reading._replace(amount=reading.amount + 7) for rows in readings.values() for reading in rows if rng.random() < 0.01]
    record(revised)
    newer = {(reading.channel_id, reading.start_s): reading for reading in revised}
    after = {meter: [newer.get((row.channel_id, row.start_s), row) for row in rows] for meter, rows in readings.items()}
    if data.draw(st.booleans()):
        store.seal_due(now=NOW + timedelta(days=2), after_days=7)
    days = data.draw(st.permutations([first + timedelta(days=offset) for offset in range(-1, 4)]))[: data.draw(st.integers(1, 5))]
    minutes = data.draw(st.sampled_from([5, 15, 30, 60, 120, 1440]))
    chosen = data.draw(st.permutations(meters))
    for as_of, expected in ((None, after), (sequence, before)):
        got = profiles(meter_ids=chosen, days=days, quantity="energy_import", zone=zone, interval_minutes=minutes, as_of=as_of)
        check_against_plain(got, expected, zone)


def _meter(zone: str, length: int) -> int:
    view = make_meter(f"P{Meter.objects.count()}", interval_s=length, zone=zone)
    return view.id


def _some_readings(meter: int, length: int, first: date, zone: ZoneInfo, rng: np.random.Generator, *, gaps: float) -> list[R]:
    """Three days of readings from local midnight on, some missing, guessed or marked as missing where there shall be gaps."""
    channel = Channel.objects.get(meter_id=meter).pk
    begin = int(local_midnight(first, zone).timestamp())
    end = int(local_midnight(first + timedelta(days=3), zone).timestamp())
    rows = []
    for start in range(begin, end, length):
        if rng.random() >= gaps:
            quality = int(rng.choice([0, 1, 2, 3], p=[0.9, 0.04, 0.04, 0.02])) if gaps else 0
            rows.append(R(channel, start, int(rng.integers(0, 2000)), quality, length))
    return rows


def day_of_quarters(channel: int, day: date, zone: str, amounts: list[int]) -> list[R]:
    """Quarter hours from local midnight on."""
    begin = int(local_midnight(day, ZoneInfo(zone)).timestamp())
    return [R(channel, begin + QUARTER * step, amount) for step, amount in enumerate(amounts)]


@pytest.mark.django_db
@pytest.mark.parametrize("is_sealed", [False, True])
def test_the_night_the_clocks_go_back_holds_the_average_of_the_doubled_hour(is_sealed: bool) -> None:
    """In London, 25 October has 100 quarters: from one o'clock on, each label holds the average of its two."""
    meter = make_meter("E1", zone="Europe/London")
    day = date(2026, 10, 25)
    record(day_of_quarters(meter.channels[0].id, day, "Europe/London", list(range(100))))
    if is_sealed:
        store.seal_due(now=NOW, after_days=7)
    got = profiles(meter_ids=[meter.id], days=[day], quantity=NET, zone=ZoneInfo("Europe/London"), interval_minutes=15)
    expected = [0, 1, 2, 3, 6, 7, 8, 9, *range(12, 100)]
    assert got.valid.all()
    assert got.irregular_days.tolist() == [True]
    np.testing.assert_array_equal(got.energy_kwh[0, 0], np.array(expected) / 1000)


@pytest.mark.django_db
@pytest.mark.parametrize("is_sealed", [False, True])
def test_the_hour_left_out_in_spring_is_not_valid(is_sealed: bool) -> None:
    """In Brussels, 29 March has 92 quarters: two o'clock does not exist, and nothing is made up for it."""
    meter = make_meter("E1", zone="Europe/Brussels")
    day = date(2026, 3, 29)
    record(day_of_quarters(meter.channels[0].id, day, "Europe/Brussels", list(range(92))))
    if is_sealed:
        store.seal_due(now=NOW, after_days=7)
    got = profiles(meter_ids=[meter.id], days=[day], quantity=NET, zone=ZoneInfo("Europe/Brussels"), interval_minutes=15)
    assert np.flatnonzero(~got.valid[0, 0]).tolist() == [8, 9, 10, 11]
    np.testing.assert_array_equal(got.energy_kwh[0, 0][got.valid[0, 0]], np.arange(92) / 1000)


@pytest.mark.django_db
def test_net_needs_both_readings_where_there_is_an_export_channel() -> None:
    """A home with solar panels counts import minus export; without the export reading nothing can be said."""
    plain, solar = make_meter("E1"), make_meter("E2", both=True)
    day = date(2026, 11, 10)
    for meter in (plain, solar):
        record(day_of_quarters(meter.channels[0].id, day, "Europe/Brussels", [500] * 96))
    record(day_of_quarters(solar.channels[1].id, day, "Europe/Brussels", [200] * 95))
    got = profiles(meter_ids=[solar.id, plain.id], days=[day], quantity=NET, zone=ZoneInfo("Europe/Brussels"), interval_minutes=15)
    assert got.valid[1].all()
    assert got.valid[0, 0].tolist() == [True] * 95 + [False]
    assert set(got.energy_kwh[0, 0, :95]) == {0.3}
    only = profiles(meter_ids=[plain.id], days=[day], quantity="energy_export", zone=ZoneInfo("Europe/Brussels"), interval_minutes=15)
    assert not only.valid.any()


@pytest.mark.django_db
def test_days_without_readings_and_days_to_come_are_not_valid() -> None:
    """An empty household, a day before the first reading and tomorrow give arrays of the right shape and nothing valid."""
    meter = make_meter("E1")
    days = [date(2026, 1, 1), date(2027, 1, 1)]
    got = profiles(meter_ids=[meter.id, 424_242], days=days, quantity=NET, zone=ZoneInfo("Europe/Brussels"), interval_minutes=30)
    assert (got.energy_kwh.shape, got.valid.any(), got.estimated.any()) == ((2, 2, 48), False, False)
    for meter_ids, chosen in (([], days), ([meter.id], [])):
        empty = profiles(meter_ids=meter_ids, days=chosen, quantity=NET, zone=ZoneInfo("Europe/Brussels"), interval_minutes=15)
        assert empty.valid.shape == (len(meter_ids), len(chosen), 96)


@pytest.mark.django_db
def test_longer_readings_say_nothing_of_shorter_labels() -> None:
    """An hourly meter has no quarter-hour profile; nothing is split or guessed."""
    meter = make_meter("E1", interval_s=3600)
    channel = meter.channels[0].id
    record([R(channel, at("2026-11-09T23:00") + 3600 * hour, 1000 + hour, length_s=3600) for hour in range(24)])
    quarter, hour = (
        profiles(meter_ids=[meter.id], days=[date(2026, 11, 10)], quantity=NET, zone=ZoneInfo("Europe/Brussels"), interval_minutes=minutes)
        for minutes in (15, 60)
    )
    assert not quarter.valid.any()
    assert hour.valid.all()
    np.testing.assert_array_equal(hour.energy_kwh[0, 0], (1000 + np.arange(24)) / 1000)


@pytest.mark.django_db
def test_a_daily_reading_is_the_whole_day_also_when_the_clocks_change() -> None:
    """A meter read once a day gives daily energy, on the day of 25 hours too."""
    meter = make_meter("E1", interval_s=86_400)
    channel = meter.channels[0].id
    record([R(channel, at("2026-10-23T22:00"), 8000, length_s=86_400), R(channel, at("2026-10-24T22:00"), 9000, length_s=90_000)])
    got = profiles(
        meter_ids=[meter.id],
        days=[date(2026, 10, 24), date(2026, 10, 25)],
        quantity=NET,
        zone=ZoneInfo("Europe/Brussels"),
        interval_minutes=1440,
    )
    assert got.valid.all()
    assert got.energy_kwh[0, :, 0].tolist() == [8.0, 9.0]


@pytest.mark.django_db
def test_a_reading_without_an_amount_is_no_zero() -> None:
    """A quarter hour that is known to be missing is not valid, and an estimated one is marked."""
    meter = make_meter("E1")
    rows = day_of_quarters(meter.channels[0].id, date(2026, 11, 10), "Europe/Brussels", [100] * 96)
    rows[10] = rows[10]._replace(amount=0, quality=Quality.MISSING)
    rows[20] = rows[20]._replace(quality=Quality.ESTIMATED)
    record(rows)
    got = profiles(meter_ids=[meter.id], days=[date(2026, 11, 10)], quantity=NET, zone=ZoneInfo("Europe/Brussels"), interval_minutes=15)
    assert np.flatnonzero(~got.valid[0, 0]).tolist() == [10]
    assert np.flatnonzero(got.estimated[0, 0]).tolist() == [20]
    hourly = profiles(meter_ids=[meter.id], days=[date(2026, 11, 10)], quantity=NET, zone=ZoneInfo("Europe/Brussels"), interval_minutes=60)
    assert np.flatnonzero(~hourly.valid[0, 0]).tolist() == [2]
    assert np.flatnonzero(hourly.estimated[0, 0]).tolist() == [5]


@pytest.mark.django_db
def test_the_number_of_queries_does_not_grow_with_the_meters() -> None:
    """A profile of two hundred meters asks the database as often as one of two."""
    meters = [make_meter(f"E{number}") for number in range(200)]
    record(one_quarter(meters))
    counts = []
    for chosen in (meters[:2], meters):
        with CaptureQueriesContext(connection) as captured:
            profiles(
                meter_ids=[meter.id for meter in chosen],
                days=[date(2026, 11, 10)],
                quantity="energy_import",
                zone=ZoneInfo("UTC"),
                interval_minutes=15,
            )
        counts.append(len(captured))
    assert counts == [3, 3]


def one_quarter(meters: list[Any]) -> list[R]:
    """One reading of each meter."""
    return [R(meter.channels[0].id, at("2026-11-10T00:00"), 1) for meter in meters]


def test_a_label_is_named_by_the_local_clock() -> None:
    """Half past two in the doubled hour has one label, whichever of the two it is."""
    zone = ZoneInfo("Europe/Brussels")
    for hour in (0, 1):
        assert label_index(datetime(2026, 10, 25, hour, 30, tzinfo=UTC), zone, 15) == (date(2026, 10, 25), 10)
    assert label_index(datetime(2026, 10, 25, 22, 59, tzinfo=UTC), zone, 15) == (date(2026, 10, 25), 95)
    assert label_index(datetime(2026, 10, 25, 23, 0, tzinfo=UTC), zone, 15) == (date(2026, 10, 26), 0)
    with pytest.raises(BadLabels, match="must divide the day's 1440 minutes, got 7"):
        label_index(datetime(2026, 10, 25, tzinfo=UTC), zone, 7)
