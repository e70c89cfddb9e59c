"""Measuring events to the watt-hour, with loads simple enough to do by hand."""

from __future__ import annotations

import hashlib
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from tests.cast import Cast
from tests.demand_response.world import BRUSSELS, World, draft, flat, local, make_world, record, record_at

from commonwatt.accounts import actions as accounts
from commonwatt.baseline.programs import RULES
from commonwatt.demand_response import actions
from commonwatt.demand_response.choices import Choice, OptSource
from commonwatt.demand_response.delivery import measure
from commonwatt.demand_response.measured import MeterDelivery
from commonwatt.demand_response.queries import NoSuchEvent
from commonwatt.kernel.time import epoch_seconds
from commonwatt.metering import actions as metering

pytestmark = pytest.mark.django_db
FRIDAY = date(2026, 11, 20)
STARTS_AT = local("2026-11-20 17:00")
AFTER = STARTS_AT + timedelta(hours=6)
FIRST = FRIDAY - timedelta(days=46)


@pytest.fixture
def world(cast: Cast) -> World:
    """A program on 10 of 10 without adjustment; Ana's home has an hourly meter and is enrolled."""
    return make_world(cast)


def only(event_id: int, **more: object) -> MeterDelivery:
    """The measurement of an event that called one meter."""
    delivery = measure(event_id=event_id, **{"now": AFTER, **more})  # type: ignore[arg-type]  # fields of many types
    assert len(delivery.meters) == 1
    return delivery.meters[0]


def by_weekday(day: date, hour: int) -> int:
    """A load that says where it comes from: 1,000 Wh an hour, 100 more per hour of the day from 17 on, 7 more per day of the month."""
    return 1000 + 7 * day.day + (100 * (hour - 16) if hour >= 17 else 0)


def test_baseline_is_the_mean_of_the_ten_latest_weekdays(world: World) -> None:
    """Ten weekdays before Friday 20 November, 11 November (a holiday in Belgium) left out: every figure by hand."""
    meter = world.meter(world.cast.home_site)
    record(meter, FIRST, FRIDAY - timedelta(days=1), by_weekday)
    record(meter, FRIDAY, FRIDAY, flat(800))
    world.enrol(world.cast.home_site)
    found = only(world.call(STARTS_AT).id)
    # 19 18 17 16 13 12 | 11 is Armistice Day | 10 9 6 5: the days of the month add up to 125
    used = [19, 18, 17, 16, 13, 12, 10, 9, 6, 5]
    assert [day.day for day, status in found.days if status == "selected"] == used
    assert dict(found.days)[date(2026, 11, 11)] == "holiday"
    assert dict(found.days)[date(2026, 11, 14)] == "other_day_kind"
    assert dict(found.days)[date(2026, 11, 4)] == "not_needed"
    assert found.verdict == "ok"
    # mean: 1000 + 7 * 12.5 = 1087.5, and 100 or 200 more: 1187.5 -> 1188 and 1287.5 -> 1288 (half to even)
    assert found.baseline_kwh.tolist() == pytest.approx([1.1875, 1.2875], rel=1e-12)
    assert found.baseline_wh.tolist() == [1188, 1288]
    assert found.metered_wh.tolist() == [800, 800]
    assert found.delivered_wh.tolist() == [388, 488]
    assert found.valid.tolist() == [True, True]
    assert found.quality.tolist() == [0, 0]
    assert found.starts_s.tolist() == [epoch_seconds(STARTS_AT), epoch_seconds(STARTS_AT) + 3600]
    assert (found.adjustment_kind, found.adjustment_value, found.adjustment_raw, found.cap_status) == ("none", None, None, "none")
    assert (found.meter_id, found.site_id, found.customer_id) == (meter.id, world.cast.home_site.id, world.cast.home.id)
    assert (found.party_id, found.choice, found.interval_s) == (world.cast.home.party_id, "", 3600)


