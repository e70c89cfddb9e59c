"""What pages read of meters and energy: right to the watt-hour, and in a number of queries that does not grow with the fleet."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.cast import Cast
from tests.metering.builders import NOW, QUARTER, R, at, make_meter, record

from commonwatt.metering import actions, queries, store
from commonwatt.metering.choices import Quality
from commonwatt.metering.models import Channel, Meter, MeterAssignment
from commonwatt.metering.values import MeterView

NOON = at("2026-11-19T12:00")
MAY, JUNE = datetime(2026, 5, 1, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)


def hold(cast: Cast, meter: MeterView, from_at: datetime = MAY) -> MeterView:
    """Ana's household holds the meter."""
    return actions.assign_meter(
        actor=None, meter_id=meter.id, customer_id=cast.home.id, site_id=cast.home_site.id, from_at=from_at, now=NOW
    )


@pytest.mark.django_db
def test_meters_are_listed_for_who_held_them_then(cast: Cast) -> None:
    """Ana's meters are those she held at the moment asked for, by name."""
    cellar, attic = make_meter("E2"), make_meter("E1")
    hold(cast, cellar)
    hold(cast, attic, JUNE)
    actions.rename_meter(actor=None, meter_id=cellar.id, name="a cellar", now=NOW)
    assert [view.label for view in queries.meters_of(cast.home.id, MAY)] == ["a cellar"]
    assert [view.label for view in queries.meters_of(cast.home.id, NOW)] == ["a cellar", "E1"]
    assert [view.number for view in queries.meters_at_sites([cast.home_site.id], NOW)] == ["E2", "E1"]
    actions.end_assignment(actor=None, meter_id=cellar.id, until_at=JUNE, now=NOW)
    assert [view.number for view in queries.meters_of(cast.home.id, JUNE)] == ["E1"]
    spans = queries.assignments_at_sites(site_ids=[cast.home_site.id], start=MAY, end=JUNE)
    assert [(span.meter_id, span.until_at) for span in spans] == [(cellar.id, JUNE)]
    assert len(queries.assignments_at_sites(site_ids=[cast.home_site.id], start=MAY, end=JUNE + timedelta(seconds=1))) == 2


@pytest.mark.django_db
def test_meters_are_found_by_number_and_id(cast: Cast) -> None:
    """A known number gives the meter with its holder, an unknown one nothing."""
    meter = make_meter("E1", both=True)
    hold(cast, meter)
    found = queries.meters_by_number(["E1", "E9"])
    assert list(found) == ["E1"]
    assert found["E1"] == queries.meter_views([meter.id, 424_242])[meter.id] == queries.meter_view(meter.id)
    assert found["E1"].holder is not None
    assert found["E1"].holder.site_id == cast.home_site.id
    assert [channel.quantity for channel in queries.channels_of([meter.id])] == ["energy_import", "energy_export"]
    assert queries.meter_view(424_242) is None


@pytest.mark.django_db
def test_the_operator_pages_through_all_meters(cast: Cast) -> None:
    """The long list has pages, a search, a filter by holder, and the last day with readings of each meter."""
    meters = [make_meter(f"E{number}") for number in range(5)]
    hold(cast, meters[3])
    record([R(meters[1].channels[0].id, NOON, 5)])
    first = queries.meter_page(page=1, page_size=2)
    assert (first.total, first.pages, [row.meter.number for row in first.items]) == (5, 3, ["E0", "E1"])
    assert [row.last_day for row in first.items] == [None, date(2026, 11, 19)]
    assert [row.meter.number for row in queries.meter_page(page=99, page_size=2).items] == ["E4"]
    assert [row.meter.number for row in queries.meter_page(search="e3").items] == ["E3"]
    assert [row.meter.number for row in queries.meter_page(is_held=True).items] == ["E3"]
    assert queries.meter_page(is_held=False).total == 4
    assert queries.meter_page(search="nothing of the kind").items == ()


