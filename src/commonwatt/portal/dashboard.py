"""The words, bars and tables of a meter's dashboard, from its energy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from commonwatt.demand_response import queries as demand_response
from commonwatt.kernel.time import local_date, local_day
from commonwatt.metering import queries as metering
from commonwatt.metering.queries import PowerNow
from commonwatt.metering.values import MeterAccess
from commonwatt.portal import figures
from commonwatt.portal.charts import Chart, zulu
from commonwatt.portal.meter_energy import Bar, Comparison, MeterPeriod, expected_at, expected_of_day
from commonwatt.portal.periods import Period, Span, Step, period
from commonwatt.portal.tables import column, table

STALE = timedelta(hours=2)
CSV_COLUMNS = ("meter", "start", "end", "metered_wh", "expected_wh", "expected_low_wh", "expected_high_wh", "quality")


def quality(bar: Bar) -> str:
    """How a bar is drawn."""
    if bar.energy_wh is None:
        return "missing"
    return "estimated" if bar.is_estimated else "measured"


def chart(view: MeterPeriod, access: MeterAccess, *, now: datetime) -> Chart:
    """The "usage" chart."""
    bars = view.bars
    has_expected = any(bar.expected for bar in bars)
    lines = {
        "predicted_wh": [bar.expected.mean_wh if bar.expected else None for bar in bars],
        "predicted_low_wh": [bar.expected.low_wh if bar.expected else None for bar in bars],
        "predicted_high_wh": [bar.expected.high_wh if bar.expected else None for bar in bars],
    }
    return {
        "zone": access.meter.time_zone,
        "resolution": _resolution(view),
        "start": [zulu(bar.start) for bar in bars],
        "metered_wh": [bar.energy_wh for bar in bars],
        **(lines if has_expected else {}),
        "predicted_label": expected_label(),
        "quality": [quality(bar) for bar in bars],
        "events": _events(view, access) if view.period.step is Step.INTERVAL else [],
        **({"drill": [_drill(view.period, bar) for bar in bars]} if view.period.step is not Step.INTERVAL else {}),
        "now": zulu(now) if bars[0].start <= now < bars[-1].end else None,
    }


def row(bar: Bar, *, now: datetime) -> dict[str, object]:
    """One bar of today, as a stream sends it."""
    return {"start": zulu(bar.start), "metered_wh": bar.energy_wh, "quality": quality(bar), "now": zulu(now)}


def expected_label() -> str:
    """What the prediction is called wherever it is shown."""
    return _("Expected (like days)")


def figures_table(view: MeterPeriod) -> dict[str, Any]:
    """The same figures as the chart, in a table."""
    names = {Step.INTERVAL: _("Interval"), Step.DAY: _("Day"), Step.MONTH: _("Month")}
    return table(
        caption=_("Energy, %(period)s") % {"period": label(view.period)},
        columns=[
            column(names[view.period.step]),
            column(_("Metered"), unit="kWh"),
            column(_("Expected"), unit="kWh"),
            column(_("Least of the like days"), unit="kWh"),
            column(_("Most of the like days"), unit="kWh"),
            column(_("Note"), numeric=False),
        ],
        rows=[
            [
                bar_label(bar, view.period.step),
                figures.kwh(bar.energy_wh),
                *(figures.kwh(wh) for wh in _expected(bar)),
                _note(bar),
            ]
            for bar in view.bars
        ],
        footer=[_("Sum"), figures.kwh(view.energy_wh), "", "", "", ""],
    )


def csv_rows(view: MeterPeriod, access: MeterAccess) -> Iterator[tuple[str, ...]]:
    """What is on the screen, for a spreadsheet: times with their offset, whole watt-hours."""
    zone = ZoneInfo(access.meter.time_zone)
    yield CSV_COLUMNS
    for bar in view.bars:
        energies = (bar.energy_wh, *_expected(bar))
        yield (
            access.meter.number,
            bar.start.astimezone(zone).isoformat(),
            bar.end.astimezone(zone).isoformat(),
            *("" if energy is None else str(energy) for energy in energies),
            quality(bar),
        )


def bar_label(bar: Bar, step: Step) -> str:
    """What a bar is called."""
    match step:
        case Step.INTERVAL:
            return f"{timezone.localtime(bar.start):%H:%M}–{timezone.localtime(bar.end):%H:%M}"
        case Step.DAY:
            return date_format(bar.day, "D j M")
        case Step.MONTH:
            return date_format(bar.day, "F Y")


def label(shown: Period) -> str:
    """What a period is called."""
    if shown.first == shown.last:
        return date_format(shown.first, "l j F Y")
    match shown.span:
        case Span.MONTH:
            return date_format(shown.first, "F Y")
        case Span.YEAR:
            return date_format(shown.first, "Y")
        case _:
            return f"{date_format(shown.first, 'j M Y')} – {date_format(shown.last, 'j M Y')}"


def period_bar(shown: Period, *, today: date, known: tuple[date, date] | None) -> dict[str, Any]:
    """What `components/period_bar.html` takes: choices, and where back and forth lead; not beyond the readings there are."""
    choices = [
        (_("Today"), period(Span.DAY, today)),
        (_("Yesterday"), period(Span.DAY, today - timedelta(days=1))),
        (_("7 days"), period(Span.WEEK, today)),
        (_("Month"), period(Span.MONTH, shown.first if shown.span is Span.DAY else today)),
        (_("Year"), period(Span.YEAR, shown.first if shown.span in {Span.DAY, Span.MONTH} else today)),
    ]
    earlier, later = shown.moved(-1), shown.moved(1)
    first = known[0] if known else today
    return {
        "label": label(shown),
        "choices": [{"label": text, "url": one.query, "current": one == shown} for text, one in choices],
        "previous_url": earlier.query if earlier.last >= first else None,
        "next_url": later.query if later.first <= today else None,
        "now_url": None if shown.first <= today <= shown.last else period(Span.DAY, today).query,
        "start_on": shown.first,
        "end_on": min(shown.last, today),
        "min_on": first,
        "max_on": today,
    }


def than_before(shown: Period) -> str:
    """What a period is compared with."""
    return {
        Span.DAY: _("than the day before, in the same hours"),
        Span.WEEK: _("than in the 7 days before"),
        Span.MONTH: _("than in the month before"),
        Span.YEAR: _("than in the year before"),
        Span.CUSTOM: _("than in as many days before"),
    }[shown.span]


def change_stat(compared: Comparison | None, *, than: str) -> dict[str, str]:
    """Delta, its kind and hint for `components/stat.html`. Using less is good, more is neither."""
    if compared is None or compared.change is None:
        return {}
    change = compared.change
    text = figures.percent(abs(change))
    words = _("%(share)s less") if change < 0 else _("%(share)s more")
    days = "" if not compared.days else ngettext(" (%(n)d whole day)", " (%(n)d whole days)", compared.days) % {"n": compared.days}
    return {"delta": words % {"share": text}, "delta_kind": "good" if change < 0 else "neutral", "hint": f"{than}{days}"}


def power_card(access: MeterAccess, view: MeterPeriod, *, now: datetime) -> dict[str, Any] | None:
    """The power of the newest interval, what the like days say of it, and how old it is; None without a reading to show."""
    newest = metering.power_now(access.id, now)
    if newest is None or not access.may_see(newest.start):
        return None
    expected_w = _expected_power(access, view, newest)
    return {
        "power_w": round(newest.power_w),
        "expected_w": expected_w,
        "share": None if not expected_w else newest.power_w / expected_w,
        "start": newest.start,
        "end": newest.end,
        "is_stale": newest.age > STALE,
    }


def _expected_power(access: MeterAccess, view: MeterPeriod, newest: PowerNow) -> int | None:
    zone = ZoneInfo(access.meter.time_zone)
    day, expected = local_date(newest.start, zone), view.expected_day
    if expected is None or expected.day != day:
        expected = expected_of_day(access, day)
    found = expected_at(expected, newest.start, zone)
    return None if found is None else round(found.mean_wh * 60 / expected.interval_minutes)


def like_days_text(days: Sequence[date]) -> str:
    """The days behind a prediction, newest first."""
    return ", ".join(date_format(day, "D j M") for day in days)


def _expected(bar: Bar) -> tuple[int | None, int | None, int | None]:
    return (bar.expected.mean_wh, bar.expected.low_wh, bar.expected.high_wh) if bar.expected else (None, None, None)


def _note(bar: Bar) -> str:
    if bar.energy_wh is None:
        return _("no reading")
    if bar.is_estimated:
        return _("estimated in part")
    return "" if bar.is_whole else _("readings are missing")


def _drill(shown: Period, bar: Bar) -> str | None:
    return period(Span.MONTH if shown.step is Step.MONTH else Span.DAY, bar.day).query


def _resolution(view: MeterPeriod) -> str:
    match view.period.step:
        case Step.MONTH:
            return "P1M"
        case Step.DAY:
            return "P1D"
        case Step.INTERVAL:
            minutes = round((view.bars[0].end - view.bars[0].start).total_seconds() / 60)
            return "P1D" if minutes >= 1200 else f"PT{minutes // 60}H" if minutes % 60 == 0 else f"PT{minutes}M"


def _events(view: MeterPeriod, access: MeterAccess) -> list[dict[str, str]]:
    """The events that called the meter's site on the day shown."""
    holder = access.meter.holder
    if holder is None:
        return []
    whole = local_day(view.period.first, ZoneInfo(access.meter.time_zone))
    calls = demand_response.called_sites(since=whole.start - timedelta(days=1), until=whole.end, site_ids=[holder.site_id])
    facts = demand_response.facts_of({call.event_id for call in calls})
    return [
        {
            "start": zulu(one.starts_at),
            "end": zulu(one.effective_ends_at),
            "label": one.program_name,
            "url": reverse("portal:event", args=[one.public_id]),
        }
        for one in facts.values()
        if one.effective_ends_at > whole.start
    ]
