"""Rows of cells to rows of meaning: whose reading, when, how long, how much, how good; or the first thing that is wrong with a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import polars as pl

from commonwatt.wire.csv_layout import Layout
from commonwatt.wire.csv_options import DAY_S, LONGEST_INTERVAL_S, QUALITIES, QUANTITIES, SHORTEST_INTERVAL_S, CsvOptions, Label
from commonwatt.wire.csv_reasons import Reason
from commonwatt.wire.csv_values import StampReader, read_amounts, read_lengths, read_words
from commonwatt.wire.local_time import Ints, WallClock, wall_clock
from commonwatt.wire.repeated_hour import resolve

QUANTITY_WORDS: Mapping[str, str] = {**{name: name for name in QUANTITIES}, "import": QUANTITIES[0], "export": QUANTITIES[1]}
SHOWN_LETTERS = 80

Problem = tuple[str, pl.Series, pl.Series]
"""A field, the reason in each row (null: none), and what stood there."""


@dataclass(slots=True)
class RowReader:
    """Reads cells as one file's options and layout say.

    Its tables have the columns line, meter, quantity, stamp_s (the instant that the stamp names), length_s (0: the file does not say),
    micros, quality, all right only where `reason` is null, and field, reason, value: what is wrong, and what stood there.
    """

    options: CsvOptions
    layout: Layout
    _stamp_reader: StampReader = field(init=False)

    def __post_init__(self) -> None:
        self._stamp_reader = StampReader(self.options.date_pattern())

    def read(self, cells: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        """The rows that can be understood now, and those that must wait for the end of the file, see `settle`."""
        stamps = self._instants(self._stamps(cells, "stamp"), label=self.layout.label)
        meter = cells["meter"] if "meter" in cells.columns else _constant(self.options.meter or "", cells.height)
        word, quantity, quantity_problem = self._quantity(cells)
        amounts = read_amounts(cells["amount"], decimal=self.options.decimal, micros=self.layout.unit.micros)
        quality, quality_problem = self._quality(cells)
        lengths, length_problem = self._length_hints(cells)
        problems = [
            ("meter", _where(meter == "", Reason.NO_METER), meter),
            ("stamp", stamps["reason"], cells["stamp"]),
            ("amount", amounts["reason"], cells["amount"]),
            *quantity_problem,
            *quality_problem,
            *length_problem,
        ]
        columns = [cells["line"], meter.alias("meter"), word.alias("word"), quantity.alias("quantity"), amounts["micros"], quality]
        table = pl.DataFrame(columns).hstack(stamps.drop("reason")).hstack(_first_problem(problems)).hstack(lengths)
        return self._with_lengths(table.remove("held")), table.filter("held")

    def settle(self, held: pl.DataFrame) -> pl.DataFrame:
        """The held rows of the whole file, in its order, with their instants or the reason AMBIGUOUS_HOUR."""
        stamp_s = resolve(held, label=self.layout.label, repeated=self.options.repeated)
        table = held.with_columns(stamp_s=stamp_s.fill_null(held["first_s"]))
        problem = _first_problem(
            [
                ("stamp", held["reason"], held["value"]),
                ("stamp", _where(stamp_s.is_null(), Reason.AMBIGUOUS_HOUR), held["written"]),
            ]
        )
        known = pl.col("reason").is_not_null()
        table = table.with_columns(
            problem["reason"],
            value=pl.when(known).then("value").otherwise(problem["value"]),
            field=pl.when(known).then("field").otherwise(problem["field"]),
        )
        return self._with_lengths(table)

    def _stamps(self, cells: pl.DataFrame, column: str) -> pl.DataFrame:
        texts = cells[column]
        if f"{column}_time" in cells.columns:
            texts = (texts + " " + cells[f"{column}_time"]).str.strip_chars()
        return self._stamp_reader.read(texts).with_columns(texts.alias("written"))

    def _instants(self, stamps: pl.DataFrame, *, label: Label) -> pl.DataFrame:
        """Adds stamp_s = first_s, second_s, window_start, window_end, held; and a reason where there is no such instant."""
        wall_s = stamps["wall_s"].fill_null(0).to_numpy()
        naive = (stamps["wall_s"].is_not_null() & stamps["offset_s"].is_null()).to_numpy()
        instant = wall_s - stamps["offset_s"].fill_null(0).to_numpy()
        clock = self._clock()
        if clock is None or not naive.any():
            nowhere = np.zeros_like(wall_s)
            found = {"first_s": instant, "second_s": instant, "window_start": nowhere, "window_end": nowhere, "held": nowhere > 0}
            reason = _where(pl.Series(naive), Reason.NO_ZONE)
        else:
            times = clock.read(wall_s)
            window_start, window_end, near = clock.windows_near(wall_s)
            # The last interval before the gap ends at a time that the clock never showed: the gap's own start.
            missing = times.missing & ~(window_start == wall_s) if label is Label.END else times.missing
            found = {
                "first_s": np.where(naive, times.first_s, instant),
                "second_s": np.where(naive, times.second_s, instant),
                "window_start": window_start,
                "window_end": window_end,
                "held": naive & (near if label is Label.END else times.repeated),
            }
            reason = _where(pl.Series(naive & missing), Reason.MISSING_HOUR)
        return stamps.with_columns(
            **{name: pl.Series(values) for name, values in found.items()},
            stamp_s=pl.Series(found["first_s"]),
            reason=pl.coalesce("reason", reason),
        ).drop("offset_s")

    def _clock(self) -> WallClock | None:
        return None if self.options.zone is None else wall_clock(self.options.zone)

    def _quantity(self, cells: pl.DataFrame) -> tuple[pl.Series, pl.Series, list[Problem]]:
        """The quantity as written, what it means, and where it means nothing."""
        if "quantity" not in cells.columns:
            constant = _constant(self.options.quantity, cells.height)
            return constant, constant, []
        word = cells["quantity"]
        quantity = read_words(word, {**QUANTITY_WORDS, **self.options.quantity_words}, pl.String())
        return word, quantity, [("quantity", _where(quantity.is_null(), Reason.UNKNOWN_QUANTITY), word)]

    def _quality(self, cells: pl.DataFrame) -> tuple[pl.Series, list[Problem]]:
        if "quality" not in cells.columns:
            return pl.repeat(0, cells.height, dtype=pl.Int8, eager=True).alias("quality"), []
        words = {word: QUALITIES[meaning] for word, meaning in self.options.quality_words.items()}
        quality = read_words(cells["quality"], {"": QUALITIES["measured"], **QUALITIES, **words}, pl.Int8())
        problem = ("quality", _where(quality.is_null(), Reason.UNKNOWN_QUALITY), cells["quality"])
        return quality.alias("quality"), [problem]

    def _length_hints(self, cells: pl.DataFrame) -> tuple[pl.DataFrame, list[Problem]]:
        """What the file says about lengths: until_first and until_second (the instants that an end may mean), or given_s."""
        if "until" in cells.columns:
            ends = self._instants(self._stamps(cells, "until"), label=Label.END)
            hints = ends.select(until_first="first_s", until_second="second_s", until="written")
            return hints, [("until", ends["reason"], ends["written"])]
        if "length_s" in cells.columns:
            lengths = read_lengths(cells["length_s"])
            hints = pl.DataFrame([lengths.alias("given_s"), cells["length_s"].alias("until")])
            return hints, [("length_s", _where(lengths.is_null(), Reason.BAD_LENGTH), cells["length_s"])]
        return pl.DataFrame(), []

    def _with_lengths(self, table: pl.DataFrame) -> pl.DataFrame:
        if "until_first" in table.columns:
            table = table.with_columns(length_s=_shortest_positive())
        elif "given_s" in table.columns:
            table = table.with_columns(length_s=pl.col("given_s").replace(0, self.options.interval_s or 0))
        elif self.options.interval_s == DAY_S and (clock := self._clock()) is not None:
            table = table.with_columns(length_s=pl.Series(self._day_lengths(table, clock)))
        else:
            return table.with_columns(length_s=pl.lit(self.options.interval_s or 0, pl.Int64))
        fits = pl.col("length_s").is_between(SHORTEST_INTERVAL_S, LONGEST_INTERVAL_S)
        unknown = pl.col("given_s") == 0 if "given_s" in table.columns else pl.lit(value=False)
        wrong = pl.col("reason").is_null() & ~fits & ~unknown
        field, value = ("length_s" if "given_s" in table.columns else "until"), ("until" if "until" in table.columns else "written")
        return table.with_columns(
            reason=pl.when(wrong).then(pl.lit(Reason.BAD_LENGTH.value)).otherwise("reason"),
            field=pl.when(wrong).then(pl.lit(field)).otherwise("field"),
            value=pl.when(wrong).then(pl.col(value).str.head(SHOWN_LETTERS)).otherwise("value"),
        )

    def _day_lengths(self, table: pl.DataFrame, clock: WallClock) -> Ints:
        """How long the local days last that these stamps begin or end. [s]"""
        stamp_s: Ints = table["stamp_s"].to_numpy()
        wall_s = clock.show(stamp_s)
        if self.layout.label is Label.END:
            starts: Ints = clock.read(wall_s - DAY_S).first_s
            return stamp_s - starts
        ends: Ints = clock.read(wall_s + DAY_S).first_s
        return ends - stamp_s


def _shortest_positive() -> pl.Expr:
    first = pl.col("until_first") - pl.col("stamp_s")
    return pl.when(first > 0).then(first).otherwise(pl.col("until_second") - pl.col("stamp_s"))


def _constant(text: str, height: int) -> pl.Series:
    return pl.repeat(text, height, dtype=pl.String, eager=True)


def _where(wrong: pl.Series, reason: Reason) -> pl.Series:
    """The reason where the flags are set, null elsewhere."""
    if not wrong.any():
        return pl.repeat(None, len(wrong), dtype=pl.String, eager=True)
    return wrong.to_frame("wrong").select(pl.when("wrong").then(pl.lit(reason.value)).alias("reason"))["reason"]


def _first_problem(problems: Sequence[Problem]) -> pl.DataFrame:
    """Row by row the first reason that is not null: its field, itself, and what stood there; columns field, reason, value."""
    height = len(problems[0][1])
    present = [problem for problem in problems if problem[1].null_count() < height]
    if not present:
        return pl.DataFrame({name: pl.repeat(None, height, dtype=pl.String, eager=True) for name in ("field", "reason", "value")})
    table = pl.DataFrame(
        [series.alias(f"{name}{index}") for index, (_, *pair) in enumerate(present) for name, series in zip("rv", pair, strict=True)]
    )
    wrong = [pl.col(f"r{index}").is_not_null() for index in range(len(present))]
    return table.select(
        field=pl.coalesce(pl.when(at).then(pl.lit(field)) for at, (field, _, _) in zip(wrong, present, strict=True)),
        reason=pl.coalesce(f"r{index}" for index in range(len(present))),
        value=pl.coalesce(pl.when(at).then(f"v{index}") for index, at in enumerate(wrong)).str.head(SHOWN_LETTERS),
    )
