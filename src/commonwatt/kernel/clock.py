"""Where the time comes from: the wall clock, or a labelled time-lapse. Read in faces and commands, passed down as `now`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Anything that tells the time."""

    def now(self) -> datetime:
        """The present instant, aware and in UTC."""
        ...


@dataclass(frozen=True, slots=True)
class WallClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        """The present instant, aware and in UTC."""
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class TimeLapse:
    """A clock that shows `anchor_shown` at `anchor_real` and runs `rate` times as fast; before its anchor it stands still."""

    anchor_real: datetime
    anchor_shown: datetime
    rate: float

    def __post_init__(self) -> None:
        if self.anchor_real.utcoffset() is None or self.anchor_shown.utcoffset() is None:
            raise ValueError("both anchors of a time-lapse must carry a UTC offset")
        if self.rate <= 0:
            raise ValueError(f"a time-lapse runs forward, got a rate of {self.rate}")

    def now(self) -> datetime:
        """The shown instant, aware and in UTC."""
        return self.at(datetime.now(UTC))

    def at(self, real: datetime) -> datetime:
        """What the clock shows at a real instant."""
        passed = max(real - self.anchor_real, self.anchor_real - self.anchor_real)
        return (self.anchor_shown + passed * self.rate).astimezone(UTC)
