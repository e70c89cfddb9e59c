"""Readings on their way in, as columns, and what became of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import polars as pl

Ints: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]

REFUSALS_KEPT = 200
"""A report holds so many refusals word for word; the rest are counted."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ReadingColumns:
    """Readings as equally long arrays.

    Attributes:
        channel_id: Whose reading it is.
        start_s: Start of the interval, whole seconds since 1970-01-01T00:00Z.
        length_s: Length of the interval. [s]
        amount: In the channel's unit, never negative. [Wh]
        quality: A `models.Quality` value.
        line: Where each one stood in its file, counted from 1; None where there is no file.
    """

    channel_id: Ints
    start_s: Ints
    length_s: Ints
    amount: Ints
    quality: Ints
    line: Ints | None = None

    def __post_init__(self) -> None:
        """Bring the columns to int64 and hold their lengths against one another; a fraction raises, it is never cut off."""
        for name in ("channel_id", "start_s", "length_s", "amount", "quality", "line"):
            column = getattr(self, name)
            if column is None:
                continue
            array = np.asarray(column)
            if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
                raise TypeError(f"{name} must be a flat array of whole numbers, got {array.dtype} of shape {array.shape}")
            if len(array) != len(self.channel_id):
                raise ValueError(f"{name} holds {len(array)} values beside {len(self.channel_id)} channel ids")
            object.__setattr__(self, name, array.astype(np.int64, copy=False))

    def __len__(self) -> int:
        return len(self.channel_id)

    @classmethod
    def of(cls, frame: pl.DataFrame) -> ReadingColumns:
        """The readings of a frame with columns of these names (`line` left out)."""
        return cls(**{name: frame[name].to_numpy() for name in ("channel_id", "start_s", "length_s", "amount", "quality")})

    def take(self, chosen: Ints | Flags) -> ReadingColumns:
        """The readings at these positions, or where the flags are set."""
        return ReadingColumns(
            channel_id=self.channel_id[chosen],
            start_s=self.start_s[chosen],
            length_s=self.length_s[chosen],
            amount=self.amount[chosen],
            quality=self.quality[chosen],
            line=None if self.line is None else self.line[chosen],
        )


@dataclass(frozen=True, slots=True)
class Refusal:
    """One reading that was not taken: its line where it came from a file, a stable reason code, and the reason in words."""

    line: int | None
    reason: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestReport:
    """What became of one delivery: every reading of it is counted exactly once.

    Attributes:
        sequence: The ingest sequence its new and revised readings carry.
        accepted: Readings of intervals that had none.
        repeated: Readings that say what is already stored; nothing was done.
        revised: Readings that replace another amount or quality; the old one is kept.
        refused: The first `REFUSALS_KEPT` refusals.
        refused_by_reason: How many were refused, by reason code.
    """

    sequence: int
    accepted: int = 0
    repeated: int = 0
    revised: int = 0
    refused: tuple[Refusal, ...] = ()
    refused_by_reason: Mapping[str, int] = field(default_factory=dict)

    @property
    def refused_count(self) -> int:
        """How many readings were refused."""
        return sum(self.refused_by_reason.values())

    @property
    def readings(self) -> int:
        """How many readings the delivery held."""
        return self.accepted + self.repeated + self.revised + self.refused_count

    def to_json(self) -> dict[str, Any]:
        """The part of the report that a batch keeps beside its counts. (Any: JSON.)"""
        return {
            "refused": [[refusal.line, refusal.reason, refusal.text] for refusal in self.refused],
            "refused_by_reason": dict(self.refused_by_reason),
        }


@dataclass(slots=True)
class Refusals:
    """Refusals as they are found: all counted, the first kept word for word."""

    kept: list[Refusal] = field(default_factory=list)
    by_reason: dict[str, int] = field(default_factory=dict)

    def add(self, refusal: Refusal) -> None:
        """Count one refusal, and keep it while there is room."""
        self.count(refusal.reason, 1)
        if self.has_room:
            self.kept.append(refusal)

    def count(self, reason: str, number: int) -> None:
        """Count refusals that are not kept word for word."""
        self.by_reason[reason] = self.by_reason.get(reason, 0) + number

    @property
    def has_room(self) -> bool:
        """Whether another refusal would be kept."""
        return len(self.kept) < REFUSALS_KEPT
