"""Uploaded files on their way to an import: kept under names that nobody can guess, for a day at most."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings

from commonwatt.accounts.access import NotFound

KEPT_S = 24 * 3600
_TOKEN = re.compile(r"[A-Za-z0-9_-]{22}")


def keep(chunks: Iterable[bytes]) -> str:
    """Write an upload; returns the token by which it is found again. What earlier visitors left for more than a day goes."""
    folder = _folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for old in folder.iterdir():
        if time.time() - old.stat().st_mtime > KEPT_S:
            old.unlink(missing_ok=True)
    token = secrets.token_urlsafe(16)
    with (folder / f"{token}.csv").open("xb") as file:
        for chunk in chunks:
            file.write(chunk)
    return token


def path_of(token: str) -> Path:
    """Where the upload of a token lies; raises NotFound where there is none (any more)."""
    path = _folder() / f"{token}.csv"
    if not _TOKEN.fullmatch(token) or not path.is_file():
        raise NotFound("upload", token)
    return path


def _folder() -> Path:
    return Path(settings.COMMONWATT.data_dir) / "uploads"
