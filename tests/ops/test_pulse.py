"""What must happen every second happens, whatever becomes of the rest."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime

import pytest
from tests.cast import StoppedClock

from commonwatt.ops import pulse
from commonwatt.ops.pulse import Beat, Pulse

NOW = datetime(2026, 3, 29, 1, 0, tzinfo=UTC)


@pytest.mark.django_db(transaction=True)
def test_a_beat_that_fails_rests_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """When one thing that recurs breaks, it is tried again ever later, and everything else keeps its pace and the install's time."""
    monkeypatch.setattr(pulse, "PERIOD_S", 0.05)
    seen: list[datetime] = []
    tried: list[float] = []
    enough = threading.Event()

    def fail(_now: datetime) -> None:
        tried.append(time.monotonic())
        raise ConnectionError("no database")

    def work(now: datetime) -> None:
        seen.append(now)
        if len(seen) >= 50:
            enough.set()

    failing, working = Beat("failing", fail), Beat("working", work)
    beating = Pulse("test", [failing, working], clock=StoppedClock(NOW))
    beating.start()
    assert enough.wait(30)
    beating.ask_to_stop()
    assert beating.join(within_s=10) is True
    assert set(seen) == {NOW}
    assert 1 <= len(tried) <= 3  # at once, after 2 s, after 4 s
    assert failing.failures == len(tried)
    assert working.failures == 0
