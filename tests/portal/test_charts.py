"""Charts and the behaviours of every page, in a real browser under the real content policy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from django.contrib.staticfiles.handlers import StaticFilesHandler
from django.test import override_settings
from django.test.testcases import LiveServerThread
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.browser
GAP = "\u00a0"


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """The product serving the pages of chart_pages.py; nobody is signed in, so it needs no database."""
    with override_settings(ROOT_URLCONF="tests.portal.chart_pages"):
        server = LiveServerThread("127.0.0.1", StaticFilesHandler)
        server.daemon = True
        server.start()
        server.is_ready.wait()
        yield f"http://127.0.0.1:{server.port}"
        server.terminate()


@pytest.fixture
def visit(browser: Browser, address: str) -> Iterator[Callable[..., Page]]:
    """Opens an address in a context of its own; whatever the browser complains about fails the test."""
    complaints: list[str] = []
    with ExitStack() as opened:

        def visited(path: str, **options: Any) -> Page:
            context = browser.new_context(locale="en-GB", **options)
            opened.callback(context.close)
            page = context.new_page()
            page.on("console", lambda message: complaints.append(message.text) if message.type in {"error", "warning"} else None)
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.goto(f"{address}{path}")
            if options.get("java_script_enabled", True) and path.startswith("/chart/"):
                page.wait_for_selector(".chart-stage[aria-valuetext], .chart-stage[role=img]")
            return page

        yield visited
    assert complaints == []


def read(page: Page, *keys: str) -> str:
    """What a screen reader says after these keys in the chart."""
    stage = page.locator("#chart .chart-stage")
    stage.focus()
    for key in keys:
        page.keyboard.press(key)
    return (stage.get_attribute("aria-valuetext") or "").replace(GAP, " ")


def test_the_short_day_has_92_quarter_hours_and_no_hour_is_made_up(visit: Callable[..., Page]) -> None:
    """On 29 March 2026 the cursor goes from 00:45 straight to 02:00, and the day still ends at midnight."""
    page = visit("/chart/spring")
    assert page.locator("#chart .chart-stage").get_attribute("aria-valuemax") == "92"
    assert read(page, "Home") == "Sun 29 Mar, 00:00 – 00:15: Metered 0.100 kWh"
    assert read(page, "Home", *["ArrowRight"] * 3) == "Sun 29 Mar, 00:45 – 02:00: Metered No reading"
    assert read(page, "Home", *["ArrowRight"] * 4) == "Sun 29 Mar, 02:00 – 02:15: Metered 0.104 kWh"
    assert read(page, "End") == "Sun 29 Mar, 23:45 – 00:00: Metered 0.191 kWh"


def test_the_long_day_has_100_quarter_hours(visit: Callable[..., Page]) -> None:
    """On 25 October 2026 the hour from 01:00 comes twice, with readings of its own each time."""
    page = visit("/chart/autumn")
    assert page.locator("#chart .chart-stage").get_attribute("aria-valuemax") == "100"
    assert read(page, "Home", *["ArrowRight"] * 4) == "Sun 25 Oct, 01:00 – 01:15: Metered 0.104 kWh"
    assert read(page, "Home", *["ArrowRight"] * 8) == "Sun 25 Oct, 01:00 – 01:15: Metered 0.108 kWh"
    assert read(page, "End") == "Sun 25 Oct, 23:45 – 00:00: Metered 0.199 kWh"


def test_estimates_and_gaps_are_told(visit: Callable[..., Page]) -> None:
    """An estimated value says so, a missing one is no zero, and both stand in the legend."""
    page = visit("/chart/autumn")
    assert read(page, "Home", *["ArrowRight"] * 2) == "Sun 25 Oct, 00:30 – 00:45: Metered 0.102 kWh. Estimated"
    assert read(page, "ArrowRight") == "Sun 25 Oct, 00:45 – 01:00: Metered No reading"
    assert page.locator(".chart-legend li").all_inner_texts() == ["Metered", "Estimated", "No reading"]


def test_delivered_power_is_read_inside_the_event_only(visit: Callable[..., Page]) -> None:
    """Before the event a chart shows use; within it also what was delivered, in kilowatts."""
    page = visit("/chart/event")
    assert read(page, "Home") == "Fri 20 Nov, 17:00 – 17:15: Metered 2.40 kW, Baseline 4.00 kW, Target 2.80 kW"
    assert read(page, "ArrowRight", "ArrowRight").endswith("Target 2.80 kW, Delivered 1.60 kW. Event")


def test_a_statement_reads_amounts_and_their_sign(visit: Callable[..., Page]) -> None:
    """Using more than the baseline is told as a negative amount, by a true minus and in words in the legend."""
    page = visit("/chart/delivered")
    assert read(page, "End") == ("Fri 20 Nov, 17:15 – 17:30: Baseline 1.00 kWh, Metered 1.10 kWh, Delivered −0.100 kWh, Amount −€0.0400")
    assert "Used more than baseline" in page.locator(".chart-legend").inner_text()


def test_shares_are_read_one_by_one(visit: Callable[..., Page]) -> None:
    """Participation is read with its number and its share."""
    page = visit("/chart/donut")
    assert read(page, "Home") == "Joined: 3 events 75 %"
    assert read(page, "ArrowRight") == "Skipped: 1 events 25 %"


def test_the_mouse_reads_what_the_keyboard_reads(visit: Callable[..., Page]) -> None:
    """Pointing at the first interval shows its time and value beside the cursor; leaving hides it."""
    page = visit("/chart/event")
    box = page.locator("#chart .chart-stage").bounding_box()
    assert box
    page.mouse.move(box["x"] + 60, box["y"] + 120)
    expect(page.locator(".chart-tip .tip-title")).to_have_text("Fri 20 Nov, 17:00 – 17:15")
    page.mouse.move(5, 5)
    expect(page.locator(".chart-tip")).to_be_hidden()


def test_an_empty_chart_says_so(visit: Callable[..., Page]) -> None:
    """A period without readings is told in words, and the keyboard does not stop there."""
    page = visit("/chart/empty")
    expect(page.get_by_text("Nothing to draw for this period.")).to_be_visible()
    assert page.locator("#chart .chart-stage").get_attribute("tabindex") == "-1"


def test_a_live_page_takes_rows_figures_and_the_end(visit: Callable[..., Page]) -> None:
    """While an event runs a corrected interval replaces the old one, a new one is added, and the end is told."""
    page = visit("/chart/live")
    stage = page.locator("#chart .chart-stage")
    expect(stage).to_have_attribute("aria-valuemax", "4")
    assert "Metered 2.60 kW" in read(page, "Home", "ArrowRight", "ArrowRight")
    assert "Metered 2.56 kW" in read(page, "ArrowRight")
    expect(page.locator("#figures")).to_have_text("1.4 kWh")
    expect(page.locator("[data-live]")).to_contain_text("Finished: these figures no longer change")
    expect(page.locator("#live")).to_have_text("Finished: these figures no longer change")


def test_the_theme_follows_the_system_until_chosen(visit: Callable[..., Page]) -> None:
    """Dark systems get a dark page; a choice stays over a reload; choosing the system's own theme follows it again."""
    page = visit("/chart/event", color_scheme="dark")
    theme = "document.documentElement.dataset.bsTheme"
    assert page.evaluate(theme) == "dark"
    page.locator("[data-theme-toggle]").click()
    assert page.evaluate(theme) == "light"
    page.reload()
    assert page.evaluate(theme) == "light"
    page.locator("[data-theme-toggle]").click()
    assert page.evaluate(theme) == "dark"
    page.emulate_media(color_scheme="light")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "light")


