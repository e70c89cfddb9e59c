"""Interval CSV: what is read, from which line, and what is refused and why."""

from __future__ import annotations

import pytest
from tests.wire.csv_files import read

from commonwatt.wire.csv_options import BadCsvOptions, Columns, CsvOptions, DecimalMark, Encoding, Label, Repeated, Unit
from commonwatt.wire.csv_reasons import Obstacle, Reason, UnreadableCsv

ZONE = "Europe/Brussels"


def test_the_documented_columns_need_no_option() -> None:
    """Meter, start and kWh are read as they stand, with the number of their line, whatever the order of the columns."""
    got = read("kwh,Meter,START,note\n0.125,E1,2026-03-01T00:00Z,\n0.25,E2,2026-03-01T01:00+01:00,x\n")
    assert got.readings == [(2, "E1", "2026-03-01T00:00Z", 900, 125.0), (3, "E2", "2026-03-01T00:00Z", 900, 250.0)]
    assert (got.refused, got.rows_read) == ([], 2)


def test_ends_lengths_and_qualities_are_read_where_there_are_such_columns() -> None:
    """An end beside a start gives the length; a blank quality is a measured reading; import and export are told apart."""
    got = read(
        "meter,start,end,wh,quality,quantity\n"
        "E1,2026-03-01T00:00Z,2026-03-01T00:30Z,100,,import\n"
        "E1,2026-03-01T00:30Z,2026-03-01T01:00Z,200,Estimated,energy_export\n"
    )
    assert [(length, wh) for _, _, _, length, wh in got.readings] == [(1800, 100.0), (1800, 200.0)]
    assert got.table.select("quality", "quantity").rows() == [(0, "energy_import"), (2, "energy_export")]


def test_interval_ends_are_shifted_to_starts() -> None:
    """A file that has only ends, or says so by its label, gives the same readings as one with starts."""
    by_column = read("meter,end,kwh\nE1,2026-03-01T00:15Z,1\n")
    by_label = read("meter,time,kwh\nE1,2026-03-01T00:15Z,1\n", label=Label.END, columns=Columns(start="time"))
    assert by_column.readings == by_label.readings == [(2, "E1", "2026-03-01T00:00Z", 900, 1000.0)]


@pytest.mark.parametrize(("unit", "wh"), [(Unit.KWH, 484_000.0), (Unit.WH, 484.0), (Unit.W, 242.0), (Unit.KW, 242_000.0)])
def test_mean_power_becomes_energy_by_the_length_of_the_interval(unit: Unit, wh: float) -> None:
    """484 W over half an hour are 242 Wh; 484 kWh are 484,000 Wh however long they took."""
    got = read("meter;end;value\nE1;2026-03-01T00:30Z;484\n", unit=unit, interval_s=1800, columns=Columns(amount="value", end="end"))
    assert got.readings == [(2, "E1", "2026-03-01T00:00Z", 1800, wh)]


def test_power_over_a_third_of_an_hour_is_rounded_to_a_millionth() -> None:
    """100 W over 1,000 seconds are 27.7778 Wh: the division is exact to a millionth of a watt-hour."""
    got = read("meter,start,w\nE1,2026-03-01T00:00Z,100\n", interval_s=1000)
    assert got.readings == [(2, "E1", "2026-03-01T00:00Z", 1000, 27.777778)]


def test_both_orders_of_the_repeated_hour_give_the_same_readings() -> None:
    """25 October 2026 has 100 quarter hours, whether the second pass follows the first or its rows stand between them."""
    quarters = [f"{hour:02}:{minute:02}" for hour in range(24) for minute in (0, 15, 30, 45)]
    sequential = [*quarters[:12], *quarters[8:12], *quarters[12:]]
    interleaved = [*quarters[:8], *(quarter for quarter in quarters[8:12] for _ in range(2)), *quarters[12:]]
    for order in (sequential, interleaved):
        got = read("meter,start,kwh\n" + "".join(f"E1,2026-10-25 {clock},0.1\n" for clock in order), zone=ZONE)
        assert len(got.starts) == len(set(got.starts)) == 100
        assert (min(got.starts), max(got.starts)) == ("2026-10-24T22:00Z", "2026-10-25T22:45Z")
        assert got.refused == []
    by_line = dict(zip(got.table["line"], got.starts, strict=True))
    assert [by_line[line] for line in (10, 11, 12, 13)] == [
        "2026-10-25T00:00Z",
        "2026-10-25T01:00Z",
        "2026-10-25T00:15Z",
        "2026-10-25T01:15Z",
    ]