def test_the_day_before_the_event_can_cap_the_baseline(cast: Cast) -> None:
    """Fifty per cent more was used from 13 to 16 o'clock than on the days before; the rule lets the baseline rise by twenty."""
    world = make_world(cast, baseline_rule=RULES["10-of-10+ratio20"])
    meter = world.meter(cast.home_site)
    record(meter, FIRST, FRIDAY - timedelta(days=1), flat(1000))
    record(meter, FRIDAY, FRIDAY, lambda day, hour: 1500 if 13 <= hour < 16 else 900)
    world.enrol(cast.home_site)
    found = only(world.call(STARTS_AT).id)
    assert (found.adjustment_kind, found.adjustment_value, found.adjustment_raw, found.cap_status) == ("ratio", 1.2, 1.5, "capped_high")
    assert found.baseline_wh.tolist() == [1200, 1200]
    assert found.delivered_wh.tolist() == [300, 300]


def test_an_hour_without_reading_is_not_paid_and_moves_nothing(world: World) -> None:
    """The reading of 18 o'clock is missing: that hour has a baseline and delivers nothing; the other stands."""
    meter = world.meter(world.cast.home_site)
    record(meter, FIRST, FRIDAY - timedelta(days=1), flat(1000))
    record(meter, FRIDAY, FRIDAY, lambda day, hour: None if hour == 18 else 700)
    world.enrol(world.cast.home_site)
    found = only(world.call(STARTS_AT).id)
    assert found.has_reading.tolist() == [True, False]
    assert found.valid.tolist() == [True, False]
    assert found.baseline_wh.tolist() == [1000, 1000]
    assert found.metered_wh.tolist() == [700, 0]
    assert found.delivered_wh.tolist() == [300, 0]
    assert found.quality.tolist() == [0, 3]


def test_a_late_reading_is_seen_by_a_later_look_and_not_by_an_earlier_one(world: World) -> None:
    """What was measured at an ingest sequence is measured again to the same figures and digest, whatever arrived since."""
    meter = world.meter(world.cast.home_site)
    record(meter, FIRST, FRIDAY - timedelta(days=1), flat(1000))
    record(meter, FRIDAY, FRIDAY, lambda day, hour: None if hour == 18 else 700)
    world.enrol(world.cast.home_site)
    event = world.call(STARTS_AT)
    first = measure(event_id=event.id, now=AFTER)
    record_at(meter, [epoch_seconds(STARTS_AT) + 3600], [650])
    record(meter, date(2026, 11, 19), date(2026, 11, 19), lambda day, hour: 1100)
    later = measure(event_id=event.id, now=AFTER)
    again = measure(event_id=event.id, now=AFTER + timedelta(days=30), as_of=first.ingest_sequence)
    assert later.ingest_sequence == first.ingest_sequence + 2
    assert later.meters[0].metered_wh.tolist() == [700, 650]
    assert later.meters[0].baseline_wh.tolist() == [1010, 1010]
    assert later.readings_digest != first.readings_digest
    assert again.ingest_sequence == first.ingest_sequence
    assert again.readings_digest == first.readings_digest
    assert again.meters[0].delivered_wh.tolist() == first.meters[0].delivered_wh.tolist() == [300, 0]


def test_only_the_intervals_that_have_passed_are_measured_live(world: World) -> None:
    """At half past six, one hour of the event from five has passed."""
    meter = world.meter(world.cast.home_site)
    record(meter, FIRST, FRIDAY, flat(1000))
    world.enrol(world.cast.home_site)
    event = world.call(STARTS_AT)
    assert only(event.id, now=STARTS_AT + timedelta(minutes=90)).baseline_wh.tolist() == [1000]
    assert only(event.id, now=STARTS_AT).baseline_wh.tolist() == []
    assert only(event.id, until=STARTS_AT + timedelta(hours=1)).baseline_wh.tolist() == [1000]
    assert only(event.id).baseline_wh.tolist() == [1000, 1000]


