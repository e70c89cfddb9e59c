"""The chain over the API: a program, a consent, an event, what was delivered, each by the one whose part it is."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from django.test import Client
from tests.api.callers import Caller, caller
from tests.cast import NOW, Cast
from tests.demand_response.world import draft, flat, local, make_world, record

from commonwatt.baseline.programs import RULES
from commonwatt.baseline.rules import rule_to_dict
from commonwatt.demand_response import actions, queries
from commonwatt.metering import actions as metering

pytestmark = pytest.mark.django_db
FRIDAY = date(2026, 11, 20)  # the cast's present is noon on this day in UTC
STARTS_AT = local("2026-11-20 17:00")


@pytest.fixture
def ana(cast: Cast) -> Caller:
    """Ana's browser."""
    return caller(cast, "ana")


@pytest.fixture
def chloe(cast: Cast) -> Caller:
    """A stranger's browser."""
    return caller(cast, "chloe")


@pytest.fixture
def otto(cast: Cast) -> Caller:
    """The operator's browser."""
    return caller(cast, "otto")


def terms(**changes: object) -> dict[str, object]:
    """Terms as they are sent."""
    fields = {
        "notice_minutes": 60,
        "shortest_minutes": 15,
        "longest_minutes": 240,
        "events_per_day": 2,
        "events_per_year": 100,
        "baseline_rule": rule_to_dict(RULES["10-of-10"]),
        "price_micros_per_kwh": 250_000,
        "consent_text": "Use less when asked.",
    }
    return {**fields, **changes}


def test_the_chain_from_program_to_delivered(cast: Cast, ana: Caller, chloe: Caller, otto: Caller) -> None:
    """Otto makes a program, Ana reads it, agrees and is called; she answers, and everybody sees what is theirs to see."""
    world = make_world(cast)
    meter = world.meter(cast.home_site)
    record(meter, date(2026, 10, 26), FRIDAY - timedelta(days=1), flat(1000))
    made = otto.post("/programs", {"name": "Winter", "currency": "EUR", "time_zone": "Europe/Brussels", "terms": terms()})
    assert made.status_code == 201
    program = made.json()
    assert (program["terms"]["version"], program["is_open"], program["terms"]["baseline_rule"]["key"]) == (1, True, "10-of-10")
    assert [item["name"] for item in ana.get("/programs").json()] == ["Evening peak", "Winter"]

    site = cast.home_site.public_id
    found = ana.get(f"/programs/{program['id']}/eligibility", site=site).json()
    assert (found["may_enrol"], found["is_ready"], found["coverage"]) == (True, True, 1.0)
    consent = {"site": site, "terms_version": 1, "consent_digest": program["terms"]["consent_digest"]}
    enrolled = ana.post(f"/programs/{program['id']}/enrolments", consent)
    assert enrolled.status_code == 201
    enrolment = enrolled.json()
    assert ana.get(f"/enrolments/{enrolment['id']}").json()["consents"][0]["text"] == "Use less when asked."
    assert chloe.get(f"/enrolments/{enrolment['id']}").status_code == 404

    event = {"starts_at": "2026-11-20T17:00:00+01:00", "ends_at": "2026-11-20T19:00:00+01:00", "targets": [{"kind": "site", "id": site}]}
    previewed = otto.post(f"/programs/{program['id']}/events/preview", event).json()
    assert (previewed["called"], previewed["people_told"], previewed["expected_kw"], previewed["obstacles"]) == (1, 2, 1.0, [])
    issued = otto.post(f"/programs/{program['id']}/events", event)
    assert issued.status_code == 201
    called = issued.json()
    assert (called["status"], called["starts_at"], called["participants"]) == ("upcoming", "2026-11-20T16:00:00Z", 1)
    assert [item["id"] for item in ana.get("/events").json()["items"]] == [called["id"]]
    assert chloe.get("/events").json() == {"items": [], "page": 1, "pages": 1, "total": 0}

    skipped = ana.post(f"/events/{called['id']}/opt", {"site": site, "choice": "out"})
    assert (skipped.status_code, skipped.json()["choice"]) == (200, "out")
    detail = ana.get(f"/events/{called['id']}").json()
    assert detail["signals"] == [{"signal_type": "SIMPLE", "intervals": [{"start_s": 0, "length_s": 7200, "value": 1.0}]}]
    assert (detail["participants"], detail["targets"]) == (None, [])
    assert [(step["kind"], step["site"]) for step in detail["timeline"]] == [("issued", None), ("opted", site)]
    assert otto.get(f"/events/{called['id']}").json()["targets"] == [{"kind": "site", "name": "Home"}]

    live = ana.get(f"/events/{called['id']}/live").json()
    assert (live["sites"][0]["expected_wh"], live["expected_wh"], live["sites"][0]["choice"]) == (2000, 0, "out")
    cancelled = otto.post(f"/events/{called['id']}/cancel", {"reason": "Not needed"})
    assert (cancelled.json()["status"], cancelled.json()["cancel_reason"]) == ("cancelled", "Not needed")
    left = ana.post(f"/enrolments/{enrolment['id']}/leave").json()
    assert left["ended_at"] == "2026-11-20T12:00:00Z"
    assert ana.get(f"/customers/{cast.home.public_id}/enrolments").json() == []
    assert len(ana.get(f"/customers/{cast.home.public_id}/enrolments", ended=True).json()) == 1


