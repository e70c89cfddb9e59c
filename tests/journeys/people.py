"""What people do in a browser, in the words of the page."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, expect
from tests.journeys.install import Install

PASSWORD = "blue kettle on tuesday"


@contextmanager
def somebody(browser: Browser) -> Iterator[Page]:
    """A person with a browser of their own; a complaint of the browser or its content policy fails the test."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, locale="en-GB", timezone_id="Europe/Brussels")
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    expected = ("status of 404", "status of 403")  # what a journey of refusals is about
    unexpected = [text for text in complaints if not any(part in text for part in expected)]
    assert not unexpected, unexpected


def sign_in(page: Page, install: Install, address: str, password: str = PASSWORD) -> None:
    """Sign in on the sign-in page."""
    page.goto(f"{install.address}/auth/login/")
    page.get_by_label("E-mail address").fill(address)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("link", name="Commonwatt").first).to_be_visible()


def sign_out(page: Page) -> None:
    """Log out from the menu of one's name."""
    page.locator("summary", has_text="Otto").click()
    page.get_by_role("button", name="Sign out").click()


def upload(page: Page, install: Install, content: str, path: Path) -> None:
    """Bring a CSV with the documented columns in, through the desk, and wait for its report."""
    path.write_text(content)
    page.goto(f"{install.address}/operator/imports/")
    page.get_by_label("CSV file").set_input_files(path)
    page.get_by_role("button", name="Upload and look").click()
    page.get_by_role("button", name="Import", exact=True).click()
    expect(page.get_by_text("Import report")).to_be_visible(timeout=30_000)
