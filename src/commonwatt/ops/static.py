"""/static/: the portal's own files, straight from disk, compressed where the browser takes it; no page of Django's is involved."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, BinaryIO

from whitenoise.middleware import WhiteNoiseMiddleware

from commonwatt.ops.answers import Receive, Scope, Send, answer

CHUNK_BYTES = 256 * 1024
# What whitenoise asks of a request, under the names that it knows from WSGI.
_ASKED = {b"accept-encoding", b"if-none-match", b"if-modified-since", b"range"}


class StaticFiles:
    """Finds the files once, at start (each time, with debugging on), and answers with whitenoise's headers."""

    def __init__(self) -> None:
        self._files = WhiteNoiseMiddleware(get_response=None)

    async def tell(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """One file, part of one, "not modified", or nothing there."""
        file = self._files.find_file(scope["path"]) if self._files.autorefresh else self._files.files.get(scope["path"])
        if file is None:
            await answer(send, 404, b"Not found.\n")
            return
        response = await asyncio.to_thread(file.get_response, scope["method"], _asked(scope))
        await _send(send, response)


def _asked(scope: Scope) -> Mapping[str, str]:
    return {
        "HTTP_" + name.decode("latin-1").upper().replace("-", "_"): value.decode("latin-1")
        for name, value in scope["headers"]
        if name in _ASKED
    }


async def _send(send: Send, response: Any) -> None:  # Any: whitenoise carries no types
    headers = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in response.headers]
    headers.append((b"x-content-type-options", b"nosniff"))
    await send({"type": "http.response.start", "status": HTTPStatus(response.status).value, "headers": headers})
    file: BinaryIO | None = response.file
    if file is not None:
        try:
            while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        finally:
            file.close()
    await send({"type": "http.response.body", "body": b""})
