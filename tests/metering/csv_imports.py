"""Importing CSV text in tests, small files as bulk or not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.metering.builders import NOW

from commonwatt.metering import import_prepare
from commonwatt.metering.imports import ImportReport, import_csv
from commonwatt.wire.csv_options import CsvOptions

START = datetime(2026, 9, 1, tzinfo=UTC)


def bring_in(folder: Path, text: str | bytes, *, name: str = "file.csv", now: datetime = NOW, **options: object) -> ImportReport:
    """Import a file with this content."""
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return import_csv(path=path, options=CsvOptions(**options), actor_id=None, now=now)  # type: ignore[arg-type]  # as a test writes them


def quarters(number: str, amounts: list[int | str], *, start: datetime = START, unit: str = "wh") -> str:
    """A file of one meter: consecutive quarter hours."""
    rows = [f"{number},{start + n * timedelta(minutes=15):%Y-%m-%dT%H:%MZ},{amount}\n" for n, amount in enumerate(amounts)]
    return f"meter,start,{unit}\n" + "".join(rows)


def everything_is_bulk(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on every part goes straight to its sealed file."""
    monkeypatch.setattr(import_prepare, "BULK_ROWS", 1)


def nothing_is_bulk(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on every part becomes open rows."""
    monkeypatch.setattr(import_prepare, "BULK_ROWS", 1 << 60)
    monkeypatch.setattr(import_prepare, "BULK_ROWS_CLOSED", 1 << 60)
    monkeypatch.setattr(import_prepare, "OPEN_ROWS_AT_MOST", 1 << 60)
