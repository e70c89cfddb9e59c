"""The pages that explain money say what the program does."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import numpy as np

from commonwatt.demand_response.choices import NegativeIntervals
from commonwatt.kernel.money import amount_nanos, payout_cents
from commonwatt.kernel.units import wh_from_kwh
from commonwatt.settlement.plan import credited_price, credited_wh

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "money.md"


def _table() -> list[list[str]]:
    """The rows of the example, without its head, as cells."""
    table = PAGE.read_text().split("<!-- A test reads this table")[1].split("\n\n")[1]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines()[2:]]


def test_the_worked_table_is_what_the_program_computes() -> None:
    """Every figure of the example on the page about money comes out of the very functions that settle events."""
    *quarters, sums = _table()
    price = credited_price(price_micros_per_kwh=250_000, credit_factor_ppm=900_000)
    assert price == 225_000
    baseline = wh_from_kwh(np.array([float(row[1]) for row in quarters])).tolist()
    metered = [int(row[3]) for row in quarters]
    delivered = [expected - used for expected, used in zip(baseline, metered, strict=True)]
    floor, net = (credited_wh(delivered, convention) for convention in (NegativeIntervals.FLOOR, NegativeIntervals.NET))
    columns = [baseline, metered, delivered, floor, [amount_nanos(wh, price) for wh in floor], net, [amount_nanos(wh, price) for wh in net]]
    assert [[int(cell) for cell in row[2:]] for row in quarters] == [list(row) for row in zip(*columns, strict=True)]
    assert [int(cell) for cell in sums[2:]] == [sum(column) for column in columns]


def test_the_worked_payout_is_what_the_program_computes() -> None:
    """The text below the table says what is paid out in cents, and what is carried."""
    cents, carried = payout_cents(int(_table()[-1][6]))
    text = PAGE.read_text()
    assert f"that is {cents} cents;" in text
    assert f"{Decimal(carried).scaleb(-9).normalize():f} stays owed" in text.replace("\n  ", " ")
