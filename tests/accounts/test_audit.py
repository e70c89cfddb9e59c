"""The trail of what was done: whole, in order, and closed to any later change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from threading import Thread

import pytest
from django.db import DatabaseError, connection, transaction

from commonwatt.accounts import audit
from commonwatt.accounts.models import AuditEntry, AuditHead

NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


def record(action: str = "customer.renamed", **detail: audit.Detail) -> int:
    """One entry in a transaction of its own."""
    with transaction.atomic():
        return audit.record(actor=None, action=action, kind="customer", object_id="org_1", customer_id=None, detail=detail, now=NOW)


@pytest.mark.django_db
def test_each_entry_is_chained_to_the_one_before() -> None:
    """Three acts give three numbered entries, each holding the digest of the one before it."""
    assert [record("a"), record("b"), record("c")] == [1, 2, 3]
    first, second, third = AuditEntry.objects.order_by("sequence")
    assert first.previous_digest == audit.GENESIS
    assert (second.previous_digest, third.previous_digest) == (first.digest, second.digest)
    assert audit.verify() == audit.Verification(entries=3, newest_digest=third.digest, broken_at=None)


@pytest.mark.django_db
@pytest.mark.parametrize("attempt", ["update", "delete", "empty", "forget", "rewind"])
def test_the_database_refuses_to_change_the_trail(attempt: str) -> None:
    """Neither an entry nor the memory of how far the trail goes can be altered or removed, and nothing changes by trying."""
    record("a")
    record("b")
    empty = "TRUNCATE" if connection.vendor == "postgresql" else "DELETE FROM"
    tries = {
        "update": lambda: AuditEntry.objects.filter(sequence=1).update(action="other"),
        "delete": lambda: AuditEntry.objects.filter(sequence=2)._raw_delete("default"),
        "empty": lambda: connection.cursor().execute(f"{empty} accounts_auditentry"),
        "forget": lambda: AuditHead.objects.all()._raw_delete("default"),
        "rewind": lambda: AuditHead.objects.update(sequence=1),
    }
    with pytest.raises(DatabaseError, match="audit"), transaction.atomic():
        tries[attempt]()
    assert list(AuditEntry.objects.order_by("sequence").values_list("action", flat=True)) == ["a", "b"]
    assert audit.verify().broken_at is None


@pytest.mark.django_db
@pytest.mark.parametrize(("damage", "broken_at"), [("altered", 2), ("removed", 2), ("cut off", 3)])
def test_a_trail_changed_behind_the_databases_back_is_found_out(damage: str, broken_at: int) -> None:
    """Somebody who takes the triggers away and alters, removes or cuts off entries is found out, and where."""
    for action in ("a", "b", "c"):
        record(action, name="x")
    assert audit.verify().broken_at is None
    with connection.cursor() as cursor:
        on = " ON accounts_auditentry" if connection.vendor == "postgresql" else ""
        cursor.execute(f"DROP TRIGGER audit_entry_never_changes{on}")
        if connection.vendor == "sqlite":
            cursor.execute("DROP TRIGGER audit_entry_never_goes")
    if damage == "altered":
        AuditEntry.objects.filter(sequence=2).update(detail={"name": "y"})
    else:
        AuditEntry.objects.filter(sequence=2 if damage == "removed" else 3)._raw_delete("default")
    assert audit.verify().broken_at == broken_at


@pytest.mark.django_db(transaction=True)
def test_nothing_is_recorded_apart_from_what_it_tells_of() -> None:
    """An entry outside a transaction is refused, and one whose act fails disappears with it, without a gap."""
    with pytest.raises(audit.OutsideTransaction, match=r"customer\.renamed"):
        audit.record(actor=None, action="customer.renamed", kind="customer", object_id="1", customer_id=None, detail={}, now=NOW)
    record("a")
    with transaction.atomic():
        audit.record(actor=None, action="b", kind="customer", object_id="1", customer_id=None, detail={}, now=NOW)
        transaction.set_rollback(True)
    assert record("c") == 2
    assert audit.verify().entries == 2


@pytest.mark.django_db
@pytest.mark.parametrize("value", [1.5, {"a": 1}, [1], NOW])
def test_a_detail_that_could_change_its_form_is_refused(value: object) -> None:
    """Fractions and nested values, which databases write in their own way, would break the digest: they are refused."""
    with pytest.raises(TypeError, match="detail 'thing'"):
        record(thing=value)
    assert not AuditEntry.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_who_act_at_once_make_one_chain() -> None:
    """Four people acting at the same time leave forty entries in one unbroken chain."""

    def act() -> None:
        try:
            for _ in range(10):
                record()
        finally:
            connection.close()

    threads = [Thread(target=act) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    outcome = audit.verify()
    assert (outcome.entries, outcome.broken_at) == (40, None)


@pytest.mark.django_db
def test_times_keep_their_microseconds() -> None:
    """An instant with microseconds, in another offset, comes back as the same instant and the digest still fits."""
    from datetime import timezone

    local = datetime(2026, 3, 29, 3, 0, 0, 123456, tzinfo=timezone(timedelta(hours=2)))
    with transaction.atomic():
        audit.record(actor=None, action="a", kind="x", object_id="1", customer_id=None, detail={"n": 2**60, "l": ["a"]}, now=local)
    assert AuditEntry.objects.get().at == datetime(2026, 3, 29, 1, 0, 0, 123456, tzinfo=UTC)
    assert audit.verify().broken_at is None
