"""Cells to values: wall times and instants, whole millionths of an amount, words with a meaning. A wrong cell becomes a reason.

Files repeat themselves: ten million rows of a thousand meters hold ten thousand stamps. So each distinct text of a column is read
once, by the exact and patient way, and its value is joined back; amounts, which differ more, are first tried all together.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal

import polars as pl

from commonwatt.wire.csv_options import DecimalMark
from commonwatt.wire.csv_reasons import Reason

LARGEST_MICROS = 10**18
"""A terawatt-hour, in millionths of a Wh: more is a broken register."""
# Below this a product of two floats is off by less than a quarter, so that rounding finds the right whole number.
_EXACT_MICROS = 2.0**50
NO_AMOUNT = ("", "-")
FIRST_YEAR, LAST_YEAR = 1900, 2199
"""Years that a stamp may have; others are slips, and would not fit every calendar that they meet later."""

STAMP = {"wall_s": pl.Int64, "offset_s": pl.Int32, "reason": pl.String}
AMOUNT = {"micros": pl.Int64, "reason": pl.String}

_STAMPS_REMEMBERED = 200_000
_ISO_START = re.compile(r"\d{4}-\d{2}-\d{2}(?:$|[T ])")
_BLANK_BEFORE_OFFSET = re.compile(r"\s+(?=(?:[Zz]|[+-]\d{2}:?\d{2})$)")
_END_OF_DAY = re.compile(r"(\d{4}-\d{2}-\d{2}[T ])24:00(?::00)?(.*)")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 (wall times carry no zone)


@dataclass(frozen=True, slots=True)
class Stamp:
    """A time as written: seconds since 1970 on that wall, and the offset from UTC if one was written."""

    wall_s: int
    offset_s: int | None


@dataclass(slots=True)
class StampReader:
    """Reads columns of stamps, in ISO 8601 or a declared pattern, and remembers what it has read: the next piece holds the same ones."""

    pattern: re.Pattern[str] | None
    _known: dict[str, tuple[int | None, int | None, str | None]] = field(
        default_factory=dict[str, tuple[int | None, int | None, str | None]]
    )

    def read(self, texts: pl.Series) -> pl.DataFrame:
        """The stamps of a column: `wall_s`, `offset_s` (null: none was written), `reason` (null: all is well)."""
        if len(self._known) > _STAMPS_REMEMBERED:
            self._known.clear()
        distinct = texts.unique()
        values = pl.DataFrame([self._read_one(text) for text in distinct.to_list()], schema=STAMP, orient="row")
        return _joined(texts, distinct, values)

    def _read_one(self, text: str) -> tuple[int | None, int | None, str | None]:
        known = self._known.get(text)
        if known is None:
            stamp = read_stamp(text, self.pattern)
            known = (None, None, stamp.value) if isinstance(stamp, Reason) else (stamp.wall_s, stamp.offset_s, None)
            self._known[text] = known
        return known


def read_stamp(text: str, pattern: re.Pattern[str] | None) -> Stamp | Reason:
    """One stamp, in ISO 8601 or in the declared pattern; 24:00 is the midnight that ends the day."""
    try:
        moment = _from_iso(text) if pattern is None else _from_pattern(text, pattern)
    except (ValueError, OverflowError):  # the day after the last of all
        return Reason.BAD_TIME
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        return Reason.BAD_TIME
    if moment.microsecond:
        return Reason.FRACTION_OF_SECOND
    offset = moment.utcoffset()
    wall = moment.replace(tzinfo=None) - _EPOCH
    return Stamp(wall.days * 86_400 + wall.seconds, None if offset is None else int(offset.total_seconds()))


def _from_iso(text: str) -> datetime:
    if not _ISO_START.match(text):
        raise ValueError(text)
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        text = _BLANK_BEFORE_OFFSET.sub("", text)
        if ended := _END_OF_DAY.fullmatch(text):
            return datetime.fromisoformat(f"{ended[1]}00:00{ended[2]}") + timedelta(days=1)
        return datetime.fromisoformat(text)


def _from_pattern(text: str, pattern: re.Pattern[str]) -> datetime:
    match = pattern.fullmatch(text)
    if match is None:
        raise ValueError(text)
    part = match.groupdict(default="")
    year = int(part.get("Y") or f"20{part['y']}")
    hour, minute, second = _hour(part), int(part.get("M") or 0), int(part.get("S") or 0)
    ends_day = (hour, minute, second) == (24, 0, 0)
    moment = datetime(year, int(part["m"]), int(part["d"]), 0 if ends_day else hour, minute, second)  # noqa: DTZ001 (see below)
    if zone := part.get("z"):
        moment = moment.replace(tzinfo=datetime.fromisoformat(f"1970-01-01T00:00{zone.upper()}").tzinfo)
    return moment + timedelta(days=1) if ends_day else moment


def _hour(part: Mapping[str, str]) -> int:
    if "I" not in part:
        return int(part.get("H") or 0)
    hour = int(part["I"])
    if not 1 <= hour <= 12:
        raise ValueError(part["I"])
    return hour % 12 + (12 if part["p"].upper() == "PM" else 0)


def read_amounts(texts: pl.Series, *, decimal: DecimalMark, micros: int) -> pl.DataFrame:
    """Amounts as whole millionths: `micros` (half to even where the source is finer still), `reason` (null: all is well).

    Args:
        texts: The cells.
        decimal: The decimal mark.
        micros: Millionths in one unit of the column, e.g. 1,000,000,000 for kWh.
    """
    plain = texts if decimal is DecimalMark.POINT else _with_points(texts)
    floats = plain.cast(pl.Float64, strict=False) * micros
    sure = floats.is_finite() & (floats.abs() < _EXACT_MICROS) & (floats >= 0)
    values = floats.set(~sure.fill_null(value=False), None).round().cast(pl.Int64).rename("micros")
    table = pl.DataFrame([values]).with_columns(reason=pl.lit(None, pl.String))
    if values.null_count() == 0:
        return table
    unsure = values.is_null()
    slow = _read_amounts_singly(texts.filter(unsure), decimal, micros)
    places = unsure.arg_true()
    return table.with_columns(micros=values.scatter(places, slow["micros"]), reason=table["reason"].scatter(places, slow["reason"]))


def _with_points(texts: pl.Series) -> pl.Series:
    """Decimal commas as points; where there is a point already it stands for thousands, or for a mistake, so nothing is read."""
    return texts.set(texts.str.contains(".", literal=True), "").str.replace(",", ".", literal=True)


def _read_amounts_singly(texts: pl.Series, decimal: DecimalMark, micros: int) -> pl.DataFrame:
    def read(text: str) -> tuple[int | None, str | None]:
        amount = read_amount(text, decimal=decimal, micros=micros)
        return (None, amount) if isinstance(amount, Reason) else (amount, None)

    distinct = texts.unique()
    return _joined(texts, distinct, pl.DataFrame([read(text) for text in distinct.to_list()], schema=AMOUNT, orient="row"))


def read_amount(text: str, *, decimal: DecimalMark, micros: int) -> int | Reason:
    """One amount in whole millionths, exactly; half to even where it is finer still."""
    if text in NO_AMOUNT:
        return Reason.NO_VALUE
    plain = text if decimal is DecimalMark.POINT else text.replace(".", "?").replace(",", ".")
    if not _NUMBER.fullmatch(plain):
        return Reason.BAD_NUMBER
    value = Decimal(plain) * micros
    if value < 0:
        return Reason.NEGATIVE
    if value > LARGEST_MICROS:
        return Reason.TOO_LARGE
    return int(value.to_integral_value())


def read_words(texts: pl.Series, meanings: Mapping[str, str | int], dtype: pl.DataType) -> pl.Series:
    """What the words of a column mean, upper and lower case alike; null where a word is not among the meanings."""
    known = {word.casefold().strip(): meaning for word, meaning in meanings.items()}
    distinct = texts.unique()
    values = pl.DataFrame({"meaning": [known.get(text.casefold()) for text in distinct.to_list()]}, schema={"meaning": dtype})
    return _joined(texts, distinct, values)["meaning"]


def read_lengths(texts: pl.Series) -> pl.Series:
    """Whole seconds; null where there is no whole number. [s]"""
    seconds = texts.cast(pl.Int64, strict=False)
    return seconds.set(seconds.is_null() & texts.is_in(NO_AMOUNT), 0)


def _joined(texts: pl.Series, distinct: pl.Series, values: pl.DataFrame) -> pl.DataFrame:
    """The value of each text, in the order of the texts, given the values of the distinct ones."""
    table = values.with_columns(distinct.alias("text"))
    return texts.alias("text").to_frame().join(table, on="text", how="left", maintain_order="left").drop("text")
