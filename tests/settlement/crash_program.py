"""A process that settles one measurement and may be killed at any moment: `crash_program.py EVENT_ID ROUND`."""

from __future__ import annotations

import sys

import django


def main() -> None:
    """Say "ready" when everything is at hand, wait for a line, settle, and say "done"."""
    django.setup()
    from tests.settlement.crashes import measured
    from tests.settlement.world import SETTLED_AT

    from commonwatt.settlement.recording import record

    event_id, round_number = int(sys.argv[1]), int(sys.argv[2])
    delivery = measured(event_id, round_number)
    _say("ready")
    sys.stdin.readline()
    record(delivery=delivery, now=SETTLED_AT)
    _say("done")


def _say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
