"""What the demo's meters report: the measured load, less the staged response to the events they were called to."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from commonwatt.ops.demo import plan, source
from commonwatt.ops.demo.cast import SOURCE_OF
from commonwatt.ops.demo.response import Call, staged_wh


def reported_wh(*, number: str, starts: Sequence[datetime], calls: Sequence[Call]) -> NDArray[np.int64]:
    """What the meter with this number reports for each quarter-hour; shape (len(starts),). [Wh]"""
    meter = SOURCE_OF[number]
    measured = source.energy_wh(meter=meter, starts=list(starts), zone=plan.LOCAL)
    if not calls:
        return measured
    nearby = list(calls)
    return np.array(
        [
            staged_wh(meter=meter, start=start, measured_wh=int(energy), calls=nearby)
            for start, energy in zip(starts, measured, strict=True)
        ],
        dtype=np.int64,
    )
