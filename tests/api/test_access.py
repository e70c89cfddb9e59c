"""Every operation of the API × everybody × own and others' things: the same answer as the pages give, in JSON.

An operation that is added without a row here fails the suite.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from tests.cast import NOW, Cast, sign_in
from tests.demand_response.world import World, draft, flat, local, make_world, record
from tests.portal.access_table import ROLES, For
from tests.portal.test_access import expected
from tests.portal.world import HOLDERS

from commonwatt.accounts.models import AuditHead
from commonwatt.api.v1 import api
from commonwatt.baseline.programs import RULES
from commonwatt.baseline.rules import rule_to_dict
from commonwatt.demand_response import actions, queries
from commonwatt.settlement import actions as settlement
from commonwatt.settlement import queries as settlements

pytestmark = pytest.mark.django_db
FRIDAY = date(2026, 11, 20)
_SPAN = {"from": "2026-11-01T00:00:00Z", "to": "2026-11-21T00:00:00Z"}
_DAYS = {"from": "2026-11-01", "to": "2026-11-20"}


@dataclass(frozen=True)
class Row:
    """Whom an operation is for, and what is sent to it; "@name" stands for a thing of the holder."""

    whom: For
    body: Mapping[str, Any] = field(default_factory=dict)
    query: Mapping[str, Any] = field(default_factory=dict)


def terms() -> dict[str, Any]:
    """Terms as they are sent."""
    plain = draft()
    return {
        **{name: getattr(plain, name) for name in ("notice_minutes", "shortest_minutes", "longest_minutes", "events_per_day")},
        "events_per_year": 9,
        "baseline_rule": rule_to_dict(RULES["10-of-10"]),
        "price_micros_per_kwh": 1,
        "consent_text": "New words.",
    }


_EVENT = {"starts_at": "2026-11-25T17:00:00Z", "ends_at": "2026-11-25T18:00:00Z", "targets": [{"kind": "everyone"}]}
_PROGRAM = {"name": "Winter", "currency": "EUR", "time_zone": "Europe/Brussels", "terms": terms()}
TABLE: dict[str, Row] = {
    "GET /me": Row(For.PEOPLE),
    "GET /customers": Row(For.PEOPLE),
    "GET /customers/{customer_id}": Row(For.VIEWERS),
    "GET /sites/{site_id}": Row(For.VIEWERS),
    "GET /meters": Row(For.STAFF),
    "GET /customers/{customer_id}/meters": Row(For.VIEWERS),
    "GET /meters/{meter_id}": Row(For.VIEWERS),
    "GET /meters/{meter_id}/power": Row(For.VIEWERS),
    "GET /meters/{meter_id}/readings": Row(For.VIEWERS, query=_SPAN),
    "GET /meters/{meter_id}/readings.csv": Row(For.VIEWERS, query=_SPAN),
    "GET /meters/{meter_id}/daily": Row(For.VIEWERS, query=_DAYS),
    "GET /programs": Row(For.PEOPLE),
    "POST /programs": Row(For.STAFF, _PROGRAM),
    "GET /programs/{program_id}": Row(For.PEOPLE),
    "GET /programs/{program_id}/terms": Row(For.PEOPLE),
    "GET /programs/{program_id}/eligibility": Row(For.VIEWERS, query={"site": "@site"}),
    "GET /customers/{customer_id}/enrolments": Row(For.VIEWERS),
    "GET /enrolments/{enrolment_id}": Row(For.VIEWERS),
    "GET /groups": Row(For.STAFF),
    "POST /groups": Row(For.STAFF, {"name": "West", "sites": ["@site"]}),
    "PUT /groups/{group_id}/sites": Row(For.STAFF, {"sites": ["@site"]}),
    "GET /events": Row(For.PEOPLE),
    "GET /events/{event_id}": Row(For.VIEWERS),
    "GET /events/{event_id}/live": Row(For.VIEWERS),
    "POST /events/{event_id}/opt": Row(For.CHANGERS, {"site": "@site", "choice": "out"}),
    "GET /customers/{customer_id}/statements": Row(For.VIEWERS),
    "GET /customers/{customer_id}/savings": Row(For.VIEWERS, query=_SPAN),
    "GET /statements/{statement_id}": Row(For.VIEWERS),
    "GET /statements/{statement_id}/lines.csv": Row(For.VIEWERS),
    "GET /settlements/{settlement_id}": Row(For.STAFF),
}
# What everybody may know of and only the desk may change: 403 for the others, where pages say 404 for what is the desk's alone.
DESK_CHANGES: dict[str, Row] = {
    "PATCH /programs/{program_id}": Row(For.STAFF, {"name": "Evening peak", "is_open": True}),
    "POST /programs/{program_id}/terms": Row(For.STAFF, terms()),
    "GET /programs/{program_id}/enrolments": Row(For.STAFF),
    "POST /programs/{program_id}/events": Row(For.STAFF, _EVENT),
    "POST /programs/{program_id}/events/preview": Row(For.STAFF, _EVENT),
}
# What those concerned may know of and only the desk may change.
DESK_CHANGES_THEIRS: dict[str, Row] = {
    "POST /events/{event_id}/cancel": Row(For.VIEWERS, {"reason": "Enough"}),
    "GET /events/{event_id}/settlements": Row(For.VIEWERS),
}
# Consent is the customer's own: the desk sees it, and cannot give or withdraw it.
CONSENTS: dict[str, Row] = {
    "POST /programs/{program_id}/enrolments": Row(For.CHANGERS, {"site": "@site", "terms_version": 1, "consent_digest": "@digest"}),
    "POST /enrolments/{enrolment_id}/leave": Row(For.CHANGERS),
}


def things(world: World, cast: Cast) -> dict[str, dict[str, str]]:
    """What each holder has: a meter with readings, an enrolment, an event to come and one that was settled."""
    group = actions.create_group(actor=None, name="East", site_ids=[cast.home_site.id], now=NOW)
    found = {}
    for holder, site in (("home", cast.home_site), ("organisation", cast.office)):
        meter = world.meter(site)
        record(meter, date(2026, 10, 26), FRIDAY - timedelta(days=1), flat(1000))
        enrolment = world.enrol(site, now=local("2026-11-10 12:00"))
        past = world.call(local("2026-11-18 17:00"), sites=[site])
        coming = world.call(local("2026-11-20 17:00"), sites=[site])
        actions.advance_events(now=NOW)
        settlement.settle_event(event_id=past.id, now=NOW)
        customer = cast.home if holder == "home" else cast.organisation
        statement = settlements.statement_of_event(event_id=past.id, customer_id=customer.id)
        assert statement is not None
        found[holder] = {
            "customer_id": customer.public_id,
            "site_id": site.public_id,
            "@site": site.public_id,
            "@digest": world.program.terms.consent_digest,
            "meter_id": meter.public_id,
            "program_id": world.program.public_id,
            "group_id": group.public_id,
            "enrolment_id": enrolment.public_id,
            "event_id": coming.public_id,
            "statement_id": statement.public_id,
            "settlement_id": settlements.settlement_rows(past.id)[0].public_id,
        }
    return found


def filled(value: Any, own: Mapping[str, str]) -> Any:
    """The same value with the holder's things in place of their names."""
    if isinstance(value, dict):
        return {key: filled(inner, own) for key, inner in value.items()}
    if isinstance(value, list):
        return [filled(inner, own) for inner in value]
    return own.get(value, value) if isinstance(value, str) else value


