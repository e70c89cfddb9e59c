"""What every command shares: how it starts, how it fails, how it shows progress, how it ends."""

from __future__ import annotations

import functools
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any, Concatenate, ParamSpec, TypeVar

import click

from commonwatt.ops import install
from commonwatt.ops.settings import UNUSABLE

P = ParamSpec("P")
R = TypeVar("R")

FAILED, WRONG_USAGE = 1, 2
LINE_EVERY_S = 5.0


class Failed(click.ClickException):
    """What was asked for could not be done; the message says why and what to do. Exit code 1."""

    exit_code = FAILED


class CannotStart(click.ClickException):
    """The environment does not allow a start. Exit code 2."""

    exit_code = WRONG_USAGE


def start() -> install.Install:
    """The install, or a message for whoever typed the command."""
    from django.core.exceptions import ImproperlyConfigured

    try:
        here = install.start()
    except UNUSABLE as error:
        raise CannotStart(str(error)) from error
    except ImproperlyConfigured as error:
        if "psycopg" in str(error):
            raise CannotStart("PostgreSQL needs more packages: pip install 'commonwatt[postgres]'.") from error
        raise
    if here.settings.redis_url and find_spec("redis") is None:
        raise CannotStart("Redis needs more packages: pip install 'commonwatt[redis]'.")
    return here


def with_install(command: Callable[Concatenate[install.Install, P], R]) -> Callable[P, R]:
    """Give the command its install as first argument, and turn a database that does not answer into a message."""

    @functools.wraps(command)
    def started(*args: P.args, **kwargs: P.kwargs) -> R:
        here = start()
        from django.db import OperationalError

        try:
            return command(here, *args, **kwargs)
        except OperationalError as error:
            raise Failed(f"The database does not answer: {str(error).strip()}") from error

    return started


def with_tables(command: Callable[Concatenate[install.Install, P], R]) -> Callable[P, R]:
    """The same, for commands that need the tables of this version."""

    @functools.wraps(command)
    def checked(here: install.Install, /, *args: P.args, **kwargs: P.kwargs) -> R:
        require_tables()
        return command(here, *args, **kwargs)

    return with_install(checked)


def require_tables() -> None:
    """Raise Failed where the database lacks migrations of this version."""
    from commonwatt.ops.tables import unapplied_migrations

    missing = unapplied_migrations()
    if missing:
        count = f"{len(missing)} migration{'s' if len(missing) > 1 else ''}"
        raise Failed(f"The database lacks {count} of this version. Run: commonwatt migrate")


def tell(text: str) -> None:
    """Say something to the person at the terminal, beside the data."""
    click.echo(text, err=True)


class Timer:
    """How long a command has taken, for its last line."""

    def __init__(self) -> None:
        self._started = time.monotonic()

    def __str__(self) -> str:
        return f"{time.monotonic() - self._started:.1f} s"


@contextmanager
def progress(what: str) -> Iterator[Callable[[int, int], None]]:
    """A function to call with (done, total): a bar on a terminal, a plain line every few seconds otherwise. Total 0: not known."""
    shown = _Bar(what) if sys.stderr.isatty() else _Lines(what)
    try:
        yield shown.update
    finally:
        shown.close()


class _Lines:
    def __init__(self, what: str) -> None:
        self._what = what
        self._next = time.monotonic() + LINE_EVERY_S

    def update(self, done: int, total: int) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + LINE_EVERY_S
            tell(f"{self._what}: {done:,} of {total:,}" if total else f"{self._what}: {done:,}")

    def close(self) -> None:
        """Nothing is left open."""


class _Bar:
    def __init__(self, what: str) -> None:
        self._what = what
        self._bar: Any = None  # Any: click's bar is generic over what it iterates, and here it iterates nothing
        self._at = 0

    def update(self, done: int, total: int) -> None:
        if self._bar is None:
            self._bar = click.progressbar(length=max(total, 1), label=self._what, file=sys.stderr)
            self._bar.__enter__()
        self._bar.length = max(total, done, 1)
        self._bar.update(done - self._at)
        self._at = done

    def close(self) -> None:
        if self._bar is not None:
            self._bar.__exit__(None, None, None)


def plural(count: int, one: str, many: str | None = None) -> str:
    """A count with its noun, as in "1 event" or "1,200 events"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
