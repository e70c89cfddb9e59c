"""CSV files of interval energy: rows of meter, stamp and amount become readings in UTC, or a reason with the number of the line.

The documented columns are read without any option:

    meter     the number printed on the meter
    start     when the interval starts (or `end`, when it ends), ISO 8601 with an offset or Z
    kwh       its energy (or wh; or mean power as kw or w)
    end, length_s, quality, quantity        may be there

Everything else is said by `CsvOptions`. Local stamps are read on the declared zone's clock: the two passes of the repeated autumn hour
are told apart by order of occurrence for each meter and quantity (see `repeated_hour`), stamps in the missing spring hour are refused.
An interval that is labelled by its end is shifted to its start.

Bytes are read in chunks, so memory does not grow with the file; only rows in the repeated hour are held back until its end.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import polars as pl

from commonwatt.wire.csv_layout import Layout, find_layout
from commonwatt.wire.csv_lines import CHUNK_BYTES, ByteSource, CellReader, LineReader, Rejoined
from commonwatt.wire.csv_options import CsvOptions, Label
from commonwatt.wire.csv_reasons import Refused
from commonwatt.wire.csv_rows import RowReader

HEAD_BYTES = 256 << 10

ROW_SCHEMA = pl.Schema(
    {
        "line": pl.Int64,
        "meter": pl.String,
        "quantity": pl.String,
        "stamp_s": pl.Int64,
        "length_s": pl.Int64,
        "micros": pl.Int64,
        "quality": pl.Int8,
    }
)
"""Columns of `Batch.rows`. Until `to_intervals` is asked: the instant that the stamp names, whichever edge that is; 0 for a length the
file does not tell; and millionths of a Wh, or of a W where the amounts are mean power."""

REFUSED_SCHEMA = pl.Schema({"line": pl.Int64, "field": pl.String, "reason": pl.String, "value": pl.String})
"""Columns of `Batch.refused`: the field is the name of the column at fault, or "line"."""


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """Some rows of the file: those that were understood (`ROW_SCHEMA`), those that were not (`REFUSED_SCHEMA`), and how many were read.

    The last batch settles the rows of repeated hours, which were counted where they were read.
    """

    rows: pl.DataFrame
    refused: pl.DataFrame
    rows_read: int
    bytes_read: int


@dataclass(slots=True)
class IntervalCsv:
    """One file being read; `batches` may be walked once.

    Raises:
        UnreadableCsv: When made, if there is no header with the wanted columns, or it contradicts the options.
    """

    source: ByteSource
    options: CsvOptions
    layout: Layout = field(init=False)
    first_foreign_line: int | None = field(init=False, default=None)
    """The first line that was not UTF-8 and was read as Windows-1252."""

    def __post_init__(self) -> None:
        head = self.source.read(HEAD_BYTES)
        self.layout, skip = find_layout(head, self.options)
        self.source = Rejoined(head[skip:], self.source)

    def batches(self, *, chunk_bytes: int = CHUNK_BYTES) -> Iterator[Batch]:
        """The file from the line after the header to its end. Every row is given once, as row or as refusal."""
        lines = LineReader(self.source, chunk_bytes, next_line=self.layout.header_line + 1)
        cell_reader = CellReader(
            delimiter=self.layout.delimiter,
            width=self.layout.width,
            places=self.layout.places,
            header=self.layout.header,
            encoding=self.options.encoding,
        )
        row_reader = RowReader(self.options, self.layout)
        waiting: list[pl.DataFrame] = []
        for chunk in lines.chunks():
            cells, foreign_line = cell_reader.read(chunk)
            self.first_foreign_line = self.first_foreign_line or foreign_line
            table, held = row_reader.read(cells.table)
            if held.height:
                waiting.append(held)
            yield self._batch(table, cells.refused, rows_read=cells.rows_read, bytes_read=len(chunk.text))
        if waiting:
            yield self._batch(row_reader.settle(pl.concat(waiting)), [], rows_read=0, bytes_read=0)
        if lines.refused:
            yield self._batch(None, lines.refused, rows_read=len(lines.refused), bytes_read=0)

    def _batch(self, table: pl.DataFrame | None, refused: Sequence[Refused], *, rows_read: int, bytes_read: int) -> Batch:
        whole_lines = pl.DataFrame(refused, schema=REFUSED_SCHEMA, orient="row")
        if table is None:
            return Batch(pl.DataFrame(schema=ROW_SCHEMA), whole_lines, rows_read, bytes_read)
        rows = table.filter(pl.col("reason").is_null()).select(ROW_SCHEMA.names()).cast(ROW_SCHEMA)
        if rows.height == table.height and not refused:
            return Batch(rows, whole_lines, rows_read, bytes_read)
        named = pl.col("field").replace(self.layout.column_names())
        wrong = table.filter(pl.col("reason").is_not_null()).select("line", named, "reason", "value")
        return Batch(rows, pl.concat([wrong, whole_lines]).sort("line"), rows_read, bytes_read)


def to_intervals(rows: pl.DataFrame, layout: Layout) -> pl.DataFrame:
    """Starts and energies: the columns stamp_s and micros become start_s and micro_wh.

    Args:
        rows: `Batch.rows`, perhaps with more columns, with every length known.
        layout: Of the file they come from.
    Raises:
        ValueError: If a length is still 0.
    """
    if rows["length_s"].min() == 0:
        raise ValueError("intervals need their lengths: declare one, or fill in that of each meter's channel")
    start_s = pl.col("stamp_s") - pl.col("length_s") if layout.label is Label.END else pl.col("stamp_s")
    return rows.with_columns(start_s, _energy() if layout.unit.is_power else pl.col("micros")).rename(
        {"stamp_s": "start_s", "micros": "micro_wh"}
    )


def _energy() -> pl.Expr:
    """Mean power times length, in whole millionths of a Wh, half up: hours and rest apart, so that the product fits."""
    power, length_s = pl.col("micros"), pl.col("length_s")
    return power // 3600 * length_s + (power % 3600 * length_s + 1800) // 3600
