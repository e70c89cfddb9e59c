"""The reference page names every option and every reason; its examples are read as it says."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import msgspec
from tests.wire.csv_files import read

from commonwatt.metering import import_refusals, plan
from commonwatt.wire.csv_options import Columns, CsvOptions, DecimalMark, Unit
from commonwatt.wire.csv_reasons import Obstacle, Reason

DOCS = Path(__file__).resolve().parents[2] / "docs"
REFERENCE = (DOCS / "reference" / "interval-csv.md").read_text()
# Decided where a file's readings meet those of the store; what a reader of a file can never say is left out.
STORED = {reason.code for reason in plan.Reason} - {"taken", "contradictory", "unknown_channel"}


def section(title: str) -> set[str]:
    """Everything in code letters in the first column of a section's table."""
    text = REFERENCE.split(f"\n## {title}\n", 1)[1].split("\n## ", 1)[0]
    cells = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    return {word for cell in cells for word in re.findall(r"`([^`]+)`", cell)}


def test_every_option_is_in_the_reference() -> None:
    """No option is hidden, and none is made up."""
    assert section("Options") == {item.name for item in fields(CsvOptions)}
    assert all(f"`{item.name}`" in REFERENCE for item in fields(Columns))


def test_every_reason_is_in_the_reference() -> None:
    """Whatever a report says can be looked up."""
    ours = {import_refusals.UNKNOWN_METER, import_refusals.UNKNOWN_CHANNEL, import_refusals.SUPERSEDED}
    assert section("Why a row is refused") == {*Reason, *ours, *STORED}
    assert section("Why a file is refused") == set(Obstacle)


def test_the_examples_are_read() -> None:
    """The files shown in the documentation hold the readings that one would expect."""
    for page in (DOCS / "reference" / "interval-csv.md", DOCS / "how-to" / "import-readings.md"):
        example = re.findall(r"\n((?:    meter,start.*\n)(?:    E1,.*\n)+)", page.read_text())[0]
        got = read(example.replace("\n    ", "\n").strip())
        assert (len(got.readings), got.refused) == (2, [])


def test_options_travel_as_plain_data() -> None:
    """What a form collected can wait in the queue and be read from there."""
    options = CsvOptions(
        columns=Columns(meter="EAN", amount="Volume"), unit=Unit.KWH, decimal=DecimalMark.COMMA, quantity_words={"Afname": "energy_import"}
    )
    assert msgspec.convert(msgspec.json.decode(msgspec.json.encode(options)), CsvOptions) == options
