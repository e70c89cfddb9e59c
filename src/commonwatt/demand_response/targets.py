"""From the targets of a request to the sites it would call, with the facts that decide whether it may."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from django.db.models import Count, F, Q, QuerySet

from commonwatt.accounts import queries as accounts
from commonwatt.demand_response.choices import TargetKind
from commonwatt.demand_response.holdings import holdings
from commonwatt.demand_response.models import Consent, Enrolment, Group, Participant, ProgramTerms
from commonwatt.demand_response.plan import EventRequest, SiteFacts, Target
from commonwatt.kernel.time import local_day, local_midnight


@dataclass(frozen=True, slots=True, kw_only=True)
class Aim:
    """What the targets of a request come to.

    Attributes:
        enrolments: Enrolment id of every enrolled site they name.
        sites: Facts about these sites, ascending by id.
        not_enrolled: Names of sites that were named one by one and are not enrolled.
    """

    enrolments: Mapping[int, int]
    sites: tuple[SiteFacts, ...]
    not_enrolled: tuple[str, ...]


def lock_sites(*, program_id: int, targets: Sequence[Target]) -> None:
    """Hold every enrolment, in any program, of the sites that the targets name, until the transaction ends.

    Two operators who call one site at the same moment take turns here; the second then sees the first one's event.
    """
    sites = _enrolled(program_id, targets).values("site_id")
    rows = Enrolment.objects.filter(site_id__in=sites, ended_at__isnull=True).order_by("pk").select_for_update(of=("self",))
    list(rows.values_list("pk", flat=True))


def aim(*, program_time_zone: str, terms: ProgramTerms, request: EventRequest) -> Aim:
    """The sites that a request names, each with what decides whether it may be called."""
    rows = _enrolled(terms.program_id, request.targets)
    enrolments = dict(rows.order_by("site_id").values_list("site_id", "pk"))
    single = _single_sites(request.targets)
    names = accounts.site_views([*enrolments, *single])
    agreed = Consent.objects.filter(terms=terms, withdrawn_at__isnull=True, enrolment__in=rows)
    has_agreed = set(agreed.values_list("enrolment__site_id", flat=True))
    called = Participant.objects.filter(site_id__in=rows.values("site_id"), from_at__lt=F("until_at"))
    is_busy = set(called.filter(from_at__lt=request.ends_at, until_at__gt=request.starts_at).values_list("site_id", flat=True))
    counts = _counts(called.filter(event__program_id=terms.program_id), request.starts_at, ZoneInfo(program_time_zone))
    intervals = _meter_intervals(list(enrolments), request.starts_at)
    sites = tuple(
        SiteFacts(
            site_id=site_id,
            name=names[site_id].name,
            time_zone=names[site_id].time_zone,
            has_agreed=site_id in has_agreed,
            is_busy=site_id in is_busy,
            called_that_day=counts.get(site_id, (0, 0))[0],
            called_that_year=counts.get(site_id, (0, 0))[1],
            meter_intervals_s=tuple(sorted(intervals[site_id])),
        )
        for site_id in enrolments
    )
    not_enrolled = tuple(names[site_id].name for site_id in single if site_id in names and site_id not in enrolments)
    return Aim(enrolments=enrolments, sites=sites, not_enrolled=not_enrolled)


def _enrolled(program_id: int, targets: Sequence[Target]) -> QuerySet[Enrolment]:
    """Current enrolments of the sites that the targets name, each once."""
    rows = Enrolment.objects.filter(program_id=program_id, ended_at__isnull=True)
    if any(target.kind is TargetKind.EVERYONE for target in targets):
        return rows
    groups = [target.id for target in targets if target.kind is TargetKind.GROUP and target.id is not None]
    in_groups = Group.objects.filter(pk__in=groups).values("sites")
    return rows.filter(Q(site_id__in=in_groups) | Q(site_id__in=_single_sites(targets)))


def _single_sites(targets: Sequence[Target]) -> list[int]:
    return [target.id for target in targets if target.kind is TargetKind.SITE and target.id is not None]


def _counts(called: QuerySet[Participant], starts_at: datetime, zone: ZoneInfo) -> dict[int, tuple[int, int]]:
    """Per site, the events on the local day and in the local calendar year of `starts_at`; sites without any are left out."""
    local = starts_at.astimezone(zone)
    day = local_day(local.date(), zone)
    year_start, next_year = local_midnight(date(local.year, 1, 1), zone), local_midnight(date(local.year + 1, 1, 1), zone)
    in_year = called.filter(from_at__gte=year_start, from_at__lt=next_year).order_by()
    that_day = Count("pk", filter=Q(from_at__gte=day.start, from_at__lt=day.end))
    rows = in_year.values("site_id").annotate(day=that_day, year=Count("pk")).values_list("site_id", "day", "year")
    return {site_id: (on_day, in_the_year) for site_id, on_day, in_the_year in rows}


def _meter_intervals(site_ids: Sequence[int], at: datetime) -> Mapping[int, set[int]]:
    """The settlement intervals of each site's meters. [s]"""
    intervals: defaultdict[int, set[int]] = defaultdict(set)
    for holding in holdings(site_ids=site_ids, at=at, since=at):
        intervals[holding.site_id].add(holding.interval_s)
    return intervals
