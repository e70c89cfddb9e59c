"""Readings on the intervals of an event: whole watt-hours, import minus export, and nothing where one is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from commonwatt.baseline.arrays import BoolArray, IntArray
from commonwatt.demand_response.holdings import Holding
from commonwatt.demand_response.measured import QualityArray
from commonwatt.metering.store import readings_between

MISSING = 3  # metering's Quality.MISSING: the worst


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Metered:
    """What meters read on intervals, each array (holdings, intervals).

    Attributes:
        energy_wh: Import minus export; 0 where not known. [Wh]
        known: Where readings of every channel fill the interval exactly.
        quality: The worst quality of these readings; 3 (missing) where not known.
        newest_end_s: End of each holding's newest reading in the span, seconds since 1970 UTC; 0 without any, (holdings,).
    """

    energy_wh: IntArray
    known: BoolArray
    quality: QualityArray
    newest_end_s: IntArray


def metered(*, holdings: Sequence[Holding], starts_s: IntArray, interval_s: int, as_of: int | None) -> Metered:
    """Read meters on consecutive intervals of one length.

    A reading counts for the interval that holds it whole. Shorter readings are summed; where they leave a gap, or one reaches
    over the edge, the interval has no reading: nothing is interpolated or shared out.
    """
    shape = (len(holdings), len(starts_s))
    channels = sorted((channel.id, row, channel.quantity) for row, holding in enumerate(holdings) for channel in holding.channels)
    if not channels or not len(starts_s):
        return _nothing(shape)
    ids = np.array([channel_id for channel_id, _, _ in channels], dtype=np.int64)
    rows = np.array([row for _, row, _ in channels], dtype=np.int64)
    signs = np.array([-1 if quantity == "energy_export" else 1 for _, _, quantity in channels], dtype=np.int64)
    first_s, end_s = int(starts_s[0]), int(starts_s[-1]) + interval_s
    read = readings_between(channel_ids=ids.tolist(), start_s=first_s, end_s=end_s, as_of=as_of)
    start, length, amount, worst = (read[name].to_numpy().astype(np.int64) for name in ("start_s", "length_s", "amount", "quality"))
    channel = np.searchsorted(ids, read["channel_id"].to_numpy().astype(np.int64))
    newest = np.zeros(shape[0], dtype=np.int64)
    np.maximum.at(newest, rows[channel], start + length)
    fits = ((start - first_s) % interval_s + length <= interval_s) & (worst < MISSING)
    at = (channel[fits], ((start - first_s) // interval_s)[fits])
    covered_s, energy, quality = (np.zeros((len(ids), shape[1]), dtype=np.int64) for _ in range(3))
    np.add.at(covered_s, at, length[fits])
    np.add.at(energy, at, amount[fits])
    np.maximum.at(quality, at, worst[fits])
    # A meter's channels together: known only where all of them are.
    known = np.ones(shape, dtype=np.bool_)
    total, all_quality = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    np.logical_and.at(known, rows, covered_s == interval_s)
    np.add.at(total, rows, energy * signs[:, np.newaxis])
    np.maximum.at(all_quality, rows, quality)
    return Metered(
        energy_wh=np.where(known, total, 0),
        known=known,
        quality=np.where(known, all_quality, MISSING).astype(np.int8),
        newest_end_s=newest,
    )


def _nothing(shape: tuple[int, int]) -> Metered:
    return Metered(
        energy_wh=np.zeros(shape, dtype=np.int64),
        known=np.zeros(shape, dtype=np.bool_),
        quality=np.full(shape, MISSING, dtype=np.int8),
        newest_end_s=np.zeros(shape[0], dtype=np.int64),
    )