def test_meters_and_quantities_have_their_own_order_in_the_repeated_hour() -> None:
    """Rows of other meters and registers in between do not count, and a row without an amount does."""
    text = (
        "meter,start,kwh,quantity\nE1,2026-10-25 02:00,1,import\nE2,2026-10-25 02:00,2,import\nE1,2026-10-25 02:00,,export\n"
        "E2,2026-10-25 02:00,3,import\nE1,2026-10-25 02:00,4,import\nE1,2026-10-25 02:00,5,export\n"
    )
    got = read(text, zone=ZONE)
    assert [(line, start) for line, _, start, _, _ in got.readings] == [
        (2, "2026-10-25T00:00Z"),
        (3, "2026-10-25T00:00Z"),
        (5, "2026-10-25T01:00Z"),
        (6, "2026-10-25T01:00Z"),
        (7, "2026-10-25T01:00Z"),
    ]
    assert got.refused == [(4, "kwh", Reason.NO_VALUE)]


def test_a_single_row_in_the_repeated_hour_is_refused_by_name() -> None:
    """Nobody can say which half past two is meant, unless the file was declared to mean the first or the second."""
    text = "meter,start,kwh\nE1,2026-10-25 01:45,1\nE1,2026-10-25 02:30,2\nE1,2026-10-25 03:00,3\n"
    got = read(text, zone=ZONE)
    assert got.starts == ["2026-10-24T23:45Z", "2026-10-25T02:00Z"]
    assert (got.refused, got.values) == ([(3, "start", Reason.AMBIGUOUS_HOUR)], ["2026-10-25 02:30"])
    assert read(text, zone=ZONE, repeated=Repeated.FIRST).starts[1] == "2026-10-25T00:30Z"
    assert read(text, zone=ZONE, repeated=Repeated.SECOND).starts[1] == "2026-10-25T01:30Z"


def test_a_stamp_that_comes_three_times_in_the_repeated_hour_is_refused() -> None:
    """With a third row nobody can say which two belong together, even where single rows would be taken."""
    got = read("meter,start,kwh\n" + "E1,2026-10-25 02:30,1\n" * 3, zone=ZONE, repeated=Repeated.FIRST)
    assert got.refused == [(line, "start", Reason.AMBIGUOUS_HOUR) for line in (2, 3, 4)]


def test_an_offset_settles_the_repeated_hour() -> None:
    """With an offset in the stamp there is nothing to guess, zone or not."""
    got = read("meter,start,kwh\nE1,2026-10-25T02:30+02:00,1\nE1,2026-10-25T02:30+01:00,2\n", zone=ZONE)
    assert got.starts == ["2026-10-25T00:30Z", "2026-10-25T01:30Z"]


def test_the_missing_hour_is_refused_and_its_day_has_92_quarters() -> None:
    """On 29 March 2026 the clock goes from two to three: a row at 02:15 cannot be, all others are read."""
    quarters = [f"{hour:02}:{minute:02}" for hour in range(24) for minute in (0, 15, 30, 45)]
    got = read("meter,start,kwh\n" + "".join(f"E1,2026-03-29 {clock},0.1\n" for clock in quarters), zone=ZONE)
    assert got.refused == [(line, "start", Reason.MISSING_HOUR) for line in (10, 11, 12, 13)]
    assert (len(set(got.starts)), got.starts[7:9]) == (92, ["2026-03-29T00:45Z", "2026-03-29T01:00Z"])