def test_an_event_cancelled_half_way_is_measured_up_to_then(world: World) -> None:
    """Cancelled at 18:10: the hour from five to six counts, the one that was cut short does not."""
    meter = world.meter(world.cast.home_site)
    record(meter, FIRST, FRIDAY - timedelta(days=1), flat(1000))
    record(meter, FRIDAY, FRIDAY, flat(400))
    world.enrol(world.cast.home_site)
    event = world.call(STARTS_AT, 4)
    actions.advance_events(now=STARTS_AT)
    actions.cancel_event(actor=world.cast.otto, event_id=event.id, reason="Line repaired", now=local("2026-11-20 18:10"))
    assert only(event.id).delivered_wh.tolist() == [600]


def test_a_meter_installed_yesterday_has_no_baseline(world: World) -> None:
    """One day is too few: the meter is measured, has no baseline, delivers nothing, and the days say why."""
    meter = world.meter(world.cast.home_site, since=local("2026-11-19 00:00"))
    record(meter, date(2026, 11, 19), FRIDAY, flat(1000))
    world.enrol(world.cast.home_site)
    found = only(world.call(STARTS_AT).id)
    assert found.verdict == "too_few_days"
    assert np.isnan(found.baseline_kwh).all()
    assert found.baseline_wh.tolist() == [0, 0]
    assert found.metered_wh.tolist() == [1000, 1000]
    assert found.valid.tolist() == [False, False]
    assert found.delivered_wh.tolist() == [0, 0]
    assert dict(found.days)[date(2026, 11, 19)] == "pool_too_small"
    assert dict(found.days)[date(2026, 11, 18)] == "incomplete"


def test_a_meter_that_was_exchanged_continues_the_old_ones_history(world: World) -> None:
    """The old meter read 1,000 Wh an hour until noon on 12 November, the new one 2,000 since: six new days, four old, one half each."""
    site = world.cast.home_site
    exchanged_at = local("2026-11-12 12:00")
    old = world.meter(site)
    metering.end_assignment(actor=None, meter_id=old.id, until_at=exchanged_at, now=AFTER)
    new = world.meter(site, since=exchanged_at)
    record(old, FIRST, date(2026, 11, 12), lambda day, hour: 1000)
    record(new, date(2026, 11, 12), FRIDAY, lambda day, hour: 2000)
    world.enrol(site)
    found = only(world.call(STARTS_AT).id)
    assert found.meter_id == new.id
    assert [day.day for day, status in found.days if status == "selected"] == [19, 18, 17, 16, 13, 12, 10, 9, 6, 5]
    # 19 18 17 16 13 and the evening of the 12th are the new meter's: (6 * 2000 + 4 * 1000) / 10
    assert found.baseline_wh.tolist() == [1600, 1600]


def test_what_a_meter_read_for_somebody_else_is_no_part_of_the_history(world: World) -> None:
    """Chloe's old meter came to Ana on 5 November: what it read in Chloe's home says nothing about Ana's."""
    cast = world.cast
    moved_at = local("2026-11-05 00:00")
    meter = world.meter(cast.other_site)
    metering.end_assignment(actor=None, meter_id=meter.id, until_at=moved_at, now=AFTER)
    metering.assign_meter(actor=None, meter_id=meter.id, customer_id=cast.home.id, site_id=cast.home_site.id, from_at=moved_at, now=AFTER)
    record(meter, FIRST, date(2026, 11, 4), flat(9000))
    record(meter, date(2026, 11, 5), FRIDAY, flat(1000))
    world.enrol(cast.home_site)
    found = only(world.call(STARTS_AT).id)
    assert (found.customer_id, found.party_id) == (cast.home.id, cast.home.party_id)
    assert found.baseline_wh.tolist() == [1000, 1000]
    assert dict(found.days)[date(2026, 11, 4)] == "incomplete"
    assert len([day for day, status in found.days if status == "selected"]) == 10


