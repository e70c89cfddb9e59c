"""How a CSV of interval energy is to be read: what its columns are called, and what its stamps and numbers mean."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from types import MappingProxyType
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

LONGEST_INTERVAL_S = 90_000
"""A local day of 25 hours: no reading lasts longer."""
SHORTEST_INTERVAL_S = 60
DAY_S = 86_400


class Unit(StrEnum):
    """What the amounts are: energy of the interval, or mean power over it."""

    KWH = "kWh"
    WH = "Wh"
    KW = "kW"
    W = "W"

    @property
    def is_power(self) -> bool:
        """Whether an amount is mean power, to be multiplied by the interval's duration."""
        return self in {Unit.KW, Unit.W}

    @property
    def micros(self) -> int:
        """Millionths of a Wh (or W) in one unit."""
        return 1_000_000_000 if self in {Unit.KWH, Unit.KW} else 1_000_000


class Label(StrEnum):
    """Which edge of its interval a stamp names."""

    START = "start"
    END = "end"


class Encoding(StrEnum):
    """How bytes become letters; AUTO is UTF-8, with lines that are not UTF-8 read as Windows-1252 and said so."""

    AUTO = "auto"
    UTF_8 = "utf-8"
    CP1252 = "cp1252"


class DecimalMark(StrEnum):
    """The decimal mark."""

    POINT = "."
    COMMA = ","


class Repeated(StrEnum):
    """What to do with a local stamp in the repeated autumn hour that occurs only once."""

    REFUSE = "refuse"
    FIRST = "first"
    SECOND = "second"


IMPORT, EXPORT = "energy_import", "energy_export"
QUANTITIES = (IMPORT, EXPORT)
QUALITIES: Mapping[str, int] = MappingProxyType({"measured": 0, "edited": 1, "estimated": 2})
"""The words of the documented quality column and what they are stored as; a missing reading has no amount, so no word."""
DELIMITERS = (",", ";", "\t", "|")

# What strftime calls the parts of a date, each as the digits it stands for.
_DIRECTIVES = {
    "Y": r"(?P<Y>\d{4})", "y": r"(?P<y>\d{2})", "m": r"(?P<m>\d{1,2})", "d": r"(?P<d>\d{1,2})",
    "H": r"(?P<H>\d{1,2})", "M": r"(?P<M>\d{2})", "S": r"(?P<S>\d{2})", "I": r"(?P<I>\d{1,2})", "p": r"(?P<p>[AaPp][Mm])",
    "z": r"(?P<z>[Zz]|[+-]\d{2}:?\d{2})",
}  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Columns:
    """The header names of the columns (or their numbers, counted from 1, for a file without a header row).

    A field left out takes the documented name if the file has it. `start_time` and `end_time` are for files that hold the date and
    the time of day in two columns.
    """

    meter: str | None = None
    start: str | None = None
    start_time: str | None = None
    end: str | None = None
    end_time: str | None = None
    amount: str | None = None
    length_s: str | None = None
    quality: str | None = None
    quantity: str | None = None

    def named(self) -> dict[str, str]:
        """The fields that were given a column."""
        return {item.name: value for item in fields(self) if (value := getattr(self, item.name)) is not None}


class BadCsvOptions(ValueError):
    """Options that contradict one another or that nothing can be read with; `problems` names the option and says what is wrong."""

    def __init__(self, problems: list[tuple[str, str]]) -> None:
        self.problems = tuple(problems)
        super().__init__(" ".join(f"{name}: {text}" for name, text in problems))


@dataclass(frozen=True, kw_only=True, slots=True)
class CsvOptions:
    """How to read one file. Every option has a default with which the documented columns are read.

    Attributes:
        columns: Which column holds what; see `Columns`.
        meter: The meter that every row belongs to, for files without a meter column.
        quantity: energy_import or energy_export, for files without a quantity column.
        quantity_words: What the words of the quantity column mean, e.g. {"Afname": "energy_import"}.
        quality_words: What the words of the quality column mean, e.g. {"Geschat": "estimated"}.
        unit: kWh, Wh, or mean power in kW or W; None takes it from the name of the amount column.
        label: Whether a stamp names the start or the end of its interval; None takes it from the name of the stamp column.
        interval_s: How long every interval lasts; None takes it from the end or length column, else from the meter's channel.
            86,400 means a local day, which lasts 23 or 25 hours when the clocks change.
        zone: The civil zone of stamps without an offset, e.g. Europe/Brussels.
        repeated: What to do with a stamp in the repeated autumn hour that occurs only once.
        date_format: How stamps are written, in the directives of strftime, e.g. "%d-%m-%Y %H:%M"; None for ISO 8601.
        decimal: The decimal mark.
        delimiter: What separates the fields; None finds it with the header.
        encoding: How bytes become letters.
        header_line: The line of the header, counted from 1; 0 for none; None looks for it.
    """

    columns: Columns = field(default_factory=Columns)
    meter: str | None = None
    quantity: str = IMPORT
    quantity_words: Mapping[str, str] = field(default_factory=dict[str, str])
    quality_words: Mapping[str, str] = field(default_factory=dict[str, str])
    unit: Unit | None = None
    label: Label | None = None
    interval_s: int | None = None
    zone: str | None = None
    repeated: Repeated = Repeated.REFUSE
    date_format: str | None = None
    decimal: DecimalMark = DecimalMark.POINT
    delimiter: str | None = None
    encoding: Encoding = Encoding.AUTO
    header_line: int | None = None

    def __post_init__(self) -> None:
        problems = [*_meaning_problems(self), *_layout_problems(self)]
        if problems:
            raise BadCsvOptions(problems)

    def date_pattern(self) -> re.Pattern[str] | None:
        """The regular expression of `date_format`, one named group for each part; None when stamps are ISO 8601."""
        if self.date_format is None:
            return None
        return _pattern(self.date_format)


