"""A file of readings comes in whole: every row counted once, nothing twice, and the report says what the source can be held against."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from tests.metering.builders import NOW, R, at, kept_rollups, make_meter, make_meter_at, naive_rollups, record, stored
from tests.metering.csv_imports import bring_in, everything_is_bulk, nothing_is_bulk, quarters

from commonwatt.metering import store
from commonwatt.metering.columns import Refusal
from commonwatt.metering.import_folder import imports_dir
from commonwatt.metering.import_report import ImportReport
from commonwatt.metering.import_totals import IncompleteDay, MeterTotals
from commonwatt.metering.imports import ImportProgress, NoIntervalForNewMeters, Stage, import_csv
from commonwatt.metering.models import Channel, DailyRollup, IngestBatch, Meter, Reading, SealedFile
from commonwatt.metering.recording import report_of
from commonwatt.outbox.models import Entry
from commonwatt.wire.csv_options import Columns, CsvOptions, DecimalMark, Unit
from commonwatt.wire.csv_reasons import UnreadableCsv

pytestmark = pytest.mark.django_db


@pytest.fixture(params=["sealed", "rows"])
def either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each such test runs twice: once straight into sealed months, once into open rows."""
    {"sealed": everything_is_bulk, "rows": nothing_is_bulk}[request.param](monkeypatch)
    return str(request.param)


def outcome(report: ImportReport) -> tuple[int, int, int, dict[str, int]]:
    """Accepted, repeated, revised, and refused by reason; every row is one of them."""
    assert report.rows_read == report.accepted + report.repeated + report.revised + report.refused_count
    return report.accepted, report.repeated, report.revised, dict(report.refused_by_reason)


def test_a_file_is_stored_counted_and_reported(either_way: str, tmp_path: Path) -> None:
    """Ana's meter of one day and a bit: readings, daily sums, the log entry for those who follow, and the report are all there."""
    meter = make_meter("E1")
    report = bring_in(tmp_path, quarters("E1", list(range(100))))
    assert outcome(report) == (100, 0, 0, {})
    readings = [R(meter.channels[0].id, at("2026-09-01T00:00") + 900 * n, n) for n in range(100)]
    assert stored([meter.channels[0].id]) == readings
    assert kept_rollups() == naive_rollups(readings, {meter.channels[0].id: "Europe/Brussels"})
    assert (Reading.objects.count(), SealedFile.objects.count()) == ((100, 0) if either_way == "rows" else (0, 1))
    batch = IngestBatch.objects.get()
    assert (batch.sequence, batch.source, batch.reference, batch.accepted, batch.received_at) == (
        report.sequence,
        "csv",
        "file.csv",
        100,
        NOW,
    )
    assert ImportReport.of(report_of(batch), batch.report) == report
    entry = Entry.objects.get(kind="readings.recorded")
    assert entry.payload["meter_ids"] == [meter.id]
    assert (entry.payload["first_start_s"], entry.payload["last_start_s"]) == (readings[0].start_s, readings[-1].start_s)
    assert entry.payload["ingest_sequence"] == report.sequence == store.newest_sequence()


def test_the_same_file_again_changes_nothing(either_way: str, tmp_path: Path) -> None:
    """Bringing a file in twice leaves every reading, file and sum as it was; the second report says that all was known."""
    meter = make_meter("E1")
    text = quarters("E1", list(range(100)))
    bring_in(tmp_path, text)
    before = (stored([meter.channels[0].id]), kept_rollups(), list(SealedFile.objects.values_list("path", "superseded_at")))
    assert outcome(bring_in(tmp_path, text)) == (0, 100, 0, {})
    assert before == (stored([meter.channels[0].id]), kept_rollups(), list(SealedFile.objects.values_list("path", "superseded_at")))
    assert Entry.objects.filter(kind="readings.recorded").count() == 1


def test_corrected_values_are_revisions_and_the_old_ones_stay(either_way: str, tmp_path: Path) -> None:
    """A corrected export revises what differs, repeats what does not, adds what is new; the earlier state can still be asked for."""
    meter = make_meter("E1")
    channel = meter.channels[0].id
    first = bring_in(tmp_path, quarters("E1", [10, 20, 30]))
    second = bring_in(tmp_path, quarters("E1", [10, 21, 30, 40]))
    assert outcome(second) == (1, 2, 1, {})
    assert [reading.amount for reading in stored([channel])] == [10, 21, 30, 40]
    assert [reading.amount for reading in stored([channel], as_of=first.sequence)] == [10, 20, 30]
    assert second.sequence > first.sequence
    assert kept_rollups() == naive_rollups(stored([channel]), {channel: "Europe/Brussels"})