def ask(cast: Cast, role: str, operation: str, row: Row, own: Mapping[str, str]) -> tuple[str, int]:
    """What somebody gets, in the words of the table, and how many entries it adds to the trail; whatever it did is undone."""
    method, template = operation.split(" ", 1)
    path = "/api/v1" + re.sub(r"\{(\w+)\}", lambda match: own[match[1]], template)
    client = Client()
    if role != "anonymous":
        sign_in(client, cast.user(role))
    before = AuditHead.objects.get().sequence
    with transaction.atomic():
        if method == "GET":
            response: Any = client.get(path, filled(dict(row.query), own))
        else:
            response = client.generic(method, path, json.dumps(filled(dict(row.body), own)), content_type="application/json")
        traces = AuditHead.objects.get().sequence - before
        transaction.set_rollback(True)
    return ("ok" if response.status_code in {200, 201} else str(response.status_code)), traces


def due(operation: str, whom: For, role: str, holder: str) -> str:
    """What somebody should get."""
    want = expected(whom, role, holder, is_api=True)
    is_desk = role in {"otto", "pia"}
    if operation in DESK_CHANGES:
        return "403" if want == "404" else want
    if operation in DESK_CHANGES_THEIRS:
        return "403" if want == "ok" and not is_desk else want
    if operation in CONSENTS:
        return "403" if want == "ok" and is_desk else want
    return want


ALL = TABLE | DESK_CHANGES | DESK_CHANGES_THEIRS | CONSENTS


def test_every_operation_is_in_the_table() -> None:
    """An endpoint that nobody thought about is refused here: every operation has its row, and every row its operation."""
    paths = api.get_openapi_schema(path_prefix="")["paths"]
    found = {f"{method.upper()} /{path.lstrip('/')}" for path, methods in paths.items() for method in methods}
    assert found == set(ALL)


def test_only_those_who_may(cast: Cast) -> None:
    """Everybody gets exactly what is theirs: looking, acting, own things and others'; a refusal and a look leave no trace."""
    own = things(make_world(cast, notice_minutes=0), cast)
    wrong = []
    for operation, row in ALL.items():
        holders = HOLDERS if row.whom in {For.VIEWERS, For.CHANGERS} else HOLDERS[:1]
        for holder in holders:
            for role in ROLES:
                got, traces = ask(cast, role, operation, row, own[holder])
                want = due(operation, row.whom, role, holder)
                if got != want:
                    wrong.append(f"{operation} as {role} of {holder}: {got}, not {want}")
                changes = want == "ok" and not operation.startswith("GET") and not operation.endswith(("preview", "/enrolments"))
                if bool(traces) != changes:
                    wrong.append(f"{operation} as {role} of {holder}: {traces} entries in the trail")
    assert wrong == []
    assert len(queries.open_events()) == 2
