"""Why a row of a CSV file was not taken, or the whole file cannot be read: stable codes, and what they mean in plain words.

The codes never change meaning. The English text is for the caller to translate and fill in: {value} is what stood in the cell.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum, unique


@unique
class Reason(StrEnum):
    """Why one row was not taken."""

    LINE_TOO_LONG = "line_too_long"
    BAD_ENCODING = "bad_encoding"
    UNBALANCED_QUOTE = "unbalanced_quote"
    TOO_FEW_FIELDS = "too_few_fields"
    TOO_MANY_FIELDS = "too_many_fields"
    NO_METER = "no_meter"
    BAD_TIME = "bad_time"
    NO_ZONE = "no_zone"
    FRACTION_OF_SECOND = "fraction_of_second"
    MISSING_HOUR = "missing_hour"
    AMBIGUOUS_HOUR = "ambiguous_hour"
    NO_VALUE = "no_value"
    BAD_NUMBER = "bad_number"
    NEGATIVE = "negative"
    TOO_LARGE = "too_large"
    BAD_LENGTH = "bad_length"
    UNKNOWN_QUANTITY = "unknown_quantity"
    UNKNOWN_QUALITY = "unknown_quality"

    @property
    def text(self) -> str:
        """What is wrong and what to do, with {value} where the cell's content goes."""
        return _TEXTS[self]


_TEXTS: dict[Reason, str] = {
    Reason.LINE_TOO_LONG: "The line is longer than a megabyte. Check that the file has line breaks.",
    Reason.BAD_ENCODING: "The line is not UTF-8. Save the file as UTF-8, or declare its encoding.",
    Reason.UNBALANCED_QUOTE: "A quotation mark is not closed, or stands in the wrong place: {value}",
    Reason.TOO_FEW_FIELDS: "The line has fewer fields than the header asks for: {value}",
    Reason.TOO_MANY_FIELDS: "The line has more fields than the header. A number with the delimiter in it must be quoted: {value}",
    Reason.NO_METER: "The meter is blank.",
    Reason.BAD_TIME: "“{value}” is not a time as declared. ISO 8601 reads 2026-03-29T01:00Z; other forms need a date format.",
    Reason.NO_ZONE: "“{value}” has no UTC offset. Declare the time zone of the file.",
    Reason.FRACTION_OF_SECOND: "“{value}” does not fall on a whole second.",
    Reason.MISSING_HOUR: "“{value}” does not exist: the clock was put forward over that hour. Check the zone, and the start or end label.",
    Reason.AMBIGUOUS_HOUR: (
        "“{value}” is in the hour that the clock showed twice, and the file does not hold it exactly twice. "
        "Say whether the first or the second is meant, or use stamps with an offset."
    ),
    Reason.NO_VALUE: "There is no amount.",
    Reason.BAD_NUMBER: "“{value}” is not a number as declared. Check the decimal mark, and leave out thousands marks and units.",
    Reason.NEGATIVE: "“{value}” is negative. What is given to the grid belongs into a channel of its own.",
    Reason.TOO_LARGE: "“{value}” is more than any meter counts in one interval. Check the unit.",
    Reason.BAD_LENGTH: "“{value}” does not give a length between one minute and a day.",
    Reason.UNKNOWN_QUANTITY: "“{value}” is not a known quantity. Say which of import and export it means, or leave those rows out.",
    Reason.UNKNOWN_QUALITY: "“{value}” is not a known quality. Say which of measured, edited and estimated it means.",
}


@dataclass(frozen=True, slots=True)
class Refused:
    """One row that was not taken: its line, the field that is wrong, why, and what stood there."""

    line: int
    field: str
    reason: Reason
    value: str


@unique
class Obstacle(StrEnum):
    """Why a whole file cannot be read."""

    EMPTY = "empty"
    SPREADSHEET = "spreadsheet"
    COMPRESSED = "compressed"
    PDF = "pdf"
    UTF_16 = "utf_16"
    NOT_TEXT = "not_text"
    NO_HEADER = "no_header"
    NOT_THAT_HEADER = "not_that_header"
    TOO_FEW_COLUMNS = "too_few_columns"
    TWO_COLUMNS_OF_ONE_NAME = "two_columns_of_one_name"
    TWO_AMOUNTS = "two_amounts"
    NO_UNIT = "no_unit"
    UNIT_CONTRADICTS_COLUMN = "unit_contradicts_column"
    NO_METER_COLUMN = "no_meter_column"
    LABEL_BESIDE_TWO_STAMPS = "label_beside_two_stamps"
    LABEL_CONTRADICTS_COLUMN = "label_contradicts_column"


class UnreadableCsv(ValueError):
    """The file as a whole cannot be read. `text` has places for the `facts`, for whoever translates it; the message has them filled in."""

    def __init__(self, obstacle: Obstacle, **facts: str | int) -> None:
        self.obstacle = obstacle
        self.text = _OBSTACLES[obstacle]
        self.facts = facts
        super().__init__(self.text.format(**facts))


_OBSTACLES: dict[Obstacle, str] = {
    Obstacle.EMPTY: "The file is empty.",
    Obstacle.SPREADSHEET: "This is a spreadsheet or a zip archive. Save the sheet as CSV (UTF-8), or unpack the archive.",
    Obstacle.COMPRESSED: "This is a gzip archive. Unpack it first.",
    Obstacle.PDF: "This is a PDF document. Ask the source for CSV.",
    Obstacle.UTF_16: "This is UTF-16 text. Save it as UTF-8.",
    Obstacle.NOT_TEXT: "The file holds zero bytes, so it is not text. Save it as CSV (UTF-8).",
    Obstacle.NO_HEADER: (
        "None of the first {lines} lines is a header with the columns {columns}. The file begins “{begins}”. Say which columns hold them."
    ),
    Obstacle.NOT_THAT_HEADER: (
        "Line {line} is no header with the columns {columns}. The file begins “{begins}”. Say which columns hold them."
    ),
    Obstacle.TOO_FEW_COLUMNS: "The first row has fewer than {needed} fields: “{begins}”. Check the delimiter and the columns.",
    Obstacle.TWO_COLUMNS_OF_ONE_NAME: "Line {line}, the header, names “{column}” more than once. Rename one of the columns.",
    Obstacle.TWO_AMOUNTS: "The file has the columns {columns}. Say which one holds the amounts.",
    Obstacle.NO_UNIT: "Say whether the amounts in the column “{column}” are kWh, Wh, kW or W.",
    Obstacle.UNIT_CONTRADICTS_COLUMN: "The column is called {column}, but the unit is declared as {unit}. Correct one of them.",
    Obstacle.NO_METER_COLUMN: "No column names the meter. Say which column does, or which meter the whole file belongs to.",
    Obstacle.LABEL_BESIDE_TWO_STAMPS: "The file has a start and an end column, so its stamps are starts. Leave the label out.",
    Obstacle.LABEL_CONTRADICTS_COLUMN: "The only stamp column holds ends, but the label says start. Correct one of them.",
}