@pytest.mark.django_db
@pytest.mark.parametrize("is_sealed", [False, True])
def test_days_hold_their_sum_peak_and_coverage(is_sealed: bool) -> None:
    """A day's energy, its peak and when it was, how much of its 25 hours is covered, and its worst quality; days without data are absent."""
    meter = make_meter("E1")
    channel = meter.channels[0].id
    begin = at("2026-10-24T22:00")
    rows = [R(channel, begin + QUARTER * step, 10) for step in range(100)]
    rows[40] = rows[40]._replace(amount=500, quality=Quality.ESTIMATED)
    rows[41] = rows[41]._replace(amount=0, quality=Quality.MISSING)
    record([*rows, R(channel, begin + 100 * QUARTER, 7)])
    if is_sealed:
        store.seal_due(now=NOW, after_days=7)
    october, next_day = queries.daily(channel, date(2026, 10, 1), date(2026, 10, 31))
    assert october == queries.DailyEnergy(
        day=date(2026, 10, 25),
        energy_wh=98 * 10 + 500,
        peak_wh=500,
        peak_at=datetime.fromtimestamp(begin + 40 * QUARTER, UTC),
        readings=99,
        covered_s=99 * QUARTER,
        day_s=90_000,
        worst_quality=Quality.MISSING,
    )
    assert not october.is_whole
    assert (next_day.day, next_day.energy_wh, next_day.day_s) == (date(2026, 10, 26), 7, 86_400)
    assert queries.daily_of([channel, 424_242], date(2026, 10, 1), date(2026, 10, 31)) == {channel: [october, next_day], 424_242: []}
    assert queries.days_known([channel]) == (date(2026, 10, 25), date(2026, 10, 26))
    assert queries.days_known([]) is None


@pytest.mark.django_db
def test_a_series_adds_meters_and_says_where_one_is_missing() -> None:
    """Two meters' quarter hours become whole hours only where both have all four."""
    one, two = make_meter("E1"), make_meter("E2")
    record([R(one.channels[0].id, NOON + QUARTER * step, 100) for step in range(8)])
    record([R(two.channels[0].id, NOON + QUARTER * step, 1, Quality.EDITED) for step in range(7)])
    start = datetime.fromtimestamp(NOON, UTC)
    got = queries.energy_series(meter_ids=[one.id, two.id], start=start, end=start + timedelta(hours=3), step_s=3600)
    assert got.start_s.tolist() == [NOON, NOON + 3600, NOON + 7200]
    assert got.energy_wh.tolist() == [404, 403, 0]
    assert got.is_whole.tolist() == [True, False, False]
    assert got.worst_quality.tolist() == [Quality.EDITED, Quality.EDITED, Quality.MISSING]
    # Steps are never shorter than the readings, or a long reading would look like a peak.
    assert queries.energy_series(meter_ids=[one.id], start=start, end=start + timedelta(hours=1), step_s=60).step_s == QUARTER
    assert not queries.energy_series(meter_ids=[], start=start, end=start + timedelta(hours=1), step_s=900).is_whole.any()
    with pytest.raises(ValueError, match="needs a span"):
        queries.energy_series(meter_ids=[one.id], start=start, end=start, step_s=900)


@pytest.mark.django_db
def test_the_power_now_is_that_of_the_newest_interval_with_its_age() -> None:
    """250 Wh in a quarter hour are 1 kW, and the page says how old that is; a meter without readings has no power."""
    meter, silent = make_meter("E1"), make_meter("E2")
    channel = meter.channels[0].id
    record([R(channel, NOON, 100), R(channel, NOON + QUARTER, 250), R(channel, NOON + 2 * QUARTER, 0, Quality.MISSING)])
    now = datetime.fromtimestamp(NOON, UTC) + timedelta(minutes=42)
    power = queries.power_now(meter.id, now)
    assert power is not None
    assert (power.power_w, power.age) == (1000.0, timedelta(minutes=12))
    assert queries.power_now(silent.id, now) is None


@pytest.mark.django_db
def test_the_newest_reading_is_found_wherever_it_lies() -> None:
    """Open, sealed, sealed with a late correction of an older one, or in a file that came after open rows: the newest one is told."""
    meters = [make_meter(f"E{number}") for number in range(4)]
    ids = [meter.channels[0].id for meter in meters]
    october = at("2026-10-20T10:00")
    record([R(channel, october + QUARTER * step, step) for channel in ids[:3] for step in range(3)])
    store.seal_due(now=NOW, after_days=7)
    record([R(ids[0], NOON, 77), R(ids[1], october, 99)])
    got = queries.latest_reading([meter.id for meter in meters])
    assert {key: (item.energy_wh, int(item.start.timestamp())) for key, item in got.items()} == {
        meters[0].id: (77, NOON),
        meters[1].id: (2, october + 2 * QUARTER),
        meters[2].id: (2, october + 2 * QUARTER),
    }
    assert got[meters[0].id].power_w == 308.0


