"""Debian's Chromium for tests that look at pages as people do.

A conftest that says `from tests.chromium import browser` has the fixture. Without a Chromium such tests are left out and named;
with COMMONWATT_TEST_REQUIRE=all its absence is a failure.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, sync_playwright

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]


def chromium() -> str | None:
    """The path of the system's Chromium, or None."""
    found = (shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))
    return next((path for path in found if path), None)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for the tests of a module; give each test a context of its own."""
    path = chromium()
    if path is None and os.environ.get("COMMONWATT_TEST_REQUIRE") == "all":
        pytest.fail("Chromium is required (COMMONWATT_TEST_REQUIRE=all) and not installed: apt-get install chromium")
    if path is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    with pytest.MonkeyPatch.context() as patch, sync_playwright() as playwright:
        # Playwright keeps an event loop in this thread, and Django would take the tests' own database calls for asynchronous ones.
        patch.setenv("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
        launched = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield launched
        launched.close()
