"""The suite's ground: a data folder per process, and SQLite or (COMMONWATT_TEST_DATABASE=postgres) PostgreSQL below it."""

from __future__ import annotations

import atexit
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import django
import pytest
from tests import services

if TYPE_CHECKING:
    from tests.cast import Cast

SETTINGS = "commonwatt.ops.django_settings"
DATA_DIR = Path(tempfile.mkdtemp(prefix="commonwatt-test-"))
atexit.register(shutil.rmtree, DATA_DIR, ignore_errors=True)

if SETTINGS in sys.modules:
    raise pytest.UsageError("The tests choose Django's settings themselves: unset DJANGO_SETTINGS_MODULE.")

# Before Django reads its settings: nothing of a test may touch a real install.
for name in [name for name in os.environ if name.startswith("COMMONWATT_") and not name.startswith("COMMONWATT_TEST_")]:
    if name != "COMMONWATT_REFERENCE_DATA" and not name.startswith("COMMONWATT_SOAK"):
        del os.environ[name]
os.environ["COMMONWATT_DATA_DIR"] = str(DATA_DIR)
if services.ON_POSTGRES:
    os.environ["COMMONWATT_DATABASE_URL"] = services.postgres_address()

# Here rather than by pytest-django's option, which would read the settings before the lines above.
os.environ["DJANGO_SETTINGS_MODULE"] = SETTINGS
django.setup()
del os.environ["DJANGO_SETTINGS_MODULE"]  # or the processes of pytest-xdist would inherit it, and read the settings too early


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:
    """Embedded tests use a file like a real install: threads and child processes can reach it, and its locks are the real ones."""
    from django.conf import settings

    if not services.ON_POSTGRES:
        settings.DATABASES["default"].setdefault("TEST", {})["NAME"] = str(DATA_DIR / "test.sqlite3")


@pytest.fixture
def cast(db: None, settings: Any) -> Iterator[Cast]:
    """Ana's household, Bram who shares it, Chloe a stranger, Otto the operator, and an organisation (see tests/cast.py).

    Pages show the time of the cast, `tests.cast.NOW`, while a test plays with it.
    """
    from tests.cast import StoppedClock, make_cast

    from commonwatt.kernel.clock import WallClock
    from commonwatt.portal.middleware import use_clock

    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # fast: nine people sign up in every test
    use_clock(StoppedClock())
    yield make_cast()
    use_clock(WallClock())


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """See tests/services.py."""
    services.sort_out(config, items)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name what was skipped."""
    services.tell_left_out(terminalreporter)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Before any fixture: is the test's service there?"""
    services.demand(item)


@pytest.fixture
def rounds() -> int:
    """How often a test marked `soak` repeats itself: 10 times in the suite, 200 in `make soak`."""
    return int(os.environ.get("COMMONWATT_SOAK_ROUNDS", "10"))


@pytest.fixture
def child_environment(transactional_db: None) -> dict[str, str]:
    """The environment with which a child process works on this test's database and data folder."""
    from django.db import connection

    name = str(connection.settings_dict["NAME"])
    address = f"sqlite:///{name}"
    if services.ON_POSTGRES:
        address = os.environ["COMMONWATT_DATABASE_URL"].rsplit("/", 1)[0] + f"/{name}"
    return {**os.environ, "COMMONWATT_DATABASE_URL": address, "DJANGO_SETTINGS_MODULE": SETTINGS}


@pytest.fixture(scope="session", autouse=True)
def flush_lifts_triggers() -> Iterator[None]:
    """Append-only tables refuse the emptying between tests as they refuse any other: their triggers are lifted for it alone."""
    from django.db import connection

    operations = type(connection.ops)
    plain = operations.execute_sql_flush

    def lifted(self: Any, sql_list: list[str]) -> None:
        before, after = _lifting_triggers(self.connection)
        plain(self, [*before, *sql_list, *after])

    operations.execute_sql_flush = lifted
    yield
    operations.execute_sql_flush = plain


def _lifting_triggers(connection: Any) -> tuple[list[str], list[str]]:
    """The statements that take away whatever would refuse to empty a table, and those that put it back."""
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
            triggers = cursor.fetchall()
            return [f'DROP TRIGGER "{name}"' for name, _ in triggers], [sql for _, sql in triggers]
        # Bit 32 of a trigger's type: it acts on TRUNCATE, with which Django empties tables here.
        cursor.execute("SELECT tgrelid::regclass::text, tgname FROM pg_trigger WHERE NOT tgisinternal AND (tgtype & 32) <> 0")
        triggers = cursor.fetchall()
    return tuple([f"ALTER TABLE {table} {verb} TRIGGER {name}" for table, name in triggers] for verb in ("DISABLE", "ENABLE"))
