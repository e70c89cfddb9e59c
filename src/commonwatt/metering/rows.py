"""Open readings as rows: the statements, one per backend where they must differ, that write, read and remove them.

Arrays travel as one parameter: a JSON text for SQLite, arrays for PostgreSQL. A parameter per value would meet SQLite's limit, and a
statement per reading costs many times more.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from django.db import connection

from commonwatt.metering.columns import Flags, Ints, ReadingColumns

_STORE_LOCK = 0x636F6D6D6F6E7761  # "commonwa": the key of the advisory lock

STORED_COLUMNS = ("channel_id", "start_s", "length_s", "amount", "quality", "ingest_sequence")
_NEW_COLUMNS = ("channel_id", "start_s", "length_s", "amount", "quality", "is_sealed_repeat")

# A reading is written when its interval has no row and the sealed file does not say the same, or when its newest row differs.
_WRITE = """
INSERT INTO metering_reading (channel_id, start_s, ingest_sequence, length_s, amount, quality)
SELECT given.channel_id, given.start_s, %s, given.length_s, given.amount, given.quality
FROM {given} LEFT JOIN {newest}
WHERE CASE
    WHEN held.amount IS NULL THEN given.is_sealed_repeat = 0
    ELSE NOT (held.amount = given.amount AND held.length_s = given.length_s AND held.quality = given.quality)
END
RETURNING channel_id, start_s, (
    SELECT COUNT(*) FROM metering_reading AS older
    WHERE older.channel_id = metering_reading.channel_id AND older.start_s = metering_reading.start_s
    AND older.ingest_sequence < metering_reading.ingest_sequence
)
"""

# The newest open row of a given reading's interval. On PostgreSQL LATERAL makes it one look into the key for each reading: a join like
# SQLite's, which has no LATERAL, was planned as a hash of the whole table.
_NEWEST = {
    "postgresql": """LATERAL (
        SELECT each.amount, each.length_s, each.quality FROM metering_reading AS each
        WHERE each.channel_id = given.channel_id AND each.start_s = given.start_s ORDER BY each.ingest_sequence DESC LIMIT 1
    ) AS held ON true""",
    "sqlite": """metering_reading AS held
    ON held.channel_id = given.channel_id AND held.start_s = given.start_s
    AND held.ingest_sequence = (
        SELECT MAX(each.ingest_sequence) FROM metering_reading AS each
        WHERE each.channel_id = given.channel_id AND each.start_s = given.start_s
    )""",
}

_JSON_TABLE = "(SELECT {picked} FROM json_each(%s)) AS {alias}"

_INSERT = """
INSERT INTO metering_reading (channel_id, start_s, ingest_sequence, length_s, amount, quality)
SELECT given.channel_id, given.start_s, %s, given.length_s, given.amount, given.quality FROM {given}
"""

_DELETE = """
DELETE FROM metering_reading
WHERE channel_id IN (SELECT id FROM metering_channel WHERE meter_id >= %s AND meter_id < %s)
AND start_s >= %s AND start_s < %s AND ingest_sequence <= %s
"""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StoredRows:
    """Open rows, all revisions, as arrays of equal length in no particular order."""

    channel_id: Ints
    start_s: Ints
    length_s: Ints
    amount: Ints
    quality: Ints
    ingest_sequence: Ints

    def __len__(self) -> int:
        return len(self.channel_id)


def is_postgres() -> bool:
    """Whether the database is PostgreSQL; otherwise it is SQLite, there is no third."""
    return connection.vendor == "postgresql"


def lock_store() -> None:
    """Wait for whoever changes the store, and keep everyone else waiting until the transaction ends.

    Comparing a reading with what is stored, swapping a sealed file and rebuilding rollups each need the others to stand still. On
    SQLite a transaction holds the write lock from its beginning anyway.
    """
    if is_postgres():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_STORE_LOCK])


def among(ids: Sequence[int] | Ints) -> tuple[str, Any]:
    """SQL that follows a column, for "is one of these", with any number of ids; and its one parameter. (Any: JSON text or a list.)"""
    values = np.asarray(ids, dtype=np.int64).tolist()
    if is_postgres():
        return "= ANY(%s::bigint[])", values
    return "IN (SELECT value FROM json_each(%s))", json.dumps(values)


def table(columns: Sequence[str], arrays: Sequence[Ints], *, alias: str = "given") -> tuple[str, list[Any]]:
    """SQL for a table of whole numbers made of arrays, and its parameters. (Any: JSON text or lists.)"""
    if is_postgres():
        types = ", ".join(["%s::bigint[]"] * len(columns))
        return f"unnest({types}) AS {alias}({', '.join(columns)})", [array.tolist() for array in arrays]
    picked = ", ".join(f"json_extract(value, '$[{place}]') AS {column}" for place, column in enumerate(columns))
    values = np.column_stack(arrays).tolist() if len(arrays[0]) else []
    return _JSON_TABLE.format(picked=picked, alias=alias), [json.dumps(values, separators=(",", ":"))]


def write(readings: ReadingColumns, *, is_sealed_repeat: Flags, sequence: int) -> tuple[Ints, Ints, Flags]:
    """Insert what is new or different in one statement, inside the caller's transaction and under the store's lock.

    Args:
        readings: At most one of each channel and start.
        is_sealed_repeat: Whether the sealed file's newest revision of that interval says the same.
        sequence: The ingest sequence of the new rows.
    Returns:
        Channel and start of every row written, in no particular order, and whether an older row of that interval is open too.
    """
    columns = (readings.channel_id, readings.start_s, readings.length_s, readings.amount, readings.quality)
    given, parameters = table(_NEW_COLUMNS, [*columns, is_sealed_repeat.astype(np.int64)])
    with connection.cursor() as cursor:
        cursor.execute(_WRITE.format(given=given, newest=_NEWEST[connection.vendor]), [sequence, *parameters])
        written = np.array(cursor.fetchall(), dtype=np.int64).reshape(-1, 3)
    return written[:, 0], written[:, 1], written[:, 2] > 0


def insert(readings: ReadingColumns, *, sequence: int) -> None:
    """Insert rows that are known to be new or different, inside the caller's transaction and under the store's lock."""
    columns = (readings.channel_id, readings.start_s, readings.length_s, readings.amount, readings.quality)
    given, parameters = table(_NEW_COLUMNS[:5], columns)
    with connection.cursor() as cursor:
        cursor.execute(_INSERT.format(given=given), [sequence, *parameters])


def delete(*, meters: tuple[int, int], start_s: int, end_s: int, up_to: int) -> int:
    """Remove the rows of meters [first, last) in [start, end) up to an ingest sequence; how many there were."""
    with connection.cursor() as cursor:
        cursor.execute(_DELETE, [*meters, start_s, end_s, up_to])
        return int(cursor.rowcount)


def exist_above(*, meters: tuple[int, int], start_s: int, end_s: int, sequence: int) -> bool:
    """Whether meters [first, last) have a row in [start, end) with a higher ingest sequence."""
    with connection.cursor() as cursor:
        cursor.execute(
            # A subquery with LIMIT stays one look into the key for each channel; a join may be planned as a walk over the whole table.
            "SELECT EXISTS (SELECT 1 FROM metering_channel AS channel WHERE channel.meter_id >= %s AND channel.meter_id < %s AND ("
            "SELECT 1 FROM metering_reading AS reading WHERE reading.channel_id = channel.id "
            "AND reading.start_s >= %s AND reading.start_s < %s AND reading.ingest_sequence > %s LIMIT 1) IS NOT NULL)",
            [*meters, start_s, end_s, sequence],
        )
        return bool(cursor.fetchone()[0])
