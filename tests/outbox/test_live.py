"""Live pages hear of every change in order, all of them from one look at the database."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from django.db import connections, transaction

from commonwatt.outbox import actions, live
from commonwatt.outbox.queries import Entry

NOW = datetime(2026, 3, 29, 1, 0, tzinfo=UTC)


def _append(subjects: list[str]) -> None:
    for subject in subjects:
        with transaction.atomic():
            actions.append(kind="event.opted", subject_kind="event", subject_id=subject, payload={}, now=NOW)
    connections.close_all()


async def _take(stream: AsyncIterator[list[Entry]], count: int) -> list[str]:
    seen: list[str] = []
    async for entries in stream:
        seen += [entry.subject_id for entry in entries]
        if len(seen) >= count:
            return seen
    return seen


@pytest.mark.django_db(transaction=True)
def test_pages_that_wait_hear_of_changes_in_order() -> None:
    """Two pages opened at different moments both get every change after theirs, in order, as it happens."""

    async def watch() -> tuple[list[str], list[str]]:
        with ThreadPoolExecutor(1) as writer:
            loop = asyncio.get_running_loop()
            await loop.run_in_executor(writer, _append, ["a", "b"])
            first = asyncio.create_task(_take(live.changes(after=0), 4))
            second = asyncio.create_task(_take(live.changes(after=2), 2))
            await asyncio.sleep(0.1)
            await loop.run_in_executor(writer, _append, ["c", "d"])
            return await asyncio.wait_for(first, 10), await asyncio.wait_for(second, 10)

    assert asyncio.run(watch()) == (["a", "b", "c", "d"], ["c", "d"])
    live._thread.submit(connections.close_all).result()


@pytest.mark.django_db(transaction=True)
def test_a_quiet_log_gives_a_sign_of_life() -> None:
    """While nothing happens, a page hears so from time to time, and nobody looks at the database once the page is gone."""

    async def watch() -> tuple[list[Entry], bool]:
        stream = live.changes(after=0, idle_s=0.2)
        quiet = await asyncio.wait_for(anext(stream), 5)
        looking = live._watches[asyncio.get_running_loop()].looking
        assert looking is not None
        await asyncio.wait_for(looking, 2 * live.LOOK_EVERY_S)
        return quiet, looking.done()

    assert asyncio.run(watch()) == ([], True)
    live._thread.submit(connections.close_all).result()
