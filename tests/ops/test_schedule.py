"""What recurs is put into the queue when it is due, once, and an event goes from called to corrected without anybody's help."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from django.core import mail
from tests.cast import NOW
from tests.demand_response.world import Load, record
from tests.settlement.world import call, make_world

from commonwatt.accounts.models import User
from commonwatt.accounts.people import create_operator, link_works
from commonwatt.demand_response import queries as demand_response
from commonwatt.jobs import leases
from commonwatt.jobs.actions import enqueue
from commonwatt.jobs.models import Job
from commonwatt.jobs.worker import Worker
from commonwatt.notify.actions import tell
from commonwatt.ops import schedule
from commonwatt.ops.tasks import registry
from commonwatt.settlement.models import Settlement, StatementEntry

DAY = date(2026, 11, 23)  # a Monday
STARTS = datetime(2026, 11, 23, 16, 0, tzinfo=UTC)  # 17:00 in Brussels
ENDS = STARTS + timedelta(hours=1)
SETTLED = ENDS + timedelta(hours=1)


class Hands:
    """A clock that is set by hand, and a worker's hands without its threads: everything happens when the test says so."""

    def __init__(self, at: datetime) -> None:
        self.at = at
        self.entries = schedule.entries()
        self._worker = Worker(kinds=registry, clock=self, threads=1)

    def now(self) -> datetime:
        """What the clock shows."""
        return self.at

    def turn(self, at: datetime) -> list[str]:
        """Set the clock, let the schedule look, and do all jobs; the kinds that were done."""
        self.at = at
        for entry in self.entries:
            schedule.tick(entry, now=at)
        done = []
        while (lease := leases.take(kinds=registry, length=timedelta(seconds=30), now=at)) is not None:
            self._worker._run(lease)
            done.append(lease.kind)
        assert not Job.objects.exclude(state="done").exists(), list(Job.objects.values_list("kind", "error"))
        return sorted(done)


@pytest.mark.django_db(transaction=True)
def test_an_idle_install_works_hourly_and_daily_and_leaves_nothing_else_behind() -> None:
    """With nothing to do, only sealing, zones and cleaning run, each at its own pace, and a second worker adds none."""
    hands = Hands(NOW)
    assert hands.turn(NOW) == ["clean", "follow-site-zones", "seal"]
    for later in (1, 60, 3599):
        assert hands.turn(NOW + timedelta(seconds=later)) == []
    assert Hands(NOW).turn(NOW + timedelta(minutes=59)) == []  # a worker that was just started asks the queue
    assert hands.turn(NOW + timedelta(hours=1)) == ["follow-site-zones", "seal"]
    assert hands.turn(NOW + timedelta(days=1)) == ["clean", "follow-site-zones", "seal"]


@pytest.mark.django_db(transaction=True)
def test_a_clock_that_was_set_back_stops_nothing() -> None:
    """After the install's clock was set back, what recurs goes on from there instead of waiting for the old time."""
    Hands(NOW).turn(NOW + timedelta(days=300))
    assert Hands(NOW).turn(NOW) == ["clean", "follow-site-zones", "seal"]


@pytest.mark.django_db(transaction=True)
def test_a_job_that_still_runs_is_not_put_again() -> None:
    """While the last sealing is still at work an hour later, no second one is added."""
    entries = [entry for entry in schedule.entries() if entry.kind == "seal"]
    for hour in range(3):
        assert schedule.tick(entries[0], now=NOW + timedelta(hours=hour)) is True
    assert Job.objects.count() == 1


def _load(quarters_of_event_wh: list[int]) -> Load:
    """A quarter of a kWh in every quarter of an hour, except in those of the event."""
    return lambda day, index: quarters_of_event_wh[index - 68] if day == DAY and 68 <= index < 72 else 250


@pytest.mark.django_db(transaction=True)
def test_an_event_begins_ends_is_settled_and_corrected_by_itself() -> None:
    """Called and then left alone, an event begins and ends on time, is settled after its wait, and corrected when a reading changes."""
    world = make_world()
    record(world.meters["ana"], date(2026, 10, 1), DAY, _load([125, 125, 125, 125]))
    event_id = call(world.program, starts_at=STARTS)
    hands = Hands(STARTS - timedelta(minutes=2))
    hands.turn(STARTS - timedelta(minutes=2))
    moments = (STARTS - timedelta(seconds=1), STARTS, ENDS - timedelta(seconds=1), ENDS, SETTLED - timedelta(seconds=20))
    status = []
    for at in moments:
        hands.turn(at)
        status.append(demand_response.event_facts(event_id).status.value)
    assert status == ["upcoming", "active", "active", "completed", "completed"]
    assert not Settlement.objects.filter(event_id=event_id).exists()

    assert "settle" in hands.turn(SETTLED)
    assert _amounts(event_id) == [("credit", 125_000_000)]
    assert hands.turn(SETTLED + timedelta(minutes=2)) == ["correct"]  # the log had grown: a look that finds nothing to correct
    assert hands.turn(SETTLED + timedelta(minutes=4)) == []

    record(world.meters["ana"], DAY, DAY, _load([125, 125, 125, 225]))
    assert "correct" in hands.turn(SETTLED + timedelta(minutes=6))
    assert _amounts(event_id) == [("credit", 125_000_000), ("correction", -25_000_000)]
    assert hands.turn(SETTLED + timedelta(minutes=8)) == ["correct"]
    assert hands.turn(SETTLED + timedelta(minutes=10)) == []
    assert len(_amounts(event_id)) == 2


def _amounts(event_id: int) -> list[tuple[str, int]]:
    """What stands on the statements of an event, without the entries of nothing."""
    rows = StatementEntry.objects.filter(settlement__event_id=event_id).exclude(amount_nanos=0).order_by("pk")
    return [(str(kind), amount) for kind, amount in rows.values_list("kind", "amount_nanos")]


@pytest.mark.django_db(transaction=True)
def test_mail_leaves_within_seconds_and_by_the_real_clock() -> None:
    """A message written in the install's far future is mailed now: mail lives by the machine's own time."""
    person = User.objects.create_user("ana@example.org", created_at=NOW)
    tell(user_ids=[person.pk], cause="c", subject="News", body="b", address="", now=NOW + timedelta(days=3000))
    hands = Hands(NOW + timedelta(days=3000))
    assert "send-mail" in hands.turn(NOW + timedelta(days=3000))
    assert [one.subject for one in mail.outbox] == ["News"]
    assert "send-mail" not in hands.turn(NOW + timedelta(days=3000, seconds=10))


@pytest.mark.django_db(transaction=True)
def test_the_daily_cleaning_removes_what_has_ended_and_nothing_else() -> None:
    """A one-time link that ended a week ago and a job of two months ago are gone the next day; a link that still works stays."""
    create_operator(email="otto@example.org", name="Otto", role="administrator", now=NOW - timedelta(days=8))
    _person, token = create_operator(email="pia@example.org", name="Pia", role="member", now=NOW - timedelta(days=1))
    assert token is not None
    old = enqueue(kind="clean", arguments={}, run_at=NOW - timedelta(days=60), now=NOW - timedelta(days=60))
    Job.objects.filter(public_id=old).update(state="done", finished_at=NOW - timedelta(days=60))
    Hands(NOW).turn(NOW)
    outcome = Job.objects.get(kind="clean").outcome
    assert (outcome["links"], outcome["jobs"], outcome["lake_files"]) == (1, 1, 0)
    assert link_works(token=token, now=NOW)
