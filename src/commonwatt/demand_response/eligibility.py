"""Whether a site may enrol, and whether its readings suffice for a baseline: shown with reasons before anybody agrees to anything."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from commonwatt.accounts import queries as accounts
from commonwatt.accounts.values import SiteView
from commonwatt.demand_response.history import load_of
from commonwatt.demand_response.holdings import Holding, holdings
from commonwatt.demand_response.models import Program, ProgramTerms
from commonwatt.kernel.time import local_date, local_days, local_midnight

_INTERVAL_WORDS = {
    900: gettext_noop("quarter-hours"),
    1800: gettext_noop("half-hours"),
    3600: gettext_noop("hours"),
    86_400: gettext_noop("days"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """One thing that was found. `holds`: as it should be; `blocks`: without it nobody can enrol."""

    code: str
    holds: bool
    blocks: bool
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Eligibility:
    """What was found about a site and a program.

    Attributes:
        coverage: Share of the intervals of the latest days that have a reading, 0 to 1; None without a meter.
    """

    reasons: tuple[Reason, ...]
    coverage: float | None

    @property
    def may_enrol(self) -> bool:
        """Whether nothing stands in the way."""
        return all(reason.holds or not reason.blocks for reason in self.reasons)

    @property
    def is_ready(self) -> bool:
        """Whether everything is as it should be, so that the first event can be credited."""
        return all(reason.holds for reason in self.reasons)


def eligibility(*, site_id: int, program_id: int, now: datetime) -> Eligibility:
    """Hold a site against a program's newest terms: is it open, is there a meter, are there enough readings.

    Too few readings do not block: readings arrive after enrolling too. The words say what happens until then.
    """
    program = Program.objects.get(pk=program_id)
    terms = program.terms.order_by("-version")[0]
    site = accounts.site_views([site_id])[site_id]
    meters = holdings(site_ids=[site_id], at=now, since=now - timedelta(days=terms.coverage_days + 2))
    reasons = [_open_reason(program), _meter_reason(meters)]
    if not meters:
        return Eligibility(reasons=tuple(reasons), coverage=None)
    coverage = _coverage(meters, site, terms.coverage_days, now=now)
    words = _(_INTERVAL_WORDS.get(meters[0].interval_s, gettext_noop("intervals")))
    return Eligibility(reasons=(*reasons, _coverage_reason(coverage, terms, words)), coverage=coverage)


def _open_reason(program: Program) -> Reason:
    text = _("The program is open for enrolment.") if program.is_open else _("The program takes no new participants at present.")
    return Reason(code="program_open", holds=program.is_open, blocks=True, text=text)


def _meter_reason(meters: list[Holding]) -> Reason:
    text = (
        _("There is a meter at this site.") if meters else _("There is no meter at this site yet. Claim one with the code you were given.")
    )
    return Reason(code="has_meter", holds=bool(meters), blocks=True, text=text)


def _coverage_reason(coverage: float, terms: ProgramTerms, words: str) -> Reason:
    holds = coverage * 100 >= terms.coverage_percent
    # Rounded down, so that 79.9 % is never shown as the 80 % that is needed.
    facts = {"share": int(coverage * 100), "intervals": words, "days": terms.coverage_days, "needed": terms.coverage_percent}
    text = _("We have %(share)d %% of the %(intervals)s of the last %(days)d days, %(needed)d %% needed.") % facts
    if not holds:
        text += " " + _("You can enrol now; events are credited once there are enough readings to compare with.")
    return Reason(code="coverage", holds=holds, blocks=False, text=text)


def _coverage(meters: list[Holding], site: SiteView, days: int, *, now: datetime) -> float:
    """The share of all intervals of the last whole local days for which the site's meters have a reading."""
    zone = ZoneInfo(site.time_zone)
    yesterday = local_date(now, zone) - timedelta(days=1)
    span = local_days(yesterday - timedelta(days=days - 1), yesterday)
    read = expected = 0
    for interval_s in sorted({meter.interval_s for meter in meters}):
        alike = [meter for meter in meters if meter.interval_s == interval_s]
        load = load_of(holdings=alike, days=span, zone=zone, interval_minutes=interval_s // 60, as_of=None)
        read += int(np.count_nonzero(load.valid))
        # The hour that a spring day does not have was never to be read.
        seconds = (local_midnight(span[-1] + timedelta(days=1), zone) - local_midnight(span[0], zone)).total_seconds()
        expected += len(alike) * min(load.valid[0].size, int(seconds // interval_s))
    return read / expected
