"""A stream of bytes as rows of cells, in bounded memory: ordinary lines together in polars, odd ones singly, each with its number.

A line of the file is a row: a quoted field may hold the delimiter, but not a line break. So the number of a line is the one that an
editor shows, and a quotation mark that is never closed spoils its own line only.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from commonwatt.wire.csv_options import Encoding
from commonwatt.wire.csv_reasons import Reason, Refused

CHUNK_BYTES = 16 << 20
LONGEST_LINE = 1 << 20
NEWLINE, QUOTE = 10, 34

Places = NDArray[np.int64]
Flags = NDArray[np.bool_]


class ByteSource(Protocol):
    """An open binary file, or anything that reads like one."""

    def read(self, size: int, /) -> bytes:
        """Up to so many bytes; none at the end."""
        ...


@dataclass(frozen=True, slots=True)
class Chunk:
    """Whole lines of a file, each ended by a line feed."""

    first_line: int
    text: bytes


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """The wanted cells of some rows, trimmed and unquoted; `table` has the column `line` and one text column for each field."""

    table: pl.DataFrame
    refused: list[Refused]
    rows_read: int


@dataclass(slots=True)
class LineReader:
    """Cuts a stream into chunks at line ends. A line longer than `LONGEST_LINE` is left out and kept in `refused`."""

    source: ByteSource
    chunk_bytes: int = CHUNK_BYTES
    next_line: int = 1
    refused: list[Refused] = field(default_factory=list[Refused])

    def chunks(self) -> Iterator[Chunk]:
        """The stream, once."""
        rest = b""
        while more := self.source.read(self.chunk_bytes):
            text, rest = self._cut(rest + more)
            if text:
                yield self._numbered(text)
        if rest:
            yield self._numbered(rest + b"\n")

    def _cut(self, text: bytes) -> tuple[bytes, bytes]:
        """The whole lines, and the beginning of one that is still to come."""
        end = text.rfind(b"\n") + 1
        rest = text[end:]
        if len(rest) > LONGEST_LINE:
            self._skip_line(self.next_line + text.count(b"\n"))
            rest = b"\n"  # an empty line stands for it, so that those after it keep their numbers
        return text[:end], rest

    def _skip_line(self, line: int) -> None:
        self.refused.append(Refused(line, "line", Reason.LINE_TOO_LONG, ""))
        while (more := self.source.read(self.chunk_bytes)) and b"\n" not in more:
            pass
        after = more.partition(b"\n")[2]
        if after:
            self.source = Rejoined(after, self.source)

    def _numbered(self, text: bytes) -> Chunk:
        chunk = Chunk(self.next_line, text)
        self.next_line += text.count(b"\n")
        return chunk


class Rejoined:
    """What was read too far, followed by the stream it was read from."""

    def __init__(self, head: bytes, tail: ByteSource) -> None:
        self._head, self._tail = head, tail

    def read(self, size: int, /) -> bytes:
        """Up to so many bytes; none at the end."""
        if self._head:
            part, self._head = self._head[:size], self._head[size:]
            return part
        return self._tail.read(size)


@dataclass(frozen=True, slots=True, kw_only=True)
class CellReader:
    """Takes the wanted cells out of lines.

    Attributes:
        delimiter: One character.
        width: How many cells the header has.
        places: The wanted fields, each with the place of its cell in the row, counted from 0.
        header: The header's cells; a line that repeats them is passed over.
        encoding: How bytes become letters.
    """

    delimiter: str
    width: int
    places: dict[str, int]
    header: tuple[str, ...]
    encoding: Encoding

    def read(self, chunk: Chunk) -> tuple[Cells, int | None]:
        """The cells of a chunk, and its first line that was read as Windows-1252 although UTF-8 was expected, if any."""
        text, foreign_line = self._decoded(chunk)
        ends, ordinary = self._ordinary_lines(text)
        _, undecodable = _lines_beyond_ascii(text)
        ordinary[undecodable] = False
        together = self._read_together(text, ends, ordinary, chunk.first_line)
        odd = np.flatnonzero(~ordinary)
        singly = self._read_singly(_lines_at(text, ends, odd), odd + chunk.first_line)
        table = together if singly.table.is_empty() else pl.concat([together, singly.table]).sort("line")
        cells = Cells(table, singly.refused, together.height + singly.rows_read)
        if len(undecodable) and self.encoding is Encoding.AUTO:
            foreign_line = int(undecodable[0]) + chunk.first_line
        return cells, foreign_line

    def _decoded(self, chunk: Chunk) -> tuple[bytes, int | None]:
        """The chunk in UTF-8 as a whole, and its first foreign line; left as it is where lines of both kinds are mixed."""
        if chunk.text.isascii() or self.encoding is Encoding.UTF_8:
            return chunk.text, None
        if self.encoding is Encoding.CP1252:
            return _from_cp1252(chunk.text), None
        beyond, undecodable = _lines_beyond_ascii(chunk.text)
        if len(undecodable) < len(beyond) or not len(beyond):
            return chunk.text, None
        return _from_cp1252(chunk.text), int(undecodable[0]) + chunk.first_line

    def _ordinary_lines(self, text: bytes) -> tuple[Places, Flags]:
        """Where each line ends, and which lines split at every delimiter into just as many cells as the header has."""
        codes = np.frombuffer(text, dtype=np.uint8)
        ends = np.flatnonzero(codes == NEWLINE)
        delimiters = np.flatnonzero(codes == ord(self.delimiter))
        inner = self.width - 1
        if len(delimiters) == inner * len(ends) and b'"' not in text:
            table = delimiters.reshape(len(ends), inner)
            if (table[:, -1] < ends).all() and (table[1:, 0] > ends[:-1]).all():
                return ends, np.ones(len(ends), dtype=np.bool_)
        until = np.searchsorted(delimiters, ends)
        ordinary = np.diff(until, prepend=0) == inner
        if b'"' in text:
            ordinary &= ~_lines_with_quoted_delimiters(codes, ends, delimiters, until)
        return ends, ordinary

    def _read_together(self, text: bytes, ends: Places, ordinary: Flags, first_line: int) -> pl.DataFrame:
        if not ordinary.any():
            return self._table([], {name: [] for name in self.places})
        if not ordinary.all():
            text = _kept(text, ends, ordinary)
        columns = [f"column_{place}" for place in self.places.values()]
        table = pl.read_csv(
            text,
            has_header=False,
            separator=self.delimiter,
            quote_char=None,
            infer_schema=False,
            empty_string_is_null=False,
        ).select(pl.col(column).alias(name) for column, name in zip(columns, self.places, strict=True))
        if b'"' in text:
            table = table.with_columns(_unwrapped(pl.col(name), text) for name in self.places)
        elif any(mark in text for mark in (b" ", b"\t", b"\r")) or not text.isascii():
            table = table.with_columns(pl.col(*self.places).str.strip_chars())
        return table.with_columns(line=np.flatnonzero(ordinary) + first_line).remove(self._holds_no_reading())

    def _holds_no_reading(self) -> pl.Expr:
        """Blank in every wanted cell, or the header once more."""
        blank = pl.all_horizontal(pl.col(name) == "" for name in self.places)
        if not self.header:
            return blank
        return blank | pl.all_horizontal(pl.col(name) == self.header[place] for name, place in self.places.items())

    def _read_singly(self, lines: list[bytes], numbers: Places) -> Cells:
        kept: list[int] = []
        cells: dict[str, list[str]] = {name: [] for name in self.places}
        refused: list[Refused] = []
        for raw, number in zip(lines, numbers.tolist(), strict=True):
            row = self._split(raw)
            problem = row if isinstance(row, Reason) else self._misfit(row)
            if problem is not None:
                refused.append(Refused(number, "line", problem, _shown(raw)))
            elif not isinstance(row, Reason) and any(row):
                kept.append(number)
                for name, place in self.places.items():
                    cells[name].append(row[place])
        table = self._table(kept, cells).remove(self._holds_no_reading())
        return Cells(table, refused, table.height + len(refused))

    def _split(self, raw: bytes) -> list[str] | Reason:
        try:
            text = raw.decode()
        except UnicodeDecodeError:
            if self.encoding is Encoding.UTF_8:
                return Reason.BAD_ENCODING
            text = raw.decode("cp1252", errors="replace")
        row = split_line(text, self.delimiter)
        return Reason.UNBALANCED_QUOTE if row is None else row

    def _misfit(self, row: list[str]) -> Reason | None:
        if any(row[self.width :]):
            return Reason.TOO_MANY_FIELDS
        if any(row) and len(row) <= max(self.places.values()):
            return Reason.TOO_FEW_FIELDS
        return None

    def _table(self, numbers: list[int], cells: dict[str, list[str]]) -> pl.DataFrame:
        return pl.DataFrame({**cells, "line": numbers}, schema={**dict.fromkeys(self.places, pl.String), "line": pl.Int64}, orient="col")


def split_line(text: str, delimiter: str) -> list[str] | None:
    """The cells of one line, trimmed and unquoted; None where a quotation mark is not closed or stands where none may."""
    try:
        row = next(csv.reader([text.rstrip("\r\n")], delimiter=delimiter, strict=True, skipinitialspace=True), [""])
    except csv.Error:
        return None
    return [_unwrapped_formula(cell.strip()) for cell in row]


def _unwrapped_formula(cell: str) -> str:
    return cell[2:-1].strip() if cell.startswith('="') and cell.endswith('"') and len(cell) > 2 else cell


def _unwrapped(column: pl.Expr, text: bytes) -> pl.Expr:
    """Trimmed, without the quotes around it, and without the formula ="…" by which spreadsheets are told that a number is text.

    Args:
        column: Cells.
        text: The lines they come from: what does not occur in them need not be looked for cell by cell.
    """
    trimmed = column.str.strip_chars()
    quoted = trimmed.str.starts_with('"') & trimmed.str.ends_with('"') & (trimmed.str.len_bytes() > 1)
    inner = trimmed.str.strip_prefix('"').str.strip_suffix('"')
    if b'""' in text:
        inner = inner.str.replace_all('""', '"', literal=True)
    plain = pl.when(quoted).then(inner.str.strip_chars()).otherwise(trimmed)
    if b'="' not in text:
        return plain
    formula = plain.str.starts_with('="') & plain.str.ends_with('"') & (plain.str.len_bytes() > 2)
    return pl.when(formula).then(plain.str.strip_prefix('="').str.strip_suffix('"').str.strip_chars()).otherwise(plain)


def _lines_with_quoted_delimiters(codes: NDArray[np.uint8], ends: Places, delimiters: Places, until: Places) -> Flags:
    """The lines in which a delimiter may stand inside quotes, or in which quotation marks are odd in number."""
    quotes = np.flatnonzero(codes == QUOTE)
    quotes_until = np.searchsorted(quotes, ends)
    quotes_before = np.concatenate(([0], quotes_until[:-1]))
    suspicious: Flags = (quotes_until - quotes_before) % 2 == 1
    line_of = np.repeat(np.arange(len(ends)), np.diff(until, prepend=0))
    inside = (np.searchsorted(quotes, delimiters[: until[-1]]) - quotes_before[line_of]) % 2 == 1
    suspicious[line_of[inside]] = True
    return suspicious


def _lines_beyond_ascii(text: bytes) -> tuple[Places, Places]:
    """The lines that are not plain ASCII, and those of them that are not UTF-8; the former are not looked for where all is UTF-8."""
    nothing = np.empty(0, dtype=np.int64)
    if text.isascii() or _is_utf8(text):
        return nothing, nothing
    codes = np.frombuffer(text, dtype=np.uint8)
    ends = np.flatnonzero(codes == NEWLINE)
    beyond = np.unique(np.searchsorted(ends, np.flatnonzero(codes >= 128)))
    wrong = [not _is_utf8(line) for line in _lines_at(text, ends, beyond)]
    return beyond, beyond[np.array(wrong, dtype=np.bool_)]


def _from_cp1252(text: bytes) -> bytes:
    return text.decode("cp1252", errors="replace").encode()


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _lines_at(text: bytes, ends: Places, numbers: Places) -> list[bytes]:
    starts = np.where(numbers > 0, ends[numbers - 1] + 1, 0)
    return [text[start:end] for start, end in zip(starts.tolist(), ends[numbers].tolist(), strict=True)]


def _kept(text: bytes, ends: Places, keep: Flags) -> bytes:
    lengths = np.diff(ends, prepend=-1)
    return np.frombuffer(text, dtype=np.uint8)[np.repeat(keep, lengths)].tobytes()


def _shown(raw: bytes) -> str:
    return raw[:80].decode("utf-8", errors="replace").strip()
