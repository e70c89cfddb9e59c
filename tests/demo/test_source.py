"""The demo's loads: what is measured stays measured, and the staged part is what its page says."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonwatt.ops.demo import cast, plan, source
from commonwatt.ops.demo.loads import reported_wh
from commonwatt.ops.demo.response import SHARE_PERCENT, Call, staged_wh

LONDON = ZoneInfo("Europe/London")


def test_quarters_add_up_to_each_measured_hour() -> None:
    """Dividing an hour into quarters neither adds nor loses a watt-hour, and no quarter is negative."""
    hours = pl.read_parquet(source.DATA).sort("meter_id", "hour_of_year")
    for (meter,), group in hours.group_by("meter_id"):
        quarters = source.quarters_wh()[str(meter)].reshape(-1, 4)
        assert (quarters.sum(axis=1) == group["energy_wh"].to_numpy()).all(), meter
        assert quarters.min() >= 0, meter
    assert len(source.quarters_wh()) == 16


def test_a_week_later_next_year_is_the_same_weekday() -> None:
    """The year repeats in whole weeks: 364 days later the same weekday has the same load."""
    start = datetime(2026, 11, 19, 0, 0, tzinfo=UTC)
    day = [start + timedelta(minutes=15 * index) for index in range(96)]
    later = [instant + timedelta(days=364) for instant in day]
    now = source.energy_wh(meter="ucam_b16", starts=day, zone=LONDON)
    assert (now == source.energy_wh(meter="ucam_b16", starts=later, zone=LONDON)).all()
    assert int(now.sum()) == 464_400  # 464.4 kWh in the archive, on the Thursday it stands for


def test_clock_changes_follow_the_local_label() -> None:
    """In the doubled autumn hour both passes show the same load; in spring the skipped hour is skipped."""
    autumn = [datetime(2026, 10, 25, 0, 0, tzinfo=UTC), datetime(2026, 10, 25, 1, 0, tzinfo=UTC)]  # both are 01:00 in London
    first, second = source.energy_wh(meter="fontana_16", starts=autumn, zone=LONDON)
    assert first == second
    spring = [datetime(2026, 3, 29, 0, 45, tzinfo=UTC), datetime(2026, 3, 29, 1, 0, tzinfo=UTC)]  # 00:45, then 02:00
    index = (date(2026, 3, 29) - source.FIRST_DAY).days % 364 * 96
    year = source.quarters_wh()["fontana_16"]
    assert source.energy_wh(meter="fontana_16", starts=spring, zone=LONDON).tolist() == [year[index + 3], year[index + 8]]


CALL = Call(datetime(2026, 11, 19, 15, 45, tzinfo=UTC), datetime(2026, 11, 19, 17, 30, tzinfo=UTC))


@pytest.mark.parametrize(
    ("hour", "minute", "expected"),
    [(15, 30, 1000), (15, 45, 780), (16, 0, 560), (17, 15, 560), (17, 30, 1110), (17, 45, 1110), (18, 0, 1000)],
)
def test_staged_response_ramps_holds_and_snaps_back(hour: int, minute: int, expected: int) -> None:
    """A home with a share of 44 % leaves out half of it in the first quarter, all of it then, and uses a little more afterwards."""
    start = datetime(2026, 11, 19, hour, minute, tzinfo=UTC)
    assert staged_wh(meter="fontana_16", start=start, measured_wh=1000, calls=[CALL]) == expected


@given(measured=st.integers(0, 10_000_000), meter=st.sampled_from(sorted(SHARE_PERCENT)), quarter=st.integers(-8, 20))
def test_staged_response_never_leaves_the_measured_load_far(measured: int, meter: str, quarter: int) -> None:
    """Whatever is staged stays between half and an eighth more of what was measured, and two meters take no part at all."""
    start = CALL.starts_at + timedelta(minutes=15 * quarter)
    staged = staged_wh(meter=meter, start=start, measured_wh=measured, calls=[CALL])
    assert measured // 2 <= staged <= measured + measured // 8
    if SHARE_PERCENT[meter] == 0:
        assert staged == measured


def test_every_place_has_a_load_and_a_stated_share() -> None:
    """Every meter of the demo shows one measured load of its own, and its staged share is written down."""
    sources = [place.source for place in cast.PLACES]
    assert sorted(sources) == sorted(source.quarters_wh()) == sorted(SHARE_PERCENT)


def test_without_calls_the_load_is_the_measured_one() -> None:
    """Nothing is staged outside events."""
    starts = plan.quarters(datetime(2026, 11, 19, 15, 0, tzinfo=UTC), datetime(2026, 11, 19, 18, 0, tzinfo=UTC))
    measured = source.energy_wh(meter="fontana_16", starts=starts, zone=LONDON)
    assert np.array_equal(reported_wh(number="CW-FONTANA-16", starts=starts, calls=[]), measured)