def test_on_a_holiday_other_days_off_are_compared(world: World) -> None:
    """Armistice Day, a Wednesday, is compared with the four latest weekend days, not with weekdays."""
    meter = world.meter(world.cast.home_site)
    holiday = date(2026, 11, 11)
    record(meter, holiday - timedelta(days=46), holiday, lambda day, hour: 500 if day.weekday() >= 5 else 1000)
    world.enrol(world.cast.home_site, now=local("2026-11-01 12:00"))
    found = only(world.call(local("2026-11-11 17:00")).id)
    # All Saints' Day, 1 November, is a Sunday.
    assert [day for day, status in found.days if status == "selected"] == [date(2026, 11, day) for day in (8, 7, 1)] + [date(2026, 10, 31)]
    assert found.baseline_wh.tolist() == [500, 500]
    assert found.metered_wh.tolist() == [1000, 1000]
    assert found.delivered_wh.tolist() == [-500, -500]


def test_days_of_other_events_are_excluded_unless_cancelled_in_time(world: World) -> None:
    """Called on the 19th: out. Called for the 18th and cancelled before it began: in. Cancelled half-way on the 17th: out."""
    cast, site = world.cast, world.cast.home_site
    other = actions.create_program(
        actor=cast.otto, name="Morning", description="", currency="EUR", time_zone="Europe/Brussels", terms=draft(), now=STARTS_AT
    )
    meter = world.meter(site)
    record(meter, FIRST, FRIDAY - timedelta(days=1), lambda day, hour: 5000 if day.day == 19 else 1000)
    record(meter, FRIDAY, FRIDAY, flat(800))
    for program in (world.program, other):
        world.enrol(site, program=program, now=local("2026-11-10 12:00"))
    world.call(local("2026-11-19 08:00"), program=other)
    in_time = world.call(local("2026-11-18 17:00"))
    actions.cancel_event(actor=cast.otto, event_id=in_time.id, reason="Not needed", now=local("2026-11-18 16:59"))
    half_way = world.call(local("2026-11-17 17:00"))
    actions.cancel_event(actor=cast.otto, event_id=half_way.id, reason="Not needed", now=local("2026-11-17 18:00"))
    found = only(world.call(STARTS_AT).id)
    status = dict(found.days)
    assert status[date(2026, 11, 19)] == "event_day"
    assert status[date(2026, 11, 18)] == "selected"
    assert status[date(2026, 11, 17)] == "event_day"
    assert found.baseline_wh.tolist() == [1000, 1000]


def test_an_event_of_another_site_excludes_nothing(world: World) -> None:
    """Chloe was called on the 19th; Ana was not."""
    cast = world.cast
    meter = world.meter(cast.home_site)
    world.meter(cast.other_site)
    record(meter, FIRST, FRIDAY, flat(1000))
    for site in (cast.home_site, cast.other_site):
        world.enrol(site, now=local("2026-11-10 12:00"))
    world.call(local("2026-11-19 17:00"), sites=[cast.other_site])
    found = only(world.call(STARTS_AT, sites=[cast.home_site]).id)
    assert dict(found.days)[date(2026, 11, 19)] == "selected"


def test_the_day_the_clocks_go_back_uses_the_label_twice(world: World) -> None:
    """Sunday 25 October 2026, an event from one to four in the night: four hours, two o'clock twice, both against two o'clock."""
    meter = world.meter(world.cast.home_site)
    sunday = date(2026, 10, 25)
    record(meter, sunday - timedelta(days=46), sunday - timedelta(days=1), lambda day, hour: 100 * hour)
    record(meter, sunday, sunday, lambda day, hour: 10 + hour)
    world.enrol(world.cast.home_site, now=local("2026-10-20 12:00"))
    found = only(world.call(local("2026-10-25 01:00"), 4).id)
    assert found.starts_s.tolist() == [epoch_seconds(local("2026-10-25 01:00")) + 3600 * hour for hour in range(4)]
    assert found.baseline_wh.tolist() == [100, 200, 200, 300]
    assert found.metered_wh.tolist() == [11, 12, 13, 14]
    assert found.notes == 1 << 7  # the clocks changed on the event day


