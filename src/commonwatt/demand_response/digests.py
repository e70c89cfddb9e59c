"""Fingerprints of the readings behind a measurement: equal figures, equal digest, whatever machine or library read them. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import date

import numpy as np

from commonwatt.baseline.arrays import BoolArray, FloatArray, IntArray
from commonwatt.demand_response.measured import QualityArray

_NO_READING = np.iinfo(np.int64).min
# A doubled label of the day the clocks go back is the mean of two readings: a whole number of half watt-hours.
_HALF_WH_PER_KWH = 2000
_METERS_AT_ONCE = 32


def history_digests(*, days: Sequence[date], energy_kwh: FloatArray, valid: BoolArray) -> list[bytes]:
    """One SHA-256 per meter over what its baseline was computed from.

    Hashed, all whole numbers as 64-bit little-endian: the line "commonwatt readings 1 <first day> <days> <labels>\\n"; then,
    day by day and label by label, the energy in half watt-hours, or the least 64-bit number where there is no reading.
    The meter's own id is no part of it, so that the digest says nothing about who it is.

    Args:
        energy_kwh: Past days and the event day, (meters, days, labels). [kWh]
        valid: Where there is a reading that could matter, same shape.
    """
    head = f"commonwatt readings 1 {days[0].isoformat()} {len(days)} {energy_kwh.shape[2]}\n".encode()
    digests = []
    # Few meters at a time, so that the steps between find their figures in the processor's cache.
    for first in range(0, len(energy_kwh), _METERS_AT_ONCE):
        known = valid[first : first + _METERS_AT_ONCE]
        half_wh = np.rint(np.where(known, energy_kwh[first : first + _METERS_AT_ONCE], 0.0) * _HALF_WH_PER_KWH).astype("<i8")
        half_wh[~known] = _NO_READING
        digests += [hashlib.sha256(head + row.tobytes()).digest() for row in half_wh]
    return digests


def meter_digest(history: bytes, *, starts_s: IntArray, energy_wh: IntArray, known: BoolArray, quality: QualityArray) -> str:
    """The digest of one meter: SHA-256 over its history's digest and, per interval of the event, start, watt-hours and quality.

    Whole numbers as above; the least 64-bit number stands for watt-hours that are not known.
    """
    rows = np.stack([starts_s, np.where(known, energy_wh, _NO_READING), quality.astype(np.int64)], axis=1)
    return hashlib.sha256(history + rows.astype("<i8").tobytes()).hexdigest()


def whole_digest(parts: Iterable[tuple[int, str]]) -> str:
    """The digest of a measurement: SHA-256 over one line "<meter id> <digest>\\n" a meter, ascending by id."""
    whole = hashlib.sha256()
    for meter_id, digest in sorted(parts):
        whole.update(f"{meter_id} {digest}\n".encode())
    return whole.hexdigest()
