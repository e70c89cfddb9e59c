"""Which clock an install lives by: the wall clock, or the time-lapse that its data folder holds."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import msgspec

from commonwatt.kernel.clock import Clock, TimeLapse, WallClock
from commonwatt.ops.settings import Settings

FILE_NAME = "time-lapse.json"


def clock(settings: Settings) -> Clock:
    """The clock of this install; raises msgspec.DecodeError if its time-lapse file is damaged."""
    try:
        text = (settings.data_dir / FILE_NAME).read_bytes()
    except FileNotFoundError:
        return WallClock()
    return msgspec.json.decode(text, type=TimeLapse)


def start_time_lapse(settings: Settings, *, real: datetime, shown: datetime, rate: float) -> TimeLapse:
    """Make the install live by a time-lapse from now on; processes pick it up when they start."""
    lapse = TimeLapse(anchor_real=real, anchor_shown=shown, rate=rate)
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    _replace(settings.data_dir / FILE_NAME, msgspec.json.encode(lapse))
    return lapse


def _replace(path: Path, content: bytes) -> None:
    """Write the file whole or not at all."""
    draft = path.with_suffix(".draft")
    draft.write_bytes(content)
    os.replace(draft, path)  # noqa: PTH105 (the atomic call, by its own name)