def end_labels(clocks: list[str], day: str) -> list[str]:
    """The starts read from quarter-hour ends on one day; a trailing plus means the following midnight."""
    return read("meter,end,kwh\n" + "".join(f"E1,{day} {clock},1\n" for clock in clocks), zone=ZONE).starts


def test_end_labels_in_the_repeated_hour_are_read_whichever_clock_the_meter_prints() -> None:
    """The quarter that ends the first pass may be labelled 02:00, the new time, or 03:00, the time that follows from its start."""
    inner = ["02:15", "02:30", "02:45"]
    new_time = ["01:45", "02:00", *inner, "02:00", *inner, "03:00", "03:15"]
    following_time = ["01:45", "02:00", *inner, "03:00", *inner, "03:00", "03:15"]
    expected = [
        "2026-10-24T23:30Z", "2026-10-24T23:45Z", "2026-10-25T00:00Z", "2026-10-25T00:15Z", "2026-10-25T00:30Z", "2026-10-25T00:45Z",
        "2026-10-25T01:00Z", "2026-10-25T01:15Z", "2026-10-25T01:30Z", "2026-10-25T01:45Z", "2026-10-25T02:00Z",
    ]  # fmt: skip
    assert end_labels(new_time, "2026-10-25") == expected
    assert end_labels(following_time, "2026-10-25") == expected


def test_end_labels_around_the_missing_hour_are_read_whichever_clock_the_meter_prints() -> None:
    """The last quarter before the gap may end at 02:00, which the clock never showed, or at 03:00."""
    assert end_labels(["01:45", "02:00", "03:15"], "2026-03-29") == ["2026-03-29T00:30Z", "2026-03-29T00:45Z", "2026-03-29T01:00Z"]
    assert end_labels(["01:45", "03:00", "03:15"], "2026-03-29") == ["2026-03-29T00:30Z", "2026-03-29T00:45Z", "2026-03-29T01:00Z"]
    got = read("meter,end,kwh\nE1,2026-03-29 02:15,1\n", zone=ZONE)
    assert got.refused == [(2, "end", Reason.MISSING_HOUR)]


def test_a_single_edge_label_of_the_repeated_hour_is_refused() -> None:
    """02:00 once and 03:00 once: which quarter ended at 02:00 nobody can say, the one that ended at 03:00 is plain."""
    got = read("meter,end,kwh\nE1,2026-10-25 02:00,1\nE1,2026-10-25 03:00,2\n", zone=ZONE)
    assert (got.starts, got.refused) == (["2026-10-25T01:45Z"], [(2, "end", Reason.AMBIGUOUS_HOUR)])


def test_ends_beside_starts_are_understood_in_the_repeated_hour() -> None:
    """A quarter from 02:45 to 02:00 ends the first pass, one from 02:45 to 03:00 the second: both last fifteen minutes."""
    got = read("meter,start,end,kwh\nE1,2026-10-25 02:45,2026-10-25 02:00,1\nE1,2026-10-25 02:45,2026-10-25 03:00,2\n", zone=ZONE)
    assert got.readings == [(2, "E1", "2026-10-25T00:45Z", 900, 1000.0), (3, "E1", "2026-10-25T01:45Z", 900, 2000.0)]


def test_daily_rows_last_as_long_as_their_day() -> None:
    """The days of the clock changes last 23 and 25 hours, by their ends as by the declared length of a day."""
    days = ["2026-03-28", "2026-03-29", "2026-03-30", "2026-10-25", "2026-10-26"]
    text = "meter,start,end,kwh\n" + "".join(f"E1,{day},{day[:8]}{int(day[8:]) + 1:02},24\n" for day in days)
    lengths = [86_400, 82_800, 86_400, 90_000, 86_400]
    assert read(text, zone=ZONE).table["length_s"].to_list() == lengths
    only_starts = "meter,start,kwh\n" + "".join(f"E1,{day},24\n" for day in days)
    assert read(only_starts, zone=ZONE, interval_s=86_400).table["length_s"].to_list() == lengths
    ends = read(only_starts.replace("start", "end"), zone=ZONE, interval_s=86_400)
    assert ends.starts == ["2026-03-26T23:00Z", "2026-03-27T23:00Z", "2026-03-28T23:00Z", "2026-10-23T22:00Z", "2026-10-24T22:00Z"]
    assert ends.table["length_s"].to_list() == [86_400, 86_400, 82_800, 86_400, 90_000]


