"""What the process that gets killed records, batch by batch, so that the test knows what must be there after any number of them."""

from __future__ import annotations

from datetime import date

from tests.metering.builders import QUARTER, R, at

MONTHS = (date(2026, 9, 1), date(2026, 10, 1))
_BEGIN = (at("2026-09-01T00:00"), at("2026-10-01T00:00"))
SIZE = 12
MOST = 400  # batches that fit into the two months


def batch(channel: int, number: int) -> list[R]:
    """Twelve new readings, six of each month, and a correction of the first one of the batch before."""
    new = [R(channel, _start(number, place), number % 997) for place in range(SIZE)]
    return new if number == 0 else [*new, R(channel, _start(number - 1, 0), 1000)]


def newest(channel: int, batches: int) -> list[R]:
    """The readings that count after so many batches, in order."""
    told = {reading.start_s: reading for number in range(batches) for reading in batch(channel, number)}
    return [told[start] for start in sorted(told)]


def _start(number: int, place: int) -> int:
    month, step = place % 2, number * SIZE // 2 + place // 2
    return _BEGIN[month] + QUARTER * step
