"""The first step of an import: the rows of a file, known by channel, put aside; whatever cannot be known, refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from django.utils.translation import gettext as _

from commonwatt.metering.import_channels import Channels
from commonwatt.metering.import_refusals import UNKNOWN_CHANNEL, UNKNOWN_METER, RefusalList
from commonwatt.metering.import_spill import Spill
from commonwatt.wire.csv_layout import Layout
from commonwatt.wire.csv_options import CsvOptions
from commonwatt.wire.interval_csv import IntervalCsv, to_intervals


@dataclass(slots=True, kw_only=True, eq=False)
class FileRows:
    """A file that was read: its rows lie in `spill`, its refusals so far in `refused`."""

    spill: Spill
    channels: Channels
    refused: RefusalList
    rows_read: int = 0
    bytes_read: int = 0
    notes: tuple[str, ...] = ()


def read_file(path: Path, *, options: CsvOptions, folder: Path, channels: Channels, progress: Callable[[int, int], None]) -> FileRows:
    """Read a file and put its rows aside in a folder.

    Args:
        progress: Called after each piece with the rows and bytes read so far.
    Raises:
        UnreadableCsv: If the file as a whole cannot be read.
    """
    file = FileRows(spill=Spill(folder), channels=channels, refused=RefusalList(folder))
    with path.open("rb", buffering=0) as source:
        reader = IntervalCsv(source, options)
        for batch in reader.batches():
            file.refused.add(batch.refused)
            _put_aside(batch.rows, file, reader.layout)
            file.rows_read += batch.rows_read
            file.bytes_read += batch.bytes_read
            progress(file.rows_read, file.bytes_read)
    if reader.first_foreign_line is not None:
        note = _("Line %(line)s is not UTF-8; such lines were read as Windows-1252. Declare the encoding if letters look wrong.")
        file.notes = (note % {"line": reader.first_foreign_line},)
    return file


def _put_aside(rows: pl.DataFrame, file: FileRows, layout: Layout) -> None:
    found = file.channels.join(rows)
    unknown = found.filter(pl.col("channel_id").is_null())
    if unknown.height:
        columns = layout.column_names()
        is_meter = file.channels.is_meter()
        field = pl.when(is_meter).then(pl.lit(columns.get("quantity", "line"))).otherwise(pl.lit(columns.get("meter", "line")))
        reason = pl.when(is_meter).then(pl.lit(UNKNOWN_CHANNEL)).otherwise(pl.lit(UNKNOWN_METER))
        file.refused.add(unknown.select("line", field=field, reason=reason, value="meter"))
        found = found.remove(pl.col("channel_id").is_null())
    # Where the file does not say how long an interval lasts, the meter's channel does.
    lengths = pl.when(pl.col("length_s") == 0).then("interval_s").otherwise("length_s")
    file.spill.add(to_intervals(found.with_columns(length_s=lengths), layout))
