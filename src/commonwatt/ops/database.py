"""Database work of the machines' door: in threads of its own, so that no page holds it up, and never on a dead connection."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from django.db import close_old_connections

P = ParamSpec("P")
T = TypeVar("T")

# The database does one write at a time or has as many connections as its pool; more threads would only wait there.
THREADS = 8

_pool = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="database")


async def in_database(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Do blocking database work in a thread of the pool and return its result."""
    context = contextvars.copy_context()

    def with_fresh_connection() -> T:
        close_old_connections()  # one that broke while the thread slept
        try:
            return context.run(work, *args, **kwargs)
        finally:
            close_old_connections()

    return await asyncio.get_running_loop().run_in_executor(_pool, with_fresh_connection)
