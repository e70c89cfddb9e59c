"""What became of a file: counts that add up, reasons, totals for comparison with the source."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from commonwatt.metering.columns import IngestReport
from commonwatt.metering.import_totals import MeterTotals


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport(IngestReport):
    """The report on one file: `rows_read` is `accepted` + `repeated` + `revised` + `refused_count`.

    Attributes:
        rows_read: Lines below the header that hold something.
        bytes_read: The size of the file.
        meters: Totals of the first channels, by meter number.
        meters_count: How many channels there are totals of.
        notes: What to know about the reading of the file, in words.
        refused_file: All refusals as CSV, where there are more than `refused` holds; the name within the folder of imports.
        meters_file: All totals as CSV, where there are more than `meters` holds; likewise.
    """

    rows_read: int = 0
    bytes_read: int = 0
    meters: tuple[MeterTotals, ...] = ()
    meters_count: int = 0
    notes: tuple[str, ...] = ()
    refused_file: str | None = None
    meters_file: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The part of the report that a batch keeps beside its counts. (Any: JSON.)"""
        # Not super(): a dataclass with slots is made anew, and the name in it would be that of the old one.
        return {
            **IngestReport.to_json(self),
            "rows_read": self.rows_read,
            "bytes_read": self.bytes_read,
            "meters": [item.to_json() for item in self.meters],
            "meters_count": self.meters_count,
            "notes": list(self.notes),
            "refused_file": self.refused_file,
            "meters_file": self.meters_file,
        }

    @classmethod
    def of(cls, report: IngestReport, kept: dict[str, Any]) -> ImportReport:
        """The report of a file again, from what its batch keeps. (Any: JSON.)"""
        return cls(
            sequence=report.sequence,
            accepted=report.accepted,
            repeated=report.repeated,
            revised=report.revised,
            refused=report.refused,
            refused_by_reason=report.refused_by_reason,
            rows_read=kept["rows_read"],
            bytes_read=kept["bytes_read"],
            meters=tuple(MeterTotals.from_json(item) for item in kept["meters"]),
            meters_count=kept["meters_count"],
            notes=tuple(kept["notes"]),
            refused_file=kept["refused_file"],
            meters_file=kept["meters_file"],
        )


def imported_file(name: str) -> Path:
    """Where a list lies that a report names."""
    from commonwatt.metering.import_folder import imports_dir

    return imports_dir() / Path(name).name