def test_participants_see_their_own_part_of_a_shared_event(cast: Cast, ana: Caller, chloe: Caller, otto: Caller) -> None:
    """Both homes are called: each sees its own site, answer and figures; the operator sees both and the counts."""
    world = make_world(cast)
    for site in (cast.home_site, cast.other_site):
        world.meter(site)
        world.enrol(site)
    event = world.call(STARTS_AT).public_id
    assert chloe.post(f"/events/{event}/opt", {"site": cast.other_site.public_id, "choice": "out"}).status_code == 200
    for who, sites in ((ana, [cast.home_site]), (chloe, [cast.other_site]), (otto, [cast.home_site, cast.other_site])):
        detail, live = who.get(f"/events/{event}").json(), who.get(f"/events/{event}/live").json()
        assert [part["site"] for part in detail["sites"]] == [site.public_id for site in sites]
        assert [part["site"] for part in live["sites"]] == [site.public_id for site in sites]
    assert [step["kind"] for step in ana.get(f"/events/{event}").json()["timeline"]] == ["issued"]
    counts = otto.get(f"/events/{event}").json()
    assert (counts["participants"], counts["opted_out"]) == (2, 1)
    assert ana.post(f"/events/{event}/opt", {"site": cast.other_site.public_id, "choice": "in"}).status_code == 404
    assert queries.event(1 if False else queries.open_events()[0].id).opted_out == 1


