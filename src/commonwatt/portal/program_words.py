"""A program's terms as sentences for those who may join, with an example in the program's own figures."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from commonwatt.demand_response.views import ProgramView
from commonwatt.kernel.money import amount_nanos
from commonwatt.portal import figures
from commonwatt.settlement.plan import credited_price
from commonwatt.settlement.words import duration_text, factor_text, negative_text

EXAMPLE_BASELINE_WH = 3000
EXAMPLE_USED_WH = 2400


def price_of(program: ProgramView) -> int:
    """What a delivered kilowatt-hour earns, after the credit factor. [micros]"""
    terms = program.terms
    return credited_price(price_micros_per_kwh=terms.price_micros_per_kwh, credit_factor_ppm=terms.credit_factor_ppm)


def price_text(program: ProgramView) -> str:
    """The same as a price."""
    return figures.price(price_of(program), program.currency)


def facts(program: ProgramView) -> list[dict[str, Any]]:
    """What is asked, how often, and what it earns."""
    terms = program.terms
    per_year = ngettext("at most %(n)d event a year", "at most %(n)d events a year", terms.events_per_year) % {"n": terms.events_per_year}
    per_day = ngettext("%(n)d a day", "%(n)d a day", terms.events_per_day) % {"n": terms.events_per_day}
    length = _("%(shortest)s to %(longest)s") % {
        "shortest": duration_text(terms.shortest_minutes),
        "longest": duration_text(terms.longest_minutes),
    }
    factor = "" if terms.credit_factor_ppm == 1_000_000 else factor_text(terms.credit_factor_ppm)
    notice = _("at least %(notice)s before") % {"notice": duration_text(terms.notice_minutes)} if terms.notice_minutes else _("none")
    return [
        {"label": _("You earn"), "value": _("%(price)s delivered") % {"price": price_text(program)}, "hint": factor},
        {"label": _("Notice"), "value": notice, "hint": _("by message here and, if you like, by e-mail")},
        {"label": _("How long"), "value": length, "hint": ""},
        {"label": _("How often"), "value": per_year, "hint": per_day},
        {"label": _("If you use more"), "value": negative_text(terms.negative_intervals), "hint": ""},
        {
            "label": _("When it is settled"),
            "value": _("%(wait)s after the event") % {"wait": duration_text(terms.data_wait_minutes)},
            "hint": _("readings that come later still count, as a correction"),
        },
        {"label": _("Leaving"), "value": _("at any time"), "hint": _("and any single event can be skipped")},
    ]


def example(program: ProgramView) -> str:
    """What an event would earn, computed as a statement would."""
    delivered_wh = EXAMPLE_BASELINE_WH - EXAMPLE_USED_WH
    earned = amount_nanos(delivered_wh, price_of(program))
    return _(
        "Say your meter is expected to use %(baseline)s during an event, and you use %(used)s. You delivered %(delivered)s, and are"
        " credited %(delivered)s × %(price)s = %(earned)s."
    ) % {
        "baseline": figures.energy(EXAMPLE_BASELINE_WH, 3),
        "used": figures.energy(EXAMPLE_USED_WH, 3),
        "delivered": figures.energy(delivered_wh, 3),
        "price": price_text(program),
        "earned": figures.money(earned, program.currency, 4),
    }
