"""The change log keeps commit order, and whoever reads it misses nothing."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest
from django.db import connection, transaction

from commonwatt.outbox import actions, queries
from commonwatt.outbox.models import Cursor

NOW = datetime(2026, 3, 29, 1, 0, tzinfo=UTC)


def _append(kind: str = "event.issued", subject: str = "evt_1") -> int:
    with transaction.atomic():
        return actions.append(kind=kind, subject_kind="event", subject_id=subject, payload={"n": 1}, now=NOW)


@pytest.mark.django_db
def test_numbers_of_a_new_counter_start_at_one_and_counters_do_not_share() -> None:
    """Each counter counts 1, 2, 3 by itself, from its very first use."""
    assert [actions.next_value("a"), actions.next_value("a"), actions.next_value("b"), actions.next_value("a")] == [1, 2, 1, 3]


@pytest.mark.django_db
def test_a_number_picked_ahead_is_given_to_the_first_who_claims_it() -> None:
    """Work that carries its number beforehand gets it if nobody came further meanwhile, and is told so if somebody did."""
    assert actions.next_value("ingest") == 1
    assert actions.advance_to("ingest", 1001) is True
    assert actions.advance_to("ingest", 1001) is False
    assert actions.advance_to("ingest", 500) is False
    assert actions.next_value("ingest") == 1002
    assert actions.advance_to("new", 7) is True
    assert actions.next_value("new") == 8
    assert (queries.counter_value("ingest"), queries.counter_value("never")) == (1002, 0)


@pytest.mark.django_db(transaction=True)
def test_a_number_outside_a_transaction_is_refused() -> None:
    """A number that no transaction holds would not be in commit order, so it is refused and none is used up."""
    with pytest.raises(actions.NeedsTransaction, match="'outbox' number was asked for outside a transaction"):
        actions.append(kind="x", subject_kind="y", subject_id="z", payload={}, now=NOW)
    with pytest.raises(actions.NeedsTransaction, match="'ingest' number was asked for outside a transaction"):
        actions.advance_to("ingest", 7)
    assert queries.newest() == 0
    assert _append() == 1


@pytest.mark.django_db(transaction=True)
def test_a_change_that_is_rolled_back_leaves_no_entry_and_no_gap() -> None:
    """The log holds exactly what was committed, numbered without holes."""
    assert _append() == 1
    with transaction.atomic():
        actions.append(kind="x", subject_kind="y", subject_id="z", payload={}, now=NOW)
        transaction.set_rollback(True)
    assert _append("event.cancelled") == 2
    assert [(entry.sequence, entry.kind) for entry in queries.entries_after(0, limit=10)] == [
        (1, "event.issued"),
        (2, "event.cancelled"),
    ]


@pytest.mark.django_db
def test_entries_come_back_whole_and_in_order() -> None:
    """A deliverer gets what was logged, only what lies after its place, and no more than it asked for."""
    for number in range(5):
        _append(subject=f"evt_{number}")
    assert queries.entries_after(2, limit=2) == [
        queries.Entry(3, "event.issued", "event", "evt_2", {"n": 1}, NOW),
        queries.Entry(4, "event.issued", "event", "evt_3", {"n": 1}, NOW),
    ]
    assert queries.newest() == 5


@pytest.mark.django_db(transaction=True)
def test_a_reader_beside_many_writers_sees_every_change_once_and_in_order() -> None:
    """While eight writers commit and roll back at once, a cursor passes over every committed change, none twice, none missed."""
    writers, each = 8, 25
    seen: list[tuple[int, str]] = []
    failures: list[BaseException] = []
    running = threading.Event()
    running.set()

    def write(writer: int) -> None:
        try:
            for number in range(each):
                with transaction.atomic():
                    actions.append(kind="k", subject_kind="s", subject_id=f"{writer}:{number}", payload={}, now=NOW)
                    transaction.set_rollback(number % 5 == 4)
        except BaseException as error:  # noqa: BLE001 (shown by the test)
            failures.append(error)
        finally:
            connection.close()

    def read() -> None:
        try:
            while running.is_set() or queries.newest() > (seen[-1][0] if seen else 0):
                actions.advance("reader", lambda entry: seen.append((entry.sequence, entry.subject_id)), limit=7, now=NOW)
        except BaseException as error:  # noqa: BLE001 (shown by the test)
            failures.append(error)
        finally:
            connection.close()

    reader = threading.Thread(target=read)
    threads = [threading.Thread(target=write, args=(writer,)) for writer in range(writers)]
    for thread in (reader, *threads):
        thread.start()
    for thread in threads:
        thread.join()
    running.clear()
    reader.join()

    assert failures == []
    committed = {f"{writer}:{number}" for writer in range(writers) for number in range(each) if number % 5 != 4}
    assert [sequence for sequence, _ in seen] == list(range(1, len(committed) + 1))
    assert {subject for _, subject in seen} == committed


@pytest.mark.django_db(transaction=True)
def test_an_act_that_fails_is_done_again_and_its_writes_are_undone() -> None:
    """After a crash in the middle of an entry, that entry is acted on again, and what it had written before is gone."""
    for number in range(3):
        _append(subject=f"evt_{number}")
    told: list[str] = []

    def act(entry: queries.Entry) -> None:
        told.append(entry.subject_id)
        actions.next_value("written")
        if entry.sequence == 2 and told.count("evt_1") == 1:
            raise ConnectionError("killed here")

    with pytest.raises(ConnectionError, match="killed here"):
        actions.advance("mail", act, limit=10, now=NOW)
    assert Cursor.objects.get(name="mail").sequence == 1
    assert actions.advance("mail", act, limit=10, now=NOW) == 2
    assert told == ["evt_0", "evt_1", "evt_1", "evt_2"]
    with transaction.atomic():
        assert actions.next_value("written") == 4  # three entries, three writes
    assert actions.advance("mail", act, limit=10, now=NOW) == 0


@pytest.mark.django_db(transaction=True)
def test_two_deliverers_of_one_name_share_the_work() -> None:
    """Two processes that deliver under one name never act on the same change twice."""
    for number in range(60):
        _append(subject=f"evt_{number}")
    acted: list[str] = []

    def deliver() -> None:
        try:
            while actions.advance("mail", lambda entry: acted.append(entry.subject_id), limit=5, now=NOW):
                pass
        finally:
            connection.close()

    threads = [threading.Thread(target=deliver) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert acted == [f"evt_{number}" for number in range(60)]


@pytest.mark.django_db
def test_the_place_of_every_deliverer_can_be_read() -> None:
    """The operator sees how far each deliverer has come and how much waits for it."""
    for _ in range(4):
        _append()
    assert queries.waiting_for("mail") == 4
    actions.advance("mail", lambda _: None, limit=3, now=NOW)
    assert queries.waiting_for("mail") == 1
    actions.advance("push", lambda _: None, limit=10, now=NOW)
    assert queries.cursor_positions() == [
        queries.CursorPosition("mail", 3, 1, NOW),
        queries.CursorPosition("push", 4, 0, NOW),
    ]


@pytest.mark.django_db(transaction=True)
def test_a_killed_deliverer_acts_again_on_the_entry_it_died_in(child_environment: dict[str, str], tmp_path: Path) -> None:
    """A deliverer killed between acting and moving on acts on that change again: nothing is lost, and only that one repeats."""
    for number in range(3):
        _append(subject=f"evt_{number}")
    told = tmp_path / "told"
    program = f"""
import os, signal, django
django.setup()
from datetime import UTC, datetime
from commonwatt.outbox import actions
def act(entry):
    with open({str(told)!r}, "a") as file:
        print(entry.subject_id, file=file)
    if entry.sequence == 2:
        os.kill(os.getpid(), signal.SIGKILL)
actions.advance("push", act, limit=10, now=datetime(2026, 3, 29, 1, 0, tzinfo=UTC))
"""
    child = subprocess.run([sys.executable, "-c", program], env=child_environment, check=False)
    assert child.returncode == -signal.SIGKILL
    assert told.read_text().split() == ["evt_0", "evt_1"]
    assert Cursor.objects.get(name="push").sequence == 1
    again: list[str] = []
    assert actions.advance("push", lambda entry: again.append(entry.subject_id), limit=10, now=NOW) == 2
    assert again == ["evt_1", "evt_2"]
