"""Bringing readings in through the desk: upload, look, run, report."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from tests.cast import NOW, Cast, sign_in

from commonwatt.jobs.queries import job_page
from commonwatt.kernel.clock import WallClock
from commonwatt.metering import queries
from commonwatt.metering.actions import create_meter
from commonwatt.metering.imports import import_csv
from commonwatt.portal import uploads
from commonwatt.wire.csv_options import CsvOptions

GOOD = b"meter;stamp;value\nI1;20-11-2026 10:00;0,25\nI1;20-11-2026 10:15;0,5\nI1;20-11-2026 10:30;x\nI2;20-11-2026 10:00;1\n"
OPTIONS = {
    "zone": "Europe/Brussels", "unit": "kWh", "label": "start", "decimal": ",", "date_format": "%d-%m-%Y %H:%M",
    "column_meter": "meter", "column_start": "stamp", "column_amount": "value", "repeated": "refuse", "encoding": "auto",
}  # fmt: skip


@pytest.fixture
def desk(cast: Cast) -> Client:
    """Otto's browser."""
    return sign_in(Client(), cast.user("otto"))


def upload(desk: Client, content: bytes = GOOD, name: str = "november.csv") -> str:
    """Upload a file; returns the address at which it is looked at."""
    response = desk.post(reverse("portal:operator_imports"), {"file": SimpleUploadedFile(name, content)})
    assert response.status_code == 302
    return str(response.url)


def test_an_upload_is_looked_at_before_anything_is_stored(desk: Client) -> None:
    """Without the right options the page says what is wrong; with them it shows rows and refusals; nothing is stored yet."""
    create_meter(actor=None, number="I1", now=NOW)
    address = upload(desk)
    first = desk.get(address)
    assert first.context["name"] == "november.csv"
    assert first.context["seen"].problem
    seen = desk.post(address, {**OPTIONS, "look": "1"}).context["seen"]
    assert seen.problem == ""
    assert seen.rows == (
        ("I1", "2026-11-20 09:00 UTC", "–", "250"),
        ("I1", "2026-11-20 09:15 UTC", "–", "500"),
        ("I2", "2026-11-20 09:00 UTC", "–", "1000"),
    )
    assert [line for line, _ in seen.refused] == [4]
    assert queries.batch_page().total == 0
    assert job_page().total == 0


def test_running_it_puts_one_job_in_the_queue(cast: Cast, desk: Client) -> None:
    """The import becomes a job with exactly the options that were shown, once, however often the button is pressed."""
    address = upload(desk)
    response, _ = (desk.post(address, {**OPTIONS, "run": "1"}) for _ in range(2))
    jobs = job_page(kinds=["import-readings"]).items
    assert len(jobs) == 1
    assert response.url == reverse("portal:operator_import_job", args=[jobs[0].public_id])
    arguments = jobs[0].arguments
    options = msgspec.convert(arguments["options"], CsvOptions)
    assert (options.zone, options.decimal, options.date_format) == ("Europe/Brussels", ",", "%d-%m-%Y %H:%M")
    assert (options.columns.amount, arguments["reference"], arguments["create_meters"]) == ("value", "november.csv", False)
    assert jobs[0].requested_by == cast.otto.user_id
    shown = desk.get(response.url)
    assert b"Reading and comparing" in shown.content


def test_new_meters_need_the_length_of_their_intervals(desk: Client) -> None:
    """To enter meters from a file one must say how long their intervals are; until then nothing runs."""
    address = upload(desk)
    page = desk.post(address, {**OPTIONS, "create_meters": "on", "run": "1"})
    assert page.context["form"].errors["interval_s"] == ["To enter new meters, say how long their intervals are."]
    assert job_page().total == 0


def test_the_report_counts_every_line(cast: Cast, desk: Client) -> None:
    """Rows read, accepted and refused stand on the report, with line and reason, and sums to compare with the source."""
    create_meter(actor=None, number="I1", now=NOW)
    token = uploads.keep([b"meter,start,kwh\nI1,2026-11-19T10:00Z,0.25\nI1,2026-11-19T10:15Z,abc\nNO,2026-11-19T10:15Z,1\n"])
    report = import_csv(path=uploads.path_of(token), options=CsvOptions(), actor_id=cast.otto.user_id, reference="day.csv", now=NOW)
    page = desk.get(reverse("portal:operator_import_report", args=[report.sequence]))
    shown = page.context["file_report"]
    assert (shown.rows_read, shown.accepted, shown.repeated, shown.revised, shown.refused_count) == (3, 1, 0, 0, 2)
    assert [refusal.line for refusal in shown.refused] == [3, 4]
    assert page.context["by"].label == "Otto"
    assert str(shown.meters[0].source_kwh) == "0.25"
    listed = desk.get(reverse("portal:operator_imports"))
    assert [row["batch"].reference for row in listed.context["rows"]] == ["day.csv"]
    assert desk.get(reverse("portal:operator_import_refused", args=[report.sequence])).status_code == 404  # few: all stand on the page
    assert desk.get(reverse("portal:operator_import_report", args=[report.sequence + 1])).status_code == 404


def test_uploads_are_found_by_their_token_alone_and_go_after_a_day(desk: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """No path and no guess finds an upload; what was left for a day is gone with the next."""
    token = uploads.keep([b"a"])
    path = uploads.path_of(token)
    assert path.parent == settings.COMMONWATT.data_dir / "uploads"
    for wrong in ("../secret-key", "x" * 22, token[:-1], "%2e%2e"):
        assert desk.get(f"/operator/imports/upload/{wrong}/").status_code == 404
    later = WallClock().now().timestamp() + uploads.KEPT_S + 60
    monkeypatch.setattr(uploads.time, "time", lambda: later)
    uploads.keep([b"b"])
    assert not path.exists()


def test_the_moment_is_that_of_the_clock() -> None:
    """The fixtures' day is the day of the readings, so that none of them lies in the future."""
    assert datetime(2026, 11, 20, 12, tzinfo=UTC) == NOW
