"""A process that imports one file and says when it begins and when it has done: `python crash_import_program.py FILE`."""

from __future__ import annotations

import sys
from pathlib import Path

import django


def say(word: str) -> None:
    """One line, written at once."""
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def main() -> None:
    """Import the file."""
    django.setup()
    from tests.metering.builders import NOW

    from commonwatt.metering.imports import import_csv
    from commonwatt.wire.csv_options import CsvOptions

    say("ready")
    import_csv(path=Path(sys.argv[1]), options=CsvOptions(), actor_id=None, now=NOW)
    say("done")


if __name__ == "__main__":
    main()
