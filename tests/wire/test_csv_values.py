"""Cells become exact numbers and times, or a reason."""

from __future__ import annotations

import re
from decimal import Decimal
from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from commonwatt.wire.csv_options import CsvOptions, DecimalMark
from commonwatt.wire.csv_reasons import Reason
from commonwatt.wire.csv_values import StampReader, read_amount, read_amounts, read_lengths, read_stamp

KWH = 1_000_000_000


@pytest.mark.parametrize(
    ("text", "micro_wh"),
    [
        ("0.125", 125_000_000),
        ("0", 0),
        ("-0.000", 0),
        (".5", 500_000_000),
        ("5.", 5_000_000_000),
        ("+1", 1_000_000_000),
        ("0E-20", 0),
        ("1.5e3", 1_500_000_000_000),
        ("0.0000000005", 0),
        ("0.0000000015", 2),
        ("1234567.123456789", 1_234_567_123_456_789),
    ],
)
def test_amounts_are_read_exactly(text: str, micro_wh: int) -> None:
    """Kilowatt-hours become whole millionths of a watt-hour; what is finer still is rounded half to even."""
    assert read_amount(text, decimal=DecimalMark.POINT, micros=KWH) == micro_wh
    assert read_amounts(pl.Series([text]), decimal=DecimalMark.POINT, micros=KWH).rows() == [(micro_wh, None)]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", Reason.NO_VALUE),
        ("-", Reason.NO_VALUE),
        ("abc", Reason.BAD_NUMBER),
        ("1,5", Reason.BAD_NUMBER),
        ("1.2.3", Reason.BAD_NUMBER),
        ("1 000", Reason.BAD_NUMBER),
        ("0x10", Reason.BAD_NUMBER),
        ("nan", Reason.BAD_NUMBER),
        ("inf", Reason.BAD_NUMBER),
        ("$0.09", Reason.BAD_NUMBER),
        ("1_000", Reason.BAD_NUMBER),
        ("٣", Reason.BAD_NUMBER),
        ("-0.001", Reason.NEGATIVE),
        ("1000000001", Reason.TOO_LARGE),
        ("1e400", Reason.TOO_LARGE),
    ],
)
def test_what_is_no_amount_is_refused_by_name(text: str, reason: Reason) -> None:
    """Blanks, words, thousands marks and negative amounts are told apart, and never become a number."""
    assert read_amount(text, decimal=DecimalMark.POINT, micros=KWH) is reason
    assert read_amounts(pl.Series([text, "1"]), decimal=DecimalMark.POINT, micros=KWH).rows() == [(None, reason), (KWH, None)]


def test_a_decimal_comma_is_read_and_a_point_beside_it_is_not() -> None:
    """In a file with decimal commas 1.234 may be one thousand or one and a bit: it is refused, not guessed."""
    amounts = read_amounts(pl.Series(["0,125", "1.234", "1.234,5", "7", "1,2,3"]), decimal=DecimalMark.COMMA, micros=KWH)
    assert amounts.rows() == [
        (125_000_000, None),
        (None, Reason.BAD_NUMBER),
        (None, Reason.BAD_NUMBER),
        (7_000_000_000, None),
        (None, Reason.BAD_NUMBER),
    ]


@settings(deadline=None)
@given(st.lists(st.decimals(min_value=0, max_value=10**6, places=9), min_size=1, max_size=30))
def test_fast_and_slow_reading_agree_to_the_last_digit(numbers: list[Decimal]) -> None:
    """Nine decimals of any amount up to a gigawatt-hour are kept exactly, the fast way too."""
    texts = [f"{number:f}" for number in numbers]
    exact = [int(Fraction(number) * KWH) for number in numbers]
    assert read_amounts(pl.Series(texts), decimal=DecimalMark.POINT, micros=KWH)["micros"].to_list() == exact
    assert [read_amount(text, decimal=DecimalMark.POINT, micros=KWH) for text in texts] == exact


