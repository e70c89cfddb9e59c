"""One function call in a process of its own: `python -m bench.isolated module:function '{"path": "…"}'` prints an Outcome as JSON."""

from __future__ import annotations

import importlib
import json
import sys
import time
from pathlib import Path


def peak_mb() -> float:
    """The most memory this process has held. [MB] (Not getrusage: a child inherits its parent's peak there.)"""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / 1e6
    raise RuntimeError("this system does not tell a process its peak memory")


def main() -> None:
    """Import, call, report."""
    module, function = sys.argv[1].split(":")
    call = getattr(importlib.import_module(module), function)
    begin = time.perf_counter()
    value = call(**json.loads(sys.argv[2]))
    seconds = time.perf_counter() - begin
    print(json.dumps({"value": value, "seconds": seconds, "peak_mb": peak_mb()}))


if __name__ == "__main__":
    main()
