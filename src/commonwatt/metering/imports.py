"""Bringing a CSV file of interval energy in: all of it that can be taken becomes visible at once, or nothing.

1. Read (`import_reading`): rows are put aside by month and bucket of meters, refusals listed.
2. Prepare (`import_prepare`), part by part and outside any transaction: settle what each row says, compare it with what is stored, and
   write the month's next sealed file where the part is bulk.
3. Commit (`import_commit`), in one short transaction: claim the sequence, let the database name the new files, insert the few rows that
   are no bulk, bring rollups up to date, keep the report.

Killed at any moment, an import has either not happened or happened; run again, it finds its own readings to be repeats.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from commonwatt.kernel.time import require_utc
from commonwatt.metering.columns import REFUSALS_KEPT
from commonwatt.metering.facts import channel_facts
from commonwatt.metering.import_channels import Channels, NewMeters
from commonwatt.metering.import_commit import Import, SequenceOvertaken, commit
from commonwatt.metering.import_folder import imports_dir, work_folder
from commonwatt.metering.import_prepare import BulkPart, Preparation, WaitingPart
from commonwatt.metering.import_reading import FileRows, read_file
from commonwatt.metering.import_report import ImportReport
from commonwatt.metering.import_totals import METERS_KEPT, write_all
from commonwatt.metering.recording import COUNTER, Delivery
from commonwatt.outbox.queries import counter_value
from commonwatt.wire.csv_options import CsvOptions

__all__ = ["ImportProgress", "ImportReport", "NoIntervalForNewMeters", "Stage", "import_csv"]

LEAP = 1_000_000
"""How far ahead an import takes its sequence: so many deliveries may come in while it writes its files."""
_ATTEMPTS = 3
_READING_SHARE, _PREPARED_SHARE = 0.5, 0.9


class Stage(StrEnum):
    """What an import is doing."""

    WAITING = "waiting"
    READING = "reading"
    PREPARING = "preparing"
    STORING = "storing"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportProgress:
    """How far an import is; `share` runs from 0 to 1."""

    stage: Stage
    share: float
    rows_read: int
    bytes_read: int
    bytes_total: int


class NoIntervalForNewMeters(ValueError):
    """New meters were to be created, and nothing says how long their readings last."""

    def __init__(self) -> None:
        super().__init__("To create the meters that a file names, declare the length of its intervals.")


def import_csv(
    *,
    path: Path,
    options: CsvOptions,
    actor_id: int | None,
    now: datetime,
    reference: str | None = None,
    create_meters: bool = False,
    progress: Callable[[ImportProgress], None] = lambda _: None,
) -> ImportReport:
    """Store the readings of a CSV file; when this returns, they are committed. One import runs at a time; others wait.

    Args:
        path: The file.
        options: How to read it.
        actor_id: The person behind it, if any.
        now: Readings that start later, by more than the clock tolerance, are refused.
        reference: What the delivery is called in its report; None for the file's name.
        create_meters: Whether to create the meters and channels that do not exist, for operators.
        progress: Called now and then. Whatever it raises ends the import, with nothing stored.
    Raises:
        UnreadableCsv: If the file as a whole cannot be read.
        NoIntervalForNewMeters: If meters are to be created, and `options.interval_s` is not given.
    """
    if create_meters and options.interval_s is None:
        raise NoIntervalForNewMeters
    now = require_utc(now, name="now")
    delivery = Delivery(source="csv", reference=reference or path.name, idempotency_key=None, actor_id=actor_id)
    watch = _Watch(progress, bytes_total=path.stat().st_size)
    with work_folder(waiting=watch.waits) as folder:
        new_meters = NewMeters(interval_s=options.interval_s, now=now) if create_meters and options.interval_s else None
        file = read_file(path, options=options, folder=folder, channels=Channels(new_meters), progress=watch.reads)
        for _ in range(_ATTEMPTS):
            ready = _prepared(file, delivery, folder=folder, now=now, watch=watch)
            watch.stores()
            try:
                report = commit(ready)
            except SequenceOvertaken:
                continue
            _publish(folder, ready)
            return report
    raise SequenceOvertaken


@dataclass(slots=True)
class _Watch:
    """Tells the caller how far the import is."""

    tell: Callable[[ImportProgress], None]
    bytes_total: int
    rows_read: int = 0
    bytes_read: int = 0

    def waits(self) -> None:
        self._tell(Stage.WAITING, 0.0)

    def reads(self, rows_read: int, bytes_read: int) -> None:
        self.rows_read, self.bytes_read = rows_read, bytes_read
        self._tell(Stage.READING, _READING_SHARE * min(1.0, bytes_read / max(1, self.bytes_total)))

    def prepares(self, share: float) -> None:
        self._tell(Stage.PREPARING, _READING_SHARE + share * (_PREPARED_SHARE - _READING_SHARE))

    def stores(self) -> None:
        self._tell(Stage.STORING, _PREPARED_SHARE)

    def _tell(self, stage: Stage, share: float) -> None:
        self.tell(
            ImportProgress(stage=stage, share=share, rows_read=self.rows_read, bytes_read=self.bytes_read, bytes_total=self.bytes_total)
        )


def _prepared(file: FileRows, delivery: Delivery, *, folder: Path, now: datetime, watch: _Watch) -> Import:
    names = file.channels.names()
    preparation = Preparation(
        spill=file.spill,
        facts=channel_facts(names["channel_id"].to_numpy()),
        now=now,
        sequence=counter_value(COUNTER) + LEAP,
        refused=file.refused.mark(),
    )
    parts: list[BulkPart | WaitingPart] = []
    for part in preparation.parts():
        parts.append(part)
        watch.prepares(len(parts) / len(file.spill.rows_of))
    ready = Import(
        file=file,
        preparation=preparation,
        parts=parts,
        delivery=delivery,
        meters=preparation.totals.meters(names),
        refused_file=None,
        meters_file=None,
    )
    return _with_lists(ready, folder)


def _with_lists(ready: Import, folder: Path) -> Import:
    """Write the lists that are too long for the report, under names that nobody can guess; they are published after the commit."""
    token = secrets.token_urlsafe(12)
    if ready.preparation.refused.count() > REFUSALS_KEPT:
        ready = replace(ready, refused_file=f"refused-{token}.csv")
        ready.preparation.refused.write_all(folder / f"refused-{token}.csv")
    if len(ready.meters) > METERS_KEPT:
        ready = replace(ready, meters_file=f"meters-{token}.csv")
        write_all(folder / f"meters-{token}.csv", ready.meters)
    return ready


def _publish(folder: Path, ready: Import) -> None:
    for name in (ready.refused_file, ready.meters_file):
        if name is not None:
            (folder / name).rename(imports_dir() / name)