@settings(deadline=None)
@given(st.text(alphabet="0123456789.,+-eE _nNaAiIfF٣", max_size=8))
def test_any_text_is_read_alike_both_ways(text: str) -> None:
    """The fast way takes nothing that the exact way refuses, and says the same where both take it."""
    for decimal in DecimalMark:
        one = read_amount(text, decimal=decimal, micros=KWH)
        [(micros, reason)] = read_amounts(pl.Series([text], dtype=pl.String), decimal=decimal, micros=KWH).rows()
        assert (reason if micros is None else micros) == one


@pytest.mark.parametrize(
    ("text", "wall", "offset_s"),
    [
        ("1970-01-02T00:15:00Z", 87_300, 0),
        ("1970-01-02 00:15", 87_300, None),
        ("1970-01-02T00:15:00.000Z", 87_300, 0),
        ("1970-01-02T00:15+01:00", 87_300, 3600),
        ("1970-01-02 00:15:00 +0100", 87_300, 3600),
        ("1970-01-02T00:15-0330", 87_300, -12_600),
        ("1970-01-02", 86_400, None),
        ("1970-01-01T24:00", 86_400, None),
        ("1970-01-01 24:00:00Z", 86_400, 0),
    ],
)
def test_iso_stamps_are_read_in_all_their_forms(text: str, wall: int, offset_s: int | None) -> None:
    """With T or a blank, with seconds or without, with an offset or without; 24:00 is the midnight that ends the day."""
    assert StampReader(None).read(pl.Series([text])).rows() == [(wall, offset_s, None)]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2026",
        "20260301",
        "2026-W09-7",
        "2026-13-01",
        "2026-02-30 00:00",
        "2026-03-01T25:00",
        "01-03-2026 00:00",
        "2026-03-01T24:15",
        "9999-12-31 24:00",
        "1899-12-31 00:00",
        "2200-01-01T00:00Z",
    ],
)
def test_what_is_no_iso_stamp_is_refused(text: str) -> None:
    """Dates that do not exist and forms that could be read in two ways are not guessed at."""
    assert read_stamp(text, None) is Reason.BAD_TIME


def test_a_stamp_within_a_second_is_refused() -> None:
    """A reading starts on a whole second."""
    assert read_stamp("2026-03-01T00:00:00.5Z", None) is Reason.FRACTION_OF_SECOND


@pytest.mark.parametrize(
    ("date_format", "text", "wall", "offset_s"),
    [
        ("%d-%m-%Y %H:%M:%S", "02-01-1970 00:15:00", 87_300, None),
        ("%m/%d/%y %H:%M", "1/2/26 0:15", 1_767_312_900, None),
        ("%m/%d/%Y %I:%M %p", "01/02/1970 12:15 AM", 87_300, None),
        ("%m/%d/%Y %I:%M %p", "01/02/1970 12:15 pm", 87_300 + 43_200, None),
        ("%d.%m.%Y %H:%M", "01.01.1970 24:00", 86_400, None),
        ("%d/%m/%Y %H:%M %z", "02/01/1970 00:15 +0100", 87_300, 3600),
        ("%Y%m%d", "19700102", 86_400, None),
    ],
)
def test_declared_forms_of_a_stamp_are_read(date_format: str, text: str, wall: int, offset_s: int | None) -> None:
    """Day first or month first, two-digit years, the clock of twelve hours: as the file was declared, and only so."""
    pattern = CsvOptions(date_format=date_format).date_pattern()
    assert StampReader(pattern).read(pl.Series([text])).rows() == [(wall, offset_s, None)]
    assert read_stamp("1970-01-02T00:15:00Z", pattern) is Reason.BAD_TIME


@pytest.mark.parametrize(("date_format", "text"), [("%d-%m-%Y %H:%M", "31-02-2026 00:00"), ("%m/%d/%Y %I:%M %p", "01/02/1970 13:15 PM")])
def test_declared_forms_still_need_real_times(date_format: str, text: str) -> None:
    """The 31st of February and thirteen o'clock in the afternoon do not exist."""
    pattern = CsvOptions(date_format=date_format).date_pattern()
    assert isinstance(pattern, re.Pattern)
    assert read_stamp(text, pattern) is Reason.BAD_TIME


def test_lengths_are_whole_seconds() -> None:
    """A blank length is unknown (0), and a word is none."""
    assert read_lengths(pl.Series(["900", "", "x", "1.5"])).to_list() == [900, 0, None, None]
