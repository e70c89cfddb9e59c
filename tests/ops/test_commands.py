"""The command line: data on standard output, talk on standard error, 0 done, 1 failed, 2 wrong usage."""

from __future__ import annotations

import json
import logging
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import structlog
from click.testing import CliRunner
from django.test import Client

from commonwatt import __version__
from commonwatt.accounts.models import AuditEntry, User
from commonwatt.metering.models import Meter, Reading, SealedFile
from commonwatt.ops.cli import main

Call = Callable[..., "Done"]
CSV = "meter,start,kwh\nE1,2026-03-01T00:00Z,0.5\nE1,2026-03-01T00:15Z,0.25\nE1,soon,1\n"


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    returncode: int
    stdout: str
    stderr: str


def run(environment: dict[str, str], *arguments: str) -> Done:
    """Run a command as a person would, in a process of its own without a terminal."""
    command = [sys.executable, "-m", "commonwatt", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
    return Done(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def call(transactional_db: None) -> Iterator[Call]:
    """Run a command on the test's own database, in this process: the same code, without the second that a start takes."""

    def called(*arguments: str) -> Done:
        result = CliRunner().invoke(main, arguments, catch_exceptions=False)
        return Done(result.exit_code, result.stdout, result.stderr)

    yield called
    logging.getLogger().handlers.clear()
    structlog.reset_defaults()


def last(done: Done) -> str:
    """The last line of talk, without its duration."""
    return re.sub(r", [0-9.]+ s$", "", done.stderr.splitlines()[-1])


def bare(tmp_path: Path) -> dict[str, str]:
    """The environment of an install of its own, for commands that need none of the test's."""
    return {"PATH": "/usr/bin:/bin", "COMMONWATT_DATA_DIR": str(tmp_path / "data")}


def test_help_and_version_need_no_install(tmp_path: Path) -> None:
    """Help and version come without a database and leave no folder behind."""
    done = run(bare(tmp_path), "--version")
    assert (done.returncode, done.stdout) == (0, f"commonwatt, version {__version__}\n")
    done = run(bare(tmp_path), "--help")
    assert done.returncode == 0
    assert "import-readings" in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["serve", "worker", "migrate", "seal"])
def test_a_bad_setting_stops_every_command_with_one_line(tmp_path: Path, command: str) -> None:
    """A bad value is told in one line with its variable, and the exit code says that the usage was wrong."""
    done = run({**bare(tmp_path), "COMMONWATT_TIME_ZONE": "Mars/Olympus"}, command)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "Error: COMMONWATT_TIME_ZONE is 'Mars/Olympus', but it takes a zone such as Europe/Brussels.\n"


def test_a_database_that_does_not_answer_is_told_without_a_traceback(tmp_path: Path) -> None:
    """When the database cannot be reached, the command says so and exits with 1."""
    done = run({**bare(tmp_path), "COMMONWATT_DATABASE_URL": f"sqlite:///{tmp_path}/no/such/folder/db"}, "seal")
    assert (done.returncode, done.stderr) == (1, "Error: The database does not answer: unable to open database file\n")


def test_an_install_without_tables_is_told_what_to_run(tmp_path: Path) -> None:
    """Before the first migration every command names the one to run; afterwards it works, and migrating again changes nothing."""
    here = bare(tmp_path)
    done = run(here, "serve")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: The database lacks ")
    assert done.stderr.endswith(" migrations of this version. Run: commonwatt migrate\n")
    planned = run(here, "migrate", "--dry-run")
    applied = run(here, "migrate")
    assert (planned.returncode, applied.returncode) == (0, 0)
    assert planned.stdout == applied.stdout
    assert "outbox.0001_initial" in applied.stdout.splitlines()
    again = run(here, "migrate")
    assert (again.stdout, last(again)) == ("", "migrate: 0 migrations applied")
    assert run(here, "lake", "files").stderr == "lake files: 0 files, 0 rows, 0 bytes\n"


def test_every_model_has_its_migrations(tmp_path: Path) -> None:
    """`migrate --check`, which `make check` runs, needs no database and finds nothing missing."""
    done = run(bare(tmp_path), "migrate", "--check")
    assert (done.returncode, done.stderr) == (0, "migrate: every model has its migrations\n")


@pytest.mark.django_db(transaction=True)
def test_the_first_operator_signs_in_by_a_one_time_address(call: Call, client: Client) -> None:
    """`create-operator` prints an address that opens once; asked again it says how to get another; a wrong address is refused."""
    done = call("create-operator", "--email", "Otto@example.org", "--name", "Otto")
    assert done.returncode == 0
    assert last(done) == "create-operator: Otto may open this address once, within 7 days"
    address = done.stdout.strip()
    assert address.startswith("http://127.0.0.1:8000/sign-in-link/")
    assert client.get(address.removeprefix("http://127.0.0.1:8000")).status_code == 200

    again = call("create-operator", "--email", "otto@example.org")
    assert (again.returncode, again.stdout) == (1, "")
    assert "commonwatt create-sign-in-link --email otto@example.org" in again.stderr
    link = call("create-sign-in-link", "--email", "otto@example.org")
    assert link.returncode == 0
    assert link.stdout.strip() != address
    assert client.get(link.stdout.strip().removeprefix("http://127.0.0.1:8000")).status_code == 200

    assert call("create-sign-in-link", "--email", "ana@example.org").returncode == 1
    assert call("create-operator", "--email", "not an address").returncode == 2
    assert User.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_readings_are_imported_sealed_and_listed(call: Call, tmp_path: Path) -> None:
    """A file comes in once with its bad line named; a closed month is sealed and its file listed; a second time changes nothing."""
    path = tmp_path / "readings.csv"
    path.write_text(CSV)
    done = call("import-readings", str(path), "--create-meters", "--interval-s", "900")
    assert done.returncode == 0
    assert [line.split("\t")[:2] for line in done.stdout.splitlines()] == [["4", "bad_time"]]
    assert last(done) == "import-readings: 3 rows read, 2 accepted, 0 repeated, 0 revised, 1 refused"
    again = call("import-readings", str(path), "--json")
    told = json.loads(again.stdout)
    assert (told["accepted"], told["repeated"], told["refused_by_reason"]) == (0, 2, {"bad_time": 1})

    opened = Reading.objects.count()
    planned = call("seal", "--dry-run")
    bucket = Meter.objects.get().pk // 1000  # ids go on from test to test
    assert planned.stdout == (f"2026-03\t{bucket}\n" if opened else "")
    assert Reading.objects.count() == opened
    assert call("seal").returncode == 0
    assert Reading.objects.count() == 0
    listed = call("lake", "files")
    assert listed.returncode == 0
    file = SealedFile.objects.get()
    assert listed.stdout == f"{os.environ['COMMONWATT_DATA_DIR']}/lake/{file.path}\n"
    assert Path(listed.stdout.strip()).stat().st_size == file.size_bytes
    facts = json.loads(call("lake", "files", "--json").stdout)
    assert (facts["month"], facts["bucket"], facts["rows"]) == ("2026-03", bucket, 2)


@pytest.mark.django_db(transaction=True)
def test_an_import_that_cannot_be_read_says_what_to_change(call: Call, tmp_path: Path) -> None:
    """Options that contradict each other are wrong usage; a file that is no table of readings has failed; nothing is stored."""
    path = tmp_path / "readings.csv"
    path.write_text("a,b\n1,2\n")
    done = call("import-readings", str(path))
    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: {path}: ")
    path.write_text(CSV)
    for arguments, text in [
        (["--zone", "Nowhere"], "--zone: 'Nowhere' is not a time zone"),
        (["--column", "colour=x"], "the fields are meter, start, start_time, end, end_time, amount, length_s, quality, quantity"),
        (["--column", "meter"], "'meter' is not NAME=VALUE"),
        (["--create-meters"], "Give --interval-s"),
    ]:
        done = call("import-readings", str(path), *arguments)
        assert done.returncode == 2, done.stderr
        assert text in done.stderr
    done = call("import-readings", str(path))
    assert done.returncode == 1  # no such meter: every line was refused
    assert done.stderr.splitlines()[-1].startswith("Error: Every line was refused.")
    assert call("import-readings", str(tmp_path / "none.csv")).returncode == 2


@pytest.mark.django_db(transaction=True)
def test_settle_and_verify_have_nothing_to_say_of_an_empty_install(call: Call) -> None:
    """With nothing to settle, settling and verifying say so; an event that does not exist is an error."""
    assert last(call("settle")) == "settle: 0 events, 0 statement entries, 0 meters without pay"
    assert last(call("settle", "--dry-run")) == "settle: 0 events due, nothing changed"
    assert last(call("settle", "--verify")) == "settle: 0 events, 0 settlements, 0 lines, 0 differences"
    missing = call("settle", "--event", "evt_NOSUCH")
    assert (missing.returncode, missing.stderr) == (1, "Error: There is no event 'evt_NOSUCH'.\n")
    assert call("settle", "--verify", "--dry-run").returncode == 2


@pytest.mark.django_db(transaction=True)
def test_a_trail_that_was_tampered_with_fails_its_check(call: Call) -> None:
    """`audit verify` walks the trail and counts it; after an entry was altered behind its back, it names the place."""
    for name in ("otto", "pia"):
        assert call("create-operator", "--email", f"{name}@example.org").returncode == 0
    whole = call("audit", "verify")
    assert whole.returncode == 0
    assert last(whole) == f"audit verify: {AuditEntry.objects.count()} entries, whole"
    assert len(whole.stdout.strip()) == 64
    first = AuditEntry.objects.order_by("sequence").values_list("sequence", flat=True)[0]
    _tamper(first)
    broken = call("audit", "verify")
    assert (broken.returncode, broken.stdout) == (1, "")
    assert broken.stderr.startswith(f"Error: The audit trail is broken at entry {first}")


def _tamper(sequence: int) -> None:
    """Alter an entry as somebody with the database's password could: without its guard."""
    from django.db import connection

    table = AuditEntry._meta.db_table
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
            cursor.execute(f"UPDATE {table} SET action = 'x' WHERE sequence = %s", [sequence])
            cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
            return
        cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = %s", [table])
        triggers = cursor.fetchall()
        for name, _sql in triggers:
            cursor.execute(f'DROP TRIGGER "{name}"')
        cursor.execute(f"UPDATE {table} SET action = 'x' WHERE sequence = %s", [sequence])
        for _name, sql in triggers:
            cursor.execute(sql)
