"""Every page of a running demo, phone and desktop, light and dark, into build/screenshots; `make screenshots`.

A demo of its own is made and served for it. Pages that complain in the browser's console, or run wider than the screen, are named, and
fail it.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
OUT = ROOT / "build" / "screenshots"
PORT = 8127
ADDRESS = f"http://127.0.0.1:{PORT}"
WIDTHS = (390, 1440)
THEMES = ("light", "dark")
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
CHROMIUM = os.environ.get("COMMONWATT_TEST_BROWSER", "/usr/bin/chromium")

NOBODY = ("/", "/help/", "/auth/login/", "/auth/signup/", "/auth/password/reset/", "/nothing-here/")
HOUSEHOLD = ("/dashboard/", "/dashboard/?period=year", "/programs/", "program", "/events/", "event", "/statements/", "statement",
             "/messages/", "/account/", "/people/")  # fmt: skip
ORGANISATION = ("/dashboard/", "/people/", "/statements/", "statement")
DESK = (
    "/operator/", "/operator/customers/", "customer", "/operator/meters/", "meter", "/operator/meters/new/", "/operator/meters/list/",
    "/operator/imports/", "import", "/operator/programs/", "operator_program", "/operator/programs/new/", "/operator/groups/",
    "/events/new/", "board", "/operator/jobs/", "/operator/staff/", "/operator/trail/",
)  # fmt: skip
# Pages found by following a link: where it stands, and how its address begins.
FOUND = {
    "program": ("/programs/", "/programs/prg_"),
    "event": ("/events/", "/events/evt_"),
    "statement": ("/statements/", "/statements/st"),
    "customer": ("/operator/customers/", "/operator/customers/"),
    "meter": ("/operator/meters/", "/operator/meters/mtr_"),
    "import": ("/operator/imports/", "/operator/imports/"),
    "operator_program": ("/operator/programs/", "/operator/programs/prg_"),
    "board": ("/events/", "/events/evt_"),
}


@dataclass
class Album:
    """The pictures, and what was wrong with the pages."""

    faults: list[str] = field(default_factory=list)
    taken: int = 0


def main() -> None:
    """Serve a demo, walk it as everybody, and end it."""
    OUT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="commonwatt-pictures-") as folder:
        environment = {**os.environ, "COMMONWATT_DATA_DIR": folder}
        served = subprocess.Popen(
            [sys.executable, "-m", "commonwatt", "demo", "--port", str(PORT)], env=environment, stdout=subprocess.DEVNULL
        )
        try:
            wait()
            people = json.loads((Path(folder) / "sign-ins.json").read_text())
            album = walk(people)
        finally:
            served.send_signal(signal.SIGTERM)
            served.wait(timeout=40)
    print(f"{album.taken} pictures in {OUT.relative_to(ROOT)}")
    if album.faults:
        sys.exit("\n".join(album.faults))


def wait() -> None:
    """Until the demo answers."""
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"{ADDRESS}/readyz", timeout=2):
                return
        except OSError:
            time.sleep(0.2)
    sys.exit("The demo did not start within two minutes.")


def walk(people: list[dict[str, str]]) -> Album:
    """Every page as the person who uses it."""
    album = Album()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for theme in THEMES:
            visit(browser, album, theme, "nobody", None, NOBODY)
            for name, address, pages in (
                ("household", "ana", HOUSEHOLD),
                ("organisation", "olga", ORGANISATION),
                ("operator", "otto", DESK),
            ):
                person = next(one for one in people if one["email"].startswith(address))
                visit(browser, album, theme, name, person, pages)
        browser.close()
    return album


def visit(browser: Browser, album: Album, theme: str, name: str, person: dict[str, str] | None, pages: tuple[str, ...]) -> None:
    """Take the pages of one person in one theme."""
    context = browser.new_context(color_scheme="dark" if theme == "dark" else "light", locale="en-GB")
    page = context.new_page()
    where = [""]
    page.on("console", lambda message: album.faults.append(f"{where[0]}: {message.text}") if message.type == "error" else None)
    if person:
        page.goto(f"{ADDRESS}/auth/login/")
        page.locator("#id_login").fill(person["email"])
        page.locator("#id_password").fill(person["password"])
        page.locator("#id_password").press("Enter")
        page.wait_for_load_state()
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 900 if width > 600 else 844})
        for one in pages:
            where[0] = f"{name} {one} {width} {theme}"
            take(page, album, address_of(page, one), OUT / f"{name}-{slug(one)}-{width}-{theme}.png", where[0])
    context.close()


def address_of(page: Page, one: str) -> str:
    """The address of a page, or of the first link that leads to one of its kind."""
    if one not in FOUND:
        return one
    start, beginning = FOUND[one]
    page.goto(f"{ADDRESS}{start}")
    links = page.locator(f"main a[href^='{beginning}']").evaluate_all("links => links.map(link => link.getAttribute('href'))")
    found = [str(href) for href in links if href != start and not re.search(r"/(new|list)/$", href)]
    if not found:
        sys.exit(f"{page.url} has no link that begins with {beginning}: {links}")
    return found[0].replace("/events/", "/operator/events/") if one == "board" else found[0]


def take(page: Page, album: Album, address: str, path: Path, where: str) -> None:
    """One picture, and the check that nothing runs off the screen."""
    page.goto(f"{ADDRESS}{address}")
    page.wait_for_timeout(600)  # charts are drawn after the page
    if page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth"):
        album.faults.append(f"{where}: runs wider than the screen")
    page.screenshot(path=path, full_page=True)
    album.taken += 1


def slug(one: str) -> str:
    """A page's name in the name of its picture."""
    return re.sub(r"[^a-z]+", "-", one.lower()).strip("-") or "landing"


if __name__ == "__main__":
    main()
