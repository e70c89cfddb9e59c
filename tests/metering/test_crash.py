"""A process is killed while it records and seals: what it acknowledged is there, once, and nothing is there by half."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.db import connection
from tests.metering import crash_plan
from tests.metering.builders import NOW, clear_store, kept_rollups, make_meter, naive_rollups, stored

from commonwatt.metering import lake, store
from commonwatt.metering.models import IngestBatch, Reading, SealedFile

PROGRAM = Path(__file__).with_name("crash_program.py")


@pytest.mark.soak
@pytest.mark.django_db(transaction=True)
def test_a_killed_process_loses_and_doubles_nothing(child_environment: dict[str, str], rounds: int) -> None:
    """Again and again the power goes while readings come in and months are sealed; every acknowledged reading is there once."""
    meter = make_meter("E1")
    channel, batches = meter.channels[0].id, 0
    for number in range(rounds):
        if batches > crash_plan.MOST:
            clear_store()
            batches = 0
        seconds = random.uniform(0.0, 0.6)
        try:
            acknowledged = killed_after(seconds, child_environment, channel, meter.id, batches)
            batches = check_what_is_left(channel, acknowledged=max(batches, acknowledged))
            check_sealing_goes_on(channel, meter.id, batches)
        except AssertionError as error:
            error.add_note(f"round {number}: killed {seconds:.6f} s after it began")
            raise


def killed_after(seconds: float, environment: dict[str, str], channel: int, meter: int, first: int) -> int:
    """Let the program run so long after it is ready, kill it, and return how many batches it has acknowledged in all."""
    command = [sys.executable, str(PROGRAM), str(channel), str(meter), str(first)]
    path = {"PYTHONPATH": str(PROGRAM.parents[2])}
    with subprocess.Popen(command, env={**environment, **path}, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        time.sleep(seconds)
        os.kill(process.pid, signal.SIGKILL)
        said = [line for line in process.stdout.read().splitlines(keepends=True) if line.endswith("\n")]
    wait_for_quiet()
    return int(said[-1]) + 1 if said else 0


def wait_for_quiet() -> None:
    """PostgreSQL's side of a killed process may still be finishing its last statement."""
    if connection.vendor != "postgresql":
        return
    for _ in range(200):
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'"
            )
            if cursor.fetchone()[0] == 0:
                return
        time.sleep(0.05)
    raise AssertionError("the killed process's session did not end")


def check_what_is_left(channel: int, *, acknowledged: int) -> int:
    """All acknowledged batches are there, and at most one more, whole; returns how many there are."""
    batches = IngestBatch.objects.count()
    assert batches in (acknowledged, acknowledged + 1)
    sequences = list(IngestBatch.objects.order_by("sequence").values_list("sequence", flat=True))
    found = stored([channel])
    assert found == crash_plan.newest(channel, batches)
    if batches:
        middle = batches // 2
        assert stored([channel], as_of=sequences[middle]) == crash_plan.newest(channel, middle + 1)
    assert kept_rollups() == naive_rollups(found, {channel: "Europe/Brussels"})
    every_revision = sum(
        store.stored_month(month=month, bucket=lake.bucket_of(_meter_of(channel))).frame.unique().height for month in crash_plan.MONTHS
    )
    revisions = Reading.objects.count() + sum(file.rows for file in store.lake_files())
    assert revisions == every_revision == sum(len(crash_plan.batch(channel, number)) for number in range(batches))
    for file in SealedFile.objects.filter(superseded_at__isnull=True):
        assert (lake.lake_dir() / file.path).stat().st_size == file.size_bytes
    return batches


def check_sealing_goes_on(channel: int, meter: int, batches: int) -> None:
    """Whatever the killed process left half-written is no obstacle to the next sealing."""
    for month in crash_plan.MONTHS:
        store.seal(month=month, bucket=lake.bucket_of(meter), now=NOW)
    assert not Reading.objects.exists()
    assert stored([channel]) == crash_plan.newest(channel, batches)


def _meter_of(channel: int) -> int:
    from commonwatt.metering.models import Channel

    return Channel.objects.get(pk=channel).meter_id
