"""Follow the change log live: one look at the database per process and period, however many pages wait for news."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from django.db import close_old_connections

from commonwatt.outbox import queries
from commonwatt.outbox.queries import Entry

LOOK_EVERY_S = 0.5
ENTRIES_AT_ONCE = 200

# One thread: all looks of a process use the same few connections, and none waits for a page.
_thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="outbox-live")


@dataclass(slots=True)
class _Watch:
    """What one event loop's pages wait for together."""

    newest: int = 0
    waiting: int = 0
    news: asyncio.Condition = field(default_factory=asyncio.Condition)
    looking: asyncio.Task[None] | None = None


_watches: WeakKeyDictionary[asyncio.AbstractEventLoop, _Watch] = WeakKeyDictionary()


async def changes(*, after: int, idle_s: float = 15.0) -> AsyncGenerator[list[Entry], None]:
    """The entries after a sequence, as they come in, in order and without end; an empty list whenever `idle_s` went by without any.

    The empty lists let a page send a sign of life through proxies, and notice that nobody listens any more.
    """
    while True:
        entries = await _in_thread(after) or await _wait(after, idle_s)
        if entries:
            after = entries[-1].sequence
        yield entries


async def _wait(after: int, idle_s: float) -> list[Entry]:
    watch = _watches.setdefault(asyncio.get_running_loop(), _Watch())
    watch.waiting += 1
    try:
        if watch.looking is None or watch.looking.done():
            watch.looking = asyncio.create_task(_look(watch))
        async with asyncio.timeout(idle_s), watch.news:
            await watch.news.wait_for(lambda: watch.newest > after)
    except TimeoutError:
        return []
    finally:
        watch.waiting -= 1
    return await _in_thread(after)


async def _look(watch: _Watch) -> None:
    """Look again and again while anybody waits, and wake them when there is something new."""
    while watch.waiting:
        newest = await asyncio.get_running_loop().run_in_executor(_thread, _newest)
        if newest != watch.newest:
            async with watch.news:
                watch.newest = newest
                watch.news.notify_all()
        await asyncio.sleep(LOOK_EVERY_S)


async def _in_thread(after: int) -> list[Entry]:
    return await asyncio.get_running_loop().run_in_executor(_thread, _entries, after)


def _newest() -> int:
    close_old_connections()
    try:
        return queries.newest()
    finally:
        close_old_connections()


def _entries(after: int) -> list[Entry]:
    close_old_connections()
    try:
        return queries.entries_after(after, limit=ENTRIES_AT_ONCE)
    finally:
        close_old_connections()
