"""Imports in any sequence, against a plain dictionary; whole watt-hours against exact fractions."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, floor
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.metering.builders import QUARTER, R, at, clear_store, kept_rollups, make_meter, naive_rollups, stored
from tests.metering.csv_imports import bring_in, everything_is_bulk, nothing_is_bulk

from commonwatt.metering import import_spill
from commonwatt.metering.import_amounts import whole_wh

MICROS = 1_000_000
# Both sides of two months' ends, of midnight in Brussels and of its repeated hour.
SPANS = ("2026-08-31T21:30", "2026-09-30T21:30", "2026-10-24T21:30", "2026-10-25T00:30")
STARTS = [at(span) + QUARTER * step for span in SPANS for step in range(12)]


@settings(deadline=None)
@given(st.lists(st.integers(0, 5 * MICROS), min_size=1, max_size=60), st.integers(0, MICROS - 1))
def test_whole_amounts_add_up_to_the_source(micro_wh: list[int], carried: int) -> None:
    """However many readings are added, the sum is at most half a watt-hour from the source's; each is one of its two neighbours."""
    amount, other, rest = quantised(micro_wh, carried)
    exact = Fraction(sum(micro_wh), MICROS)
    assert abs(sum(amount) - exact) <= (Fraction(1, 2) if carried == 0 else 1)
    for whole, neighbour, micros in zip(amount, other, micro_wh, strict=True):
        assert {whole, neighbour} == {floor(Fraction(micros, MICROS)), ceil(Fraction(micros, MICROS))}
    assert rest == (carried + sum(micros % MICROS for micros in micro_wh)) % MICROS


@settings(deadline=None)
@given(st.lists(st.integers(0, 5 * MICROS), min_size=2, max_size=60), st.data())
def test_a_running_total_goes_on_across_the_turn_of_a_month(micro_wh: list[int], data: st.DataObject) -> None:
    """Cut anywhere, the second part goes on from the rest of the first: the readings are those of the whole."""
    cut = data.draw(st.integers(1, len(micro_wh) - 1))
    whole, _, _ = quantised(micro_wh, 0)
    first, _, rest = quantised(micro_wh[:cut], 0)
    second, _, _ = quantised(micro_wh[cut:], rest)
    assert [*first, *second] == whole


@settings(deadline=None)
@given(st.lists(st.lists(st.integers(0, 5 * MICROS), min_size=1, max_size=9), min_size=1, max_size=5))
def test_channels_have_their_own_running_totals(channels: list[list[int]]) -> None:
    """Many channels at once give what each gives alone."""
    is_first = np.array([place == 0 for amounts in channels for place in range(len(amounts))])
    together, _, _ = whole_wh(
        np.array([micros for amounts in channels for micros in amounts]), is_first=is_first, carried=np.zeros(len(channels), np.int64)
    )
    assert together.tolist() == [whole for amounts in channels for whole in quantised(amounts, 0)[0]]


def quantised(micro_wh: list[int], carried: int) -> tuple[list[int], list[int], int]:
    """One channel's amounts."""
    is_first = np.arange(len(micro_wh)) == 0
    amount, other, rest = whole_wh(np.array(micro_wh, dtype=np.int64), is_first=is_first, carried=np.array([carried]))
    return amount.tolist(), other.tolist(), int(rest[0])


@dataclass
class Plain:
    """What must be stored, in plain Python."""

    amounts: dict[tuple[int, int], int] = field(default_factory=dict)

    def bring_in(self, rows: list[tuple[int, int, int]]) -> tuple[int, int, int, int]:
        """Rows of (channel, start, millionths of a Wh): how many are accepted, repeated, revised and superseded."""
        last = {(channel, start): micros for channel, start, micros in rows}
        superseded = sum(last[channel, start] != micros for channel, start, micros in rows)
        accepted = revised = 0
        for (channel, start), whole, neighbours in self._quantised(last):
            known = self.amounts.get((channel, start))
            if known is None:
                accepted += 1
            elif known in neighbours:
                continue
            else:
                revised += 1
            self.amounts[channel, start] = whole
        return accepted, len(rows) - superseded - accepted - revised, revised, superseded

    def _quantised(self, last: dict[tuple[int, int], int]) -> Iterator[tuple[tuple[int, int], int, set[int]]]:
        totals: dict[int, Fraction] = {}
        for channel, start in sorted(last):
            exact = Fraction(last[channel, start], MICROS)
            before = totals.get(channel, Fraction(0))
            totals[channel] = before + exact
            half = Fraction(1, 2)
            yield (channel, start), floor(before + exact + half) - floor(before + half), {floor(exact), ceil(exact)}


FILES = st.lists(
    st.lists(
        st.tuples(st.integers(0, 2), st.sampled_from(STARTS), st.sampled_from([0, MICROS, 1_400_000, 1_500_000, 2_600_000])), max_size=40
    ),
    min_size=1,
    max_size=4,
)


@pytest.mark.django_db
@pytest.mark.parametrize("way", ["sealed", "rows", "both"])
def test_imports_in_any_sequence_are_those_of_a_plain_dictionary(way: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Overlapping files with repeats, corrections, fractions and rows in any order: counts, readings and daily sums are right each time."""
    if way == "sealed":
        everything_is_bulk(monkeypatch)
    elif way == "rows":
        nothing_is_bulk(monkeypatch)
    else:
        monkeypatch.setattr("commonwatt.metering.import_prepare.BULK_ROWS", 12)
    monkeypatch.setattr(import_spill, "SLICE_ROWS", 7)  # some channels at a time
    numbers = {make_meter(f"E{n}").channels[0].id: f"E{n}" for n in range(3)}
    channels = list(numbers)

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(FILES)
    def check(files: list[list[tuple[int, int, int]]]) -> None:
        clear_store()
        plain = Plain()
        with tempfile.TemporaryDirectory() as folder:
            for rows in files:
                lines = "".join(f"{numbers[channels[place]]},{text(start)},{micros / MICROS}\n" for place, start, micros in rows)
                report = bring_in(Path(folder), f"meter,start,wh\n{lines}")
                expected = plain.bring_in([(channels[place], start, micros) for place, start, micros in rows])
                superseded = report.refused_by_reason.get("superseded_in_file", 0)
                assert (report.accepted, report.repeated, report.revised, superseded) == expected
                assert report.rows_read == len(rows) == sum(expected)
                found = stored(channels)
                assert found == [R(channel, start, plain.amounts[channel, start]) for channel, start in sorted(plain.amounts)]
                assert kept_rollups() == naive_rollups(found, dict.fromkeys(channels, "Europe/Brussels"))

    check()


def text(start_s: int) -> str:
    """An instant as a file has it."""
    return str(np.datetime64(start_s, "s")) + "Z"
