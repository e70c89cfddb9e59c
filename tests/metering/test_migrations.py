"""What migrations promise beyond Django's own models."""

from __future__ import annotations

import pytest
from django.core.management import call_command
from django.db import connection
from tests.metering.builders import R, at, kept_rollups, make_meter, record, stored

from commonwatt.metering.models import Reading


@pytest.mark.django_db(transaction=True)
def test_readings_survive_going_back_and_forth() -> None:
    """Undoing and redoing the room's last migrations keeps every reading, every day's sum and the rule of one holder."""
    channel = make_meter("E1").channels[0].id
    readings = [R(channel, at("2026-11-10T00:00") + 900 * step, step) for step in range(50)]
    record(readings)
    days = kept_rollups()
    try:
        call_command("migrate", "metering", "0001", verbosity=0)
        assert Reading.objects.count() == 50
    finally:
        call_command("migrate", verbosity=0)  # of every room: going back undid those that build on this one
    assert stored([channel]) == readings
    assert kept_rollups() == days


@pytest.mark.django_db
def test_rows_lie_in_the_order_of_their_key_on_sqlite() -> None:
    """Readings of one channel lie together, so that a month of one home is read at once."""
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT name FROM sqlite_master WHERE sql LIKE '%%WITHOUT ROWID' ORDER BY name", [])
        assert [row[0] for row in cursor.fetchall()] == ["metering_dailyrollup", "metering_reading"]
        cursor.execute("PRAGMA foreign_key_check")
        assert cursor.fetchall() == []
        cursor.execute("SELECT count(*) FROM sqlite_master WHERE name = 'daily_rollup_by_day'")
        assert cursor.fetchone()[0] == 1
