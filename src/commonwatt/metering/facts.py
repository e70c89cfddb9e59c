"""What taking readings in must know of their channels, in one query."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
from django.db import connection

from commonwatt.metering import rows
from commonwatt.metering.columns import Ints
from commonwatt.metering.plan import ChannelFacts
from commonwatt.metering.zones import midnight_s

_EVER = 2**62

_FACTS = """
SELECT channel.id, channel.meter_id, channel.interval_s, meter.installed_on, meter.removed_on, meter.time_zone
FROM metering_channel AS channel JOIN metering_meter AS meter ON meter.id = channel.meter_id
WHERE channel.id {among} ORDER BY channel.id
"""


def channel_facts(channel_ids: Sequence[int] | Ints) -> ChannelFacts:
    """The facts of those of these channels that exist."""
    among, parameter = rows.among(np.unique(np.asarray(channel_ids, dtype=np.int64)))
    with connection.cursor() as cursor:
        cursor.execute(_FACTS.format(among=among), [parameter])
        found = cursor.fetchall()
    return ChannelFacts(
        channel_id=np.array([row[0] for row in found], dtype=np.int64),
        meter_id=np.array([row[1] for row in found], dtype=np.int64),
        interval_s=np.array([row[2] for row in found], dtype=np.int64),
        life_start_s=np.array([_begins(row[3], row[5], after=0, unknown=-_EVER) for row in found], dtype=np.int64),
        life_end_s=np.array([_begins(row[4], row[5], after=1, unknown=_EVER) for row in found], dtype=np.int64),
        zones=tuple(row[5] for row in found),
    )


def channel_zones(channel_ids: Sequence[int] | Ints) -> pl.DataFrame:
    """The zone whose civil days each channel's rollups follow: columns channel_id, zone."""
    facts = channel_facts(channel_ids)
    return pl.DataFrame({"channel_id": facts.channel_id, "zone": list(facts.zones)}, schema={"channel_id": pl.Int64, "zone": pl.String})


def _begins(day: date | str | None, zone: str, *, after: int, unknown: int) -> int:
    """The first instant of the day so many days after this one (a text where SQLite answers)."""
    if day is None:
        return unknown
    return midnight_s(date.fromisoformat(str(day)) + timedelta(days=after), ZoneInfo(zone))
