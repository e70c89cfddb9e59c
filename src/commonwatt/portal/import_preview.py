"""What is understood of a file before it is imported: its layout, its first rows, its first refusals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from commonwatt.kernel.time import from_epoch
from commonwatt.wire.csv_options import CsvOptions, Label
from commonwatt.wire.csv_reasons import Reason, UnreadableCsv
from commonwatt.wire.interval_csv import IntervalCsv

LOOKED_AT_BYTES = 256 * 1024
ROWS_SHOWN = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """What the beginning of a file says; `problem` is why it cannot be read at all, in words."""

    problem: str = ""
    columns: tuple[tuple[str, str], ...] = ()
    names_end: bool = False
    unit: str = "Wh"
    rows: tuple[tuple[str, ...], ...] = ()
    refused: tuple[tuple[int, str], ...] = ()
    rows_seen: int = 0
    refused_seen: int = 0


def understand(path: Path, options: CsvOptions) -> Understood:
    """Read the beginning of the file as an import would."""
    try:
        with path.open("rb") as file:
            reader = IntervalCsv(_Beginning(file.read(LOOKED_AT_BYTES)), options)
            batches = list(reader.batches())
    except UnreadableCsv as error:
        return Understood(problem=str(error))
    refused = pl.concat([batch.refused for batch in batches]).sort("line")
    rows = pl.concat([batch.rows for batch in batches])
    return Understood(
        columns=tuple((field, name) for field, name in reader.layout.column_names().items()),
        names_end=reader.layout.label is Label.END,
        unit="W" if reader.layout.unit.is_power else "Wh",
        rows=tuple(_row(row) for row in rows.head(ROWS_SHOWN).iter_rows(named=True)),
        refused=tuple((row["line"], Reason(row["reason"]).text.format(value=row["value"])) for row in refused.head(ROWS_SHOWN).to_dicts()),
        rows_seen=rows.height,
        refused_seen=refused.height,
    )


class _Beginning:
    """The first bytes of a file, up to the last whole line of them."""

    def __init__(self, head: bytes) -> None:
        cut = head.rfind(b"\n") + 1 if len(head) == LOOKED_AT_BYTES else len(head)
        self._left = head[: cut or len(head)]

    def read(self, size: int) -> bytes:
        """The next bytes."""
        part, self._left = self._left[:size], self._left[size:]
        return part


def _row(row: Mapping[str, Any]) -> tuple[str, ...]:  # Any: a row of mixed columns
    length_s = row["length_s"]
    return (
        row["meter"] or "–",
        f"{from_epoch(row['stamp_s']):%Y-%m-%d %H:%M} UTC",
        f"{length_s // 60} min" if length_s else "–",
        f"{Decimal(row['micros']).scaleb(-6).normalize():f}",
    )
