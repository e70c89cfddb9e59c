"""The baselines of an event: its participants' meters, grouped by what they share, run through the engine."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from commonwatt.accounts import queries as accounts
from commonwatt.baseline.arrays import BoolArray
from commonwatt.baseline.calendars import holiday_flags
from commonwatt.baseline.engine import BaselineResult, EventDay, History, compute
from commonwatt.baseline.rules import BaselineRule, NoAdjustment, WhenShort
from commonwatt.demand_response.calendars import public_holidays
from commonwatt.demand_response.digests import history_digests
from commonwatt.demand_response.history import Load, load_of
from commonwatt.demand_response.holdings import Holding, holdings
from commonwatt.demand_response.views import Called
from commonwatt.demand_response.window import EventWindow, event_window
from commonwatt.kernel.time import local_days

# As many meters at once as lie in one sealed file: enough to be quick, few enough to keep their history in memory.
METERS_AT_ONCE = 1000
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a baseline is asked for.

    Attributes:
        called: Other events of the sites; their days are excluded as the rule says.
        as_of: No reading with a higher ingest sequence is looked at.
    """

    starts_at: datetime
    ends_at: datetime
    rule: BaselineRule
    called: tuple[Called, ...]
    as_of: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BaselineGroup:
    """Meters that share zone, holidays and interval, their baselines, and digests of what went in."""

    holdings: tuple[Holding, ...]
    window: EventWindow
    result: BaselineResult
    histories: tuple[bytes, ...]


def baselines(question: Question, *, site_ids: Sequence[int]) -> Iterator[BaselineGroup]:
    """The baselines of every meter at these sites, at most METERS_AT_ONCE at a time."""
    # Two days more than looked back on: whatever the zone, the first local day is inside.
    since = question.starts_at - (look_back_days(question.rule) + 2) * _DAY
    found = holdings(site_ids=site_ids, at=question.starts_at, since=since)
    sites = accounts.site_views({holding.site_id for holding in found})
    groups: defaultdict[tuple[str, str, int], list[Holding]] = defaultdict(list)
    for holding in found:
        site = sites[holding.site_id]
        groups[site.time_zone, site.country, holding.interval_s].append(holding)
    for (zone, country, interval_s), members in sorted(groups.items()):
        for first in range(0, len(members), METERS_AT_ONCE):
            chunk = tuple(members[first : first + METERS_AT_ONCE])
            yield _group(question, chunk, zone=ZoneInfo(zone), country=country, interval_minutes=interval_s // 60)


def look_back_days(rule: BaselineRule) -> int:
    """How many days before the event are read: as far as any of the rule's pools looks, twice that where one may extend."""
    return max(pool.look_back_days * (2 if pool.when_short is WhenShort.EXTEND else 1) for pool in rule.pools)


def _group(question: Question, members: tuple[Holding, ...], *, zone: ZoneInfo, country: str, interval_minutes: int) -> BaselineGroup:
    window = event_window(
        starts_at=question.starts_at,
        ends_at=question.ends_at,
        zone=zone,
        interval_minutes=interval_minutes,
        lead_minutes=_lead_minutes(question.rule),
    )
    # A moved day reaches into the one after it or the one before it.
    first_day, last_day = window.day - look_back_days(question.rule) * _DAY, window.day
    days = local_days(first_day - (window.shift < 0) * _DAY, last_day + (window.shift > 0) * _DAY)
    read = load_of(holdings=members, days=days, zone=zone, interval_minutes=interval_minutes, as_of=question.as_of)
    load = read.moved(window.shift)
    past, event = _engine_inputs(question, members, window, load, country=country)
    # Readings of the event day count for the adjustment before the event; those within it are hashed as they are settled.
    could_matter = load.valid.copy()
    could_matter[:, -1, window.first :] = False
    return BaselineGroup(
        holdings=members,
        window=window,
        result=compute(question.rule, past, event),
        histories=tuple(history_digests(days=load.days, energy_kwh=load.energy_kwh, valid=could_matter)),
    )


def _lead_minutes(rule: BaselineRule) -> int:
    """How long before the event the rule's adjustment begins; 0 where it has none."""
    return 0 if isinstance(rule.adjustment, NoAdjustment) else rule.adjustment.window_start_minutes


def _engine_inputs(
    question: Question, members: tuple[Holding, ...], window: EventWindow, load: Load, *, country: str
) -> tuple[History, EventDay]:
    """The load as the engine takes it: all days but the last are history, the last is the event's."""
    dates = np.array(load.days, dtype="datetime64[D]")
    is_holiday = holiday_flags(rule=question.rule, dates=dates, program_holidays=public_holidays(country, load.days))
    past = History(
        load_kwh=load.energy_kwh[:, :-1],
        valid=load.valid[:, :-1],
        dates=dates[:-1],
        holidays=is_holiday[:-1],
        irregular_days=load.irregular[:-1],
        excluded=_called_days(question.called, members, window, load.days[:-1]),
        interval_minutes=window.interval_minutes,
    )
    event = EventDay(
        date=window.day,
        first=window.first,
        last=window.last,
        load_kwh=load.energy_kwh[:, -1],
        valid=load.valid[:, -1],
        is_holiday=bool(is_holiday[-1]),
        irregular=bool(load.irregular[-1]),
    )
    return past, event


def _called_days(called: Iterable[Called], members: Sequence[Holding], window: EventWindow, days: Sequence[date]) -> BoolArray:
    """On which days another event held each meter's site, (meters, days)."""
    sites_by_span: defaultdict[tuple[datetime, datetime], list[int]] = defaultdict(list)
    for other in called:
        sites_by_span[other.from_at, other.until_at].append(other.site_id)
    excluded = np.zeros((len(members), len(days)), dtype=np.bool_)
    site_ids = np.array([holding.site_id for holding in members], dtype=np.int64)
    for (from_at, until_at), sites in sites_by_span.items():
        first = (window.day_of(from_at) - days[0]).days
        last = (window.day_of(until_at - timedelta.resolution) - days[0]).days
        excluded[np.isin(site_ids, sites), max(first, 0) : max(last + 1, 0)] = True
    return excluded
