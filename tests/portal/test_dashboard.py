"""A meter's dashboard: what was used, what could be expected, and only what is the viewer's to see."""

from __future__ import annotations

import csv
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries
from tests.cast import NOW, Cast, sign_in
from tests.demand_response.world import World, flat, local, make_world, record, record_at

from commonwatt.kernel.time import epoch_seconds
from commonwatt.metering import actions as metering
from commonwatt.metering.values import MeterView

FIRST = date(2026, 10, 6)
TODAY = date(2026, 11, 20)  # a Friday; it is one in the afternoon in Brussels
NOON = epoch_seconds(local("2026-11-20 00:00"))


@pytest.fixture
def world(cast: Cast) -> World:
    """The cast with a program."""
    return make_world(cast)


@pytest.fixture
def meter(world: World) -> MeterView:
    """Ana's meter, hour by hour: 1 kWh on weekdays, 2 kWh at weekends, and today 0.8 kWh until noon."""
    meter = world.meter(world.cast.home_site)
    record(meter, FIRST, date(2026, 11, 19), lambda day, _hour: 2000 if day.weekday() >= 5 else 1000)
    record_at(meter, [NOON + hour * 3600 for hour in range(12)], [800] * 12)
    return meter


Shown = Callable[..., Any]


@pytest.fixture
def ana(cast: Cast, client: Client) -> Shown:
    """What Ana is shown at an address of the dashboard."""
    sign_in(client, cast.user("ana"))

    def show(meter: MeterView, query: str = "") -> Any:
        response = client.get(reverse("portal:meter_dashboard", args=[meter.public_id]) + query)
        assert response.status_code == 200
        return response

    return show


def test_today_against_what_was_expected(ana: Shown, meter: MeterView) -> None:
    """Until noon 9.6 kWh were used where weekdays used 12: a fifth less than expected, and than yesterday in the same hours."""
    context = ana(meter).context
    assert context["view"].energy_wh == 9_600
    assert (context["view"].against_expected.energy_wh, context["view"].against_expected.before_wh) == (9_600, 12_000)
    assert (context["view"].against_previous.energy_wh, context["view"].against_previous.before_wh) == (9_600, 12_000)
    assert context["previous"] == {
        "delta": "20.0 % less".replace(" %", "\u00a0%"),
        "delta_kind": "good",
        "hint": "than the day before, in the same hours",
    }
    assert context["view"].expected_day.days[:3] == (date(2026, 11, 19), date(2026, 11, 18), date(2026, 11, 17))
    chart = context["chart"]
    assert chart["start"][0] == "2026-11-19T23:00:00Z"
    assert chart["metered_wh"] == [800] * 12 + [None] * 12
    assert chart["predicted_wh"] == [1000] * 24
    assert chart["now"] == "2026-11-20T12:00:00Z"
    assert chart["resolution"] == "PT1H"


def test_the_power_now_and_its_age(ana: Shown, meter: MeterView) -> None:
    """The newest hour ended an hour ago: 0.8 kW, where 1 kW was expected."""
    power = ana(meter).context["power"]
    assert (power["power_w"], power["expected_w"], power["is_stale"]) == (800, 1000, False)
    assert power["end"] == NOW - timedelta(hours=1)


def test_the_table_says_what_the_chart_shows(ana: Shown, meter: MeterView) -> None:
    """Every bar is a row, with the same figures, and the sum below."""
    table = ana(meter).context["table"]
    assert len(table["rows"]) == 24
    assert table["rows"][11] == ["11:00–12:00", "0.800", "1.000", "1.000", "1.000", ""]
    assert table["rows"][12] == ["12:00–13:00", "–", "1.000", "1.000", "1.000", "no reading"]
    assert table["footer"][:2] == ["Sum", "9.600"]


def test_a_month_by_days_and_a_year_by_months(ana: Shown, meter: MeterView) -> None:
    """Bars of days lead to the day, bars of months to the month; months are compared over the days that both have."""
    month = ana(meter, "?period=month&on=2026-11-01").context
    assert month["chart"]["metered_wh"][:3] == [48_000, 24_000, 24_000]  # the first is a Sunday
    assert month["chart"]["metered_wh"][19:21] == [9_600, None]
    assert month["chart"]["drill"][1] == "?period=day&on=2026-11-02"
    # 6 to 19 of both months are whole: ten weekdays and four rest days in each.
    assert month["view"].against_previous.days == 14
    assert (month["view"].against_previous.energy_wh, month["view"].against_previous.before_wh) == (432_000, 432_000)
    year = ana(meter, "?period=year").context
    assert year["chart"]["resolution"] == "P1M"
    assert year["chart"]["metered_wh"][8:11] == [None, 26 * 24_000 + 7 * 24_000 + 2_000, month["view"].energy_wh]
    assert year["chart"]["drill"][9] == "?period=month&on=2026-10-01"
    assert year["view"].against_previous is None


