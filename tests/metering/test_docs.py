"""The pages on readings and the lake say what the code does."""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

import pytest
from tests.metering.builders import NOW, QUARTER, R, at, make_meter, record

from commonwatt.metering import lake, plan, store

DOCS = Path(__file__).resolve().parents[2] / "docs"
START = at("2026-10-10T23:45")


@pytest.mark.django_db
def test_the_example_of_the_lake_page_runs(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever copies the page's program gets each day's energy, by the newest revision, without what is marked as missing."""
    meter = make_meter("E1")
    channel = meter.channels[0].id
    record([R(channel, START, 100), R(channel, START + QUARTER, 200), R(channel, START + 2 * QUARTER, 900, quality=3)])
    record([R(channel, START, 150)])
    store.seal_due(now=NOW, after_days=7)
    (program,) = re.findall(r"```python\n(.*?)```", (DOCS / "reference" / "lake.md").read_text(), flags=re.DOTALL)
    monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{file.path}\n" for file in store.lake_files())))
    exec(compile(program, "lake.md", "exec"), {})
    assert capsys.readouterr().out.split() == ["meter_id,day,energy_kwh", f"{meter.id},2026-10-10,0.15", f"{meter.id},2026-10-11,0.2"]


def test_the_lake_page_lists_the_columns_of_a_file() -> None:
    """The page names every column, in order."""
    text = (DOCS / "reference" / "lake.md").read_text()
    listed = re.findall(r"^\| `(\w+)` \| (?:int|timestamp)", text, flags=re.MULTILINE)
    assert listed == lake.SCHEMA.names()
    assert f"{lake.ROWS_PER_GROUP:,} rows" in text


def test_every_reason_for_a_refusal_is_explained() -> None:
    """Each code that a report can hold stands on the page, and no other."""
    text = (DOCS / "explanation" / "readings.md").read_text()
    table = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    listed = {code for cell in table for code in re.findall(r"`(\w+)`", cell)}
    assert listed == {reason.code for reason in plan.Reason if reason is not plan.Reason.TAKEN}
