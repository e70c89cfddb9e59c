"""An import is killed at any moment: it has happened whole or not at all, and run again it is right."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tests.metering.builders import NOW, at, kept_rollups, make_meter, naive_rollups, stored
from tests.metering.csv_imports import START, quarters
from tests.metering.test_crash import wait_for_quiet

from commonwatt.metering import lake
from commonwatt.metering.imports import import_csv
from commonwatt.metering.models import IngestBatch, SealedFile
from commonwatt.wire.csv_options import CsvOptions

PROGRAM = Path(__file__).with_name("crash_import_program.py")
DAYS = 79  # two months that are closed by now, and eighteen days of one that is not


@pytest.mark.soak
@pytest.mark.django_db(transaction=True)
def test_a_killed_import_is_whole_or_not_there(child_environment: dict[str, str], rounds: int, tmp_path: Path) -> None:
    """Again and again the power goes during an import, each time of another version of the file; no state in between is ever seen."""
    channel = make_meter("E1").channels[0].id
    held: dict[int, int] = {}
    usual_s, happened = 60.0, 0
    for number in range(rounds):
        path = tmp_path / f"version-{number}.csv"
        version = [(place * 7 + number * (place % 3)) % 997 for place in range(96 * DAYS)]
        path.write_text(quarters("E1", list(version)))
        after = held | {at(f"{START:%Y-%m-%dT%H:%M}") + 900 * place: amount for place, amount in enumerate(version)}
        # The first version is left alone, to see how long an import takes; the others die anywhere within that.
        seconds = usual_s if number == 0 else random.uniform(0.0, usual_s * 1.1)
        try:
            took = killed_after(seconds, child_environment, path)
            usual_s = usual_s if took is None else took
            found = dict(amounts(channel))
            assert found in (held, after)
            assert took is None or found == after
            happened += found == after
            check_sums(channel)
            report = import_csv(path=path, options=CsvOptions(), actor_id=None, now=NOW)
            assert report.rows_read == len(version)
            assert report.repeated == len(version) if found == after else report.accepted + report.revised > 0
            held = dict(amounts(channel))
            assert held == after
            check_sums(channel)
        except AssertionError as error:
            error.add_note(f"round {number}: killed {seconds:.6f} s after it began")
            raise
    sequences = list(IngestBatch.objects.order_by("received_at", "sequence").values_list("sequence", flat=True))
    assert sequences == sorted(set(sequences))
    assert len(sequences) == rounds + happened


def killed_after(seconds: float, environment: dict[str, str], path: Path) -> float | None:
    """Let the import run so long, then kill it; the seconds it took if it was faster than that."""
    command = [sys.executable, str(PROGRAM), str(path)]
    with subprocess.Popen(
        command, env={**environment, "PYTHONPATH": str(PROGRAM.parents[2])}, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        begin = time.monotonic()
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.kill(process.pid, signal.SIGKILL)
        took = time.monotonic() - begin
        done = process.stdout.read() == "done\n"
    wait_for_quiet()
    return took if done else None


def amounts(channel: int) -> list[tuple[int, int]]:
    """What is stored: start and amount."""
    return [(reading.start_s, reading.amount) for reading in stored([channel])]


def check_sums(channel: int) -> None:
    """Daily sums are those of the readings, and every file that counts is whole on the disk."""
    found = stored([channel])
    assert kept_rollups() == naive_rollups(found, {channel: "Europe/Brussels"})
    assert len({(reading.channel_id, reading.start_s) for reading in found}) == len(found)
    for file in SealedFile.objects.filter(superseded_at__isnull=True):
        assert (lake.lake_dir() / file.path).stat().st_size == file.size_bytes