def test_a_change_of_quality_alone_is_a_revision(either_way: str, tmp_path: Path) -> None:
    """An estimate that turns out to be right becomes a measured reading, and the day's worst quality follows."""
    make_meter("E1")
    text = "meter,start,wh,quality\nE1,2026-09-01T00:00Z,5,{}\n"
    bring_in(tmp_path, text.format("estimated"))
    assert outcome(bring_in(tmp_path, text.format(""))) == (0, 0, 1, {})
    assert DailyRollup.objects.get().worst_quality == 0


def test_live_readings_and_files_know_each_other(either_way: str, tmp_path: Path) -> None:
    """What a meter reported itself is a repeat in the export, and the other way round; a sealing in between makes no difference."""
    meter = make_meter("E1")
    channel = meter.channels[0].id
    record([R(channel, at("2026-09-01T00:00"), 10), R(channel, at("2026-09-01T00:15"), 20)])
    assert outcome(bring_in(tmp_path, quarters("E1", [10, 99, 30]))) == (1, 1, 1, {})
    again = record([R(channel, at("2026-09-01T00:15"), 99), R(channel, at("2026-09-01T00:30"), 30)])
    assert (again.accepted, again.repeated, again.revised) == (0, 2, 0)
    store.seal(month=date(2026, 9, 1), bucket=meter.id // 1000, now=NOW)
    assert outcome(bring_in(tmp_path, quarters("E1", [10, 99, 30]))) == (0, 3, 0, {})
    assert [reading.amount for reading in stored([channel])] == [10, 99, 30]
    assert kept_rollups() == naive_rollups(stored([channel]), {channel: "Europe/Brussels"})


def test_rows_of_one_interval_in_a_file_are_settled_by_the_later_line(either_way: str, tmp_path: Path) -> None:
    """A repeated line is a repeat; of lines that differ the later one counts, and the earlier ones are reported as superseded."""
    meter = make_meter("E1")
    row = "E1,2026-09-01T00:00Z,{}\n"
    report = bring_in(tmp_path, "meter,start,wh\n" + "".join(row.format(amount) for amount in (7, 5, 7, 7)))
    assert outcome(report) == (1, 2, 0, {"superseded_in_file": 1})
    assert report.refused[0].line == 3
    assert [reading.amount for reading in stored([meter.channels[0].id])] == [7]


def test_bad_rows_are_refused_with_line_and_reason_and_never_stop_the_rest(either_way: str, tmp_path: Path) -> None:
    """Reading, meters, channels and the store's own rules: each refusal names its line and says what to do."""
    make_meter("E1", installed_on=date(2026, 9, 1))
    rows = [
        "E1,2026-09-01T00:00Z,1,import",
        "E1,2026-09-01T00:15Z,x,import",
        "E7,2026-09-01T00:15Z,1,import",
        "E1,2026-09-01T00:15Z,1,export",
        "E1,2026-09-01T00:17Z,1,import",
        "E1,2026-08-01T00:15Z,1,import",
        "E1,2026-12-24T00:15Z,1,import",
        "E1,2026-09-01T00:30Z,2,import",
        "E1,1900-01-01T00:00Z,1,import",
        "E1,9999-12-31T23:45Z,1,import",
        "E1,2199-12-31T23:45Z,1,import",
    ]
    report = bring_in(tmp_path, "meter,start,wh,quantity\n" + "\n".join(rows))
    assert outcome(report) == (
        2, 0, 0,
        {
            "bad_number": 1, "unknown_meter": 1, "unknown_channel": 1, "off_grid": 1, "before_installation": 1, "in_future": 2,
            "implausible_time": 1, "bad_time": 1,
        },
    )  # fmt: skip
    assert [(refusal.line, refusal.reason) for refusal in report.refused] == [
        (3, "bad_number"), (4, "unknown_meter"), (5, "unknown_channel"), (6, "off_grid"), (7, "before_installation"), (8, "in_future"),
        (10, "implausible_time"), (11, "bad_time"), (12, "in_future"),
    ]  # fmt: skip
    assert report.refused[0] == Refusal(
        3,
        "bad_number",
        "Column wh: “x” is not a number as declared. Check the decimal mark, and leave out thousands marks and units.",
    )
    assert report.refused[1].text == (
        "Column meter: There is no meter “E7”. Create it first, or let the import create the meters it does not know."
    )
    assert report.refused[3].text.startswith("2026-09-01T00:17:00Z is no time at which an interval of this channel can start.")


def test_the_report_can_be_held_against_the_source(either_way: str, tmp_path: Path) -> None:
    """Totals per meter exactly as the file has them, and which days are whole: 92 quarters in March, 100 in October, gaps named."""
    make_meter("E1")
    make_meter("E2", interval_s=3600)
    hourly = "".join(f"E2,2026-03-28 {hour:02}:00,0.1\n" for hour in range(24))
    march = "".join(f"E1,2026-03-29 {h:02}:{m:02},0.1\n" for h in range(24) for m in (0, 15, 30, 45) if h != 2)
    october = "".join(f"E1,2026-10-25 {h:02}:{m:02},0.2\n" for h in (0, 1, 2, 2, *range(3, 24)) for m in (0, 15, 30, 45))
    report = bring_in(tmp_path, f"meter,start,kwh\n{hourly}{march}{october}E1,2026-10-26 00:15,1.5\n", zone="Europe/Brussels")
    assert outcome(report) == (24 + 92 + 100 + 1, 0, 0, {})
    one, two = report.meters
    assert (one.number, one.quantity, one.readings) == ("E1", "energy_import", 193)
    assert (one.source_kwh, one.energy_wh) == (Decimal("30.7"), 30_700)
    assert (one.first_start, one.last_end) == (datetime(2026, 3, 28, 23, tzinfo=UTC), datetime(2026, 10, 25, 23, 30, tzinfo=UTC))
    assert (one.days_expected, one.days_complete) == (212, 2)
    assert one.incomplete[0] == IncompleteDay(day=date(2026, 3, 30), found=0, expected=96)
    assert two == MeterTotals(
        number="E2",
        quantity="energy_import",
        first_start=datetime(2026, 3, 27, 23, tzinfo=UTC),
        last_end=datetime(2026, 3, 28, 23, tzinfo=UTC),
        readings=24,
        source_kwh=Decimal("2.4"),
        energy_wh=2400,
        days_expected=1,
        days_complete=1,
        incomplete=(),
    )


def test_partial_days_at_the_edges_are_named(tmp_path: Path) -> None:
    """A file that begins at two in the morning local time and ends at noon has two incomplete days, each with what it holds."""
    make_meter("E1")
    report = bring_in(tmp_path, quarters("E1", [1] * 96 * 2))
    assert report.meters[0].days_expected == 3
    assert report.meters[0].incomplete == (
        IncompleteDay(day=date(2026, 9, 1), found=88, expected=96),
        IncompleteDay(day=date(2026, 9, 3), found=8, expected=96),
    )


def test_bulk_of_closed_months_is_sealed_and_recent_days_stay_rows(tmp_path: Path) -> None:
    """A year's file goes straight to sealed months, except for the month that is still open, and late scraps."""
    meter = make_meter("E1")
    report = bring_in(tmp_path, quarters("E1", [1] * 96 * 79))  # 1 September to 18 November
    assert report.accepted == 96 * 79
    assert [(file.month, file.rows) for file in store.lake_files()] == [(date(2026, 9, 1), 30 * 96), (date(2026, 10, 1), 31 * 96)]
    assert Reading.objects.count() == 18 * 96
    assert bring_in(tmp_path, quarters("E1", [2] * 96)).revised == 96
    assert Reading.objects.count() == 19 * 96
    assert sum(reading.amount for reading in stored([meter.channels[0].id])) == 96 * 80


def test_meters_of_different_buckets_and_zones_come_in_one_file(either_way: str, tmp_path: Path) -> None:
    """Each bucket of a thousand meters has its own file, each meter's day its own zone."""
    one, two = make_meter_at(999, "E1"), make_meter_at(1000, "E2")
    Meter.objects.filter(pk=two.id).update(time_zone="America/Los_Angeles")
    text = quarters("E1", [1] * 96) + quarters("E2", [2] * 96).split("\n", 1)[1]
    assert bring_in(tmp_path, text).accepted == 192
    zones = {one.channels[0].id: "Europe/Brussels", two.channels[0].id: "America/Los_Angeles"}
    assert kept_rollups() == naive_rollups(stored(list(zones)), zones)
    assert SealedFile.objects.count() == (0 if either_way == "rows" else 2)


def test_intervals_last_as_long_as_the_channel_where_the_file_does_not_say(tmp_path: Path) -> None:
    """An hourly meter's ends are shifted by its own hour, and mean power becomes the energy of an hour; wrong lengths are refused."""
    meter = make_meter("E1", interval_s=3600)
    assert bring_in(tmp_path, "meter,end,w\nE1,2026-09-01T01:00Z,500\n").accepted == 1
    assert stored([meter.channels[0].id]) == [R(meter.channels[0].id, at("2026-09-01T00:00"), 500, length_s=3600)]
    report = bring_in(tmp_path, "meter,start,wh\nE1,2026-09-01T02:00Z,1\n", interval_s=900)
    assert outcome(report) == (0, 0, 0, {"wrong_length": 1})


def test_readings_that_overlap_are_refused(either_way: str, tmp_path: Path) -> None:
    """Hourly rows every half hour count energy twice: rows that overlap one another are refused, also across the turn of a month."""
    make_meter("E1", interval_s=3600)
    rows = ["2026-09-01T00:00Z", "2026-09-01T00:30Z", "2026-09-01T02:00Z", "2026-09-30T23:30Z", "2026-10-01T00:00Z", "2026-10-01T01:00Z"]
    report = bring_in(tmp_path, "meter,start,wh\n" + "".join(f"E1,{start},1\n" for start in rows))
    assert outcome(report) == (3, 0, 0, {"overlapping": 3})
    assert [refusal.line for refusal in report.refused] == [2, 3, 6]


def test_unknown_meters_are_created_when_the_operator_says_so(tmp_path: Path) -> None:
    """New numbers become meters with the declared interval, a known meter gets the missing channel; without a length it is refused."""
    make_meter("E1")
    text = "meter,start,wh,quantity\nE1,2026-09-01T00:00Z,1,export\n E 9 ,2026-09-01T00:00Z,2,import\nE 9,2026-09-01T00:30Z,3,import\n"
    path = tmp_path / "new.csv"
    path.write_text(text)
    with pytest.raises(NoIntervalForNewMeters):
        import_csv(path=path, options=CsvOptions(), actor_id=None, now=NOW, create_meters=True)
    report = import_csv(path=path, options=CsvOptions(interval_s=1800), actor_id=None, now=NOW, create_meters=True)
    assert outcome(report) == (2, 0, 0, {"wrong_length": 1})
    assert sorted(Channel.objects.values_list("meter__number", "quantity", "interval_s")) == [
        ("E 9", "energy_import", 1800), ("E1", "energy_export", 900), ("E1", "energy_import", 900),
    ]  # fmt: skip


def test_a_long_list_of_refusals_is_written_beside_the_report(tmp_path: Path) -> None:
    """The report holds the first two hundred by line, the file all of them, and nothing in it is a formula for a spreadsheet."""
    make_meter("E1")
    text = "meter,start,wh\n" + "".join(f"E1,2026-09-01T00:00Z,=1+{n}\n" for n in range(500))
    report = bring_in(tmp_path, text)
    assert outcome(report) == (0, 0, 0, {"bad_number": 500})
    assert [refusal.line for refusal in report.refused] == list(range(2, 202))
    assert report.refused_file is not None
    lines = (imports_dir() / report.refused_file).read_text().splitlines()
    assert lines[:2] == ["line,column,reason,value", "2,wh,bad_number,'=1+0"]
    assert len(lines) == 501


def test_the_totals_of_many_meters_are_written_beside_the_report(tmp_path: Path) -> None:
    """The report holds the first two hundred meters, the file all of them."""
    for number in range(201):
        make_meter(f"E{number:03}")
    report = bring_in(tmp_path, "meter,start,wh\n" + "".join(f"E{n:03},2026-09-01T00:00Z,{n}\n" for n in range(201)))
    assert (len(report.meters), report.meters_count) == (200, 201)
    assert report.meters_file is not None
    lines = (imports_dir() / report.meters_file).read_text().splitlines()
    assert (len(lines), lines[201]) == (202, "E200,energy_import,2026-09-01 00:00:00+00:00,2026-09-01 00:15:00+00:00,1,0.2,200,1,0")


def test_an_unreadable_file_changes_nothing(tmp_path: Path) -> None:
    """Without a header there is nothing to store, no delivery is noted, and no folder is left."""
    with pytest.raises(UnreadableCsv):
        bring_in(tmp_path, "Datum;Verbruik\n1;2\n")
    assert not IngestBatch.objects.exists()
    assert [path.name for path in imports_dir().glob("work-*")] == []


def test_a_stop_asked_for_on_the_way_stores_nothing(either_way: str, tmp_path: Path) -> None:
    """Progress runs from nothing to storing; whoever stops it there finds nothing stored, and the next import is as if it were the first."""
    meter = make_meter("E1")
    path = tmp_path / "file.csv"
    path.write_text(quarters("E1", [1] * 100))
    seen: list[ImportProgress] = []

    def stop(progress: ImportProgress) -> None:
        seen.append(progress)
        if progress.stage is Stage.STORING:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        import_csv(path=path, options=CsvOptions(), actor_id=None, now=NOW, progress=stop)
    assert [progress.stage for progress in seen[-2:]] == [Stage.PREPARING, Stage.STORING]
    assert [progress.share for progress in seen] == sorted(progress.share for progress in seen)
    assert (seen[-1].rows_read, seen[-1].bytes_total) == (100, path.stat().st_size)
    assert not IngestBatch.objects.exists()
    assert stored([meter.channels[0].id]) == []
    assert import_csv(path=path, options=CsvOptions(), actor_id=None, now=NOW).accepted == 100


def test_amounts_finer_than_a_watt_hour_keep_their_sum(either_way: str, tmp_path: Path) -> None:
    """A standby load of 12.4 Wh a quarter hour would lose three percent if each reading were rounded; the total keeps it."""
    meter = make_meter("E1")
    report = bring_in(tmp_path, quarters("E1", ["0.0124"] * 96 * 61, unit="kwh"))  # two months: the rest is carried across
    assert (report.meters[0].source_kwh, report.meters[0].energy_wh) == (Decimal("72.6144"), 72_614)
    assert sum(reading.amount for reading in stored([meter.channels[0].id])) == 72_614
    assert {reading.amount for reading in stored([meter.channels[0].id])} == {12, 13}


def test_the_same_fine_source_in_another_file_is_a_repeat(either_way: str, tmp_path: Path) -> None:
    """An export that begins elsewhere rounds its running total elsewhere: its readings are known all the same."""
    make_meter("E1")
    amounts: list[int | str] = [f"0.01{n % 10}4" for n in range(200)]
    bring_in(tmp_path, quarters("E1", amounts, unit="kwh"))
    later = quarters("E1", amounts[33:], start=datetime(2026, 9, 1, 8, 15, tzinfo=UTC), unit="kwh")
    assert outcome(bring_in(tmp_path, later)) == (0, 167, 0, {})
    changed = quarters("E1", ["0.0165"], start=datetime(2026, 9, 1, 8, 15, tzinfo=UTC), unit="kwh")
    assert outcome(bring_in(tmp_path, changed)) == (0, 0, 1, {})


def test_local_files_are_read_through_their_zone(tmp_path: Path) -> None:
    """The layout of a Belgian export, with decimal commas and the repeated hour: 25 hours come in, and the day's sum is right."""
    meter = make_meter("541", both=True)
    clocks = [f"{h:02}:{m:02}" for h in (0, 1, 2, 2, *range(3, 24)) for m in (0, 15, 30, 45)]
    rows = "".join(f'25-10-2026;{clock};="541";Afname;0,100\n25-10-2026;{clock};="541";Injectie;0,001\n' for clock in clocks)
    report = bring_in(
        tmp_path,
        f"\ufeffVan datum;Van tijdstip;EAN;Register;Volume\n{rows}",
        columns=Columns(meter="EAN", start="Van datum", start_time="Van tijdstip", quantity="Register", amount="Volume"),
        quantity_words={"Afname": "energy_import", "Injectie": "energy_export"},
        unit=Unit.KWH,
        decimal=DecimalMark.COMMA,
        date_format="%d-%m-%Y %H:%M",
        zone="Europe/Brussels",
    )
    assert outcome(report) == (200, 0, 0, {})
    sums = DailyRollup.objects.filter(day=date(2026, 10, 25)).order_by("channel_id").values_list("amount", "readings", "covered_s")
    assert list(sums) == [(10_000, 100, 90_000), (100, 100, 90_000)]
    assert len(meter.channels) == 2
