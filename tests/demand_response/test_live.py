"""What operators and participants see while an event runs, and before it is called."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.cast import NOW, Cast
from tests.demand_response.world import World, flat, local, make_world, record, record_at

from commonwatt.baseline.programs import RULES
from commonwatt.demand_response import actions
from commonwatt.demand_response.boards import Board
from commonwatt.demand_response.choices import Choice, OptSource, TargetKind
from commonwatt.demand_response.live import board
from commonwatt.demand_response.preview import preview
from commonwatt.demand_response.views import EventView
from commonwatt.kernel.time import epoch_seconds
from commonwatt.metering.values import MeterView

pytestmark = pytest.mark.django_db
FRIDAY = date(2026, 11, 20)
STARTS_AT = local("2026-11-20 17:00")
QUARTER = timedelta(minutes=15)


@pytest.fixture
def world(cast: Cast) -> World:
    """Ana's home on quarter hours, 250 Wh each; Chloe's on hours, 2,000 Wh each; both enrolled."""
    return make_world(cast)


@pytest.fixture
def meters(world: World) -> tuple[MeterView, MeterView]:
    """The two meters, with readings up to the start of the event."""
    cast = world.cast
    ana, chloe = world.meter(cast.home_site, interval_s=900), world.meter(cast.other_site, interval_s=3600)
    for meter, amount in ((ana, 250), (chloe, 2000)):
        record(meter, date(2026, 10, 26), FRIDAY - timedelta(days=1), flat(amount))
        step_s = meter.interval_s
        starts = range(epoch_seconds(local("2026-11-20 00:00")), epoch_seconds(STARTS_AT), step_s)
        record_at(meter, list(starts), [amount] * len(starts))
    for site in (cast.home_site, cast.other_site):
        world.enrol(site, now=NOW - timedelta(days=1))
    return ana, chloe


@pytest.fixture
def event(world: World, meters: tuple[MeterView, MeterView]) -> EventView:
    """Five to seven, called in time and begun."""
    del meters
    event = world.call(STARTS_AT, target_kw=1.0)
    actions.advance_events(now=STARTS_AT)
    return event


def site(found: Board, site_id: int) -> object:
    """One site's part of the board."""
    return next(row for row in found.sites if row.site_id == site_id)


def test_before_the_first_interval_nothing_is_claimed(world: World, event: EventView) -> None:
    """At the start: what is expected of the event, and nothing used or delivered yet; the newest reading is just in."""
    found = board(event_id=event.id, now=STARTS_AT)
    assert (found.expected_wh, found.baseline_wh, found.metered_wh, found.delivered_wh) == (6000, 0, 0, 0)
    assert (found.delivered_w, found.projected_wh, found.newest_at) == (None, None, STARTS_AT)
    assert [row.has_baseline for row in found.sites] == [True, True]


def test_sums_follow_the_readings_as_they_come(world: World, event: EventView, meters: tuple[MeterView, MeterView]) -> None:
    """Ana's first two quarters are in, Chloe's hour is not: only what was read counts, and each age is said."""
    ana, _ = meters
    record_at(ana, [epoch_seconds(STARTS_AT), epoch_seconds(STARTS_AT + QUARTER)], [100, 150])
    found = board(event_id=event.id, now=STARTS_AT + 2 * QUARTER)
    home, other = found.sites
    assert (home.baseline_wh, home.metered_wh, home.delivered_wh, home.delivered_w) == (500, 250, 250, 400.0)
    assert home.newest_at == STARTS_AT + 2 * QUARTER
    assert (other.baseline_wh, other.delivered_wh, other.delivered_w, other.newest_at) == (0, 0, None, STARTS_AT)
    assert (found.baseline_wh, found.delivered_wh, found.delivered_w) == (500, 250, 400.0)
    # 250 of 500 saved so far; 2,000 + 4,000 expected in all
    assert found.projected_wh == 3000


