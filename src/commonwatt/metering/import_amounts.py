"""Millionths of a watt-hour to whole watt-hours, so that sums stay true, and so that the same source is recognised in any file.

A reading is the difference of two rounded running totals (half up) of its channel. Then the sum of any run of readings is at most one
Wh from the source's, that of a whole file at most half a Wh, and each reading is one of the two whole numbers beside its source
amount (or is it, where that is whole). Which of the two depends on where the running total began, so on the extent of the file: a
reading is therefore taken for a repeat of a stored one that is *either* neighbour of its source amount.
docs/decisions/0021-whole-watt-hours-from-finer-files.md has the reasons and the alternatives.
"""

from __future__ import annotations

import numpy as np

from commonwatt.metering.columns import Flags, Ints

MICROS_PER_WH = 1_000_000
_HALF = MICROS_PER_WH // 2


def whole_wh(micro_wh: Ints, *, is_first: Flags, carried: Ints) -> tuple[Ints, Ints, Ints]:
    """Quantise amounts in the order of each channel's time.

    Args:
        micro_wh: Amounts, never negative, channel after channel, each in order of time. Shape (readings,). [millionths of a Wh]
        is_first: Where a channel begins. Shape (readings,).
        carried: The running total's rest before each channel's first reading, at least 0. Shape (channels,). [millionths of a Wh]
    Returns:
        The whole amounts and their other neighbours (equal where the source is whole), shape (readings,) [Wh]; and the rest after each
        channel's last reading, shape (channels,), below a Wh. [millionths of a Wh]
    """
    whole, rest = np.divmod(micro_wh, MICROS_PER_WH)
    if not rest.any():
        return whole, whole, carried
    begins = np.flatnonzero(is_first)
    sums = np.cumsum(rest)
    before = sums[begins] - rest[begins]
    total = sums - np.repeat(before - carried, np.diff(np.append(begins, len(rest))))
    rounded_up = (total + _HALF) // MICROS_PER_WH - (total - rest + _HALF) // MICROS_PER_WH
    other = whole + np.where(rest > 0, 1 - rounded_up, 0)
    ends = np.append(begins[1:], len(rest)) - 1
    return whole + rounded_up, other, total[ends] % MICROS_PER_WH
