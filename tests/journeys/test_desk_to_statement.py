"""From an empty install to a statement that a household reads: every step by a person in a browser."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.journeys.install import Install
from tests.journeys.people import PASSWORD, sign_in, somebody, upload

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

NOON = datetime(2026, 11, 19, 11, 0, tzinfo=UTC)  # a Thursday, noon in Brussels
CALLED = NOON.replace(hour=12)
EVENT = (NOON.replace(hour=16), NOON.replace(hour=17))
USUAL_WH, IN_EVENT_WH = 500, 200


def csv_of(start: datetime, end: datetime, energy_wh: int) -> str:
    """Quarter-hours of one constant load, with the documented columns."""
    count = (end - start) // timedelta(minutes=15)
    starts = [start + timedelta(minutes=15 * index) for index in range(count)]
    return "meter,start,wh\n" + "".join(f"E-7,{at:%Y-%m-%dT%H:%MZ},{energy_wh}\n" for at in starts)


def test_from_an_empty_install_to_a_statement(install: Install, browser: Browser, tmp_path: Path) -> None:
    """The operator sets up, Ana joins with her meter's code and enrols, an event is called, and her statement is right to the nano."""
    install.start(shown=NOON, rate=1)
    with somebody(browser) as otto, somebody(browser) as ana:
        first_sign_in(install, otto)
        make_organisation(install, otto)
        code = make_meter(install, otto)
        make_program(install, otto)
        join(install, ana, code)
        upload(otto, install, csv_of(NOON - timedelta(days=40), NOON, USUAL_WH), tmp_path / "history.csv")
        enrol(install, ana)
        event = call_event(install, otto)
        ana.goto(event)
        expect(ana.get_by_text("Upcoming").first).to_be_visible()
        go_on(install, otto, ana, shown=EVENT[1])  # the hour is over; its readings are waited for
        upload(otto, install, csv_of(NOON, EVENT[0], USUAL_WH), tmp_path / "before.csv")
        upload(otto, install, csv_of(EVENT[0], EVENT[1], IN_EVENT_WH), tmp_path / "event.csv")
        go_on(install, otto, ana, shown=EVENT[1] + timedelta(minutes=6))  # the wait is over
        read_statement(install, ana)
        refuse_strangers(install, browser, ana.url, event)


def go_on(install: Install, *pages: Page, shown: datetime) -> None:
    """Stop the server and start it at a later hour; nobody is signed out and nothing is lost by it."""
    for page in pages:
        page.goto("about:blank")  # a live page would complain of the restart
    install.stop()
    install.start(shown=shown, rate=1)


def first_sign_in(install: Install, page: Page) -> None:
    """The one-time link of the command line, and a password."""
    link = install.run("create-operator", "--email", "otto@example.org", "--name", "Otto", "--role", "administrator")
    page.goto(re.search(r"http\S+", link).group(0))  # type: ignore[union-attr]  # a failure here says it all
    page.get_by_label("New password").fill(PASSWORD)
    page.locator("main form button[type=submit]").click()
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()


def make_organisation(install: Install, page: Page) -> None:
    """The operator enters an organisation."""
    page.goto(f"{install.address}/operator/customers/new/")
    page.get_by_label("Name").fill("Riverside Library")
    page.locator("main form button[type=submit]").click()
    expect(page.get_by_role("heading", name="Riverside Library")).to_be_visible()


def make_meter(install: Install, page: Page) -> str:
    """The operator enters a meter and makes its claim code."""
    page.goto(f"{install.address}/operator/meters/new/")
    page.get_by_label("Meter number").fill("E-7")
    page.get_by_role("button", name="Enter the meter").click()
    page.get_by_label("They have had the meter since").fill("2026-10-01")
    page.get_by_role("button", name="Make a new code").click()
    return page.locator("#code").inner_text()


def make_program(install: Install, page: Page) -> None:
    """A program that needs no notice, so that the journey is short."""
    page.goto(f"{install.address}/operator/programs/new/")
    page.get_by_label("Name").fill("Cold evenings")
    page.get_by_label("Price per kWh").fill("0.333333")
    page.get_by_label("Baseline rule").select_option("10-of-10")
    page.get_by_label("Notice, in minutes").fill("0")
    page.get_by_label("Wait for readings, in minutes").fill("5")
    page.get_by_label("What a participant agrees to").fill("I agree to be called and credited.")
    page.get_by_role("button", name="Make the program").click()
    expect(page.get_by_role("heading", name="Cold evenings")).to_be_visible()