def test_the_day_the_clocks_go_forward_leaves_the_label_out(cast: Cast) -> None:
    """Sunday 29 March 2026, an event from one to four in the night: two hours, two o'clock never came."""
    world = make_world(cast)
    meter = world.meter(cast.home_site)
    sunday = date(2026, 3, 29)
    record(meter, sunday - timedelta(days=46), sunday - timedelta(days=1), lambda day, hour: 100 * hour)
    record(meter, sunday, sunday, flat(50))
    world.enrol(cast.home_site, now=local("2026-03-20 12:00"))
    found = only(world.call(local("2026-03-29 01:00"), 2).id, now=local("2026-03-29 12:00"))
    assert found.starts_s.tolist() == [epoch_seconds(local("2026-03-29 01:00")), epoch_seconds(local("2026-03-29 03:00"))]
    assert found.baseline_wh.tolist() == [100, 300]
    assert found.delivered_wh.tolist() == [50, 250]


def test_an_event_over_midnight_is_compared_with_nights(world: World) -> None:
    """Friday 22:00 to Saturday 01:00: the three hours are compared with the same three of earlier weekday nights."""
    meter = world.meter(world.cast.home_site)
    record(meter, FIRST, FRIDAY + timedelta(days=1), lambda day, hour: {22: 700, 23: 800, 0: 300}.get(hour, 5000))
    world.enrol(world.cast.home_site)
    found = only(world.call(local("2026-11-20 22:00"), 3).id, now=AFTER + timedelta(days=1))
    assert found.baseline_wh.tolist() == [700, 800, 300]
    assert found.delivered_wh.tolist() == [0, 0, 0]
    assert [day.day for day, status in found.days if status == "selected"] == [19, 18, 17, 16, 13, 12, 10, 9, 6, 5]


def test_an_event_soon_after_midnight_is_adjusted_by_the_evening_before(cast: Cast) -> None:
    """Tuesday, one to three in the night: ten per cent more than usual was used from 21 to 24 o'clock on Monday, and so in the baseline."""
    world = make_world(cast, baseline_rule=RULES["10-of-10+ratio20"])
    meter = world.meter(cast.home_site)
    tuesday = date(2026, 11, 24)
    record(
        meter, tuesday - timedelta(days=47), tuesday - timedelta(days=2), lambda day, hour: 1000 if day.weekday() < 5 or hour >= 21 else 10
    )
    record(meter, tuesday - timedelta(days=1), tuesday - timedelta(days=1), lambda day, hour: 1100 if hour >= 21 else 1000)
    record(meter, tuesday, tuesday, flat(900))
    world.enrol(cast.home_site)
    found = only(world.call(local("2026-11-24 01:00")).id, now=local("2026-11-24 12:00"))
    assert (found.cap_status, found.adjustment_value) == ("applied", pytest.approx(1.1))
    assert found.baseline_wh.tolist() == [1100, 1100]
    # weekdays, as the event's own date is one: Monday the 23rd (whose day began on Sunday evening) first
    assert [day.day for day, status in found.days if status == "selected"] == [23, 20, 19, 18, 17, 16, 13, 12, 10, 9]


def test_export_is_taken_off(world: World) -> None:
    """Import 900, export 300: the site used 600 net, against 1,000 minus 100 on the days before; and it may fall below zero."""
    meter = world.meter(world.cast.home_site, export=True)
    record(meter, FIRST, FRIDAY - timedelta(days=1), flat(1000))
    record(meter, FIRST, FRIDAY - timedelta(days=1), flat(100), quantity="energy_export")
    record(meter, FRIDAY, FRIDAY, flat(900))
    record(meter, FRIDAY, FRIDAY, lambda day, hour: None if hour == 18 else 1300, quantity="energy_export")
    world.enrol(world.cast.home_site)
    found = only(world.call(STARTS_AT).id)
    assert found.baseline_wh.tolist() == [900, 900]
    assert found.metered_wh.tolist() == [-400, 0]
    assert found.delivered_wh.tolist() == [1300, 0]
    assert found.has_reading.tolist() == [True, False]  # without the export reading nobody knows what was used


