"""Fixtures of the journeys."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.chromium import browser
from tests.journeys.install import Install

__all__ = ["browser", "install"]


@pytest.fixture
def install(tmp_path: Path) -> Iterator[Install]:
    """An empty install with its tables; its server is ended whatever happens."""
    made = Install(tmp_path / "data")
    made.run("migrate")
    try:
        yield made
    finally:
        made.stop()