def test_power_that_is_out_of_date_is_not_shown_as_now(world: World, event: EventView, meters: tuple[MeterView, MeterView]) -> None:
    """An hour after its last reading, nobody knows what a home delivers; what it had delivered stays."""
    ana, _ = meters
    record_at(ana, [epoch_seconds(STARTS_AT)], [100])
    found = board(event_id=event.id, now=STARTS_AT + timedelta(hours=1))
    assert found.sites[0].delivered_wh == 150
    assert found.sites[0].delivered_w is None
    assert found.delivered_w is None


def test_the_chart_steps_by_the_longest_interval_and_says_who_reported(
    world: World, event: EventView, meters: tuple[MeterView, MeterView]
) -> None:
    """Hours, because Chloe's meter reads hours: two before, two within, two after; Ana has reported the first, Chloe not."""
    ana, chloe = meters
    record_at(ana, [epoch_seconds(STARTS_AT) + 900 * quarter for quarter in range(4)], [100] * 4)
    now = STARTS_AT + timedelta(hours=1)
    steps = board(event_id=event.id, now=now).series
    assert [step.start for step in steps] == [STARTS_AT + timedelta(hours=hour) for hour in range(-2, 4)]
    assert [step.in_event for step in steps] == [False, False, True, True, False, False]
    assert [(step.reporting, step.meters) for step in steps] == [(2, 2), (2, 2), (1, 2), (0, 2), (0, 2), (0, 2)]
    assert [step.baseline_wh for step in steps] == [3000, 3000, 1000, 3000, 3000, 3000]
    assert [step.metered_wh for step in steps] == [3000, 3000, 400, None, None, None]
    record_at(chloe, [epoch_seconds(STARTS_AT)], [1500])
    third = board(event_id=event.id, now=now).series[2]
    assert (third.baseline_wh, third.metered_wh, third.reporting) == (3000, 1900, 2)


def test_who_opted_out_is_shown_and_not_summed(world: World, event: EventView, meters: tuple[MeterView, MeterView]) -> None:
    """Chloe skips: her line stays on the board, the portfolio is Ana's alone, in quarter hours."""
    actions.opt(
        event_id=event.id,
        site_id=world.cast.other_site.id,
        choice=Choice.OUT,
        source=OptSource.PERSON,
        actor=world.cast.chloe,
        now=STARTS_AT,
    )
    found = board(event_id=event.id, now=STARTS_AT)
    assert [row.choice for row in found.sites] == ["", "out"]
    assert found.expected_wh == 2000
    assert {step.length_s for step in found.series} == {900}
    assert len(found.series) == 8 + 8 + 8


def test_participants_see_their_own_sites_only(world: World, event: EventView) -> None:
    """Asked for one site, the board and its sums are that site's."""
    found = board(event_id=event.id, now=STARTS_AT, site_ids=[world.cast.other_site.id])
    assert [row.site_id for row in found.sites] == [world.cast.other_site.id]
    assert found.expected_wh == 4000
    assert {step.meters for step in found.series} == {1}


def test_a_cancelled_event_stops_counting(world: World, event: EventView, meters: tuple[MeterView, MeterView]) -> None:
    """Cancelled after half an hour: later quarters are neither expected nor summed as part of the event."""
    ana, _ = meters
    record_at(ana, [epoch_seconds(STARTS_AT) + 900 * quarter for quarter in range(4)], [100] * 4)
    actions.cancel_event(actor=None, event_id=event.id, reason="Enough", now=STARTS_AT + 2 * QUARTER)
    found = board(event_id=event.id, now=STARTS_AT + timedelta(hours=1), site_ids=[world.cast.home_site.id])
    assert (found.baseline_wh, found.delivered_wh) == (500, 300)
    assert [step.in_event for step in found.series] == [False] * 8 + [True, True] + [False] * 14


