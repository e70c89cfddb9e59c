"""The parts of a page that templates ask for by name: icons, times, quantities, cards, fields.

Each tag is described where page writers look for it: frontend/README.md.
"""

from __future__ import annotations

import functools
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django import template
from django.forms import BoundField, CheckboxInput, CheckboxSelectMultiple, RadioSelect, Select
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import conditional_escape, format_html, json_script
from django.utils.safestring import SafeString, mark_safe

from commonwatt.portal import figures
from commonwatt.portal.browser_texts import browser_texts
from commonwatt.portal.glossary import BY_SLUG, TERMS, Term

register = template.Library()

_ICONS = Path(__file__).resolve().parent.parent / "static" / "dist" / "icons.json"
_MOMENTS = {
    "full": "j M Y, H:i",
    "date": "j M Y",
    "time": "H:i",
    "short": "j M, H:i",
    "long": "l j F Y, H:i",
    "relative": "j M, H:i",
}
_PILL_ICONS = {
    "success": "circle-check",
    "warning": "alert-triangle",
    "danger": "circle-x",
    "info": "info-circle",
    "neutral": "circle-dashed",
}


class UnknownIcon(LookupError):
    """A template asked for an icon that the bundle does not hold."""


@functools.cache
def _icons() -> dict[str, str]:
    icons: dict[str, str] = json.loads(_ICONS.read_text())
    return icons


@register.simple_tag(name="icon")
def draw_icon(name: str, label: str = "", **attributes: str) -> SafeString:
    """An icon as inline SVG; hidden from screen readers unless it has a label. `class` adds classes."""
    try:
        strokes = _icons()[name]
    except KeyError:
        raise UnknownIcon(f'no icon "{name}": add it to frontend/icons.txt and run tools/frontend.py build') from None
    meaning = format_html('role="img" aria-label="{}"', label) if label else mark_safe('aria-hidden="true"')
    return format_html(
        '<svg class="icon icon-{} {}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.75"'
        ' stroke-linecap="round" stroke-linejoin="round" {}>{}</svg>',
        name,
        attributes.get("class", ""),
        meaning,
        mark_safe(strokes),  # noqa: S308 (from our own bundle)
    )


@register.simple_tag
def moment(at: datetime | None, style: str = "full") -> str:
    """An instant as a `time` element in the reader's zone, with UTC on hover; a dash for none."""
    if at is None:
        return figures.MISSING
    words = date_format(timezone.localtime(at), _MOMENTS[style])
    in_utc = at.astimezone(UTC)
    relative = mark_safe(" data-relative") if style == "relative" else ""
    return format_html(
        '<time datetime="{}" title="{} UTC" data-local{}>{}</time>',
        in_utc.strftime("%Y-%m-%dT%H:%M:%SZ"),
        in_utc.strftime("%Y-%m-%d %H:%M"),
        relative,
        words,
    )


@register.simple_tag
def span(start: datetime, end: datetime) -> str:
    """A half-open span of time: the date once where both lie on one local day."""
    same_day = timezone.localtime(start).date() == timezone.localtime(end).date()
    return format_html('<span class="nowrap">{}–{}</span>', moment(start), moment(end, "time" if same_day else "full"))


@register.simple_block_tag
def card(content: str, *, title: str = "", subtitle: str = "", icon: str = "", flush: bool = False, **attributes: str) -> str:
    """A card with a header; `flush` leaves out the padding (for tables); `id` and `class` as in HTML."""
    parts = {"title": title, "subtitle": subtitle, "icon": icon, "flush": flush, "content": content}
    return render_to_string("portal/components/card.html", parts | {"id": attributes.get("id"), "extra": attributes.get("class", "")})


@register.simple_block_tag
def disclosure(content: str, summary: str, *, icon: str = "info-circle", **attributes: bool) -> str:
    """A part that opens on request, such as how a figure is computed; `open` as in HTML."""
    parts = {"summary": summary, "icon": icon, "open": attributes.get("open", False), "content": content}
    return render_to_string("portal/components/disclosure.html", parts)


@register.simple_tag
def badge(kind: str, label: str, icon: str = "") -> str:
    """A status as a pill: always a sign and a word, never colour alone. Kinds: success, warning, danger, info, neutral, live."""
    sign = (
        mark_safe('<span class="dot" aria-hidden="true"></span>') if kind == "live" and not icon else draw_icon(icon or _PILL_ICONS[kind])
    )
    return format_html('<span class="pill pill-{}">{}{}</span>', kind, sign, label)


