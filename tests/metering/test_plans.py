"""The database finds open readings by their key: no statement of every day walks over all of them."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from tests.metering.builders import NOW, QUARTER, R, at, make_meter_at, record, stored

from commonwatt.metering import queries, store
from commonwatt.metering.profiles import profiles

METERS, STEPS = 150, 700
FIRST = at("2026-11-01T00:00")
WALKS = {
    "sqlite": re.compile(r"SCAN (reading|held|each|older|newest|metering_reading)\b(?! USING INDEX)"),
    "postgresql": re.compile(r"Seq Scan on metering_reading"),
}


@pytest.mark.django_db
def test_no_daily_statement_walks_over_all_open_readings() -> None:
    """With a hundred thousand open readings, taking in, looking up and sealing a few of them reads only those few."""
    ids = [make_meter_at(7000 + number, f"E{number}").channels[0].id for number in range(METERS)]
    record([R(channel, FIRST + QUARTER * step, step % 500) for channel in ids for step in range(STEPS)])
    record([R(ids[0], at("2026-10-10T00:00") + QUARTER * step, 1) for step in range(50)])
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    meters = list(range(7000, 7003))
    october = datetime.fromisoformat("2026-10-10T00:00+00:00")
    looks: dict[str, Callable[[], object]] = {
        "a delivery": lambda: record([R(channel, FIRST + QUARTER * STEPS, 1) for channel in ids[:96]]),
        "a large delivery": lambda: record(
            [R(channel, FIRST + QUARTER * step, 2) for channel in ids for step in range(STEPS + 1, STEPS + 40)]
        ),
        "a correction": lambda: record([R(ids[0], FIRST, 777)]),
        "readings": lambda: stored(ids[:3], start_s=FIRST, end_s=FIRST + 96 * QUARTER),
        "a profile": lambda: profiles(
            meter_ids=meters, days=[date(2026, 11, 3)], quantity="net", zone=ZoneInfo("Europe/Brussels"), interval_minutes=15
        ),
        "the newest reading": lambda: queries.latest_reading(meters),
        "what was touched": lambda: queries.meters_touched_since(
            sequence=2, meter_ids=meters, start=october, end=october + timedelta(days=1)
        ),
        "sealing": lambda: store.seal_due(now=NOW, after_days=7),
    }
    walks = {name: _walks(look) for name, look in looks.items()}
    assert {name: said for name, said in walks.items() if said} == {}


def _walks(look: Callable[[], object]) -> list[str]:
    """The statements of a look whose plan walks over the readings."""
    with CaptureQueriesContext(connection) as captured, transaction.atomic():
        look()
    said = [query["sql"] for query in captured if "metering_reading" in query["sql"]]
    assert said
    return [sql for sql in said if WALKS[connection.vendor].search(_plan(sql))]


def _plan(sql: str) -> str:
    explain = "EXPLAIN QUERY PLAN " if connection.vendor == "sqlite" else "EXPLAIN "
    with connection.cursor() as cursor:
        cursor.execute(explain + sql)
        return "\n".join(str(row[-1]) for row in cursor.fetchall())
