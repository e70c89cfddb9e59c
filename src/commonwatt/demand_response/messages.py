"""The words of this domain: why an event may not be called, what people are told about one, why a site should wait with enrolling."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from commonwatt.demand_response.plan import Rule, Violation
from commonwatt.kernel.money import decimal_from_micros

NAMES_SHOWN = 3
Facts = Mapping[str, Any]  # Any: facts of a violation are of many types


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What one person is told."""

    subject: str
    body: str


def violation_text(violation: Violation, *, time_zone: str) -> str:
    """A broken rule in words, with times in this zone."""
    return _VIOLATIONS[violation.rule](violation.facts, ZoneInfo(time_zone))


def listed(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    shown = ", ".join(names[:NAMES_SHOWN])
    rest = len(names) - NAMES_SHOWN
    if rest <= 0:
        return shown
    return ngettext("%(names)s and %(count)d other", "%(names)s and %(count)d others", rest) % {"names": shown, "count": rest}


def day_text(instant: datetime, zone: ZoneInfo) -> str:
    """The local date, as "Friday, 20 November 2026"."""
    return date_format(instant.astimezone(zone), _("l, j F Y"))


def time_text(instant: datetime, zone: ZoneInfo) -> str:
    """The local time of day, as "17:00"."""
    return date_format(instant.astimezone(zone), "H:i")


def moment_text(instant: datetime, zone: ZoneInfo) -> str:
    """Local date and time."""
    return _("%(day)s at %(time)s") % {"day": day_text(instant, zone), "time": time_text(instant, zone)}


def span_text(starts_at: datetime, ends_at: datetime, zone: ZoneInfo) -> str:
    """A span in local time; the second date is said only where it differs."""
    first, last = day_text(starts_at, zone), day_text(ends_at, zone)
    parts = {"day": first, "from": time_text(starts_at, zone), "to": time_text(ends_at, zone), "last_day": last}
    if first == last:
        return _("%(day)s, %(from)s to %(to)s") % parts
    return _("%(day)s, %(from)s to %(last_day)s, %(to)s") % parts


def price_text(micros: int, currency: str) -> str:
    """A price per kWh, without needless zeros."""
    amount = f"{decimal_from_micros(micros).normalize():f}"
    return _("%(amount)s %(currency)s per kWh") % {"amount": amount, "currency": currency}


def _short_notice(facts: Facts, zone: ZoneInfo) -> str:
    text = ngettext(
        "The program promises %(minutes)d minute of notice. The event can start on %(earliest)s or later.",
        "The program promises %(minutes)d minutes of notice. The event can start on %(earliest)s or later.",
        facts["minutes"],
    )
    return text % {"minutes": facts["minutes"], "earliest": moment_text(facts["earliest_at"], zone)}


def _too_short(facts: Facts, zone: ZoneInfo) -> str:
    del zone
    return _("The event is too short: the program asks for at least %(minutes)d minutes.") % facts


def _too_long(facts: Facts, zone: ZoneInfo) -> str:
    del zone
    return _("The event is too long: the program allows at most %(minutes)d minutes.") % facts


def _not_aligned(facts: Facts, zone: ZoneInfo) -> str:
    del zone
    minutes = f"{facts['minutes']:g}"
    return _("Meters that are called report every %(minutes)s minutes: choose a time that is a whole number of these after midnight.") % {
        "minutes": minutes
    }


def _with_names(one: str, many: str) -> Callable[[Facts, ZoneInfo], str]:
    def text(facts: Facts, zone: ZoneInfo) -> str:
        del zone
        words = one if facts["count"] == 1 else many
        return _(words) % {**facts, "names": listed(facts["names"])}

    return text


def _plain(words: str) -> Callable[[Facts, ZoneInfo], str]:
    def text(facts: Facts, zone: ZoneInfo) -> str:
        del zone
        return _(words) % facts

    return text


_VIOLATIONS: Mapping[Rule, Callable[[Facts, ZoneInfo], str]] = {
    Rule.ENDS_BEFORE_START: _plain(gettext_noop("The event must end after it starts.")),
    Rule.IN_THE_PAST: _plain(gettext_noop("The event must start in the future.")),
    Rule.SHORT_NOTICE: _short_notice,
    Rule.TOO_SHORT: _too_short,
    Rule.TOO_LONG: _too_long,
    Rule.NOT_ALIGNED: _not_aligned,
    Rule.NO_TARGETS: _plain(gettext_noop("Choose whom to call: everyone enrolled, a group or a site.")),
    Rule.NOBODY_TO_CALL: _plain(gettext_noop("Nobody of those chosen is enrolled under the program's newest terms.")),
    Rule.NOT_ENROLLED: _with_names(
        gettext_noop("%(names)s is not enrolled in the program."), gettext_noop("%(names)s are not enrolled in the program.")
    ),
    Rule.NOT_AGREED: _with_names(
        gettext_noop("%(names)s has not agreed to the program's newest terms yet."),
        gettext_noop("%(names)s have not agreed to the program's newest terms yet."),
    ),
    Rule.OVERLAP: _with_names(
        gettext_noop("%(names)s is already called by another event at that time."),
        gettext_noop("%(count)d sites are already called by another event at that time: %(names)s."),
    ),
    Rule.TOO_OFTEN_A_DAY: _with_names(
        gettext_noop("%(names)s has reached the program's limit of %(limit)d events a day."),
        gettext_noop("%(count)d sites have reached the program's limit of %(limit)d events a day: %(names)s."),
    ),
    Rule.TOO_OFTEN_A_YEAR: _with_names(
        gettext_noop("%(names)s has reached the program's limit of %(limit)d events a year."),
        gettext_noop("%(count)d sites have reached the program's limit of %(limit)d events a year: %(names)s."),
    ),
    Rule.SIGNAL_WITH_GAPS: _plain(gettext_noop("The intervals of signal %(signal)s must follow one another and fill the whole event.")),
    Rule.SIGNAL_TWICE: _plain(gettext_noop("Each kind of signal can be given once.")),
    Rule.TARGET_NOT_POSITIVE: _plain(gettext_noop("The target must be more than 0 kW.")),
    Rule.REASON_TOO_LONG: _plain(gettext_noop("The reason can have at most %(characters)d characters.")),
}