def join(install: Install, page: Page, code: str) -> None:
    """Ana signs up with the code, confirms her address, and has a meter."""
    page.goto(f"{install.address}/auth/signup/")
    page.get_by_label("Code").fill(code.lower())
    page.get_by_label("Your name").fill("Ana")
    page.get_by_label("E-mail address").fill("ana@example.org")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create account").click()
    page.goto(install.link_in_mail_to("ana@example.org"))
    page.locator("main form button[type=submit]").click()
    if page.get_by_label("Password", exact=True).count():
        sign_in(page, install, "ana@example.org")
    page.goto(f"{install.address}/dashboard/")
    expect(page.get_by_text("E-7").first).to_be_visible()


def enrol(install: Install, page: Page) -> None:
    """Ana reads the agreement and takes part."""
    page.goto(f"{install.address}/programs/")
    page.get_by_role("link", name="Cold evenings").first.click()
    expect(page.get_by_text("I agree to be called and credited.")).to_be_visible()
    page.get_by_role("checkbox").check()
    page.get_by_role("button", name="Take part").click()
    expect(page.get_by_text("Takes part").first).to_be_visible()


def call_event(install: Install, page: Page) -> str:
    """The operator looks at the preview and calls the event; returns its address."""
    page.goto(f"{install.address}/events/new/")
    page.get_by_label("Day").fill("2026-11-19")
    page.get_by_label("From", exact=True).fill("17:00")
    page.get_by_label("Until", exact=True).fill("18:00")
    page.get_by_role("button", name="Preview").click()
    expect(page.get_by_text("It can be called")).to_be_visible()
    page.get_by_role("button", name="Call the event").click()
    expect(page.get_by_text("The event is called: 1 site.")).to_be_visible()
    return page.url


def read_statement(install: Install, page: Page) -> None:
    """Four quarters of 500 − 200 Wh at 0.333333 a kWh: 1.2 kWh and €0.3999996, of which 39 cents can be paid out."""
    for _ in range(60):
        page.goto(f"{install.address}/statements/")
        if page.get_by_role("link", name=re.compile("Cold evenings")).count():
            break
        page.wait_for_timeout(500)
    page.get_by_role("link", name=re.compile("Cold evenings")).first.click()
    main = page.locator("main")
    expect(main).to_contain_text("0.3999996")
    expect(main).to_contain_text("1.200")
    expect(main).to_contain_text("0.333333")
    expect(main).to_contain_text("€0.39")
    assert main.get_by_text(re.compile(r"^17:\d\d–1[78]:\d\d$")).count() == 4


def refuse_strangers(install: Install, browser: Browser, statement: str, event: str) -> None:
    """Chloe, who has an account and a meter of her own, finds nothing of Ana's; nobody finds anything without signing in."""
    with somebody(browser) as otto, somebody(browser) as chloe:
        sign_in(otto, install, "otto@example.org")
        otto.goto(f"{install.address}/operator/meters/new/")
        otto.get_by_label("Meter number").fill("E-8")
        otto.get_by_role("button", name="Enter the meter").click()
        otto.get_by_role("button", name="Make a new code").click()
        code = otto.locator("#code").inner_text()
        for address in (statement, event):
            chloe.goto(address)
            assert "/auth/login/" in chloe.url
        chloe.goto(f"{install.address}/auth/signup/")
        chloe.get_by_label("Code").fill(code)
        chloe.get_by_label("Your name").fill("Chloe")
        chloe.get_by_label("E-mail address").fill("chloe@example.org")
        chloe.get_by_label("Password").fill(PASSWORD)
        chloe.get_by_role("button", name="Create account").click()
        chloe.goto(install.link_in_mail_to("chloe@example.org"))
        chloe.locator("main form button[type=submit]").click()
        if chloe.get_by_label("Password", exact=True).count():
            sign_in(chloe, install, "chloe@example.org")
        for address in (statement, f"{statement}lines.csv", event, f"{install.address}/operator/", f"{install.address}/operator/meters/"):
            response = chloe.goto(address) if not address.endswith(".csv") else chloe.request.get(address)
            assert response is not None
            assert response.status == 404, address