@pytest.mark.parametrize(
    ("end", "reason"),
    [
        ("2026-03-01T00:00Z", Reason.BAD_LENGTH),
        ("2026-02-28T00:00Z", Reason.BAD_LENGTH),
        ("2026-03-01T00:00:59Z", Reason.BAD_LENGTH),
        ("2026-03-03T00:00Z", Reason.BAD_LENGTH),
        ("soon", Reason.BAD_TIME),
        ("2026-03-01T00:15", Reason.NO_ZONE),
    ],
)
def test_an_end_must_be_a_time_after_its_start(end: str, reason: Reason) -> None:
    """Between a minute and a day: anything else is refused, and names the column at fault."""
    got = read(f"meter,start,end,kwh\nE1,2026-03-01T00:00Z,{end},1\n")
    assert (got.refused, got.values) == ([(2, "end", reason)], [end])


def test_a_length_column_is_read_and_checked() -> None:
    """Whole seconds; blank means that the file does not say."""
    got = read(
        "meter,start,kwh,length_s\n" + "".join(f"E1,2026-03-01T0{n}:00Z,1,{text}\n" for n, text in enumerate(["1800", "", "x", "9"]))
    )
    assert [(line, length) for line, _, _, length, _ in got.readings] == [(2, 1800), (3, 900)]
    assert got.refused == [(4, "length_s", Reason.BAD_LENGTH), (5, "length_s", Reason.BAD_LENGTH)]


def test_bad_rows_are_named_and_never_stop_the_rest() -> None:
    """Each wrong line is reported with its number, its column and its reason, and the good lines around it are read."""
    rows = {
        2: ("E1,2026-03-01T00:00Z,1", None),
        3: ("E1,2026-03-01T00:15Z", ("line", Reason.TOO_FEW_FIELDS)),
        4: ("E1,2026-03-01T00:15Z,0,125", ("line", Reason.TOO_MANY_FIELDS)),
        5: ("E1,2026-03-01T00:15Z,1,,", None),
        6: ('E1,"2026-03-01T00:30Z,1', ("line", Reason.UNBALANCED_QUOTE)),
        7: ("E1,2026-03-01T00:30Z,", ("kwh", Reason.NO_VALUE)),
        8: ("E1,yesterday,1", ("start", Reason.BAD_TIME)),
        9: (",2026-03-01T00:30Z,1", ("meter", Reason.NO_METER)),
        10: ("", None),
        11: ("E1,2026-03-01T00:30,1", ("start", Reason.NO_ZONE)),
        12: ("E1,2026-03-01T00:30Z,-1", ("kwh", Reason.NEGATIVE)),
        13: ("E1,2026-03-01T00:30Z,1e12", ("kwh", Reason.TOO_LARGE)),
        14: ("meter,start,kwh", None),
        15: ('"E1","2026-03-01T00:30Z","1"', None),
        16: ("E1,2026-03-01T00:45:00.25Z,1", ("start", Reason.FRACTION_OF_SECOND)),
        17: ("  ,  ,", None),
    }
    got = read("meter,start,kwh\n" + "".join(f"{text}\n" for text, _ in rows.values()))
    assert got.refused == [(line, *problem) for line, (_, problem) in rows.items() if problem]
    assert [line for line, *_ in got.readings] == [2, 5, 15]
    assert got.rows_read == len(got.refused) + len(got.readings) == 13


