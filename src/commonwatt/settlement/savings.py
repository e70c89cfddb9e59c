"""Savings rate, participation and how an event went, from what was settled (S0-38, S0-39)."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Count, Exists, OuterRef

from commonwatt.accounts import queries as accounts
from commonwatt.demand_response import queries as demand_response
from commonwatt.demand_response.participation import Participation, SavingsRate, SiteOutcome, participation, savings_rate
from commonwatt.demand_response.views import CalledSite
from commonwatt.kernel.time import EPOCH
from commonwatt.settlement import words
from commonwatt.settlement.models import SettlementLine, Statement
from commonwatt.settlement.queries import SettlementRow, settled_event_ids, settlement_rows, standing_meters


@dataclass(frozen=True, slots=True, kw_only=True)
class Savings:
    """How much sites saved in settled events, how they took part, and what that was worth. [Wh, nanos]

    Attributes:
        rate: Delivered over baseline: the savings rate with both of its parts.
        credited_wh: What of the delivered was credited, after the program's rule for negative intervals.
        amounts: By currency.
        events: How many settled events called any of the sites.
    """

    rate: SavingsRate
    participation: Participation
    credited_wh: int
    amounts: tuple[tuple[str, int], ...]
    events: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictCount:
    """How many meters ended with one verdict."""

    verdict: str
    text: str
    meters: int


@dataclass(frozen=True, slots=True, kw_only=True)
class EventPerformance:
    """How a settled event went, for the operator's desk. `settlements` are all computations, the one that stands first."""

    settlements: tuple[SettlementRow, ...]
    savings: Savings
    verdicts: tuple[VerdictCount, ...]
    statements: int


def savings(*, site_ids: Collection[int] | None = None, since: datetime = EPOCH, until: datetime) -> Savings:
    """Savings rate, participation and credits of these sites, or (None) of all, over the settled events begun in [since, until)."""
    settled = set(settled_event_ids())
    calls = [call for call in demand_response.called_sites(since=since, until=until, site_ids=site_ids) if call.event_id in settled]
    return _savings(calls, site_ids=site_ids)


def savings_of_customer(*, customer_id: int, since: datetime = EPOCH, until: datetime) -> Savings:
    """The same for all sites of a customer."""
    return savings(site_ids=accounts.site_ids_of([customer_id]).get(customer_id, []), since=since, until=until)


def event_performance(event_id: int) -> EventPerformance | None:
    """How a settled event went; None before it is settled."""
    settlements = tuple(settlement_rows(event_id))
    if not settlements:
        return None
    event = demand_response.event_facts(event_id)
    just_after = event.starts_at + timedelta(microseconds=1)
    begun_then = demand_response.called_sites(since=event.starts_at, until=just_after)
    calls = [call for call in begun_then if call.event_id == event_id]
    verdicts = standing_meters().filter(settlement__event_id=event_id).values_list("verdict").annotate(Count("id")).order_by("verdict")
    return EventPerformance(
        settlements=settlements,
        savings=_savings(calls, site_ids=None),
        verdicts=tuple(VerdictCount(verdict=verdict, text=words.verdict_text(verdict), meters=meters) for verdict, meters in verdicts),
        statements=Statement.objects.filter(event_id=event_id).count(),
    )


def _savings(calls: Iterable[CalledSite], *, site_ids: Collection[int] | None) -> Savings:
    calls = list(calls)
    event_ids = {call.event_id for call in calls}
    measured = SettlementLine.objects.filter(settled_meter=OuterRef("pk"), delivered_wh__isnull=False)
    meters = standing_meters().filter(settlement__event_id__in=event_ids)
    if site_ids is not None:
        meters = meters.filter(site_id__in=site_ids)
    by_site: dict[tuple[int, int], _SiteSums] = {}
    fields = ("settlement__event_id", "site_id", "baseline_wh", "delivered_wh", "credited_wh", "amount_nanos", "is_measured")
    for event_id, site_id, *figures in meters.annotate(is_measured=Exists(measured)).values_list(*fields):
        by_site.setdefault((event_id, site_id), _SiteSums()).add(*figures)
    events = demand_response.facts_of(event_ids)
    outcomes, amounts, credited_wh = [], dict[str, int](), 0
    for call in calls:
        sums = by_site.get((call.event_id, call.site_id), _SiteSums())
        outcomes.append(sums.outcome(call))
        credited_wh += sums.credited_wh
        currency = events[call.event_id].currency
        amounts[currency] = amounts.get(currency, 0) + sums.amount_nanos
    return Savings(
        rate=savings_rate(outcomes),
        participation=participation(outcomes),
        credited_wh=credited_wh,
        amounts=tuple(sorted(amounts.items())),
        events=len(event_ids),
    )


@dataclass(slots=True)
class _SiteSums:
    """The settled figures of one site in one event, summed over its meters."""

    baseline_wh: int = 0
    delivered_wh: int = 0
    credited_wh: int = 0
    amount_nanos: int = 0
    is_measured: bool = False

    def add(self, baseline_wh: int, delivered_wh: int, credited_wh: int, amount_nanos: int, is_measured: bool) -> None:  # noqa: FBT001 (a column)
        """Add one meter."""
        self.baseline_wh += baseline_wh
        self.delivered_wh += delivered_wh
        self.credited_wh += credited_wh
        self.amount_nanos += amount_nanos
        self.is_measured = self.is_measured or bool(is_measured)

    def outcome(self, call: CalledSite) -> SiteOutcome:
        """What the site did, as `participation` counts it."""
        return SiteOutcome(
            choice=call.choice,
            is_measured=self.is_measured,
            baseline_wh=self.baseline_wh,
            delivered_wh=self.delivered_wh,
            responding_share_ppm=call.responding_share_ppm,
        )
