"""Programs at the desk: made, revised, grouped, called."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse
from tests.cast import Cast, sign_in
from tests.demand_response.world import make_world

from commonwatt.demand_response import queries

TERMS = {
    "price": "0.45", "credit_factor": "1.1", "rule": "10-of-10+ratio20", "negative_intervals": "net", "notice_minutes": "30",
    "shortest_minutes": "30", "longest_minutes": "120", "events_per_day": "2", "events_per_year": "30", "data_wait_minutes": "45",
    "coverage_days": "10", "coverage_percent": "75", "responding_percent": "2.5", "consent_text": "I agree.",
}  # fmt: skip
PROGRAM = {"name": "Cold evenings", "description": "Use less.", "currency": "eur", "time_zone": "Europe/Brussels"}


@pytest.fixture
def desk(cast: Cast) -> Client:
    """Otto's browser."""
    return sign_in(Client(), cast.user("otto"))


def test_a_program_is_made_with_its_first_terms(desk: Client) -> None:
    """What Otto enters becomes version 1, in whole micros and millionths; a program with the same name is refused."""
    response = desk.post(reverse("portal:operator_program_new"), {**PROGRAM, **TERMS})
    made = queries.programs()[0]
    assert response.url == reverse("portal:operator_program", args=[made.public_id])
    terms = made.terms
    assert (made.name, made.currency, made.is_open, terms.version) == ("Cold evenings", "EUR", True, 1)
    assert (terms.price_micros_per_kwh, terms.credit_factor_ppm, terms.responding_share_ppm) == (450_000, 1_100_000, 25_000)
    assert (terms.baseline_rule["key"], terms.negative_intervals, terms.data_wait_minutes) == ("10-of-10+ratio20", "net", 45)
    again = desk.post(reverse("portal:operator_program_new"), {**PROGRAM, **TERMS})
    assert "name" in again.context["program_form"].errors
    assert len(queries.programs()) == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [("price", "-1"), ("price", "abc"), ("rule", "my-own"), ("longest_minutes", "15"), ("consent_text", " "), ("coverage_percent", "101")],
)
def test_terms_that_make_no_sense_are_refused_beside_their_field(desk: Client, field: str, value: str) -> None:
    """Nothing is made of terms that cannot be, and the field says so."""
    page = desk.post(reverse("portal:operator_program_new"), {**PROGRAM, **TERMS, field: value})
    errors = page.context["terms_form"].errors
    assert field in errors or (field == "longest_minutes" and "shortest_minutes" in errors)
    assert queries.programs() == []


def test_terms_are_followed_never_edited(cast: Cast, desk: Client) -> None:
    """New terms make version 2 and leave version 1 as it was; the form starts from those in force."""
    world = make_world(cast)
    address = reverse("portal:operator_program_terms", args=[world.program.public_id])
    initial = desk.get(address).context["form"].initial
    before = queries.terms_of(world.program.id)[0]
    desk.post(address, {**{name: str(value) for name, value in initial.items()}, "price": "0.6"})
    newest, first = queries.terms_of(world.program.id)
    assert first == before
    assert (newest.version, newest.price_micros_per_kwh) == (2, 600_000)
    unchanged = ("notice_minutes", "longest_minutes", "baseline_rule", "consent_text", "responding_share_ppm")
    assert [getattr(newest, name) for name in unchanged] == [getattr(first, name) for name in unchanged]


def test_a_group_holds_the_sites_it_is_given(cast: Cast, desk: Client) -> None:
    """A group is made of enrolled sites, and changed as a whole."""
    world = make_world(cast)
    for site in (cast.home_site, cast.other_site):
        world.meter(site)
        world.enrol(site)
    desk.post(reverse("portal:operator_groups"), {"name": "Street", "sites": [cast.home_site.id]})
    group = queries.groups()[0]
    assert (group.name, group.site_ids) == ("Street", (cast.home_site.id,))
    desk.post(reverse("portal:operator_group_sites", args=[group.public_id]), {"sites": [cast.other_site.id]})
    assert queries.groups()[0].site_ids == (cast.other_site.id,)
    desk.post(reverse("portal:operator_group_sites", args=[group.public_id]), {"sites": [cast.office.id]})  # not enrolled
    assert queries.groups()[0].site_ids == (cast.other_site.id,)


def test_an_event_is_previewed_then_called(cast: Cast, desk: Client) -> None:
    """The preview says who would be called and what stands in the way, and tells nobody; the call does."""
    world = make_world(cast, notice_minutes=60)
    world.meter(cast.home_site, interval_s=900)
    world.enrol(cast.home_site)
    form = {
        "program": world.program.public_id,
        "day": "2026-11-20",
        "begins": "17:00",
        "ends": "19:00",
        "aim": "everyone",
        "reason": "Cold",
    }
    address = reverse("portal:event_new")
    short = desk.post(address, {**form, "begins": "13:30", "ends": "14:30", "preview": "1"}).context
    assert [obstacle.rule for obstacle in short["preview"].obstacles] == ["short_notice"]
    assert "begins" in short["form"].errors
    seen = desk.post(address, {**form, "preview": "1"}).context["preview"]
    assert (seen.obstacles, seen.called, seen.people_told) == ((), 1, 2)
    assert queries.events_page().total == 0
    assert desk.post(address, {**form, "begins": "13:30", "ends": "14:30", "call": "1"}).status_code == 200
    assert queries.events_page().total == 0
    response = desk.post(address, {**form, "call": "1"})
    called = queries.events_page().items[0]
    assert response.url == reverse("portal:event", args=[called.public_id])
    assert (f"{called.starts_at:%H:%M}", f"{called.ends_at:%H:%M}", called.participants) == ("16:00", "18:00", 1)
    desk.post(reverse("portal:event_cancel", args=[called.public_id]), {"reason": ""})
    assert queries.event(called.id).status == "upcoming"
    desk.post(reverse("portal:event_cancel", args=[called.public_id]), {"reason": "Warm after all"})
    assert (queries.event(called.id).status, queries.event(called.id).cancel_reason) == ("cancelled", "Warm after all")


def test_a_window_that_ends_before_it_begins_ends_the_next_day(cast: Cast, desk: Client) -> None:
    """From 23:00 until 01:00 are two hours over midnight."""
    world = make_world(cast)
    world.meter(cast.home_site)
    world.enrol(cast.home_site)
    form = {"program": world.program.public_id, "day": "2026-11-20", "begins": "23:00", "ends": "01:00", "aim": "everyone", "preview": "1"}
    wanted = desk.post(reverse("portal:event_new"), form).context["wanted"]
    assert (f"{wanted.starts_at:%d %H:%M}", f"{wanted.ends_at:%d %H:%M}") == ("20 22:00", "21 00:00")
