"""A process that records and seals until it is killed: `python crash_program.py CHANNEL METER FIRST_BATCH`.

Says the number of each batch when `record_readings` has returned, that is when the batch counts as acknowledged.
"""

from __future__ import annotations

import sys

import django


def say(word: object) -> None:
    """One line, written at once."""
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def main() -> None:
    """Go on until somebody ends it."""
    django.setup()
    from datetime import timedelta

    from tests.metering.builders import NOW, columns
    from tests.metering.crash_plan import MONTHS, batch

    from commonwatt.metering import actions, store
    from commonwatt.metering.lake import bucket_of

    channel, meter, number = (int(word) for word in sys.argv[1:])
    say("ready")
    while True:
        actions.record_readings(readings=columns(batch(channel, number)), source="test", reference="crash", now=NOW)
        say(number)
        if number % 3 == 2:
            store.seal(month=MONTHS[number // 3 % 2], bucket=bucket_of(meter), now=NOW)
        if number % 7 == 6:
            store.clean_lake(now=NOW + timedelta(days=1), grace=timedelta(0))
        number += 1


if __name__ == "__main__":
    main()