def test_days_with_an_event_are_no_example(ana: Shown, world: World, meter: MeterView) -> None:
    """On a day with an event less was used because it was asked for: the days after do not expect it."""
    world.enrol(world.cast.home_site, now=local("2026-11-01 12:00"))
    world.call(local("2026-11-19 17:00"), sites=[world.cast.home_site])
    view = ana(meter).context["view"]
    assert date(2026, 11, 19) not in view.expected_day.days
    assert view.expected_day.days[0] == date(2026, 11, 18)


def test_the_day_of_an_event_shows_it(ana: Shown, world: World, meter: MeterView) -> None:
    """The event is shaded in the chart of its day, and leads to its page."""
    world.enrol(world.cast.home_site, now=local("2026-11-01 12:00"))
    event = world.call(local("2026-11-19 17:00"), sites=[world.cast.home_site])
    from commonwatt.demand_response.actions import advance_events

    advance_events(now=NOW)
    shaded = ana(meter, "?period=day&on=2026-11-19").context["chart"]["events"]
    address = reverse("portal:event", args=[event.public_id])
    assert shaded == [{"start": "2026-11-19T16:00:00Z", "end": "2026-11-19T18:00:00Z", "label": "Evening peak", "url": address}]


@pytest.mark.parametrize(("day", "hours"), [("2026-03-29", 23), ("2026-10-25", 25)])
def test_the_days_on_which_the_clocks_change(ana: Shown, world: World, day: str, hours: int) -> None:
    """The short day has 23 hours and the long one 25, each with its reading."""
    meter = world.meter(world.cast.home_site)
    on = date.fromisoformat(day)
    record(meter, on, on, lambda _day, hour: 100 + hour)
    context = ana(meter, f"?period=day&on={day}").context
    assert context["chart"]["metered_wh"] == [100 + hour for hour in range(hours)]
    assert context["view"].energy_wh == sum(range(100, 100 + hours))


def test_a_meter_that_changed_hands_shows_each_their_time(client: Client, cast: Cast, world: World) -> None:
    """Chloe sees the meter until noon of the day she gave it up, Ana from then on; neither's expectation is made of the other's days."""
    meter = world.meter(world.cast.other_site)
    record(meter, FIRST, date(2026, 11, 19), flat(1000))
    handed = local("2026-11-10 12:00")
    metering.end_assignment(actor=None, meter_id=meter.id, until_at=handed, now=NOW)
    metering.assign_meter(actor=None, meter_id=meter.id, customer_id=cast.home.id, site_id=cast.home_site.id, from_at=handed, now=NOW)
    seen = {}
    for name in ("ana", "chloe"):
        sign_in(client, cast.user(name))
        response = client.get(reverse("portal:meter_dashboard", args=[meter.public_id]) + "?period=month")
        seen[name] = response.context["chart"]["metered_wh"][8:12]
        day = client.get(reverse("portal:meter_dashboard", args=[meter.public_id]) + "?period=day&on=2026-11-10")
        seen[f"{name}'s hours"] = sum(wh is not None for wh in day.context["chart"]["metered_wh"])
        seen[f"{name} expects"] = (
            client.get(reverse("portal:meter_dashboard", args=[meter.public_id]) + "?period=day&on=2026-11-12")
            .context["view"]
            .expected_day.days
        )
        assert (response.context["power"] is None) == (name == "chloe")
    assert seen["ana"] == [None, 12_000, 24_000, 24_000]
    assert seen["chloe"] == [24_000, 12_000, None, None]
    assert (seen["ana's hours"], seen["chloe's hours"]) == (12, 12)
    assert seen["ana expects"] == ()
    assert seen["chloe expects"][0] == date(2026, 11, 9)  # the 10th was hers in part only


def test_the_csv_is_what_is_on_the_screen(client: Client, cast: Cast, meter: MeterView, world: World) -> None:
    """Whole watt-hours and times with their offset; a stranger gets nothing."""
    address = reverse("portal:meter_csv", args=[meter.public_id])
    sign_in(client, cast.user("ana"))
    rows = list(csv.reader(client.get(address).content.decode().splitlines()))
    assert rows[0] == ["meter", "start", "end", "metered_wh", "expected_wh", "expected_low_wh", "expected_high_wh", "quality"]
    assert rows[12] == ["M-1", "2026-11-20T11:00:00+01:00", "2026-11-20T12:00:00+01:00", "800", "1000", "1000", "1000", "measured"]
    assert rows[13] == ["M-1", "2026-11-20T12:00:00+01:00", "2026-11-20T13:00:00+01:00", "", "1000", "1000", "1000", "missing"]
    assert len(rows) == 25
    assert client.get(address + "?period=custom").status_code == 400
    sign_in(client, cast.user("chloe"))
    assert client.get(address).status_code == 404


