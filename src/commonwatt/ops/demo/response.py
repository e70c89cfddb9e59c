"""The staged part of the demo: what a participant is pretended to save during an event.

Real loads of 2016 and 2017 knew nothing of our events, so a response is subtracted from them: a share of the load that is fixed for each
meter, reached within the first quarter-hour, followed by half an hour of somewhat higher use afterwards (snap-back). Everything else on the
demo's pages is measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

# Of 100 Wh, how much each meter leaves out during an event; two take no part, as happens.
SHARE_PERCENT: Mapping[str, int] = {
    "ucam_b14": 14, "ucam_b16": 21, "ucam_b24": 18, "ucam_b25": 9, "ucam_b31": 12, "ucam_b41": 24, "ucam_b70": 16, "ucam_b9": 0,
    "fontana_01": 38, "fontana_02": 22, "fontana_03": 31, "fontana_05": 0, "fontana_06": 27, "fontana_07": 19, "fontana_16": 44,
    "fontana_17": 33,
}  # fmt: skip
RAMP = timedelta(minutes=15)
SNAP_BACK = timedelta(minutes=30)
SNAP_BACK_PERCENT_OF_SHARE = 25


@dataclass(frozen=True, slots=True)
class Call:
    """An event as one site sees it."""

    starts_at: datetime
    ends_at: datetime


def staged_wh(*, meter: str, start: datetime, measured_wh: int, calls: list[Call]) -> int:
    """The quarter-hour's energy with the staged response to whichever call touches it. [Wh]"""
    for call in calls:
        percent = _change_percent(share=SHARE_PERCENT[meter], start=start, call=call)
        if percent:
            return measured_wh + measured_wh * percent // 100
    return measured_wh


def _change_percent(*, share: int, start: datetime, call: Call) -> int:
    if call.starts_at <= start < call.ends_at:
        return -share // 2 if start < call.starts_at + RAMP else -share
    if call.ends_at <= start < call.ends_at + SNAP_BACK:
        return share * SNAP_BACK_PERCENT_OF_SHARE // 100
    return 0