def test_readings_belong_to_whoever_held_the_meter(cast: Cast, ana: Caller, chloe: Caller, otto: Caller) -> None:
    """Chloe's meter came to Ana on 5 November: each reads their own time, in JSON, in pages and as a file; Ana is not told of Chloe."""
    world = make_world(cast)
    moved_at = local("2026-11-05 00:00")
    meter = world.meter(cast.other_site)
    metering.end_assignment(actor=None, meter_id=meter.id, until_at=moved_at, now=NOW)
    metering.assign_meter(actor=None, meter_id=meter.id, customer_id=cast.home.id, site_id=cast.home_site.id, from_at=moved_at, now=NOW)
    record(meter, date(2026, 11, 4), date(2026, 11, 5), lambda day, hour: 100 * day.day + hour)
    span = {"from": "2026-11-01T00:00:00Z", "to": "2026-12-01T00:00:00Z"}
    path = f"/meters/{meter.public_id}"
    theirs, hers, all_of_it = (who.get(f"{path}/readings", **span).json() for who in (chloe, ana, otto))
    assert [row["energy_wh"] for row in theirs["items"]] == [400 + hour for hour in range(24)]
    assert [row["energy_wh"] for row in hers["items"]] == [500 + hour for hour in range(24)]
    assert theirs["items"][0] == {"start": "2026-11-03T23:00:00Z", "length_s": 3600, "energy_wh": 400, "quality": 0}
    assert (len(all_of_it["items"]), all_of_it["next"]) == (48, None)
    page = otto.get(f"{path}/readings", **span, limit=30).json()
    rest = otto.get(f"{path}/readings", **{**span, "from": page["next"]}).json()
    assert (len(page["items"]), len(rest["items"])) == (30, 18)
    assert page["items"] + rest["items"] == all_of_it["items"]
    lines = b"".join(ana.get(f"{path}/readings.csv", **span).streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert lines[:2] == ["meter,start,length_s,wh,quality", "M-1,2026-11-04T23:00:00Z,3600,500,0"]
    assert len(lines) == 25
    days = {"from": "2026-11-01", "to": "2026-11-30"}
    assert [(row["day"], row["energy_wh"]) for row in chloe.get(f"{path}/daily", **days).json()] == [("2026-11-04", 9876)]
    assert [row["day"] for row in otto.get(f"{path}/daily", **days).json()] == ["2026-11-04", "2026-11-05"]
    assert chloe.get(path).json()["site"] is None
    assert ana.get(path).json()["site"] == cast.home_site.public_id
    assert ana.get(f"{path}/power").json()["power_w"] == 523.0
    assert chloe.get(f"{path}/power").json() is None
    assert chloe.get(f"{path}/readings", **span, quantity="energy_export").json() == {"items": [], "next": None}


def test_who_i_am_and_what_is_mine(cast: Cast, ana: Caller, otto: Caller) -> None:
    """Ana manages her household; Bram acts for it; Milo looks; the desk sees every customer."""
    me = ana.get("/me").json()
    assert (me["name"], me["is_operator"], me["now"]) == ("Ana", False, "2026-11-20T12:00:00Z")
    assert me["customers"] == [{"customer": cast.home.public_id, "name": "Ana's household", "right": "manage"}]
    assert [caller(cast, name).get("/me").json()["customers"][0]["right"] for name in ("bram", "milo")] == ["change", "view"]
    assert [row["id"] for row in ana.get("/customers").json()["items"]] == [cast.home.public_id]
    assert otto.get("/customers").json()["total"] == 3
    detail = ana.get(f"/customers/{cast.home.public_id}").json()
    assert [site["id"] for site in detail["sites"]] == [cast.home_site.public_id]
    assert ana.get(f"/sites/{cast.home_site.public_id}").json()["time_zone"] == "Europe/Brussels"
    assert ana.get(f"/customers/{cast.home.public_id}/meters").json() == []
    assert ana.get(f"/customers/{cast.home.public_id}/statements").json()["total"] == 0


def test_groups_and_terms_are_changed_at_the_desk(cast: Cast, ana: Caller, otto: Caller) -> None:
    """Otto groups sites, revises terms and closes a program; Ana may look at what is hers and change nothing."""
    world = make_world(cast)
    program = f"/programs/{world.program.public_id}"
    group = otto.post("/groups", {"name": "East", "sites": [cast.home_site.public_id]}).json()
    assert otto.send("PUT", f"/groups/{group['id']}/sites", {"sites": [cast.office.public_id]}).json()["sites"] == [cast.office.public_id]
    assert [item["id"] for item in otto.get("/groups").json()] == [group["id"]]
    assert ana.get("/groups").status_code == 404
    assert otto.post(f"{program}/terms", terms(price_micros_per_kwh=300_000)).json()["version"] == 2
    assert [item["version"] for item in ana.get(f"{program}/terms").json()] == [2, 1]
    refused = ana.post(f"{program}/terms", terms())
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    closed = otto.send("PATCH", program, {"name": "Evening peak", "description": "Full", "is_open": False})
    assert (closed.status_code, closed.json()["is_open"]) == (200, False)
    assert ana.get(program).status_code == 404
    assert otto.get(f"{program}/enrolments").json()["total"] == 0
    no_rule = otto.post(f"{program}/terms", terms(baseline_rule={"key": "mine"}))
    assert (no_rule.status_code, no_rule.json()["field"]) == (422, "body.baseline_rule")


@pytest.mark.parametrize(
    ("body", "status", "code", "field"),
    [
        ({"ends_at": "2026-11-20T13:05:00Z"}, 422, "event_too_short", "body.ends_at"),
        ({"starts_at": "2026-11-20T12:30:00Z", "ends_at": "2026-11-20T13:30:00Z"}, 422, "event_short_notice", "body.starts_at"),
        ({"starts_at": "2026-11-20T17:00:00"}, 422, "invalid", "body.starts_at"),
        ({"starts_at": "soon"}, 422, "invalid", "body.starts_at"),
        ({"targets": [{"kind": "planet"}]}, 422, "invalid", "body.targets.0.kind"),
        ({"targets": [{"kind": "site", "id": "nowhere"}]}, 404, "not_found", ""),
        ({"targets": [{"kind": "site"}]}, 404, "not_found", ""),
        ({"targets": []}, 422, "event_no_targets", "body.targets"),
    ],
)
def test_refused_events_name_the_field_to_change(
    cast: Cast, otto: Caller, body: dict[str, object], status: int, code: str, field: str
) -> None:
    """An operator's program can put the message beside the right field; nothing was called."""
    world = make_world(cast)
    world.meter(cast.home_site, interval_s=900)
    world.enrol(cast.home_site)
    event = {"starts_at": "2026-11-20T13:00:00Z", "ends_at": "2026-11-20T15:00:00Z", "targets": [{"kind": "everyone"}], **body}
    refused = otto.post(f"/programs/{world.program.public_id}/events", event)
    assert (refused.status_code, refused.json()["code"], refused.json()["field"]) == (status, code, field)
    assert refused.json()["message"]
    assert queries.events_page().total == 0


def test_conflicts_are_told_apart(cast: Cast, ana: Caller, otto: Caller) -> None:
    """Outdated terms, other words, no meter, an event that is over: each has a code of its own."""
    world = make_world(cast)
    path, digest = f"/programs/{world.program.public_id}/enrolments", world.program.terms.consent_digest
    body = {"site": cast.home_site.public_id, "terms_version": 1, "consent_digest": digest}
    assert ana.post(path, body).json()["code"] == "not_eligible"
    world.meter(cast.home_site)
    assert ana.post(path, {**body, "consent_digest": "0" * 64}).json()["code"] == "consent_differs"
    actions.revise_terms(actor=None, program_id=world.program.id, terms=draft(consent_text="New."), now=NOW)
    refused = ana.post(path, body)
    assert (refused.status_code, refused.json()["code"]) == (409, "consent_outdated")
    world.program = queries.program(world.program.id)
    world.enrol(cast.home_site)
    event = world.call(STARTS_AT)
    actions.cancel_event(actor=None, event_id=event.id, reason="Enough", now=NOW)
    over = ana.post(f"/events/{event.public_id}/opt", {"site": cast.home_site.public_id, "choice": "out"})
    assert (over.status_code, over.json()["code"]) == (409, "event_is_over")
    assert otto.post(f"/events/{event.public_id}/cancel", {"reason": ""}).json()["code"] == "event_is_over"


def test_unsafe_methods_need_the_token(cast: Cast) -> None:
    """A page of somebody else's cannot answer an event with Ana's cookie."""
    from tests.cast import sign_in

    browser = sign_in(Client(enforce_csrf_checks=True), cast.user("ana"))
    refused = browser.post("/api/v1/events/evt_1/opt", "{}", content_type="application/json")
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    assert browser.get("/api/v1/me").status_code == 200
