"""The portal's first journey (S1-25), on a demo: land, register or sign in, switch between the two, reset, move freely, log out."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest
from playwright.sync_api import Browser, expect
from tests.journeys.install import Install
from tests.journeys.people import PASSWORD, sign_in, sign_out, somebody

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

SHOWN = datetime(2026, 11, 20, 14, 0, tzinfo=UTC)


def test_the_way_in_and_out(install: Install, browser: Browser) -> None:
    """Land, look at signing up and signing in, forget the password, set a new one, move by the navigation, log out to the landing."""
    link = install.run("create-operator", "--email", "otto@example.org", "--name", "Otto", "--role", "administrator")
    install.start(shown=SHOWN, rate=1)
    with somebody(browser) as page:
        page.goto(re.search(r"http\S+", link).group(0))  # type: ignore[union-attr]  # a failure here says it all
        page.get_by_label("New password").fill("a first password")
        page.locator("main form button[type=submit]").click()
        sign_out(page)
        expect(page).to_have_url(f"{install.address}/")
        page.get_by_role("link", name="Sign in").first.click()
        page.get_by_role("link", name="Create one").click()
        expect(page.get_by_role("heading", name="Create your account")).to_be_visible()
        page.locator("main").get_by_role("link", name="Sign in").click()
        page.get_by_role("link", name=re.compile("Forgot")).click()
        page.get_by_label("E-mail address").fill("otto@example.org")
        page.locator("main form button[type=submit]").click()
        expect(page.locator("main")).to_contain_text("mail")
        page.goto(install.link_in_mail_to("otto@example.org"))
        page.locator("input[type=password]").first.fill(PASSWORD)
        if page.locator("input[type=password]").count() > 1:
            page.locator("input[type=password]").nth(1).fill(PASSWORD)
        page.locator("main form button[type=submit]").click()
        page.wait_for_load_state()
        if not page.locator(".user-menu, [data-user-menu]").count():
            sign_in(page, install, "otto@example.org")
        for entry, heading in (("Customers", "Customers"), ("Meters", "Meters"), ("Imports", "Imports"), ("Events", "Events")):
            page.get_by_role("navigation").first.get_by_role("link", name=entry, exact=True).click()
            expect(page.get_by_role("heading", name=heading, level=1)).to_be_visible()
        sign_out(page)
        expect(page).to_have_url(f"{install.address}/")
        page.goto(f"{install.address}/operator/")
        expect(page).to_have_url(re.compile("/auth/login/"))
        wrong = "a first password"
        page.get_by_label("E-mail address").fill("otto@example.org")
        page.get_by_label("Password", exact=True).fill(wrong)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("alert")).to_be_visible()
