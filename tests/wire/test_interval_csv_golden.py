"""Files in the shapes of the field give exactly the readings they were made of (see tests/golden/csv)."""

from __future__ import annotations

import os
from collections import Counter
from decimal import Decimal
from pathlib import Path

import polars as pl
import pytest
from tests.golden.csv.make_golden import all_files
from tests.wire.csv_files import Read, read, utc

from commonwatt.wire.csv_options import EXPORT, IMPORT, Columns, DecimalMark, Unit

GOLDEN = Path(__file__).resolve().parent.parent / "golden" / "csv"
FLUVIUS: dict[str, object] = {
    "columns": Columns(
        meter="EAN", start="Van datum", start_time="Van tijdstip", end="Tot datum", end_time="Tot tijdstip", amount="Volume",
        quantity="Register", quality="Validatiestatus",
    ),
    "unit": Unit.KWH,
    "zone": "Europe/Brussels",
    "decimal": DecimalMark.COMMA,
    "date_format": "%d-%m-%Y %H:%M:%S",
    "quantity_words": {"Afname Dag": IMPORT, "Afname Nacht": IMPORT, "Injectie Dag": EXPORT, "Injectie Nacht": EXPORT},
    "quality_words": {"Gevalideerd": "measured", "Geschat": "estimated", "Uitgelezen": "measured", "Geen verbruik": "measured"},
}  # fmt: skip
OPTIONS: dict[str, dict[str, object]] = {
    "fluvius_october": FLUVIUS,
    "enedis_load_curve": {"columns": Columns(end="Horodate", amount="Valeur"), "unit": Unit.W, "meter": "PRM1", "interval_s": 1800},
    "octopus_autumn": {"columns": Columns(amount="Consumption (kwh)"), "unit": Unit.KWH, "meter": "1600000000001"},
    "green_button_download_spring": {
        "columns": Columns(start="DATE", start_time="START TIME", amount="USAGE (kWh)"),
        "unit": Unit.KWH,
        "meter": "0000000001",
        "zone": "America/Los_Angeles",
        "interval_s": 900,
    },
    "engie_hourly_spring": {"columns": Columns(meter="EAN", start="Datum", amount="Verbruik"), "unit": Unit.KWH, "interval_s": 3600},
    "daily_with_ends": {
        "columns": Columns(start="Vanaf", end="Tot", amount="Verbruik"),
        "unit": Unit.KWH,
        "meter": "B-17",
        "zone": "Europe/Amsterdam",
        "decimal": DecimalMark.COMMA,
    },
    "charger_utc": {
        "columns": Columns(meter="Serial Number", start="Timestamp", amount="Energy (Wh)"),
        "unit": Unit.WH,
        "interval_s": 3600,
    },
}


def expected(name: str, suffix: str) -> list[str]:
    """The lines of a golden file; a missing one fails."""
    return (GOLDEN / f"{name}.{suffix}.csv").read_text().splitlines()


def written(got: Read) -> list[str]:
    """The readings as the golden files have them."""
    columns = ("line", "meter", "quantity", "start_s", "length_s", "micro_wh", "quality")
    return [
        f"{line},{meter},{quantity},{utc(start).replace('Z', ':00Z')},{length},{micro},{quality}"
        for line, meter, quantity, start, length, micro, quality in got.table.select(columns).rows()
    ]


@pytest.mark.parametrize("name", OPTIONS)
def test_every_layout_gives_its_readings_to_the_last_digit(name: str) -> None:
    """Line, meter, quantity, instant, length, energy and quality of every row, and the reason of every row that is none."""
    got = read((GOLDEN / f"{name}.csv").read_bytes(), **OPTIONS[name])
    assert written(got) == expected(name, "expected")
    refused = [f"{line},{column},{reason}" for line, column, reason in got.refused]
    assert refused == expected(name, "refused")
    assert got.rows_read == len(refused) + got.table.height


def test_the_golden_files_are_those_of_their_program() -> None:
    """Nobody mends a golden file by hand."""
    made = list(all_files())
    assert sorted(path.stem for path in GOLDEN.glob("*.csv") if "." not in path.stem) == sorted(golden.name for golden in made)
    for golden in made:
        assert golden.expected == expected(golden.name, "expected")
        text = (GOLDEN / f"{golden.name}.csv").read_bytes().decode(golden.encoding)
        assert text == "".join(line + golden.newline for line in golden.lines)


def test_the_october_day_has_25_hours_in_the_golden_files() -> None:
    """100 quarter hours in Belgium, 50 half hours in Britain and France; 92 quarters on the American spring day."""
    counts = {
        name: Counter(start[:10] for start in read((GOLDEN / f"{name}.csv").read_bytes(), **OPTIONS[name]).starts).total()
        for name in ("octopus_autumn", "green_button_download_spring", "enedis_load_curve")
    }
    assert counts == {"octopus_autumn": 50, "green_button_download_spring": 92, "enedis_load_curve": 49}


OCTOBER_31 = 1_635_631_200
"""31 October 2021 at midnight in Brussels, the day of 25 hours."""
REFERENCE = Path(os.environ.get("COMMONWATT_REFERENCE_DATA", "/nowhere")) / "csv"


@pytest.mark.skipif(not REFERENCE.exists(), reason="real exports are read where COMMONWATT_REFERENCE_DATA names their folder")
def test_a_real_october_export_keeps_its_total_and_has_100_quarters() -> None:
    """The real Belgian file of October 2021: no energy is lost, and each night register has every quarter of the 25 hours once.

    The meter was off that night, so its blanks are filled in to see where its rows lie.
    """
    text = (REFERENCE / "fluvius_nl_quarter_2021.csv").read_text("utf-8-sig")
    lines = [line.split(";") for line in text.splitlines()[1:]]
    got = read(text, **FLUVIUS)
    added = sum((Decimal(cells[8].replace(",", ".")) for cells in lines if cells[8]), Decimal(0))
    assert Decimal(int(got.table["micro_wh"].sum())).scaleb(-9) == added
    assert Counter(reason for _, _, reason in got.refused) == {"no_value": sum(not cells[8] for cells in lines)}
    filled = read(text.replace(";;kWh;", ";0,001;kWh;"), **FLUVIUS)
    night = filled.table.filter(pl.col("start_s").is_between(OCTOBER_31, OCTOBER_31 + 90_000 - 1))
    assert sorted(night.group_by("quantity").agg(pl.col("start_s").n_unique(), pl.len()).rows()) == [(EXPORT, 100, 100), (IMPORT, 100, 100)]
