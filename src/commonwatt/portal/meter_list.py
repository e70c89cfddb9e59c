"""A list of meters that the operator enters at once: read strictly, one outcome a line."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from io import StringIO

from django.utils.translation import gettext as _

LINES_AT_MOST = 5000
_COLUMNS = {"number", "name", "interval_minutes"}
_MINUTES = {"": 15, "1": 1, "5": 5, "15": 15, "30": 30, "60": 60}


class UnreadableList(ValueError):
    """The list as a whole cannot be read; the message says what to do."""


@dataclass(frozen=True, slots=True)
class MeterLine:
    """One meter to enter. `problem` is why it cannot be, in words; empty where it can."""

    line: int
    number: str
    name: str
    interval_s: int
    problem: str = ""


def read_list(content: bytes) -> list[MeterLine]:
    """The lines of a CSV with a column `number`, and perhaps `name` and `interval_minutes`; raises UnreadableList."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableList(_("The file is not UTF-8. Save it as CSV (UTF-8).")) from error
    reader = csv.DictReader(StringIO(text, newline=""), delimiter=";" if ";" in text.split("\n", 1)[0] else ",")
    names = [(name or "").strip().lower() for name in reader.fieldnames or []]
    if "number" not in names:
        raise UnreadableList(_("The first line must name the columns: number, and perhaps name and interval_minutes."))
    reader.fieldnames = names
    lines = list(_marked(_line(reader.line_num, row) for row in reader))
    if len(lines) > LINES_AT_MOST:
        raise UnreadableList(_("The list has more than %(n)d lines. Split it.") % {"n": LINES_AT_MOST})
    return lines


def _line(number: int, row: dict[str, str | list[str]]) -> MeterLine:
    cells = {name: " ".join(str(row.get(name) or "").split()) for name in _COLUMNS}
    minutes = _MINUTES.get(cells["interval_minutes"])
    problem = ""
    if not cells["number"]:
        problem = _("There is no meter number.")
    elif len(cells["number"]) > 64 or len(cells["name"]) > 120:
        problem = _("A number has at most 64 signs, a name at most 120.")
    elif minutes is None:
        problem = _("“%(value)s” is not an interval; write 1, 5, 15, 30 or 60 minutes.") % {"value": cells["interval_minutes"]}
    return MeterLine(number, cells["number"], cells["name"], (minutes or 15) * 60, problem)


def _marked(lines: Iterable[MeterLine]) -> Iterable[MeterLine]:
    """The same, with a number that comes a second time marked."""
    seen: dict[str, int] = {}
    for line in lines:
        first = seen.setdefault(line.number, line.line)
        if first != line.line and not line.problem:
            yield MeterLine(
                line.line, line.number, line.name, line.interval_s, _("The number stands in line %(n)d already.") % {"n": first}
            )
        else:
            yield line