def test_an_address_that_cannot_be_read_shows_today_and_says_so(ana: Shown, meter: MeterView) -> None:
    """Nothing is guessed in silence."""
    response = ana(meter, "?period=day&on=soon")
    assert response.context["period"]["start_on"] == TODAY
    assert "The dates in the address could not be read" in response.content.decode()


def test_savings_rate_is_shown_with_its_parts(ana: Shown, world: World, cast: Cast, meter: MeterView) -> None:
    """A fifth was saved in the event of the day before: 0.4 of 2 kWh, and the formula says so."""
    from commonwatt.demand_response.actions import advance_events
    from commonwatt.settlement.actions import settle_event

    world.enrol(cast.home_site, now=local("2026-11-01 12:00"))
    event = world.call(local("2026-11-19 17:00"), sites=[cast.home_site])
    advance_events(now=NOW)
    record_at(meter, [epoch_seconds(local(f"2026-11-19 {hour}:00")) for hour in (17, 18)], [800, 800], now=NOW)
    settle_event(event_id=event.id, now=NOW)
    response = ana(meter)
    rate = response.context["savings"].rate
    assert (rate.delivered_wh, rate.baseline_wh, rate.ratio) == (400, 2000, 0.2)
    page = response.content.decode()
    assert "0.400\u00a0kWh delivered" in page
    assert "2.000\u00a0kWh baseline" in page
    assert response.context["donut"]["centre_value"] == "100\u00a0%"


def test_who_has_no_meter_is_told_how_to_get_one(client: Client, cast: Cast) -> None:
    """A household is sent to the page for its claim code with a word of welcome; an organisation reads what to do."""
    sign_in(client, cast.user("ana"))
    response = client.get(reverse("portal:dashboard"), follow=True)
    assert response.redirect_chain == [(reverse("portal:claim"), 302)]
    assert "starts with a meter" in response.content.decode()
    sign_in(client, cast.user("olga"))
    assert "No meter yet" in client.get(reverse("portal:dashboard")).content.decode()


def test_a_meter_without_readings_says_what_comes(ana: Shown, world: World) -> None:
    """An empty dashboard says why it is empty and waits for the first reading."""
    meter = world.meter(world.cast.home_site)
    page = ana(meter).content.decode()
    assert "No reading has arrived yet." in page
    assert 'sse-connect="' in page
    before = ana(meter, "?period=day&on=2026-01-05").content.decode()
    assert "This meter has not reported anything so far." in before


def test_choosing_keeps_the_period(client: Client, cast: Cast, world: World) -> None:
    """The drop-downs lead to another meter of the customer, over the same days; another's meter is not among them."""
    mine, other = world.meter(cast.home_site), world.meter(cast.home_site)
    strange = world.meter(cast.other_site)
    sign_in(client, cast.user("ana"))
    address = reverse("portal:dashboard") + f"?customer={cast.home.public_id}&meter={other.public_id}&period=month&on=2026-03-01"
    assert (
        client.get(address).headers["Location"] == reverse("portal:meter_dashboard", args=[other.public_id]) + "?period=month&on=2026-03-01"
    )
    refused = client.get(reverse("portal:dashboard") + f"?meter={strange.public_id}")
    assert refused.headers["Location"] == reverse("portal:meter_dashboard", args=[mine.public_id])
    assert client.get(reverse("portal:dashboard") + f"?customer={cast.other_home.public_id}").status_code == 404


@pytest.mark.parametrize(("query", "queries"), [("", 34), ("?period=month", 31), ("?period=year", 31)])
def test_the_page_asks_as_often_for_ten_meters_as_for_one(
    client: Client, cast: Cast, world: World, meter: MeterView, django_assert_num_queries: DjangoAssertNumQueries, query: str, queries: int
) -> None:
    """However many meters there are, the page costs the same number of queries."""
    address = reverse("portal:meter_dashboard", args=[meter.public_id]) + query
    sign_in(client, cast.user("ana"))
    client.get(address)  # the meter looked at last is noted once
    with django_assert_num_queries(queries):
        client.get(address)
    for _ in range(9):
        record(world.meter(cast.home_site), date(2026, 11, 1), date(2026, 11, 19), flat(10))
    with django_assert_num_queries(queries):
        client.get(address)
