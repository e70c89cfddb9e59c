"""The queue holds what was asked for, once, and shows it to operators alone."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction

from commonwatt.accounts.access import ANONYMOUS, NotFound, Viewer
from commonwatt.jobs import actions, leases, queries
from commonwatt.jobs.access import access_job
from commonwatt.jobs.models import Job
from commonwatt.jobs.registry import JobContext, Registry

NOW = datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
LEASE = timedelta(seconds=30)
OTTO = Viewer(user_id=1, name="Otto", email="otto@example.org", is_operator=True)
ANA = Viewer(user_id=2, name="Ana", email="ana@example.org", member_of=frozenset({1}))

registry = Registry()


@registry.job("add", retry_after=(timedelta(0),))
def add(context: JobContext) -> Mapping[str, Any]:
    return {"sum": sum(context.arguments["numbers"])}


def put(*, key: str | None = None, run_at: datetime = NOW, kind: str = "add") -> str:
    return actions.enqueue(kind=kind, arguments={"numbers": [1, 2]}, run_at=run_at, key=key, now=NOW)


@pytest.mark.django_db
def test_the_same_key_is_in_the_queue_once_until_its_job_is_finished() -> None:
    """Asking twice to seal one month adds one job; after it is done, asking again adds another."""
    first = put(key="seal:2026-02")
    assert put(key="seal:2026-02") == first
    lease = leases.take(kinds=registry, length=LEASE, now=NOW)
    assert lease is not None
    assert put(key="seal:2026-02") == first
    assert leases.complete(lease, outcome={"sum": 3}, done=2, total=2, now=NOW) is True
    second = put(key="seal:2026-02")
    assert second != first
    assert [(job.public_id, job.state, job.outcome) for job in queries.job_page().items] == [
        (second, "waiting", {}),
        (first, "done", {"sum": 3}),
    ]


@pytest.mark.django_db(transaction=True)
def test_many_who_ask_at_once_add_one_job() -> None:
    """Eight processes that ask for the same thing in the same moment get one job, and all of them its id."""
    ids: list[str] = []
    ready = threading.Barrier(8)

    def ask() -> None:
        try:
            ready.wait()
            ids.append(put(key="seal:2026-02"))
        finally:
            connection.close()

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ids == [Job.objects.get().public_id] * 8


@pytest.mark.django_db
def test_a_job_waits_for_its_time_and_the_most_overdue_goes_first() -> None:
    """A job is taken from its time on, not before; of several, the one that has waited longest."""
    late, early = put(run_at=NOW + timedelta(minutes=10)), put(run_at=NOW + timedelta(minutes=5))
    assert leases.take(kinds=registry, length=LEASE, now=NOW + timedelta(minutes=4, seconds=59)) is None
    taken = [leases.take(kinds=registry, length=LEASE, now=NOW + timedelta(hours=1)) for _ in range(3)]
    assert [lease and lease.public_id for lease in taken] == [early, late, None]


@pytest.mark.django_db
def test_a_worker_leaves_kinds_it_does_not_know() -> None:
    """While an older worker still runs after an upgrade, jobs of a new kind wait for a newer one."""
    put(kind="from-the-future")
    assert leases.take(kinds=registry, length=LEASE, now=NOW) is None
    assert queries.queue_state(now=NOW + timedelta(minutes=3)) == queries.QueueState(1, timedelta(minutes=3), 0, 0)


@pytest.mark.django_db
def test_who_lost_the_lease_can_change_nothing() -> None:
    """When a second worker has taken a job over, the first can neither finish, fail, return nor prolong it."""
    put()
    first = leases.take(kinds=registry, length=timedelta(seconds=-1), now=NOW)
    second = leases.take(kinds=registry, length=LEASE, now=NOW)
    assert first is not None
    assert second is not None
    assert (first.attempt, second.attempt) == (1, 2)
    assert leases.complete(first, outcome={"sum": 0}, done=9, total=9, now=NOW) is False
    assert leases.fail(first, error="late", now=NOW) is False
    assert leases.retry_later(first, error="late", wait=LEASE) is False
    assert leases.hand_back(first) is False
    assert leases.renew(first, length=LEASE, done=1, total=2) is False
    assert leases.renew(second, length=LEASE, done=1, total=2) is True
    job = queries.job_page().items[0]
    assert (job.state, job.progress_done, job.progress_total, job.error) == ("running", 1, 2, "")


@pytest.mark.django_db
def test_a_job_that_kills_every_worker_is_given_up() -> None:
    """A job whose worker died in each of its attempts is failed, and says so, instead of killing workers for ever."""
    public_id = put()
    for _ in range(2):
        assert leases.take(kinds=registry, length=timedelta(seconds=-1), now=NOW) is not None
    assert leases.take(kinds=registry, length=LEASE, now=NOW) is None
    job = access_job(OTTO, public_id, now=NOW)
    assert (job.state, job.finished_at, job.attempts) == ("failed", NOW, 2)
    assert job.error.startswith("The worker died in each of 2 attempts; the last lease ran out at 20")


@pytest.mark.django_db
def test_a_failed_attempt_waits_before_the_next() -> None:
    """After a failure a job is not tried again at once; handed back at a shutdown, it is, and that attempt does not count."""
    put()
    lease = leases.take(kinds=registry, length=LEASE, now=NOW)
    assert lease is not None
    assert leases.retry_later(lease, error="OSError: disk full", wait=timedelta(hours=1)) is True
    assert leases.take(kinds=registry, length=LEASE, now=NOW + timedelta(days=1)) is None
    Job.objects.update(lease_until=None)
    lease = leases.take(kinds=registry, length=LEASE, now=NOW)
    assert lease is not None
    assert lease.attempt == 2
    assert leases.hand_back(lease) is True
    again = leases.take(kinds=registry, length=LEASE, now=NOW)
    assert again is not None
    assert again.attempt == 2


@pytest.mark.django_db
def test_only_operators_see_and_cancel_jobs() -> None:
    """For Ana and for visitors there are no jobs; Otto sees one, and cancels it, waiting or running, once."""
    waiting, running = put(), put(run_at=NOW - timedelta(hours=1))
    lease = leases.take(kinds=registry, length=LEASE, now=NOW)
    assert lease is not None
    for stranger in (ANA, ANONYMOUS):
        with pytest.raises(NotFound):
            access_job(stranger, waiting, now=NOW)
        with pytest.raises(NotFound):
            actions.cancel(actor=stranger, public_id=waiting, now=NOW)
    assert access_job(OTTO, waiting, now=NOW).state == "waiting"
    assert access_job(OTTO, running, now=NOW).state == "running"
    assert [actions.cancel(actor=OTTO, public_id=one, now=NOW) for one in (waiting, running, waiting)] == [True, True, False]
    assert leases.renew(lease, length=LEASE, done=1, total=1) is False
    assert leases.take(kinds=registry, length=LEASE, now=NOW) is None
    with pytest.raises(NotFound):
        access_job(OTTO, "job_NOSUCH", now=NOW)


@pytest.mark.django_db
def test_old_jobs_are_forgotten_and_unfinished_ones_never() -> None:
    """Finished jobs go after their time; a job that still waits stays, however old."""
    put(run_at=NOW - timedelta(days=90))
    lease = leases.take(kinds=registry, length=LEASE, now=NOW)
    assert lease is not None
    leases.complete(lease, outcome={}, done=0, total=0, now=NOW)
    waiting = put(run_at=NOW - timedelta(days=90))
    assert actions.forget_finished(before=NOW) == 0
    assert actions.forget_finished(before=NOW + timedelta(seconds=1)) == 1
    assert [job.public_id for job in queries.job_page().items] == [waiting]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("values", "name"),
    [
        ({"state": "running"}, "job_running_has_a_lease"),
        ({"state": "done"}, "job_finished_has_a_time"),
        ({"finished_at": NOW}, "job_finished_has_a_time"),
        ({"state": "lost", "finished_at": NOW}, "job_state_is_known"),
    ],
)
def test_the_database_refuses_a_job_that_makes_no_sense(values: dict[str, Any], name: str) -> None:
    """A running job has a lease, a finished one a time, and no job has a state nobody knows."""
    put()
    with pytest.raises(IntegrityError, match=name), transaction.atomic():
        Job.objects.update(**values)


def test_two_functions_cannot_do_the_same_kind() -> None:
    """A kind of job is done by one function."""
    with pytest.raises(ValueError, match="two functions want to do 'add' jobs"):
        registry.job("add")(add)
