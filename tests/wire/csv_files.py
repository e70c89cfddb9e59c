"""Reading CSV text in tests: the readings as plain tuples, the refusals as (line, column, reason)."""

from __future__ import annotations

import io
from dataclasses import dataclass
from datetime import UTC, datetime

import polars as pl

from commonwatt.wire.csv_lines import CHUNK_BYTES
from commonwatt.wire.csv_options import CsvOptions
from commonwatt.wire.interval_csv import REFUSED_SCHEMA, ROW_SCHEMA, IntervalCsv, to_intervals


@dataclass(frozen=True)
class Read:
    """What became of a file."""

    table: pl.DataFrame
    refused: list[tuple[int, str, str]]
    values: list[str]
    rows_read: int
    reader: IntervalCsv

    @property
    def readings(self) -> list[tuple[int, str, str, int, float]]:
        """Line, meter, start in UTC, length in seconds, energy in Wh."""
        columns = self.table.select("line", "meter", "start_s", "length_s", "micro_wh").rows()
        return [(line, meter, utc(start), length, micro / 1e6) for line, meter, start, length, micro in columns]

    @property
    def starts(self) -> list[str]:
        """The starts in UTC, by line."""
        return [utc(start) for start in self.table["start_s"]]


def utc(seconds: int) -> str:
    """An instant as people write it."""
    return datetime.fromtimestamp(seconds, tz=UTC).strftime("%Y-%m-%dT%H:%MZ")


def read(text: str | bytes, *, chunk_bytes: int = CHUNK_BYTES, **options: object) -> Read:
    """Read a file; where it does not tell how long its intervals are, they are quarter hours."""
    content = text.encode() if isinstance(text, str) else text
    reader = IntervalCsv(io.BytesIO(content), CsvOptions(**options))  # type: ignore[arg-type]  # options as a test writes them
    batches = list(reader.batches(chunk_bytes=chunk_bytes))
    rows = pl.concat([pl.DataFrame(schema=ROW_SCHEMA), *(batch.rows for batch in batches)])
    refused = pl.concat([pl.DataFrame(schema=REFUSED_SCHEMA), *(batch.refused for batch in batches)]).sort("line", maintain_order=True)
    rows = rows.with_columns(length_s=pl.when(pl.col("length_s") == 0).then(900).otherwise("length_s")).sort("line")
    return Read(
        table=to_intervals(rows, reader.layout),
        refused=refused.select("line", "field", "reason").rows(),
        values=refused["value"].to_list(),
        rows_read=sum(batch.rows_read for batch in batches),
        reader=reader,
    )
