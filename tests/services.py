"""What the suite can lean on beside Python: PostgreSQL, Redis, a browser; where they are, and what to do when they are not."""

from __future__ import annotations

import json
import os
import shutil
import socket
from collections.abc import Callable
from functools import cache
from urllib.parse import urlsplit

import pytest

LOCAL_POSTGRES = "postgresql://commonwatt:commonwatt@127.0.0.1:5432/commonwatt"
LOCAL_REDIS = "redis://127.0.0.1:6379/15"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ON_POSTGRES = os.environ.get("COMMONWATT_TEST_DATABASE", "sqlite") == "postgres"
EVERYTHING_REQUIRED = os.environ.get("COMMONWATT_TEST_REQUIRE") == "all"


def postgres_address() -> str:
    """The server for the tests: the one the environment names, or the usual local one."""
    return os.environ.get("COMMONWATT_TEST_POSTGRES_URL") or LOCAL_POSTGRES


def redis_address() -> str:
    """The server for the tests: the one the environment names, or the usual local one."""
    return os.environ.get("COMMONWATT_TEST_REDIS_URL") or LOCAL_REDIS


@cache
def postgres_missing() -> str:
    """Why PostgreSQL cannot be used; empty when it can."""
    try:
        import psycopg

        psycopg.connect(postgres_address(), connect_timeout=5).close()
    except ImportError:
        return "no psycopg is installed"
    except psycopg.Error as error:
        return f"no PostgreSQL at {_shown(postgres_address())} ({type(error).__name__})"
    return ""


@cache
def redis_missing() -> str:
    """Why Redis cannot be used; empty when it can."""
    parts = urlsplit(redis_address())
    try:
        socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 6379), timeout=2).close()
    except OSError:
        return f"no Redis at {_shown(redis_address())}"
    return ""


@cache
def browser_path() -> str | None:
    """The system's Chromium, if there is one."""
    return os.environ.get("COMMONWATT_TEST_BROWSER") or next((path for name in BROWSERS if (path := shutil.which(name))), None)


def browser_missing() -> str:
    """Why no browser can be used; empty when one can."""
    return "" if browser_path() else f"none of {', '.join(BROWSERS)} is installed"


def _shown(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.hostname}:{parts.port}" if parts.port else str(parts.hostname)


NEEDS: dict[str, Callable[[], str]] = {"redis": redis_missing, "browser": browser_missing}


def sort_out(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep what belongs to this run: on PostgreSQL, only what touches the database runs again; `postgres` tests run there alone."""
    kept: list[pytest.Item] = []
    left: list[pytest.Item] = []
    for item in items:
        (kept if _belongs_here(item) else left).append(item)
    config.hook.pytest_deselected(items=left)
    items[:] = kept


def demand(item: pytest.Item) -> None:
    """Skip the test by name if its service is missing; with COMMONWATT_TEST_REQUIRE=all, fail it."""
    if why := lacks(item):
        if EVERYTHING_REQUIRED:
            pytest.fail(f"COMMONWATT_TEST_REQUIRE=all, but: {why}", pytrace=False)
        pytest.skip(why)


def _belongs_here(item: pytest.Item) -> bool:
    if ON_POSTGRES:
        return "db" in getattr(item, "fixturenames", ()) or item.get_closest_marker("django_db") is not None
    return not (item.get_closest_marker("postgres") and not postgres_missing())


def lacks(item: pytest.Item) -> str:
    """Which service the test lacks, in words; empty for none."""
    if item.get_closest_marker("postgres") and not ON_POSTGRES:
        return postgres_missing()
    return next((why for name, missing in NEEDS.items() if item.get_closest_marker(name) and (why := missing())), "")


def tell_left_out(reporter: pytest.TerminalReporter) -> None:
    """Name every skipped test and why, at the end of the run; and note it for tools/run_tests.py when it asks."""
    left_out = sorted((report.nodeid, _reason(report)) for report in reporter.stats.get("skipped", []))
    if left_out:
        reporter.section("left out")
        for name, why in left_out:
            reporter.line(f"{name}: {why}")
    if path := os.environ.get("COMMONWATT_TEST_NOTES"):
        counts = {key: len(value) for key, value in reporter.stats.items() if key in {"passed", "failed", "error", "skipped"}}
        with open(path, "w") as file:  # noqa: PTH123 (one plain file)
            json.dump({"counts": counts, "left_out": left_out}, file)


def _reason(report: pytest.TestReport) -> str:
    text = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
    return text.removeprefix("Skipped: ")