def test_words_that_mean_nothing_are_refused() -> None:
    """An unknown register or quality is not taken for import or for measured."""
    options = {"quantity_words": {"Afname": "energy_import"}, "quality_words": {"Geschat": "estimated"}}
    rows = ["Afname,Geschat", "afname,", "Gas,", "Afname,Twijfel"]
    got = read("meter,start,kwh,quantity,quality\n" + "".join(f"E1,2026-03-01T0{n}:00Z,1,{row}\n" for n, row in enumerate(rows)), **options)
    assert got.table.select("line", "quality").rows() == [(2, 2), (3, 0)]
    assert got.refused == [(4, "quantity", Reason.UNKNOWN_QUANTITY), (5, "quality", Reason.UNKNOWN_QUALITY)]
    assert got.values == ["Gas", "Twijfel"]


def test_spreadsheet_formulas_quotes_and_blanks_around_cells_are_taken_off() -> None:
    """="0123" is how spreadsheets are told that a number is text; quotes, tabs and no-break spaces mean nothing either."""
    got = read(
        'meter;start;kwh\n="0123"; 2026-03-01T00:00Z ;\u00a01\t\n"0""1";"2026-03-01T00:00Z";" 2"\r\n"=""0123""";2026-03-01T00:15Z;3\n'
    )
    assert [(meter, wh) for _, meter, _, _, wh in got.readings] == [("0123", 1000.0), ('0"1', 2000.0), ("0123", 3000.0)]


def test_a_delimiter_inside_quotes_is_part_of_the_cell() -> None:
    """Decimal commas in a file of commas are quoted, and names may hold a comma."""
    got = read(
        'meter,name,start,kwh\nE1,"Street 1, Town",2026-03-01T00:00Z,"0,5"\nE1,plain,2026-03-01T00:15Z,"0,25"\n', decimal=DecimalMark.COMMA
    )
    assert [(line, wh) for line, _, _, _, wh in got.readings] == [(2, 500.0), (3, 250.0)]


def test_a_quoted_comma_never_moves_cells_into_other_columns() -> None:
    """A line with too few fields whose quoted comma makes up for the missing one is still refused."""
    got = read('meter,start,kwh,note\n"E1,2",2026-03-01T00:00Z,7\nE1,2026-03-01T00:00Z,7,"a"\n')
    assert (got.refused, [meter for _, meter, *_ in got.readings]) == ([], ["E1,2", "E1"])
    short = read('meter,start,note,kwh\n"E1,2",2026-03-01T00:00Z,7\n')
    assert short.refused == [(2, "line", Reason.TOO_FEW_FIELDS)]


def test_a_date_and_a_time_of_day_in_two_columns_are_joined() -> None:
    """With a date format for both together."""
    got = read(
        "Van datum;Van tijdstip;Tot datum;Tot tijdstip;EAN;Volume\n25-10-2026;02:45:00;25-10-2026;02:00:00;=\"54\";0,5\n"
        '25-10-2026;02:45:00;25-10-2026;03:00:00;="54";0,25\n',
        columns=Columns(meter="EAN", start="Van datum", start_time="Van tijdstip", end="Tot datum", end_time="Tot tijdstip", amount="Volume"),
        unit=Unit.KWH,
        zone=ZONE,
        date_format="%d-%m-%Y %H:%M:%S",
        decimal=DecimalMark.COMMA,
    )  # fmt: skip
    assert got.readings == [(2, "54", "2026-10-25T00:45Z", 900, 500.0), (3, "54", "2026-10-25T01:45Z", 900, 250.0)]


def test_the_header_is_found_below_a_preamble_and_with_any_delimiter() -> None:
    """Address lines above the table are passed over; the delimiter is the one with which the names are found."""
    for delimiter in ",;\t|":
        text = f'Name{delimiter}Sample\n"Address, 1"\n\nmeter{delimiter}start{delimiter}kwh\nE1{delimiter}2026-03-01T00:00Z{delimiter}1\n'
        got = read("\ufeff" + text)
        assert got.readings == [(5, "E1", "2026-03-01T00:00Z", 900, 1000.0)]
        assert got.reader.layout.header_line == 4