def _meaning_problems(options: CsvOptions) -> list[tuple[str, str]]:
    problems: list[tuple[str, str]] = []
    if options.zone is not None and not _is_zone(options.zone):
        problems.append(("zone", f"{options.zone!r} is not a time zone; write one such as Europe/Brussels."))
    if options.interval_s is not None and not SHORTEST_INTERVAL_S <= options.interval_s <= DAY_S:
        problems.append(("interval_s", f"{options.interval_s} is not between {SHORTEST_INTERVAL_S} and {DAY_S} seconds."))
    if options.date_format is not None:
        problems += [("date_format", text) for text in _format_problems(options.date_format)]
    wrong = sorted({quantity for quantity in (options.quantity, *options.quantity_words.values()) if quantity not in QUANTITIES})
    if wrong:
        problems.append(("quantity", f"{', '.join(map(repr, wrong))} is not a quantity; use {' or '.join(QUANTITIES)}."))
    wrong = sorted({quality for quality in options.quality_words.values() if quality not in QUALITIES})
    if wrong:
        problems.append(("quality_words", f"{', '.join(map(repr, wrong))} is not a quality; use {', '.join(QUALITIES)}."))
    return problems


def _layout_problems(options: CsvOptions) -> list[tuple[str, str]]:
    problems: list[tuple[str, str]] = []
    columns = options.columns
    if options.delimiter is not None and (len(options.delimiter) != 1 or options.delimiter in '"\r\n'):
        problems.append(("delimiter", f"{options.delimiter!r} cannot separate fields; use one character such as a semicolon."))
    if options.delimiter is not None and (options.delimiter in ".+-:" or options.delimiter.isalnum() or not options.delimiter.isascii()):
        problems.append(("delimiter", f"{options.delimiter!r} occurs inside numbers, times or names."))
    if options.header_line is not None and options.header_line < 0:
        problems.append(("header_line", f"{options.header_line} is not a line; count from 1, or 0 for a file without a header."))
    if options.header_line == 0:
        if not all(place.isdecimal() and int(place) > 0 for place in columns.named().values()):
            problems.append(("columns", "without a header row, columns are numbers counted from 1."))
        if columns.amount is None or (columns.start is None and columns.end is None):
            problems.append(("columns", "without a header row, say which columns hold the stamp and the amount."))
        if columns.amount is not None and options.unit is None:
            problems.append(("unit", "without a header row, say whether amounts are kWh, Wh, kW or W."))
    if columns.meter is not None and options.meter is not None:
        problems.append(("meter", "give either the column that names the meter, or one meter for the whole file."))
    if columns.start is not None and columns.end is not None and options.label is Label.END:
        problems.append(("label", "a file with a start and an end column needs no label; leave it out."))
    if (columns.start is None and columns.start_time is not None) or (columns.end is None and columns.end_time is not None):
        problems.append(("columns", "a column with the time of day goes with the column that holds its date."))
    return problems


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _format_problems(date_format: str) -> list[str]:
    used = re.findall(r"%(.)", date_format)
    unknown = sorted({letter for letter in used if letter not in _DIRECTIVES and letter != "%"})
    if unknown:
        return [f"%{unknown[0]} is not understood; the parts are {', '.join('%' + letter for letter in _DIRECTIVES)}."]
    if any(used.count(letter) > 1 for letter in _DIRECTIVES):
        return [f"{date_format!r} names a part twice."]
    if not {"m", "d"} <= set(used) or not {"Y", "y"} & set(used):
        return [f"{date_format!r} needs year, month and day."]
    if ("I" in used) != ("p" in used):
        return ["%I, the hour from 1 to 12, goes with %p."]
    return []


def _pattern(date_format: str) -> re.Pattern[str]:
    parts = re.split(r"(%.)", date_format)
    return re.compile("".join(_DIRECTIVES.get(part[1:], "%") if part.startswith("%") else re.escape(part) for part in parts))