@register.inclusion_tag("portal/components/field.html")
def field(bound: BoundField) -> dict[str, Any]:
    """One field of a form with its label, help and errors, tied together for assistive technology."""
    widget = bound.field.widget
    many = isinstance(widget, RadioSelect | CheckboxSelectMultiple)
    single_check = isinstance(widget, CheckboxInput)
    css = "form-check-input" if many or single_check else "form-select" if isinstance(widget, Select) else "form-control"
    echo = str(widget.attrs.get("placeholder", "")).lower().startswith(str(bound.label).lower())  # says what the label says
    attributes: dict[str, str | bool] = {"class": f"{css} {widget.attrs.get('class', '')}".strip()} | (
        {"placeholder": False} if echo else {}
    )
    return {"field": bound, "widget": bound.as_widget(attrs=attributes), "many": many, "single_check": single_check}


@register.simple_tag
def term(slug: str, label: str = "") -> str:
    """A word that leads to its entry in the glossary."""
    return format_html('<a class="term" href="{}#term-{}">{}</a>', reverse("portal:help"), slug, label or BY_SLUG[slug].name)


@register.simple_tag
def glossary() -> tuple[Term, ...]:
    """Every word of the glossary, in alphabetical order."""
    return tuple(sorted(TERMS, key=lambda entry: str(entry.name).casefold()))


@register.simple_tag
def texts_for_browser() -> SafeString:
    """The sentences of the browser's modules, as a JSON block."""
    return json_script(browser_texts(), "texts")


@register.simple_tag
def chart_data(data: object, id: str) -> SafeString:  # noqa: A002 (HTML's word)
    """A chart's figures, as a JSON block that its container names."""
    return json_script(data, f"{id}-data")


@register.filter
def kwh(energy_wh: float | None, decimals: int | None = None) -> str:
    """Watt-hours as kWh with unit."""
    return figures.MISSING if energy_wh is None else figures.energy(energy_wh, decimals)


@register.filter
def bare_kwh(energy_wh: int | None) -> str:
    """Whole watt-hours as kWh with all decimals and no unit, for columns that name it."""
    return figures.kwh(energy_wh)


@register.filter
def kw(power_w: float | None, decimals: int | None = None) -> str:
    """Watts as kW with unit."""
    return figures.MISSING if power_w is None else figures.power(power_w, decimals)


@register.filter
def money(amount_nanos: int | None, currency: str) -> str:
    """Nanos as an amount with two decimals."""
    return figures.MISSING if amount_nanos is None else figures.money(amount_nanos, currency)


@register.filter
def money4(amount_nanos: int | None, currency: str) -> str:
    """Nanos as an amount with four decimals, for single intervals."""
    return figures.MISSING if amount_nanos is None else figures.money(amount_nanos, currency, 4)


@register.filter
def price(price_micros_per_kwh: int | None, currency: str) -> str:
    """Micros per kWh as a price."""
    return figures.MISSING if price_micros_per_kwh is None else figures.price(price_micros_per_kwh, currency)


@register.filter
def percent(ratio: float | None, decimals: int = 1) -> str:
    """A ratio as a percentage."""
    return figures.MISSING if ratio is None else figures.percent(ratio, decimals)


@register.filter
def duration(seconds: float | None) -> str:
    """Seconds as a length of time."""
    return figures.MISSING if seconds is None else figures.duration(seconds)


@register.filter
def initials(name: str) -> str:
    """One or two letters that stand for a person."""
    words = name.replace("@", " ").split()
    return "".join(word[0] for word in words[:2])


@register.simple_tag
def table_rows(rows: list[list[Any]], columns: list[dict[str, Any]]) -> SafeString:
    """The rows of a table, the first cell of each as its heading. Written here: a template takes a hundred times as long for a day's."""
    heads = [
        (cell_class(column), conditional_escape(column["label"]), "td" if index else 'th scope="row"', "td" if index else "th")
        for index, column in enumerate(columns)
    ]
    lines = (
        "".join(
            f'<{start} class="{kind}" data-label="{label}">{conditional_escape(cell)}</{end}>'
            for cell, (kind, label, start, end) in zip(cells, heads, strict=True)
        )
        for cells in rows
    )
    return mark_safe("\n".join(f"<tr>{line}</tr>" for line in lines))  # noqa: S308 (every value is escaped above)


@register.filter
def cell_class(column: dict[str, Any]) -> str:
    """The class of a table's column: numbers stand to the right."""
    return "num" if column.get("numeric") else ""


@register.filter
def paired(cells: list[Any], columns: list[dict[str, Any]]) -> list[tuple[Any, dict[str, Any]]]:
    """A row's cells beside their columns, for `components/table.html`."""
    return list(zip((conditional_escape(cell) for cell in cells), columns, strict=True))
