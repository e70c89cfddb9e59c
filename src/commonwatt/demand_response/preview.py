"""An event before it is called: who would be called, what may stand in the way, and what could be expected of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import msgspec
import numpy as np

from commonwatt.accounts import queries as accounts
from commonwatt.baseline.reasons import Verdict
from commonwatt.baseline.rules import BaselineRule, NoAdjustment, rule_from_dict
from commonwatt.demand_response import rows
from commonwatt.demand_response.baselines import Question, baselines, look_back_days
from commonwatt.demand_response.choices import Choice, EventStatus
from commonwatt.demand_response.delivery import measure
from commonwatt.demand_response.messages import violation_text
from commonwatt.demand_response.models import Event, Participant, Program
from commonwatt.demand_response.participation import SavingsRate
from commonwatt.demand_response.plan import EventPlan, EventRequest, SiteFacts, decide_event
from commonwatt.demand_response.targets import aim
from commonwatt.demand_response.views import Called
from commonwatt.metering.store import newest_sequence


@dataclass(frozen=True, slots=True, kw_only=True)
class Obstacle:
    """A rule that the request breaks, in words, and the field it belongs to."""

    rule: str
    field: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What would happen.

    Attributes:
        obstacles: Why it cannot be called so; empty when it can.
        called: Sites that would be called.
        waiting_for_consent: Enrolled sites named by the targets that have not agreed to the newest terms; they are not called.
        without_baseline: Called sites for which no baseline could be computed today: no meter, or too few readings.
        opted_out_last_time: Called sites that opted out of the latest event they were called for.
        people_told: Members of the sites' customers.
        expected_kw: Mean power that the called sites would use without the event, from their latest days; None if none has a baseline.
        usual_rate: Savings rate of the program's latest completed event; None without one.
    """

    obstacles: tuple[Obstacle, ...]
    called: int
    waiting_for_consent: int
    without_baseline: int
    opted_out_last_time: int
    people_told: int
    expected_kw: float | None
    usual_rate: SavingsRate | None

    @property
    def expected_delivered_kw(self) -> float | None:
        """What they would deliver if they saved the same share as last time; None where either is not known."""
        if self.expected_kw is None or self.usual_rate is None or self.usual_rate.ratio is None:
            return None
        return self.expected_kw * self.usual_rate.ratio


def preview(*, program_id: int, request: EventRequest, now: datetime) -> Preview:
    """Look at a request without calling anybody; nothing is changed or held."""
    program = Program.objects.get(pk=program_id)
    terms = program.terms.order_by("-version")[0]
    aimed = aim(program_time_zone=program.time_zone, terms=terms, request=request)
    outcome = decide_event(
        limits=rows.limits_of(rows.terms_view(terms)), request=request, sites=aimed.sites, not_enrolled=aimed.not_enrolled, now=now
    )
    broken = () if isinstance(outcome, EventPlan) else outcome
    called = [site for site in aimed.sites if site.has_agreed]
    expected_kw, with_baseline = _expected(request, rule_from_dict(terms.baseline_rule), called)
    return Preview(
        obstacles=tuple(
            Obstacle(rule=violation.rule, field=violation.field, text=violation_text(violation, time_zone=program.time_zone))
            for violation in broken
        ),
        called=len(called),
        waiting_for_consent=len(aimed.sites) - len(called),
        without_baseline=len(called) - with_baseline,
        opted_out_last_time=_opted_out_last_time(program_id, called),
        people_told=_people(called),
        expected_kw=expected_kw,
        usual_rate=_usual_rate(program_id, now=now),
    )


def _expected(request: EventRequest, rule: BaselineRule, called: list[SiteFacts]) -> tuple[float | None, int]:
    """Mean power expected over the event, and of how many sites. No same-day adjustment: that day has no readings yet. [kW]"""
    longest = timedelta(hours=23)
    if not called or not timedelta(0) < request.ends_at - request.starts_at <= longest:
        return None, 0
    site_ids = [site.site_id for site in called]
    rule = msgspec.structs.replace(rule, adjustment=NoAdjustment())
    since = request.starts_at - timedelta(days=look_back_days(rule) + 2)
    busy = Participant.objects.filter(site_id__in=site_ids, until_at__gt=since, from_at__lt=request.starts_at)
    spans = tuple(Called(*row) for row in busy.order_by("pk").values_list("site_id", "from_at", "until_at") if row[1] < row[2])
    question = Question(starts_at=request.starts_at, ends_at=request.ends_at, rule=rule, called=spans, as_of=newest_sequence())
    power_kw, sites = 0.0, set()
    for group in baselines(question, site_ids=site_ids):
        is_ok = group.result.verdict == Verdict.OK
        window = group.result.baseline_kwh[is_ok, group.window.first : group.window.last]
        power_kw += float(window.mean(axis=1).sum()) * 60 / group.window.interval_minutes
        sites |= {group.holdings[row].site_id for row in np.flatnonzero(is_ok)}
    return (power_kw if sites else None), len(sites)


def _opted_out_last_time(program_id: int, called: list[SiteFacts]) -> int:
    earlier = Participant.objects.filter(event__program_id=program_id, site_id__in=[site.site_id for site in called])
    newest = dict(earlier.order_by("from_at", "pk").values_list("site_id", "choice"))  # a later answer replaces an earlier one
    return sum(choice == Choice.OUT for choice in newest.values())


def _people(called: list[SiteFacts]) -> int:
    sites = accounts.site_views(site.site_id for site in called)
    members = accounts.member_user_ids(customer_ids={site.customer_id for site in sites.values()})
    return len({user_id for users in members.values() for user_id in users})


def _usual_rate(program_id: int, *, now: datetime) -> SavingsRate | None:
    latest = Event.objects.filter(program_id=program_id, status=EventStatus.COMPLETED).order_by("-ends_at", "-pk").first()
    if latest is None:
        return None
    baseline_wh = delivered_wh = 0
    for group in measure(event_id=latest.pk, now=now).groups:
        counts = group.valid & np.array([held.choice != Choice.OUT for held in group.meters], dtype=np.bool_)[:, np.newaxis]
        baseline_wh += int(group.baseline_wh[counts].sum())
        delivered_wh += int(group.delivered_wh[counts].sum())
    return SavingsRate(baseline_wh=baseline_wh, delivered_wh=delivered_wh)