def test_what_cannot_be_undone_is_asked_first(visit: Callable[..., Page]) -> None:
    """The question can be declined without anything happening; agreeing sends the form."""
    page = visit("/chart/donut")
    page.locator("#act").click()
    dialog = page.get_by_role("dialog", name="Really?")
    dialog.get_by_role("button", name="Go back").click()
    expect(dialog).to_be_hidden()
    assert page.url.endswith("/chart/donut")
    page.locator("#act").click()
    page.get_by_role("button", name="Do it").click()
    page.wait_for_url("**/done*")


def test_without_javascript_the_figures_are_in_the_table(visit: Callable[..., Page]) -> None:
    """Whoever runs no scripts opens the table below the place of the chart."""
    page = visit("/chart/event", java_script_enabled=False)
    expect(page.locator(".chart-stage")).to_be_hidden()
    page.get_by_text("Show as a table").click()
    expect(page.get_by_role("cell", name="0.100")).to_be_visible()


@pytest.mark.parametrize("width", [390, 1440])
def test_pages_do_not_scroll_sideways(visit: Callable[..., Page], width: int) -> None:
    """A page fits a phone and a desk."""
    for path in ("/chart/event", "/chart/donut", "/help", "/"):
        page = visit(path, viewport={"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth <= document.documentElement.clientWidth"), path