def test_many_viewers_cost_little_more_than_one(world: World, event: EventView, meters: tuple[MeterView, MeterView]) -> None:
    """Between two deliveries nothing is read anew; a late reading of the days compared with is seen within a minute."""
    ana, _ = meters
    first = board(event_id=event.id, now=STARTS_AT)
    with CaptureQueriesContext(connection) as queries:
        assert board(event_id=event.id, now=STARTS_AT + timedelta(seconds=10)).expected_wh == first.expected_wh
    assert len(queries) == 4  # the event, its facts, its participants, the newest sequence
    record(ana, date(2026, 11, 19), date(2026, 11, 19), flat(1250))
    assert board(event_id=event.id, now=STARTS_AT + timedelta(seconds=20)).expected_wh == 6000
    # one of ten days rose by 1,000 Wh a quarter: 100 more in each of eight
    assert board(event_id=event.id, now=STARTS_AT + timedelta(seconds=60)).expected_wh == 6800


def ask(world: World, starts_at: object = None, **more: object) -> object:
    """A preview of an event from five to seven on the Monday after."""
    at = starts_at or local("2026-11-23 17:00")
    request = actions.EventRequest(
        starts_at=at,
        ends_at=at + timedelta(hours=2),
        targets=(actions.Target(kind=TargetKind.EVERYONE),),
        **more,  # type: ignore[arg-type, operator]
    )
    return preview(program_id=world.program.id, request=request, now=local("2026-11-21 12:00"))


def test_a_preview_says_who_would_be_called_and_what_to_expect(world: World, event: EventView, meters: tuple[MeterView, MeterView]) -> None:
    """Ana 1 kW, Chloe 2 kW, the office has agreed and has no readings; last time a quarter of Ana's was saved; nobody is called."""
    cast = world.cast
    ana, _ = meters
    world.meter(cast.office)
    world.enrol(cast.office)
    record_at(ana, [epoch_seconds(STARTS_AT) + 900 * quarter for quarter in range(8)], [150] * 8)
    actions.opt(event_id=event.id, site_id=cast.other_site.id, choice=Choice.OUT, source=OptSource.PERSON, actor=cast.chloe, now=STARTS_AT)
    actions.advance_events(now=STARTS_AT + timedelta(hours=2))
    found = ask(world)
    assert (found.called, found.waiting_for_consent, found.without_baseline, found.opted_out_last_time) == (3, 0, 1, 1)
    assert found.people_told == 5  # Ana, Bram, Chloe, Olga, Milo
    assert found.expected_kw == pytest.approx(3.0)
    assert (found.usual_rate.baseline_wh, found.usual_rate.delivered_wh) == (2000, 800)
    assert found.expected_delivered_kw == pytest.approx(1.2)
    assert found.obstacles == ()
    assert board(event_id=event.id, now=STARTS_AT).event.id == event.id


def test_a_preview_names_every_obstacle_in_words(world: World, event: EventView) -> None:
    """Too late, and nothing can be expected of an event that ends before it starts."""
    found = ask(world, local("2026-11-21 12:00") + timedelta(minutes=30))
    assert [(item.rule, item.field) for item in found.obstacles] == [
        ("short_notice", "starts_at"),
        ("not_aligned", "starts_at"),
        ("not_aligned", "ends_at"),
    ]
    assert found.obstacles[0].text.startswith("The program promises 60 minutes of notice.")
    request = actions.EventRequest(starts_at=STARTS_AT, ends_at=STARTS_AT, targets=())
    nothing = preview(program_id=world.program.id, request=request, now=NOW)
    assert (nothing.called, nothing.expected_kw, nothing.expected_delivered_kw) == (0, None, None)
    assert [item.rule for item in nothing.obstacles] == ["ends_before_start", "no_targets"]


def test_an_event_day_adjusted_baseline_is_drawn_around_the_event_too(cast: Cast) -> None:
    """Half as much again was used from 13 to 16 o'clock, the rule allows a fifth: the line is a fifth higher before, within and after."""
    world = make_world(cast, baseline_rule=RULES["10-of-10+ratio20"])
    meter = world.meter(cast.home_site)
    record(meter, date(2026, 10, 26), FRIDAY - timedelta(days=1), flat(1000))
    record(meter, FRIDAY, FRIDAY, lambda day, hour: 1500 if hour < 17 else None)
    world.enrol(cast.home_site)
    event = world.call(STARTS_AT)
    assert [step.baseline_wh for step in board(event_id=event.id, now=STARTS_AT).series] == [1200] * 6