def test_finer_readings_are_summed_only_where_whole(world: World) -> None:
    """A five-minute meter is settled in quarter hours; a quarter that lacks five minutes has no reading."""
    meter = world.meter(world.cast.home_site, interval_s=300)
    record(meter, date(2026, 11, 1), FRIDAY - timedelta(days=1), flat(50))
    record(meter, FRIDAY, FRIDAY, lambda day, index: None if index == 17 * 12 + 4 else 30)
    world.enrol(world.cast.home_site)
    found = only(world.call(STARTS_AT, 1).id)
    assert found.interval_s == 900
    assert found.baseline_wh.tolist() == [150] * 4
    assert found.metered_wh.tolist() == [90, 0, 90, 90]
    assert found.valid.tolist() == [True, False, True, True]


def test_who_opted_out_is_measured_and_marked(world: World) -> None:
    """An answer changes who is paid, not what was used."""
    meter = world.meter(world.cast.home_site)
    record(meter, FIRST, FRIDAY, flat(1000))
    world.enrol(world.cast.home_site)
    event = world.call(STARTS_AT)
    actions.opt(
        event_id=event.id,
        site_id=world.cast.home_site.id,
        choice=Choice.OUT,
        source=OptSource.PERSON,
        actor=world.cast.bram,
        now=event.issued_at,
    )
    found = only(event.id)
    assert found.choice == "out"
    assert found.metered_wh.tolist() == [1000, 1000]


def test_sites_of_other_zones_and_countries_have_their_own_days(world: World) -> None:
    """One event, two zones: in London it is an hour earlier on the clock, and 11 November was an ordinary day there."""
    cast = world.cast
    london = accounts.create_site(
        actor=None, customer_id=cast.home.id, name="Flat", time_zone="Europe/London", country="GB-ENG", now=STARTS_AT
    )
    here, there = world.meter(cast.home_site), world.meter(london)
    record(here, FIRST, FRIDAY, lambda day, hour: 100 * hour)
    record(there, FIRST, FRIDAY, lambda day, hour: 100 * hour, zone=ZoneInfo("Europe/London"))
    for site in (cast.home_site, london):
        actions.enrol(
            actor=cast.ana,
            site_id=site.id,
            program_id=world.program.id,
            terms_version=1,
            consent_text_digest=world.program.terms.consent_digest,
            now=local("2026-11-20 08:00"),
        )
    event = world.call(STARTS_AT)
    delivery = measure(event_id=event.id, now=AFTER)
    brussels, flat_in_london = (next(row for row in delivery.meters if row.meter_id == meter.id) for meter in (here, there))
    assert brussels.baseline_wh.tolist() == [1700, 1800]
    assert flat_in_london.baseline_wh.tolist() == [1600, 1700]
    assert dict(brussels.days)[date(2026, 11, 11)] == "holiday"
    assert dict(flat_in_london.days)[date(2026, 11, 11)] == "selected"
    assert [row.meter_id for row in delivery.meters] == sorted([here.id, there.id])


def test_a_site_without_meter_is_named(world: World) -> None:
    """A meter that was taken away between the call and the start leaves the site without figures, and says so."""
    meter = world.meter(world.cast.home_site)
    world.enrol(world.cast.home_site)
    event = world.call(STARTS_AT)
    metering.end_assignment(actor=None, meter_id=meter.id, until_at=STARTS_AT, now=STARTS_AT)
    delivery = measure(event_id=event.id, now=AFTER)
    assert delivery.sites_without_meter == (world.cast.home_site.id,)
    assert list(delivery.meters) == []
    assert delivery.readings_digest == hashlib.sha256(b"").hexdigest()


def test_measuring_what_is_not_there_is_an_error(world: World) -> None:
    """An id that names no event is a mistake, never an empty measurement."""
    with pytest.raises(NoSuchEvent):
        measure(event_id=987_654, now=AFTER)


