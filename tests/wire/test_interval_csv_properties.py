"""What holds for every file: what is written is read back, nothing is lost uncounted, and no bytes break the reader."""

from __future__ import annotations

import csv
import io
import os
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.wire.csv_files import read

from commonwatt.wire.csv_options import CsvOptions, DecimalMark, Encoding, Unit
from commonwatt.wire.csv_reasons import UnreadableCsv
from commonwatt.wire.interval_csv import IntervalCsv

METERS = st.text(alphabet=st.characters(codec="utf-8", exclude_categories=["Cc", "Zs", "Zl", "Zp", "Cs"]), min_size=1, max_size=6).filter(
    lambda text: text.strip() == text and not text.startswith('="')
)
QUARTERS = st.integers(1_740_000_000 // 900, 1_800_000_000 // 900)


@st.composite
def files(draw: st.DrawFn) -> tuple[str, list[tuple[str, int, int]], dict[str, object]]:
    """A file as a spreadsheet may write it, its readings (meter, start, millionths of a Wh) in its order, and the options it needs."""
    delimiter = draw(st.sampled_from(",;\t|"))
    decimal = draw(st.sampled_from(list(DecimalMark)))
    newline = draw(st.sampled_from(["\n", "\r\n"]))
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL]))
    zone = draw(st.sampled_from([None, "Europe/Brussels", "America/St_Johns"]))
    keys = draw(st.lists(st.tuples(METERS, QUARTERS), unique=True, max_size=40))
    if zone is not None:  # on the wall a file tells the passes of the repeated hour apart by order alone
        keys.sort(key=lambda key: key[1])
    readings = [(meter, quarter * 900, draw(st.integers(0, 10**12))) for meter, quarter in keys]
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter, lineterminator=newline, quoting=quoting)
    writer.writerow(["start", "kwh", "meter"])
    for meter, start, micro_wh in readings:
        kwh = f"{micro_wh // 10**9}.{micro_wh % 10**9:09}".replace(".", decimal)
        moment = datetime.fromtimestamp(start, tz=UTC if zone is None else ZoneInfo(zone))
        writer.writerow([moment.strftime("%Y-%m-%dT%H:%M:%SZ" if zone is None else "%Y-%m-%d %H:%M"), kwh, meter])
    return out.getvalue(), readings, {"decimal": decimal, "zone": zone}


@settings(deadline=None)
@given(files(), st.integers(1, 500))
def test_what_is_written_is_read_back(file: tuple[str, list[tuple[str, int, int]], dict[str, object]], chunk_bytes: int) -> None:
    """Any meter names, amounts, delimiters, quotes, line ends and zones: the same readings come back, each with its line."""
    text, readings, options = file
    got = read(text, chunk_bytes=chunk_bytes, **options)
    lonely = {line for line, _, _ in got.refused}
    assert {reason for _, _, reason in got.refused} <= {"ambiguous_hour"}
    expected = [(line, *reading) for line, reading in enumerate(readings, start=2) if line not in lonely]
    assert got.table.select("line", "meter", "start_s", "micro_wh").rows() == expected
    assert got.rows_read == len(readings)


@settings(deadline=None)
@given(st.lists(st.integers(0, 10**7), min_size=1, max_size=60), st.randoms(use_true_random=False))
def test_any_order_of_rows_gives_the_same_readings(amounts: list[int], random: object) -> None:
    """Newest first, oldest first or shuffled: only the line numbers differ."""
    rows = [
        f"E{n % 3},{datetime(2026, 3, 1, tzinfo=UTC) + n * timedelta(minutes=15):%Y-%m-%dT%H:%MZ},{amount}\n"
        for n, amount in enumerate(amounts)
    ]
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # Hypothesis gives a random.Random
    one, other = (read("meter,start,wh\n" + "".join(order)) for order in (rows, shuffled))
    assert sorted(reading[1:] for reading in one.readings) == sorted(reading[1:] for reading in other.readings)


PIECES = b'meter|start|kwh|,|;|\n|\r\n|"|="|E1|2026-10-25 02:30|2026-03-29 02:30|2026-03-01T00:00Z| |\t|1|-1|0,5|1e999|nan'.split(b"|")
BYTES = st.one_of(
    st.binary(max_size=400),
    st.lists(
        st.sampled_from([*PIECES, b"\xe9", b"\xc3\xa9", b"\xef\xbb\xbf", b"9" * 30]),
        max_size=60,
    ).map(lambda parts: b"meter,start,kwh\n" + b"".join(parts)),
)


@settings(max_examples=int(os.environ.get("COMMONWATT_SOAK_ROUNDS", "300")), deadline=None)
@given(BYTES, st.sampled_from(list(DecimalMark)), st.sampled_from(list(Encoding)), st.sampled_from([None, "Europe/Brussels"]))
def test_no_bytes_break_the_reader(content: bytes, decimal: DecimalMark, encoding: Encoding, zone: str | None) -> None:
    """Whatever the bytes, the file is refused as a whole with a reason, or every row is read or refused, each exactly once."""
    try:
        got = read(content, decimal=decimal, encoding=encoding, zone=zone)
    except UnreadableCsv:
        return
    lines = [*(line for line, _, _ in got.refused), *(got.table["line"].to_list())]
    assert len(lines) == len(set(lines)) == got.rows_read
    assert all(0 < line <= content.count(b"\n") + 1 for line in lines)


def test_memory_does_not_grow_with_the_file() -> None:
    """A file of any length is read through a window: no batch holds more than its chunk."""

    class Endless:
        def __init__(self) -> None:
            self.left = 200

        def read(self, size: int, /) -> bytes:
            self.left -= 1
            return b"meter,start,kwh\n" if self.left == 199 else b"E1,2026-03-01T00:00Z,1\n" * 1000 if self.left > 0 else b""

    reader = IntervalCsv(Endless(), CsvOptions(unit=Unit.KWH))
    heights = [batch.rows.height for batch in reader.batches(chunk_bytes=1 << 15)]
    assert (max(heights), sum(heights)) == (1000, 198_000)
