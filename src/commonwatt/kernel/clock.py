"""Where the time comes from: the wall clock, or a labelled time-lapse. Read in faces and commands, passed down as `now`."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Anything that tells the time."""

    def now(self) -> datetime:
        """The present instant, aware and in UTC."""
        ...


class WallClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The present instant, aware and in UTC."""
        return datetime.now(UTC)
