"""`python -m commonwatt`: the same as the command."""

from __future__ import annotations

from commonwatt.ops.cli import main

main()
