"""Addresses that show one chart each, for tests/portal/test_charts.py; everything else as in the product."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.template import engines
from django.urls import include, path

LONDON = ZoneInfo("Europe/London")
QUARTER = timedelta(minutes=15)
PAGE = """{% extends "portal/base.html" %}{% load ui %}{% block title %}Chart{% endblock %}{% block heading %}Chart{% endblock %}
{% block content %}
<div{% if stream %} hx-ext="sse" sse-connect="/stream" sse-close="ended"{% endif %}>
{% if stream %}{% include "portal/components/live.html" %}<span id="figures" sse-swap="figures"></span>{% endif %}
{% include "portal/components/chart.html" with id="chart" title="Energy" table=table %}
</div>
<form method="get" action="/done" data-confirm="Really?" data-confirm-action="Do it"><button id="act">Act</button></form>
{% endblock %}"""


def zulu(at: datetime) -> str:
    """ISO 8601 in UTC with Z."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def quarters(first: datetime, last: datetime) -> list[str]:
    """Every quarter hour from first until before last."""
    start, end = first.astimezone(UTC), last.astimezone(UTC)
    return [zulu(start + step * QUARTER) for step in range(int((end - start) / QUARTER))]


def day(month: int, number: int) -> dict[str, Any]:
    """A London day of 2026 whose quarter hours used 100, 101, 102 … Wh, the third estimated, the fourth missing."""
    start = quarters(datetime(2026, month, number, tzinfo=LONDON), datetime(2026, month, number + 1, tzinfo=LONDON))
    metered: list[int | None] = [100 + index for index in range(len(start))]
    metered[3] = None
    quality = ["estimated" if index == 2 else "missing" if index == 3 else "measured" for index in range(len(start))]
    return {"zone": "Europe/London", "resolution": "PT15M", "start": start, "metered_wh": metered, "quality": quality}


def event(*, read: int = 8) -> dict[str, Any]:
    """Two hours around an event of one hour; of its eight quarter hours the first `read` have readings."""
    start = quarters(datetime(2026, 11, 20, 17, tzinfo=UTC), datetime(2026, 11, 20, 19, tzinfo=UTC))
    return {
        "zone": "Europe/London",
        "interval_s": 900,
        "start": start[: max(read, 1)],
        "baseline_wh": [1000] * max(read, 1),
        "metered_wh": [600] * read,
        "target_wh": [700] * max(read, 1),
        "window": {"start": start[2], "end": start[6]},
    }


def delivered() -> dict[str, Any]:
    """Two quarter hours of a statement: one that saved, one that used more."""
    return {
        "zone": "UTC",
        "interval_s": 900,
        "start": ["2026-11-20T17:00:00Z", "2026-11-20T17:15:00Z"],
        "baseline_wh": [1000, 1000],
        "metered_wh": [600, 1100],
        "delivered_wh": [400, -100],
        "amount_text": ["€0.1600", "−€0.0400"],
    }


DONUT = {"slices": [{"label": "Joined", "value": 3, "kind": "in"}, {"label": "Skipped", "value": 1, "kind": "out"}], "unit": "events"}
CHARTS: dict[str, tuple[str, dict[str, Any]]] = {
    "spring": ("usage", day(3, 29)),
    "autumn": ("usage", day(10, 25)),
    "event": ("event", event()),
    "live": ("event", event(read=3)),
    "delivered": ("delivered", delivered()),
    "donut": ("donut", DONUT),
    "empty": ("usage", {"zone": "UTC", "resolution": "PT15M", "start": [], "metered_wh": []}),
}
TABLE = {"columns": [{"label": "Interval"}, {"label": "Metered", "numeric": True, "unit": "kWh"}], "rows": [["00:00", "0.100"]]}


def chart(request: HttpRequest, name: str) -> HttpResponse:
    """One chart on a page of the product."""
    kind, data = CHARTS[name]
    live = name == "live"
    context = {"kind": kind, "data": data, "stream": "interval" if live else None, "table": TABLE}
    return HttpResponse(engines["django"].from_string(PAGE).render(context, request))


def stream(_request: HttpRequest) -> StreamingHttpResponse:
    """A live stream: a corrected row, a new row, a figure, the time, and the end."""

    def messages() -> Iterator[str]:
        full = event()
        for index, metered in ((2, 650), (3, 640)):
            row = {"start": full["start"][index], "baseline_wh": 1000, "metered_wh": metered, "target_wh": 700}
            yield f"event: interval\ndata: {json.dumps(row)}\n\n"
        yield "event: figures\ndata: <b>1.4 kWh</b>\n\n"
        yield 'event: clock\ndata: {"now": "2026-11-20T18:00:05Z"}\n\n'
        yield "event: ended\ndata: \n\n"

    return StreamingHttpResponse(messages(), content_type="text/event-stream")


def done(_request: HttpRequest) -> HttpResponse:
    """Where the form leads once it is confirmed."""
    # An icon of its own: the browser would ask for /favicon.ico, at a time of its choosing, and complain that there is none.
    return HttpResponse('<!doctype html><link rel="icon" href="data:,">done')


urlpatterns = [
    path("chart/<str:name>", chart),
    path("stream", stream),
    path("done", done),
    path("", include("commonwatt.ops.urls")),
]