def test_a_file_without_a_header_is_read_by_column_numbers() -> None:
    """Line 1 is then a row like any other."""
    got = read(
        "2026-03-01T00:00Z;7;1,5\n2026-03-01T00:15Z;7;x\n",
        header_line=0,
        columns=Columns(start="1", amount="3"),
        unit=Unit.WH,
        meter="E9",
        decimal=DecimalMark.COMMA,
    )
    assert got.readings == [(1, "E9", "2026-03-01T00:00Z", 900, 1.5)]
    assert got.refused == [(2, "column 3", Reason.BAD_NUMBER)]


def test_windows_1252_is_read_and_said() -> None:
    """A line that is not UTF-8 is read as Windows-1252 and the first such line is noted; declared UTF-8 refuses it instead."""
    text = "meter,start,kwh\nMüller,2026-03-01T00:00Z,1\nE2,2026-03-01T00:00Z,2\n".encode("cp1252")
    got = read(text)
    assert [meter for _, meter, *_ in got.readings] == ["Müller", "E2"]
    assert got.reader.first_foreign_line == 2
    declared = read(text, encoding=Encoding.CP1252)
    assert (declared.readings, declared.reader.first_foreign_line) == (got.readings, None)
    strict = read(text, encoding=Encoding.UTF_8)
    assert (strict.refused, [line for line, *_ in strict.readings]) == ([(2, "line", Reason.BAD_ENCODING)], [3])
    whole = read("meter,start,kwh\nMüller,2026-03-01T00:00Z,1\n")
    assert ([meter for _, meter, *_ in whole.readings], whole.reader.first_foreign_line) == (["Müller"], None)


def test_a_line_without_end_is_refused_in_bounded_memory() -> None:
    """Three megabytes without a line break are one refused line; the lines after it keep their numbers."""
    text = b"meter,start,kwh\nE1,2026-03-01T00:00Z,1\n" + b"x" * (3 << 20) + b"\nE1,2026-03-01T00:15Z,2\n"
    got = read(text, chunk_bytes=1 << 16)
    assert [line for line, *_ in got.readings] == [2, 4]
    assert (got.refused, got.rows_read) == ([(3, "line", Reason.LINE_TOO_LONG)], 3)


@pytest.mark.parametrize("chunk_bytes", [1, 7, 64, 1000])
def test_chunks_change_nothing(chunk_bytes: int) -> None:
    """However the bytes arrive, the readings, the lines and the reasons are the same."""
    text = (
        'meter,start,kwh\r\nE1,2026-10-25 02:30,1\r\n\r\nbad\r\nE1,2026-10-25 02:30,2\r\nÉ,"2026-10-25 04:00",3\r\nE1,2026-10-25 05:00,-1'
    )
    whole, cut = read(text, zone=ZONE), read(text, zone=ZONE, chunk_bytes=chunk_bytes)
    assert cut.readings == whole.readings
    assert cut.refused == whole.refused == [(4, "line", Reason.TOO_FEW_FIELDS), (7, "kwh", Reason.NEGATIVE)]
    assert cut.rows_read == whole.rows_read == 5


