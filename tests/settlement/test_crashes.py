"""A process killed while it settles leaves everything of a settlement, or nothing; and whoever comes next finishes it."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import connection
from tests.cast import NOW
from tests.settlement.crashes import measured, standing_number
from tests.settlement.world import HELD_FROM, SETTLED_AT, STARTS_AT, World, call, make_world

from commonwatt.ledger import queries as ledger
from commonwatt.ledger.values import party_code
from commonwatt.metering import actions as metering
from commonwatt.settlement.models import Settlement, StatementEntry
from commonwatt.settlement.recording import record

ROOT = Path(__file__).parents[2]
PROGRAM = Path(__file__).with_name("crash_program.py")
METERS = 90


def _more_meters(world: World) -> None:
    places = [(world.cast.home.id, world.cast.home_site.id), (world.cast.other_home.id, world.cast.other_site.id)]
    for number in range(METERS - len(world.meters)):
        customer_id, site_id = places[number % 2]
        row = metering.create_meter(actor=None, number=f"more-{number}", now=NOW)
        metering.assign_meter(actor=None, meter_id=row.id, customer_id=customer_id, site_id=site_id, from_at=HELD_FROM, now=NOW)


def _start(environment: Mapping[str, str], event_id: int, round_number: int) -> subprocess.Popen[str]:
    path = os.pathsep.join([str(ROOT), str(ROOT / "src")])
    process = subprocess.Popen(
        [sys.executable, str(PROGRAM), str(event_id), str(round_number)],
        env={**environment, "PYTHONPATH": path},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


def _go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def _until_alone() -> None:
    """PostgreSQL notices a dead client when it next writes to it: until then its transaction may still end either way."""
    if connection.vendor != "postgresql":
        return
    others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'"
    for _ in range(600):
        with connection.cursor() as cursor:
            cursor.execute(others)
            if cursor.fetchone() == (0,):
                return
        time.sleep(0.05)
    raise AssertionError("the transaction of the killed process is still open")


@pytest.mark.soak
@pytest.mark.django_db(transaction=True)
def test_a_killed_settlement_is_whole_or_absent(child_environment: dict[str, str], rounds: int) -> None:
    """Killed at random moments, again and again: never half a settlement, never a doubled credit, never a lost one."""
    world = make_world()
    _more_meters(world)
    chance = random.Random(20261120)
    with _start(child_environment, world.event_id, 0) as process:
        _go(process)
        began = time.monotonic()
        assert process.stdout is not None
        assert process.stdout.readline() == "done\n"
        takes_s = time.monotonic() - began
    assert standing_number(world.event_id) == 1
    outcomes: Counter[str] = Counter()
    for number in range(1, rounds + 1):
        with _start(child_environment, world.event_id, number) as process:
            _go(process)
            time.sleep(chance.uniform(0, 1.6 * takes_s))
            process.send_signal(signal.SIGKILL)
        _until_alone()
        found = standing_number(world.event_id)
        assert found in (number, number + 1)
        outcomes["whole" if found == number + 1 else "absent"] += 1
        record(delivery=measured(world.event_id, number), now=SETTLED_AT)
        assert standing_number(world.event_id) == number + 1
    sys.stdout.write(f"settlements killed: {outcomes['absent']} absent, {outcomes['whole']} whole; one takes {takes_s:.2f} s\n")
    assert outcomes["absent"] > 0


@pytest.mark.django_db(transaction=True)
def test_two_processes_that_settle_at_the_same_moment_settle_once(child_environment: dict[str, str]) -> None:
    """Both measured the same and both write: one settlement, one credit for everybody, and neither fails."""
    world = make_world()
    _more_meters(world)
    for number in range(2):
        processes = [_start(child_environment, world.event_id, number) for _ in range(2)]
        _race(processes)
        assert standing_number(world.event_id) == number + 1


@pytest.mark.django_db(transaction=True)
def test_two_events_of_the_same_people_can_be_settled_at_the_same_moment(child_environment: dict[str, str]) -> None:
    """Two processes open the same accounts for two events: both are settled, and everybody is owed both credits."""
    world = make_world()
    _more_meters(world)
    other = call(world.program, starts_at=STARTS_AT + timedelta(days=3))
    _race([_start(child_environment, event_id, 0) for event_id in (world.event_id, other)])
    assert sorted(Settlement.objects.values_list("event_id", "number")) == sorted([(world.event_id, 1), (other, 1)])
    entries = StatementEntry.objects.filter(statement__customer_id=world.cast.home.id).values_list("amount_nanos", flat=True)
    assert len(entries) == 2
    assert ledger.balance(party_code(world.cast.home.party_id, "EUR")) == sum(entries)
    assert ledger.verify().problems == ()


def _race(processes: list[subprocess.Popen[str]]) -> None:
    for process in processes:
        _go(process)
    assert [process.communicate()[0] for process in processes] == ["done\n"] * len(processes)
