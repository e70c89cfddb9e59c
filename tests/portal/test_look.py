"""What holds for every template, colour and text, whichever page it is on."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.template import engines
from django.template.loader import render_to_string

from commonwatt.portal.browser_texts import browser_texts
from commonwatt.portal.glossary import BY_SLUG, TERMS
from commonwatt.portal.templatetags.ui import UnknownIcon, draw_icon

ROOT = Path(__file__).resolve().parents[2]
TEMPLATES = ROOT / "src" / "commonwatt" / "portal" / "templates"
SOURCES = {path.relative_to(TEMPLATES).as_posix(): path.read_text() for path in sorted(TEMPLATES.rglob("*.html"))}
ICONS = set((ROOT / "frontend" / "icons.txt").read_text().split())
VARIABLES = (ROOT / "frontend" / "styles" / "variables.css").read_text()


def found(pattern: str) -> dict[str, list[str]]:
    """Every match of a pattern, by template."""
    return {name: matches for name, source in SOURCES.items() if (matches := re.findall(pattern, source))}


def test_templates_compile() -> None:
    """No page fails for a misspelt tag."""
    assert len(SOURCES) > 30
    for name in SOURCES:
        engines["django"].get_template(name)


def test_no_template_needs_a_looser_content_policy() -> None:
    """Pages carry no inline styles, no inline scripts, no handlers in attributes and nothing from another host."""
    assert found(r"\sstyle=|\son[a-z]+=\"") == {}
    assert found(r"<style") == {}
    assert found(r"<script(?![^>]*\ssrc=)[^>]*>") == {}
    assert found(r"(?:src|href)=\"(?:https?:)?//") == {}


def test_icons_are_in_the_bundle() -> None:
    """Every icon that a template names is bundled, and an unknown one is refused by name rather than left out."""
    named = {name for names in found(r'{% icon "([a-z0-9-]+)"').values() for name in names}
    assert named <= ICONS
    assert {"bolt", "menu-2"} <= named
    with pytest.raises(UnknownIcon, match=r"no icon .no-such-icon.: add it to"):
        draw_icon("no-such-icon")


def test_icons_are_silent_unless_labelled() -> None:
    """A screen reader skips decoration and reads an icon that stands alone."""
    assert 'aria-hidden="true"' in draw_icon("bolt")
    assert 'role="img" aria-label="Charging &lt;now&gt;"' in draw_icon("bolt", "Charging <now>")


def test_terms_lead_to_the_glossary() -> None:
    """Every word that links to the glossary has an entry there, and every entry has its own anchor."""
    linked = {slug for slugs in found(r'{% term "([a-z-]+)"').values() for slug in slugs}
    assert linked <= set(BY_SLUG)
    assert len(BY_SLUG) == len(TERMS)


def test_the_browser_gets_every_sentence_it_shows() -> None:
    """The page carries exactly the sentences that the browser's modules ask for."""
    module = (ROOT / "frontend" / "src" / "lib" / "texts.ts").read_text()
    asked = set(re.findall(r'^ {2}\| "(\w+)"', module, re.MULTILINE))
    assert asked == set(browser_texts())


def test_components_say_what_they_take() -> None:
    """Whoever includes a part of a page finds its variables in its first lines."""
    parts = {name: source for name, source in SOURCES.items() if name.startswith("portal/components/")}
    assert [name for name, source in parts.items() if not source.startswith("{% comment %}")] == []


def luminance(colour: str) -> float:
    """Relative luminance of #rrggbb (WCAG 2.2)."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours (WCAG 2.2)."""
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


COLOURS = {name: pair for name, *pair in re.findall(r"--cw-([a-z0-9-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)", VARIABLES)}


@pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
def test_colours_can_be_told_apart_from_their_ground(theme: int) -> None:
    """Text has 4.5:1 on every ground it stands on, series and the focus ring 3:1, in light and dark."""

    def weak(names: list[str], grounds: list[str], least: float) -> list[str]:
        pairs = [(name, ground) for name in names for ground in grounds]
        return [f"{name} on {ground}" for name, ground in pairs if contrast(COLOURS[name][theme], COLOURS[ground][theme]) < least]

    grounds = ["bg", "surface", "surface-2"]
    series = [name for name in COLOURS if name.startswith("series-")]
    assert len(series) == 6
    assert weak(["text", "strong", "muted", "primary", "success", "warning", "danger", "info"], grounds, 4.5) == []
    assert weak(series, ["surface"], 3) == []
    assert weak(["series-metered", "series-baseline", "series-target"], ["chart-window", "chart-band"], 3) == []
    assert weak(["focus", "border-strong"], grounds, 3) == []
    for kind in ("primary", "success", "warning", "danger", "info"):
        assert weak([kind], [f"{kind}-soft"], 4.5) == []
    assert weak(["muted"], ["surface-3"], 4.5) == []
    assert weak(["primary-fg"], ["primary"], 4.5) == []
    assert weak(["danger-fg"], ["danger"], 4.5) == []


def test_the_page_of_last_resort_needs_nothing() -> None:
    """When everything else fails, the error page still comes: without database, session or bundle."""
    page = render_to_string("500.html")
    assert "Something failed on our side" in page
    assert "dist/" not in page
    assert "add the number ab12" in render_to_string("500.html", {"request_id": "ab12"})
