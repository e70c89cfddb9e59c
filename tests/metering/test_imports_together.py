"""An import beside everything else: live readings, other imports, readers; whatever happens on the way, it is whole or not at all."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.metering.builders import NOW, R, at, kept_rollups, make_meter, naive_rollups, record, stored
from tests.metering.csv_imports import everything_is_bulk, quarters

from commonwatt.metering import imports, store
from commonwatt.metering.import_folder import imports_dir
from commonwatt.metering.imports import ImportProgress, ImportReport, Stage, import_csv
from commonwatt.metering.models import IngestBatch, Reading, SealedFile
from commonwatt.wire.csv_options import CsvOptions

pytestmark = pytest.mark.django_db


def import_while(path: Path, happens: Callable[[], None], *, at_stage: Stage = Stage.STORING, times: int = 1) -> ImportReport:
    """Import a file, with something happening just as it comes to a stage (or all the times it does)."""
    left = [times]

    def meanwhile(progress: ImportProgress) -> None:
        if progress.stage is at_stage and left[0]:
            left[0] -= 1
            happens()

    return import_csv(path=path, options=CsvOptions(), actor_id=None, now=NOW, progress=meanwhile)


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of a hundred quarter hours, which goes to a sealed month."""
    everything_is_bulk(monkeypatch)
    path = tmp_path / "file.csv"
    path.write_text(quarters("E1", list(range(100))))
    return path


def test_readings_that_arrive_while_the_file_is_prepared_are_neither_lost_nor_doubled(path: Path) -> None:
    """A live reading of the same month, repeating a row, contradicting one, and beyond the file: the import takes notice of all three."""
    channel = make_meter("E1").channels[0].id
    start = at("2026-09-01T00:00")
    live = [R(channel, start, 0), R(channel, start + 900, 77), R(channel, start + 900 * 200, 5)]
    report = import_while(path, lambda: check_recorded(live))
    assert (report.accepted, report.repeated, report.revised) == (98, 1, 1)
    expected = [R(channel, start + 900 * n, n) for n in range(100)] + [live[2]]
    assert stored([channel]) == expected
    assert kept_rollups() == naive_rollups(expected, {channel: "Europe/Brussels"})
    assert (Reading.objects.count(), SealedFile.objects.filter(superseded_at__isnull=True).get().rows) == (0, 102)
    newest = IngestBatch.objects.order_by("-sequence").first()
    assert newest is not None
    assert newest.sequence == report.sequence


def check_recorded(readings: list[R]) -> None:
    """Deliver live readings."""
    assert record(readings).accepted == len(readings)


def test_a_month_sealed_while_the_file_is_prepared_is_prepared_again(path: Path) -> None:
    """The sealer and an import work on the same month: the second to come starts from what the first made."""
    meter = make_meter("E1")
    channel = meter.channels[0].id
    record([R(channel, at("2026-09-02T12:00"), 9)])

    def seal() -> None:
        assert store.seal(month=NOW.date().replace(month=9, day=1), bucket=meter.id // 1000, now=NOW) == 1

    assert import_while(path, seal).accepted == 100
    assert len(stored([channel])) == 101
    assert SealedFile.objects.filter(superseded_at__isnull=True).get().rows == 101


def test_a_sequence_that_was_overtaken_is_taken_anew(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Should more deliveries come in than the import leapt ahead, it writes its files again: sequences still follow commits."""
    monkeypatch.setattr(imports, "LEAP", 1)
    make_meter("E1")
    other = make_meter("E2").channels[0].id
    reports = []
    report = import_while(path, lambda: reports.append(record([R(other, at("2026-09-05T00:00"), 1)])))
    assert (report.accepted, report.refused_count) == (100, 0)
    assert report.sequence > reports[0].sequence
    with pytest.raises(imports.SequenceOvertaken):
        import_while(path_with(path, 7), lambda: reports.append(record([R(other, at("2026-09-06T00:00"), len(reports))])), times=99)
    assert stored([other], as_of=report.sequence) == [R(other, at("2026-09-05T00:00"), 1)]


def path_with(path: Path, amount: int) -> Path:
    """The same hundred quarters with another amount."""
    path.write_text(quarters("E1", [amount] * 100))
    return path


def test_readers_see_nothing_of_an_import_before_it_is_whole(path: Path) -> None:
    """At every step before the end the meter has what it had; then it has everything."""
    channel = make_meter("E1").channels[0].id
    seen: list[int] = []
    import_csv(path=path, options=CsvOptions(), actor_id=None, now=NOW, progress=lambda _: seen.append(len(stored([channel]))))
    assert set(seen) == {0}
    assert len(stored([channel])) == 100


def test_a_second_import_waits_for_the_first(path: Path) -> None:
    """While another import holds the lock this one says that it waits, and goes on when it may."""
    make_meter("E1")
    imports_dir().mkdir(parents=True, exist_ok=True)
    held = os.open(imports_dir() / "lock", os.O_RDWR | os.O_CREAT)
    fcntl.flock(held, fcntl.LOCK_EX)
    report = import_while(path, lambda: os.close(held), at_stage=Stage.WAITING)
    assert report.accepted == 100


def test_what_a_killed_import_left_is_cleared_away(path: Path) -> None:
    """Half-read rows of an import that died are gone with the next one."""
    make_meter("E1")
    (imports_dir() / "work-dead").mkdir(parents=True)
    (imports_dir() / "work-dead" / "0-0.rows").write_bytes(b"half")
    import_while(path, lambda: None)
    assert [left.name for left in imports_dir().glob("work-*")] == []
