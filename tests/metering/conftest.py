"""What every test of this room starts with: an empty lake."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def empty_lake() -> Iterator[None]:
    """Files of one test are no orphans of the next."""
    from commonwatt.metering.lake import lake_dir

    shutil.rmtree(lake_dir(), ignore_errors=True)
    yield
    shutil.rmtree(lake_dir(), ignore_errors=True)
