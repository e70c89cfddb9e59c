"""Live pages: a stream of server-sent events for each, woken by the change log and rendered for the person who looks.

However many pages wait, one look at the database per process wakes them (`outbox.live`). What a page is told is made anew each time
for the viewer as they stand then: who has signed out or lost their place is told no more.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from asgiref.sync import sync_to_async
from django.contrib.auth import get_user_model
from django.db import close_old_connections, connections
from django.http import StreamingHttpResponse
from django.utils import timezone, translation

from commonwatt.accounts.access import Forbidden, NotFound, Viewer, viewer_for
from commonwatt.outbox import queries as outbox
from commonwatt.outbox.live import changes
from commonwatt.outbox.queries import Entry
from commonwatt.portal.requests import PortalRequest

TICK_S = 4.0
"""A page hears at least every two ticks, so that it can say how old its figures are."""
LEAST_GAP_S = 0.5
"""A page hears at most this often, however fast readings arrive."""
LONGEST_S = 3600.0
"""Then the stream is closed, and the browser opens a new one: through the front door, with everything asked again."""

# Few: what they render takes milliseconds, and each may hold a connection to the database.
_threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="portal-live")


@dataclass(frozen=True, slots=True)
class Message:
    """One event of a stream: HTML for an element that swaps it, a row for charts, or `ended`."""

    name: str
    data: str

    def __str__(self) -> str:
        """As it goes over the wire."""
        lines = "".join(f"data: {line}\n" for line in self.data.splitlines() or [""])
        return f"event: {self.name}\n{lines}\n"


ENDED = Message("ended", "")
"""The last message: the browser does not come back."""


class Parts:
    """What one page was told before, part by part, so that it is told only what has changed."""

    def __init__(self) -> None:
        self._told: dict[str, str] = {}

    def changed(self, name: str, html: str) -> Iterator[Message]:
        """The part, unless the page has just this."""
        if self._told.get(name) != html:
            self._told[name] = html
            yield Message(name, html)


Tell = Callable[[Viewer, datetime], Iterable[Message]]
"""What a page is told as of an instant. Called again and again in one of a few threads, never twice at once for the same page; may keep
what it told before and leave out what has not changed. Raises NotFound or Forbidden once the page is no longer the viewer's."""


def row(columns: dict[str, object]) -> Message:
    """One row for the charts of the page with `stream="interval"`."""
    return Message("interval", json.dumps(columns, separators=(",", ":")))


def respond(request: PortalRequest, tell: Tell, *, concerns: Callable[[Entry], bool]) -> StreamingHttpResponse:
    """A stream that tells the page at once, after every change that concerns it, and every TICK_S seconds.

    Args:
        request: Of somebody who is signed in, and whose right to the page was asked.
        tell: See `Tell`.
        concerns: Whether a change matters to the page at once.
    """
    listener = _Listener(request, tell, concerns, after=outbox.newest())
    response = StreamingHttpResponse(listener.listen(), content_type="text/event-stream")
    response["Cache-Control"] = "no-store"
    response["X-Accel-Buffering"] = "no"  # or nginx keeps messages back
    return response


class _Listener:
    """One open page."""

    def __init__(self, request: PortalRequest, tell: Tell, concerns: Callable[[Entry], bool], *, after: int) -> None:
        self._clock = request.clock
        self._session, self._session_key = request.session, request.session.session_key or ""
        self._user_id = request.viewer.person_id
        self._zone = timezone.get_current_timezone_name()
        self._language = translation.get_language()
        self._tell, self._concerns, self._after = tell, concerns, after

    async def listen(self) -> AsyncIterator[str]:
        """Everything that goes over the wire."""
        # The request's own thread would keep its connection for as long as the page is open: many pages, and none would be left.
        await sync_to_async(connections.close_all, thread_sensitive=True)()
        yield "retry: 2000\n\n"
        opened_at = told_at = time.monotonic()
        text, goes_on = await self._news()
        yield text
        # Closing the log with the page frees its place among those who wait.
        async with aclosing(changes(after=self._after, idle_s=TICK_S)) as log:
            while goes_on and time.monotonic() - opened_at < LONGEST_S:
                entries = await anext(log)
                if not any(map(self._concerns, entries)) and time.monotonic() - told_at < TICK_S:
                    continue
                text, goes_on = await self._news()
                told_at = time.monotonic()
                yield text
                await asyncio.sleep(LEAST_GAP_S)  # what comes meanwhile is told together

    async def _news(self) -> tuple[str, bool]:
        return await asyncio.get_running_loop().run_in_executor(_threads, self._render)

    def _render(self) -> tuple[str, bool]:
        close_old_connections()
        try:
            with timezone.override(ZoneInfo(self._zone)), translation.override(self._language):
                messages = self._messages(self._clock.now())
        finally:
            close_old_connections()
        return "".join(map(str, messages)), ENDED not in messages

    def _messages(self, now: datetime) -> list[Message]:
        user = get_user_model()._default_manager.filter(pk=self._user_id).first()
        if user is None or not self._session.exists(self._session_key):
            return [ENDED]
        try:
            told = list(self._tell(viewer_for(user), now))
        except (NotFound, Forbidden):
            return [ENDED]
        return [Message("clock", json.dumps({"now": f"{now.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"})), *told]
