"""Quantities as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from commonwatt.portal import figures
from commonwatt.portal.templatetags import ui

GAP = "\u00a0"


@pytest.mark.parametrize(
    ("energy_wh", "text"),
    [
        (0, "0.000 kWh"),
        (213, "0.213 kWh"),
        (999, "0.999 kWh"),
        (1_000, "1.00 kWh"),
        (18_625, "18.62 kWh"),
        (-540, "−0.540 kWh"),
        (118_640, "118.6 kWh"),
        (1_234_567, "1,235 kWh"),
        (123_456_789, "123.5 MWh"),
    ],
)
def test_energy_is_as_fine_as_it_is_useful(energy_wh: int, text: str) -> None:
    """Small amounts keep every watt-hour, large ones drop what nobody reads; a minus is a true minus."""
    assert figures.energy(energy_wh) == text.replace(" ", GAP)


def test_nothing_shows_as_a_dash_and_zero_as_zero() -> None:
    """A missing reading is never shown as none used."""
    assert ui.kwh(None) == "–"
    assert ui.kwh(0) == f"0.000{GAP}kWh"
    assert ui.money(None, "EUR") == "–"
    assert ui.percent(None) == "–"


@pytest.mark.parametrize(
    ("nanos", "text"),
    [(0, "€0.00"), (25_000_000, "€0.02"), (35_000_000, "€0.04"), (12_345_678_901, "€12.35"), (-1_500_000_000, "−€1.50"), (-1, "€0.00")],
)
def test_money_rounds_half_to_even_and_never_shows_minus_nothing(nanos: int, text: str) -> None:
    """An amount is rounded for the eye only, by one rule, and a nano of debt is not shown as minus zero."""
    assert figures.money(nanos, "EUR") == text


def test_money_of_an_interval_and_of_other_currencies() -> None:
    """Single intervals show four decimals; a currency without a common sign shows its code."""
    assert ui.money4(220_000_000, "GBP") == "£0.2200"
    assert figures.money(1_000_000_000, "SEK") == f"SEK{GAP}1.00"


@pytest.mark.parametrize(
    ("micros", "text"), [(250_000, "€0.25/kWh"), (287_500, "€0.2875/kWh"), (1_000_000, "€1.00/kWh"), (7, "€0.000007/kWh")]
)
def test_a_price_shows_all_its_decimals(micros: int, text: str) -> None:
    """A price is shown exactly, since amounts are computed from it exactly."""
    assert figures.price(micros, "EUR") == text


def test_shares_and_lengths_of_time() -> None:
    """Percentages and durations are words a person would use."""
    assert figures.percent(0.3871) == f"38.7{GAP}%"
    assert figures.percent(1.0, 0) == f"100{GAP}%"
    assert figures.duration(5_400) == f"1{GAP}h 30{GAP}min"
    assert figures.duration(90_061) == f"1{GAP}d 1{GAP}h"
    assert figures.duration(0) == f"0{GAP}s"


def test_a_moment_is_told_in_the_readers_zone_and_in_utc() -> None:
    """Half past midnight in Cambridge in summer is half past eleven in UTC, and the page carries both."""
    at = datetime(2026, 7, 1, 23, 30, tzinfo=UTC)
    with timezone.override(ZoneInfo("Europe/London")):
        assert ui.moment(at) == ('<time datetime="2026-07-01T23:30:00Z" title="2026-07-01 23:30 UTC" data-local>2 Jul 2026, 00:30</time>')
        assert ">00:30</time>" in ui.moment(at, "time")
        assert " data-relative>" in ui.moment(at, "relative")
    assert ui.moment(None) == "–"


def test_a_span_names_its_day_once() -> None:
    """Two hours of one evening name the date once; an event over midnight names both."""
    start = datetime(2026, 11, 20, 17, tzinfo=UTC)
    with timezone.override(UTC):
        assert ui.span(start, start + timedelta(hours=2)).count("20 Nov 2026") == 1
        assert "21 Nov 2026, 01:00" in ui.span(start, start + timedelta(hours=8))