def test_the_digest_can_be_recomputed_by_a_stranger(world: World) -> None:
    """From the raw readings and the description in the docs alone, without this program."""
    meter = world.meter(world.cast.home_site)
    record(meter, FIRST, FRIDAY - timedelta(days=1), by_weekday)
    record(meter, FRIDAY, FRIDAY, flat(800))
    world.enrol(world.cast.home_site)
    delivery = measure(event_id=world.call(STARTS_AT).id, now=AFTER)
    least = -(2**63)
    head = b"commonwatt readings 1 2026-10-06 46 24\n"
    numbers: list[int] = []
    day = date(2026, 10, 6)
    while day <= FRIDAY:
        for hour in range(24):
            amount = 800 if day == FRIDAY else by_weekday(day, hour)
            is_doubled = day == date(2026, 10, 25)
            if is_doubled:  # hours of this day are numbered 0 to 24: label 2 holds the mean of two readings
                index = hour if hour < 2 else hour + 1
                half_wh = 2 * by_weekday(day, index) if hour != 2 else by_weekday(day, 2) + by_weekday(day, 3)
            else:
                half_wh = 2 * amount
            numbers.append(half_wh if day < FRIDAY or hour < 17 else least)
        day += timedelta(days=1)
    history = hashlib.sha256(head + np.array(numbers, dtype="<i8").tobytes()).digest()
    start_s = epoch_seconds(STARTS_AT)
    rows = np.array([[start_s, 800, 0], [start_s + 3600, 800, 0]], dtype="<i8").tobytes()
    expected = hashlib.sha256(history + rows).hexdigest()
    assert delivery.meters[0].readings_digest == expected
    assert delivery.readings_digest == hashlib.sha256(f"{meter.id} {expected}\n".encode()).hexdigest()


def naive_baseline(readings: dict[datetime, int], event_hours: list[datetime], holidays: set[date]) -> list[float]:
    """10 of 10 from raw readings alone, in Brussels, written as the rulebook reads: walk back day by day, take what is complete."""
    event_day = event_hours[0].astimezone(BRUSSELS).date()
    labels = [at.astimezone(BRUSSELS).hour for at in event_hours]
    days: list[list[int]] = []
    for back in range(1, 46):
        day = event_day - timedelta(days=back)
        if day.weekday() >= 5 or day in holidays or len(days) == 10:
            continue
        by_hour: dict[int, list[int]] = {}
        for at, amount in readings.items():
            local_at = at.astimezone(BRUSSELS)
            if local_at.date() == day:
                by_hour.setdefault(local_at.hour, []).append(amount)
        if all(label in by_hour for label in labels):
            days.append([by_hour[label][0] for label in labels])
    return [sum(day[place] for day in days) / len(days) / 1000 for place in range(len(labels))]


def test_end_to_end_against_a_naive_recomputation(world: World) -> None:
    """A load with noise and holes, measured by the program and from the raw readings by hand: the same but for the last bit."""
    generator = np.random.default_rng(7)
    amounts: dict[datetime, int] = {}

    def noisy(day: date, hour: int) -> int | None:
        if generator.random() < 0.02:
            return None
        return int(generator.integers(200, 3000))

    meter = world.meter(world.cast.home_site)
    recorded: list[tuple[date, int, int]] = []

    def remember(day: date, hour: int) -> int | None:
        amount = noisy(day, hour)
        if amount is not None:
            recorded.append((day, hour, amount))
        return amount

    record(meter, date(2026, 10, 26), FRIDAY, remember)
    for day, hour, amount in recorded:
        amounts[local(f"{day.isoformat()} {hour:02d}:00").astimezone(UTC)] = amount
    world.enrol(world.cast.home_site)
    found = only(world.call(STARTS_AT, 3).id)
    hours = [STARTS_AT + timedelta(hours=hour) for hour in range(3)]
    expected = naive_baseline(amounts, hours, {date(2026, 11, 1), date(2026, 11, 11)})
    assert found.baseline_kwh.tolist() == pytest.approx(expected, rel=1e-12)
    assert found.metered_wh.tolist() == [amounts.get(at, 0) for at in hours]