@pytest.mark.django_db
@pytest.mark.parametrize("is_sealed", [False, True])
def test_corrections_are_found_by_what_was_known(is_sealed: bool) -> None:
    """After a settlement, the meters whose readings changed since are those with a newer reading in the event's time."""
    one, two, three = (make_meter(f"E{number}") for number in range(3))
    october = at("2026-10-20T10:00")
    record([R(meter.channels[0].id, october, 1) for meter in (one, two, three)])
    if is_sealed:
        store.seal_due(now=NOW, after_days=7)
    record([R(two.channels[0].id, october, 2), R(three.channels[0].id, october + QUARTER, 2)])
    if is_sealed:
        store.seal_due(now=NOW + timedelta(days=2), after_days=7)
    start = datetime.fromtimestamp(october, UTC)
    span = {"meter_ids": [one.id, two.id, three.id], "start": start, "end": start + timedelta(minutes=15)}
    assert queries.meters_touched_since(sequence=1, **span) == [two.id]
    assert queries.meters_touched_since(sequence=2, **span) == []
    assert queries.meters_touched_since(sequence=0, **span) == [one.id, two.id, three.id]
    assert queries.meters_touched_since(sequence=0, meter_ids=[], start=start, end=NOW) == []


@pytest.mark.django_db
def test_deliveries_can_be_looked_up_with_their_reports() -> None:
    """The operator sees what came, newest first, with every refusal in words."""
    channel = make_meter("E1").channels[0].id
    first = record([R(channel, NOON, 1), R(channel, NOON + 1, 1)])
    second = record([R(channel, NOON, 2)])
    page = queries.batch_page()
    assert [item.report for item in page.items] == [second, first]
    assert queries.batch_page(source="csv").items == ()
    found = queries.batch(first.sequence)
    assert found is not None
    assert (found.source, found.reference, found.received_at, found.actor_id) == ("test", "a test", NOW, None)
    assert found.report == first
    assert queries.batch(99) is None


@pytest.mark.django_db
def test_the_number_of_queries_does_not_grow_with_the_fleet(cast: Cast) -> None:
    """Whether the operator has a hundred meters or ten thousand, no page asks the database more often."""
    first = _fleet(cast, 100, begin=1000)
    start = datetime.fromtimestamp(NOON, UTC)
    looks: dict[str, Callable[[list[int]], object]] = {
        "meter_views": queries.meter_views,
        "meters_of": lambda _ids: queries.meters_of(cast.home.id, NOW),
        "meters_at_sites": lambda _ids: queries.meters_at_sites([cast.home_site.id], NOW),
        "meter_page": lambda _ids: queries.meter_page(),
        "channels_of": queries.channels_of,
        "holders_between": lambda ids: queries.holders_between(ids, MAY, NOW),
        "latest_reading": queries.latest_reading,
        "energy_series": lambda ids: queries.energy_series(meter_ids=ids, start=start, end=NOW, step_s=900),
        "daily_of": lambda ids: queries.daily_of(ids, date(2026, 11, 1), date(2026, 11, 30)),
        "meters_touched_since": lambda ids: queries.meters_touched_since(sequence=0, meter_ids=ids, start=start, end=NOW),
    }
    few = {name: _count(look, first) for name, look in looks.items()}
    second = _fleet(cast, 9900, begin=20_000)
    many = {name: _count(look, first + second) for name, look in looks.items()}
    assert many == few
    assert few == {
        "meter_views": 3,
        "meters_of": 3,
        "meters_at_sites": 3,
        "meter_page": 5,
        "channels_of": 1,
        "holders_between": 1,
        "latest_reading": 4,
        "energy_series": 3,
        "daily_of": 2,
        "meters_touched_since": 2,
    }
    assert len(queries.latest_reading(first + second)) == 10_000


def _fleet(cast: Cast, size: int, *, begin: int) -> list[int]:
    """So many meters of Ana's with one reading each."""
    ids = list(range(begin, begin + size))
    Meter.objects.bulk_create(Meter(pk=n, public_id=f"mtr_{n}", number=f"E{n}", time_zone="Europe/Brussels", created_at=NOW) for n in ids)
    Channel.objects.bulk_create(Channel(pk=n, meter_id=n, quantity="energy_import", interval_s=QUARTER) for n in ids)
    MeterAssignment.objects.bulk_create(
        MeterAssignment(meter_id=n, customer_id=cast.home.id, site_id=cast.home_site.id, from_at=MAY) for n in ids
    )
    assert record([R(n, NOON, 5) for n in ids]).accepted == size
    return ids


def _count(look: Callable[[list[int]], object], ids: list[int]) -> int:
    with CaptureQueriesContext(connection) as captured:
        look(ids)
    return len(captured)