@pytest.mark.parametrize(
    ("text", "options", "obstacle"),
    [
        (b"", {}, Obstacle.EMPTY),
        (b"\xef\xbb\xbf\r\n", {}, Obstacle.EMPTY),
        (b"PK\x03\x04rest", {}, Obstacle.SPREADSHEET),
        (b"\x1f\x8bxx", {}, Obstacle.COMPRESSED),
        (b"%PDF-1.7", {}, Obstacle.PDF),
        ("meter,start,kwh".encode("utf-16"), {}, Obstacle.UTF_16),
        (b"meter,start\0,kwh", {}, Obstacle.NOT_TEXT),
        (b"meter,begin,kwh\n", {}, Obstacle.NO_HEADER),
        (b"x\nmeter,start,kwh\n", {"header_line": 1}, Obstacle.NOT_THAT_HEADER),
        (b"start,kwh\n", {}, Obstacle.NO_METER_COLUMN),
        (b"meter,start,kwh,KWH\n", {}, Obstacle.TWO_COLUMNS_OF_ONE_NAME),
        (b"meter,start,kwh,wh\n", {}, Obstacle.TWO_AMOUNTS),
        (b"meter,start,volume\n", {"columns": Columns(amount="Volume")}, Obstacle.NO_UNIT),
        (b"meter,start,kwh\n", {"columns": Columns(amount="kWh"), "unit": Unit.WH}, Obstacle.UNIT_CONTRADICTS_COLUMN),
        (b"meter,start,end,kwh\n", {"label": Label.END}, Obstacle.LABEL_BESIDE_TWO_STAMPS),
        (b"meter,end,kwh\n", {"label": Label.START}, Obstacle.LABEL_CONTRADICTS_COLUMN),
        (b"a;b\n", {"header_line": 0, "columns": Columns(start="1", amount="3"), "unit": Unit.WH, "meter": "E"}, Obstacle.TOO_FEW_COLUMNS),
    ],
)
def test_a_file_that_cannot_be_read_says_why(text: bytes, options: dict[str, object], obstacle: Obstacle) -> None:
    """Each kind of wrong file has its own message, with what to do."""
    with pytest.raises(UnreadableCsv) as raised:
        read(text, **options)
    assert raised.value.obstacle is obstacle
    assert str(raised.value).endswith(".")


def test_a_missing_header_says_what_was_looked_for() -> None:
    """The message names the columns and shows how the file begins."""
    with pytest.raises(UnreadableCsv) as raised:
        read("Datum;Verbruik\n")
    assert str(raised.value) == (
        "None of the first 100 lines is a header with the columns meter, start or end, kwh or wh or kw or w. "
        "The file begins “Datum;Verbruik”. Say which columns hold them."
    )


def test_a_header_alone_holds_no_rows() -> None:
    """An export of an empty period is no error."""
    got = read("meter,start,kwh\n")
    assert (got.rows_read, got.refused, got.starts) == (0, [], [])


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"zone": "Brussels"}, "zone"),
        ({"interval_s": 0}, "interval_s"),
        ({"date_format": "%d-%m %H:%M"}, "date_format"),
        ({"date_format": "%Y-%m-%dT%Q"}, "date_format"),
        ({"date_format": "%Y-%m-%d %I:%M"}, "date_format"),
        ({"date_format": "%Y-%m-%d %d"}, "date_format"),
        ({"quantity": "gas"}, "quantity"),
        ({"quantity_words": {"Gas": "gas"}}, "quantity"),
        ({"quality_words": {"?": "doubtful"}}, "quality_words"),
        ({"delimiter": ";;"}, "delimiter"),
        ({"delimiter": "."}, "delimiter"),
        ({"header_line": -1}, "header_line"),
        ({"header_line": 0}, "columns"),
        ({"header_line": 0, "columns": Columns(start="x", amount="2"), "unit": Unit.WH}, "columns"),
        ({"header_line": 0, "columns": Columns(start="1", amount="2")}, "unit"),
        ({"meter": "E1", "columns": Columns(meter="EAN")}, "meter"),
        ({"label": Label.END, "columns": Columns(start="a", end="b")}, "label"),
        ({"columns": Columns(start_time="a")}, "columns"),
    ],
)
def test_options_that_cannot_be_right_are_refused_by_name(options: dict[str, object], name: str) -> None:
    """A form can show each message beside its field."""
    with pytest.raises(BadCsvOptions) as raised:
        CsvOptions(**options)  # type: ignore[arg-type]  # wrong on purpose
    assert [problem[0] for problem in raised.value.problems] == [name]
    assert raised.value.problems[0][1].endswith(".")


def test_every_reason_has_words() -> None:
    """No refusal is without an explanation."""
    assert all(reason.text for reason in Reason)
