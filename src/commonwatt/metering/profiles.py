"""Daily profiles: the energy of many meters on many civil days, as one array (meters, days, intervals) by local label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
from django.db import connection

from commonwatt.metering import canvas, rows
from commonwatt.metering.choices import Quantity
from commonwatt.metering.columns import Flags, Ints
from commonwatt.metering.labels import irregular_days, label_index, label_table
from commonwatt.metering.plan import DAY_S
from commonwatt.metering.snapshot import newest_sequence

__all__ = ["NET", "Profiles", "label_index", "profiles"]

NET = "net"
"""Import minus export."""

_CHANNELS = """
SELECT channel.id, channel.meter_id, channel.interval_s FROM metering_channel AS channel
WHERE channel.quantity = %s AND channel.meter_id {among} ORDER BY channel.id
"""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Profiles:
    """Energy by meter, civil day and local label.

    Attributes:
        meter_ids, days: As they were asked for, in that order.
        interval_minutes: Length of a label.
        energy_kwh: (meters, days, intervals). [kWh] Anything where `valid` is False.
        valid: Where the whole label is covered by readings, same shape.
        estimated: Where part of it was estimated, same shape.
        irregular_days: Days without 24 hours. The label of the hour that is left out in spring is not valid; that of the hour which
            comes twice in autumn holds the average of both. (days,)
        newest_sequence: What was known: reading again as of this sequence gives the same.
    """

    meter_ids: tuple[int, ...]
    days: tuple[date, ...]
    interval_minutes: int
    energy_kwh: npt.NDArray[np.float64]
    valid: Flags
    estimated: Flags
    irregular_days: Flags
    newest_sequence: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Request:
    """What was asked for, the same for every quantity."""

    meter_ids: Sequence[int]
    days: Sequence[date]
    zone: ZoneInfo
    interval_minutes: int
    as_of: int

    @property
    def shape(self) -> tuple[int, int, int]:
        """(meters, days, intervals)."""
        return len(self.meter_ids), len(self.days), DAY_S // 60 // self.interval_minutes


@dataclass(frozen=True, slots=True, eq=False)
class _Filled:
    """One quantity of all the meters: (meters, days, intervals) arrays, and which meters have a channel for it, (meters,)."""

    energy_kwh: npt.NDArray[np.float64]
    valid: Flags
    estimated: Flags
    has_channel: Flags


def profiles(
    *,
    meter_ids: Sequence[int],
    days: Sequence[date],
    quantity: str,
    zone: ZoneInfo,
    interval_minutes: int,
    as_of: int | None = None,
) -> Profiles:
    """The energy of meters on civil days, by local label.

    Args:
        meter_ids: In any order, each once.
        days: In any order, each once; they may lie in the future.
        quantity: A `Quantity`, or NET: import minus export, which needs both where a meter has an export channel.
        zone: Whose civil days and labels.
        interval_minutes: Divides the day. Shorter readings are summed exactly; of longer ones nothing can be said.
        as_of: Leave out whatever was learned after this ingest sequence.
    """
    sequence = newest_sequence() if as_of is None else as_of
    request = _Request(meter_ids=meter_ids, days=days, zone=zone, interval_minutes=interval_minutes, as_of=sequence)
    filled = _fill(Quantity.ENERGY_IMPORT if quantity == NET else Quantity(quantity), request)
    if quantity == NET:
        _subtract(filled, _fill(Quantity.ENERGY_EXPORT, request))
    return Profiles(
        meter_ids=tuple(meter_ids),
        days=tuple(days),
        interval_minutes=interval_minutes,
        energy_kwh=filled.energy_kwh,
        valid=filled.valid,
        estimated=filled.estimated,
        irregular_days=irregular_days(days, zone),
        newest_sequence=sequence,
    )


def _subtract(filled: _Filled, export: _Filled) -> None:
    """Take the export away, in place; where a meter has such a channel, both readings are needed."""
    if not export.has_channel.any():
        return
    np.subtract(filled.energy_kwh, export.energy_kwh, out=filled.energy_kwh)
    np.logical_and(filled.valid, export.valid | ~export.has_channel[:, None, None], out=filled.valid)
    np.logical_or(filled.estimated, export.estimated, out=filled.estimated)


def _fill(quantity: Quantity, request: _Request) -> _Filled:
    """The energy of one quantity. Meters are taken by the length of their readings, usually all at once."""
    meters, days, labels = request.shape
    by_length = _channels(quantity, request.meter_ids)
    has_channel = np.zeros(meters, dtype=np.bool_)
    for channels in by_length:
        has_channel[channels.row] = True
    parts = [(channels, _fill_one_length(channels, request)) for channels in by_length if days]
    if len(parts) == 1:
        painted = parts[0][1]
    else:
        # Rows of other lengths are zero in each part, so the parts add up to the whole.
        painted = canvas.Painted.blank(meters, days * labels)
        for _, part in parts:
            painted.add(part)
    return _Filled(
        energy_kwh=painted.energy_kwh.reshape(request.shape),
        valid=painted.valid.reshape(request.shape),
        estimated=painted.estimated.reshape(request.shape),
        has_channel=has_channel,
    )


def _fill_one_length(channels: canvas.Channels, request: _Request) -> canvas.Painted:
    minutes = request.interval_minutes
    table = label_table(days=request.days, zone=request.zone, interval_minutes=minutes, source_s=channels.interval_s)
    return canvas.paint(channels=channels, table=table, meters=len(request.meter_ids), as_of=request.as_of)


def _channels(quantity: Quantity, meter_ids: Sequence[int]) -> list[canvas.Channels]:
    """The channels of this quantity, those with readings of one length together."""
    asked: Ints = np.asarray(meter_ids, dtype=np.int64)
    among, parameter = rows.among(asked)
    with connection.cursor() as cursor:
        cursor.execute(_CHANNELS.format(among=among), [quantity.value, parameter])
        found = np.array(cursor.fetchall(), dtype=np.int64).reshape(-1, 3)
    order = np.argsort(asked)
    row = order[np.searchsorted(asked, found[:, 1], sorter=order)]
    lengths = np.unique(found[:, 2])
    chosen = [found[:, 2] == length for length in lengths]
    return [
        canvas.Channels(channel_id=found[here, 0], meter_id=found[here, 1], row=row[here], interval_s=int(length))
        for here, length in zip(chosen, lengths, strict=True)
    ]
