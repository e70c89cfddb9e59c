"""Finding the header of a CSV file, and with it the delimiter and the place of every wanted column."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from commonwatt.wire.csv_lines import split_line
from commonwatt.wire.csv_options import DELIMITERS, CsvOptions, Label, Unit
from commonwatt.wire.csv_reasons import Obstacle, UnreadableCsv

HEADER_WITHIN_LINES = 100
BOM = b"\xef\xbb\xbf"
_UNITS = {unit.casefold(): unit for unit in Unit}
# How files begin that are called CSV and are not.
_OTHER_KINDS = {
    b"PK\x03\x04": Obstacle.SPREADSHEET,
    b"\x1f\x8b": Obstacle.COMPRESSED,
    b"%PDF": Obstacle.PDF,
    b"\xff\xfe": Obstacle.UTF_16,
    b"\xfe\xff": Obstacle.UTF_16,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """Where a file holds what.

    Attributes:
        delimiter: What separates the fields.
        header: The header's cells; empty for a file without a header.
        header_line: Its line, 0 for a file without.
        width: How many fields a row has.
        places: The wanted fields and their places in a row, counted from 0: stamp, amount, and where there are such columns
            stamp_time, until, until_time, meter, length_s, quality, quantity. `until` is the end beside a start.
        unit: What the amounts are.
        label: Which edge of the interval the stamp names.
    """

    delimiter: str
    header: tuple[str, ...]
    header_line: int
    width: int
    places: dict[str, int]
    unit: Unit
    label: Label

    def column_names(self) -> dict[str, str]:
        """What the file calls each wanted field: the name in the header, or the number of the column."""
        return {field: self.header[place] if self.header else f"column {place + 1}" for field, place in self.places.items()}

    @property
    def tells_length(self) -> bool:
        """Whether a column says how long each interval lasts."""
        return "until" in self.places or "length_s" in self.places


def find_layout(head: bytes, options: CsvOptions) -> tuple[Layout, int]:
    """The layout, and how many bytes come before the first row, given the beginning of the file; raises UnreadableCsv."""
    _require_text(head)
    start = len(BOM) if head.startswith(BOM) else 0
    if options.header_line == 0:
        return _without_header(_first_row(head[start:]), options), start
    lines = list(_lines(head, start))
    for number, text, end in lines:
        if options.header_line not in {None, number}:
            continue
        for delimiter in (options.delimiter,) if options.delimiter else DELIMITERS:
            cells = split_line(text, delimiter)
            if cells is not None and (fields := _matched(cells, options)) is not None:
                return _layout(delimiter, cells, number, fields, options), end
    raise _no_header(lines, options)


def _require_text(head: bytes) -> None:
    for beginning, obstacle in _OTHER_KINDS.items():
        if head.startswith(beginning):
            raise UnreadableCsv(obstacle)
    if b"\0" in head:
        raise UnreadableCsv(Obstacle.NOT_TEXT)
    if not head.removeprefix(BOM).strip():
        raise UnreadableCsv(Obstacle.EMPTY)


def _lines(head: bytes, start: int) -> Iterator[tuple[int, str, int]]:
    """The first lines: number, text, and where the next one begins."""
    for number in range(1, HEADER_WITHIN_LINES + 1):
        if start >= len(head):
            return
        end = head.find(b"\n", start) + 1 or len(head)
        yield number, _decoded(head[start:end]), end
        start = end


def _decoded(raw: bytes) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("cp1252", errors="replace")


def _wanted(options: CsvOptions) -> dict[str, Sequence[str]]:
    """The names by which each field is looked for, in lower case."""
    units = [options.unit.casefold()] if options.unit else list(_UNITS)
    names: dict[str, Sequence[str]] = {
        "start": ["start"], "end": ["end"], "amount": units, "length_s": ["length_s"], "quality": ["quality"],
        "quantity": ["quantity"], "meter": [] if options.meter else ["meter"],
    }  # fmt: skip
    given = options.columns.named()
    # Who names the stamp column has said where the time is: a column that is called start or end by chance is not taken.
    if "start" in given or "end" in given:
        names["start"] = names["end"] = []
    return names | {field: [name.casefold().strip()] for field, name in given.items()}


def _matched(cells: Sequence[str], options: CsvOptions) -> dict[str, str] | None:
    """The lower-case column name of each field that this line has; None if it is not the header."""
    present = {cell.casefold() for cell in cells}
    fields: dict[str, str] = {}
    for field, names in _wanted(options).items():
        found = [name for name in names if name in present]
        if found:
            fields[field] = found[0]
        elif field in options.columns.named():
            return None
        if field == "amount" and len(found) > 1:
            raise UnreadableCsv(Obstacle.TWO_AMOUNTS, columns=", ".join(found))
    return fields if "amount" in fields and fields.keys() & {"start", "end"} else None


def _layout(delimiter: str, cells: Sequence[str], number: int, fields: Mapping[str, str], options: CsvOptions) -> Layout:
    names = [cell.casefold() for cell in cells]
    for name in fields.values():
        if names.count(name) > 1:
            raise UnreadableCsv(Obstacle.TWO_COLUMNS_OF_ONE_NAME, line=number, column=name)
    places = {field: names.index(name) for field, name in fields.items()}
    return Layout(
        delimiter=delimiter,
        header=tuple(cells),
        header_line=number,
        width=len(cells),
        unit=_unit(fields["amount"], options),
        label=_label(places, options),
        places=_by_meaning(places, options),
    )


def _without_header(row: str, options: CsvOptions) -> Layout:
    places = {field: int(number) - 1 for field, number in options.columns.named().items()}
    needed = max(places.values()) + 1
    for delimiter in (options.delimiter,) if options.delimiter else DELIMITERS:
        cells = split_line(row, delimiter) or []
        if len(cells) >= max(needed, 2) and options.unit is not None:
            return Layout(
                delimiter=delimiter,
                header=(),
                header_line=0,
                width=len(cells),
                unit=options.unit,
                label=_label(places, options),
                places=_by_meaning(places, options),
            )
    raise UnreadableCsv(Obstacle.TOO_FEW_COLUMNS, needed=needed, begins=row.strip()[:120])


def _first_row(text: bytes) -> str:
    return next(line for line in _decoded(text).splitlines() if line.strip())


def _unit(name: str, options: CsvOptions) -> Unit:
    by_name = _UNITS.get(name)
    if options.unit is not None and by_name is not None and by_name is not options.unit:
        raise UnreadableCsv(Obstacle.UNIT_CONTRADICTS_COLUMN, column=name, unit=options.unit)
    unit = options.unit or by_name
    if unit is None:
        raise UnreadableCsv(Obstacle.NO_UNIT, column=name)
    return unit


def _label(places: Mapping[str, int], options: CsvOptions) -> Label:
    if {"start", "end"} <= places.keys():
        if options.label is Label.END:
            raise UnreadableCsv(Obstacle.LABEL_BESIDE_TWO_STAMPS)
        return Label.START
    by_column = Label.START if "start" in places else Label.END
    if options.label is Label.START and by_column is Label.END:
        raise UnreadableCsv(Obstacle.LABEL_CONTRADICTS_COLUMN)
    return options.label or by_column


def _by_meaning(places: Mapping[str, int], options: CsvOptions) -> dict[str, int]:
    """The places with the stamp column called `stamp`, and an end beside it `until`."""
    if options.meter is None and "meter" not in places:
        raise UnreadableCsv(Obstacle.NO_METER_COLUMN)
    edge, other = ("start", "end") if "start" in places else ("end", "start")
    meaning = {edge: "stamp", f"{edge}_time": "stamp_time", other: "until", f"{other}_time": "until_time"}
    return {meaning.get(field, field): place for field, place in places.items()}


def _no_header(lines: Sequence[tuple[int, str, int]], options: CsvOptions) -> UnreadableCsv:
    wanted = _wanted(options)
    alternatives = [wanted["meter"], [*wanted["start"], *wanted["end"]], wanted["amount"]]
    columns = ", ".join(" or ".join(names) for names in alternatives if names)
    begins = next((text.strip() for _, text, _ in lines if text.strip()), "")[:120]
    if options.header_line:
        return UnreadableCsv(Obstacle.NOT_THAT_HEADER, line=options.header_line, columns=columns, begins=begins)
    return UnreadableCsv(Obstacle.NO_HEADER, lines=HEADER_WITHIN_LINES, columns=columns, begins=begins)
