"""Which function does which kind of job, and what such a function is given."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol

RETRY_AFTER = tuple(timedelta(seconds=seconds) for seconds in (5, 30, 120, 600))


class JobStopped(Exception):
    """Raised inside a job, between two units of work, when it should stop; the job lets it pass."""


class GiveUp(Exception):
    """Raised by a job that cannot succeed however often it is tried; its text is told to the operator."""


class JobContext(Protocol):
    """What a job is given. A job may run twice, at once even: a worker believed dead may still be working."""

    @property
    def public_id(self) -> str:
        """The job's id: the same on every attempt."""
        ...

    @property
    def arguments(self) -> Mapping[str, Any]:
        """What was asked for."""
        ...

    @property
    def requested_by(self) -> int | None:
        """The person who asked, or None for the system."""
        ...

    def now(self) -> datetime:
        """The present instant of the install's clock."""
        ...

    @property
    def stop_requested(self) -> bool:
        """Whether the worker is shutting down, the job was cancelled, or another worker has it now."""
        ...

    def progress(self, done: int, total: int) -> None:
        """Say, between two units of work, how far the job has come; raises JobStopped when it should go no further."""
        ...


Run = Callable[[JobContext], Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class JobKind:
    """A kind of job: its function, and how long to wait after each failed attempt before the next. One attempt more than waits."""

    name: str
    run: Run
    retry_after: tuple[timedelta, ...] = RETRY_AFTER

    @property
    def max_attempts(self) -> int:
        """How often it is tried in all."""
        return len(self.retry_after) + 1


class Registry(dict[str, JobKind]):
    """The kinds of jobs that a worker knows, by name."""

    def job(self, name: str, *, retry_after: tuple[timedelta, ...] = RETRY_AFTER) -> Callable[[Run], Run]:
        """Register the decorated function; it returns the job's outcome, a few JSON values for the operator's page."""

        def register(run: Run) -> Run:
            if name in self:
                raise ValueError(f"two functions want to do {name!r} jobs: {self[name].run!r} and {run!r}")
            self[name] = JobKind(name, run, retry_after)
            return run

        return register
