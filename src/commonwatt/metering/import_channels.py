"""From the meter numbers of a file to the channels of this install, looked up once for each number."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl
from django.db import transaction

from commonwatt.metering.choices import Quantity
from commonwatt.metering.models import Channel, Meter

_NUMBERS_AT_ONCE = 1000
_SCHEMA = pl.Schema({"meter": pl.String, "quantity": pl.String, "channel_id": pl.Int64, "meter_id": pl.Int64, "interval_s": pl.Int64})


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMeters:
    """How to create the meters that a file names and that do not exist."""

    interval_s: int
    now: datetime


@dataclass(slots=True)
class Channels:
    """The channels of every meter that was asked for so far; `new_meters` None refuses unknown ones."""

    new_meters: NewMeters | None
    _table: pl.DataFrame = field(default_factory=lambda: pl.DataFrame(schema=_SCHEMA))
    _seen: set[str] = field(default_factory=set)

    def join(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The rows with channel_id, meter_id and interval_s, null where there is no such channel."""
        pairs = rows.select("meter", "quantity").unique()
        self._look_up(set(pairs["meter"].to_list()) - self._seen)
        if self.new_meters is not None:
            self._create(pairs.join(self._table, on=["meter", "quantity"], how="anti"), self.new_meters)
        return rows.join(self._table, on=["meter", "quantity"], how="left", maintain_order="left")

    def is_meter(self) -> pl.Expr:
        """Whether there is the meter of a row, if not the channel."""
        return pl.col("meter").is_in(self._table["meter"].unique().implode())

    def names(self) -> pl.DataFrame:
        """Every channel with the meter number that the file uses: columns channel_id, meter, quantity."""
        return self._table.select("channel_id", "meter", "quantity").unique("channel_id", maintain_order=True)

    def _look_up(self, texts: set[str]) -> None:
        if not texts:
            return
        written: dict[str, list[str]] = {}
        for text in texts:
            written.setdefault(" ".join(text.split()), []).append(text)
        numbers = sorted(written)
        for begin in range(0, len(numbers), _NUMBERS_AT_ONCE):
            chosen = Channel.objects.filter(meter__number__in=numbers[begin : begin + _NUMBERS_AT_ONCE])
            self._add(written, chosen.values_list("meter__number", "quantity", "pk", "meter_id", "interval_s"))
        # Known ones stay; of unknown ones, which a broken file may hold by the million, the oldest are simply looked up again.
        self._seen = set(self._table["meter"].to_list()) | texts

    def _add(self, written: dict[str, list[str]], found: Iterable[tuple[str, str, int, int, int]]) -> None:
        rows = [(text, *rest) for number, *rest in found for text in written[number]]
        self._table = pl.concat([self._table, pl.DataFrame(rows, schema=_SCHEMA, orient="row")])

    def _create(self, missing: pl.DataFrame, how: NewMeters) -> None:
        """Create the missing meters and channels, and commit them: empty meters do no harm should the import fail later."""
        from commonwatt.metering.actions import create_meter

        if not missing.height:
            return
        with transaction.atomic():
            for number, quantity in sorted({(" ".join(meter.split()), quantity) for meter, quantity in missing.rows()}):
                meter = Meter.objects.filter(number=number).first()
                if meter is None:
                    create_meter(actor=None, number=number, interval_s=how.interval_s, quantities=[quantity], now=how.now)
                else:
                    Channel.objects.get_or_create(meter=meter, quantity=Quantity(quantity), defaults={"interval_s": meter.interval_s})
        self._table = self._table.join(missing, on="meter", how="anti")
        self._look_up(set(missing["meter"].to_list()))
