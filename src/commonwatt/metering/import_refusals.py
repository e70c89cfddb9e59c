"""The rows of a file that were not taken: all counted, the first ones told in words, all of them listed when there are more."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl
from django.utils.translation import gettext as _

from commonwatt.metering.columns import REFUSALS_KEPT, Refusal
from commonwatt.wire import csv_reasons

UNKNOWN_METER = "unknown_meter"
UNKNOWN_CHANNEL = "unknown_channel"
SUPERSEDED = "superseded_in_file"

SCHEMA = pl.Schema({"line": pl.Int64, "field": pl.String, "reason": pl.String, "value": pl.String})
_LINES_AT_ONCE = 1_000_000
# Cells that a spreadsheet would take for a formula.
_FORMULA = r"^[=+\-@\t\r]"


@dataclass(slots=True)
class RefusalList:
    """Refusals as they are found, in any order of lines, in bounded memory: parts are put aside in a folder."""

    folder: Path
    by_reason: dict[str, int] = field(default_factory=dict)
    _first: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=SCHEMA))
    _texts: dict[int, str] = field(default_factory=dict)
    _parts: int = 0

    def add(self, refused: pl.DataFrame, *, texts: Mapping[int, str] | None = None) -> None:
        """Add rows (columns of SCHEMA); `texts` has the words for lines whose reason and value do not say enough."""
        if not refused.height:
            return
        refused = refused.select(SCHEMA.names()).cast(SCHEMA)
        for reason, count in refused["reason"].value_counts().rows():
            self.by_reason[reason] = self.by_reason.get(reason, 0) + count
        self._first = pl.concat([self._first, refused]).sort("line").head(REFUSALS_KEPT)
        kept = self._first["line"].to_list()
        spoken = {**self._texts, **(texts or {})}
        self._texts = {line: spoken[line] for line in kept if line in spoken}
        refused.write_ipc(self.folder / f"refused-{self._parts}.arrow")
        self._parts += 1

    def count(self) -> int:
        """How many there are."""
        return sum(self.by_reason.values())

    def mark(self) -> RefusalList:
        """A list that stands where this one stands, to be added to instead of it."""
        return RefusalList(self.folder, dict(self.by_reason), self._first, dict(self._texts), self._parts)

    def in_words(self) -> tuple[Refusal, ...]:
        """The first lines, each with its reason in words."""
        return tuple(
            Refusal(line=line, reason=reason, text=self._texts.get(line) or in_words(column, reason, value))
            for line, column, reason, value in self._first.rows()
        )

    def write_all(self, path: Path) -> None:
        """Every refusal by line, as CSV: line, column, reason, value."""
        parts = pl.scan_ipc([self.folder / f"refused-{part}.arrow" for part in range(self._parts)])
        last_line = parts.select(pl.col("line").max()).collect().item()
        with path.open("wb") as file:
            file.write(b"line,column,reason,value\n")
            for begin in range(0, last_line + 1, _LINES_AT_ONCE):
                lines = parts.filter(pl.col("line").is_between(begin, begin + _LINES_AT_ONCE - 1)).collect().sort("line")
                safe = pl.when(pl.col("value").str.contains(_FORMULA)).then("'" + pl.col("value")).otherwise("value")
                lines.with_columns(value=safe).write_csv(file, include_header=False)


def in_words(column: str, reason: str, value: str) -> str:
    """What is wrong with a row and what to do."""
    text = _sentence(reason).format(value=value)
    return text if column == "line" else _("Column %(column)s: %(text)s") % {"column": column, "text": text}


def _sentence(reason: str) -> str:
    if reason == UNKNOWN_METER:
        return _("There is no meter “{value}”. Create it first, or let the import create the meters it does not know.")
    if reason == UNKNOWN_CHANNEL:
        return _("Meter “{value}” does not measure this quantity. Add the channel, or correct the quantity.")
    if reason == SUPERSEDED:
        return _("A later line gives another amount for the interval from {value}; that one was taken.")
    return _(csv_reasons.Reason(reason).text)
