"""A program, meters with simple loads, and events, made by the rooms' own actions on top of the cast."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from tests.cast import NOW, Cast

from commonwatt.accounts.access import Viewer
from commonwatt.accounts.values import SiteView
from commonwatt.baseline.programs import RULES
from commonwatt.demand_response import actions
from commonwatt.demand_response.choices import TargetKind
from commonwatt.demand_response.views import EnrolmentView, EventView, ProgramView
from commonwatt.kernel.time import epoch_seconds, local_day, local_days
from commonwatt.metering import actions as metering
from commonwatt.metering.columns import IngestReport, ReadingColumns
from commonwatt.metering.values import MeterView

BRUSSELS = ZoneInfo("Europe/Brussels")
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
Load = Callable[[date, int], int | None]
"""Watt-hours of one interval, by local day and number of the interval since midnight; None: no reading."""


def flat(energy_wh: int) -> Load:
    """The same amount in every interval."""
    return lambda day, index: energy_wh


def draft(**changes: Any) -> actions.TermsDraft:
    """Terms of an ordinary program: an hour's notice, 15 minutes to 4 hours, 10 of 10 without adjustment, 0.25 per kWh."""
    fields: dict[str, Any] = {
        "notice_minutes": 60,
        "shortest_minutes": 15,
        "longest_minutes": 240,
        "events_per_day": 2,
        "events_per_year": 100,
        "baseline_rule": RULES["10-of-10"],
        "price_micros_per_kwh": 250_000,
        "consent_text": "Use less when asked; you are credited for what you saved.",
    }
    return actions.TermsDraft(**{**fields, **changes})


@dataclass(kw_only=True)
class World:
    """The cast with a program, and what a test adds."""

    cast: Cast
    program: ProgramView
    counter: int = field(default=0)

    @property
    def owners(self) -> dict[int, Viewer]:
        """Who acts for each site of the cast."""
        cast = self.cast
        return {cast.home_site.id: cast.ana, cast.other_site.id: cast.chloe, cast.office.id: cast.olga}

    def meter(self, site: SiteView, *, interval_s: int = 3600, since: datetime = LONG_AGO, export: bool = False) -> MeterView:
        """A new meter at a site, held by its customer from some moment on."""
        self.counter += 1
        quantities = ("energy_import", "energy_export") if export else ("energy_import",)
        row = metering.create_meter(actor=None, number=f"M-{self.counter}", interval_s=interval_s, quantities=quantities, now=NOW)
        return metering.assign_meter(actor=None, meter_id=row.id, customer_id=site.customer_id, site_id=site.id, from_at=since, now=NOW)

    def enrol(self, site: SiteView, *, program: ProgramView | None = None, now: datetime = NOW) -> EnrolmentView:
        """Its owner agrees to the newest terms."""
        program = program or self.program
        return actions.enrol(
            actor=self.owners[site.id],
            site_id=site.id,
            program_id=program.id,
            terms_version=program.terms.version,
            consent_text_digest=program.terms.consent_digest,
            now=now,
        )

    def call(
        self,
        starts_at: datetime,
        hours: float = 2,
        *,
        sites: Sequence[SiteView] = (),
        program: ProgramView | None = None,
        now: datetime | None = None,
        **more: Any,
    ) -> EventView:
        """Call sites, or everybody, four hours before the event unless told otherwise."""
        targets = tuple(actions.Target(kind=TargetKind.SITE, id=site.id) for site in sites)
        request = actions.EventRequest(
            starts_at=starts_at,
            ends_at=starts_at + timedelta(hours=hours),
            targets=targets or (actions.Target(kind=TargetKind.EVERYONE),),
            **more,
        )
        program = program or self.program
        return actions.issue_event(actor=self.cast.otto, program_id=program.id, request=request, now=now or starts_at - timedelta(hours=4))


def make_world(cast: Cast, **terms: Any) -> World:
    """The cast with one program."""
    program = actions.create_program(
        actor=cast.otto,
        name="Evening peak",
        description="",
        currency="EUR",
        time_zone="Europe/Brussels",
        terms=draft(**terms),
        now=NOW - timedelta(days=300),
    )
    return World(cast=cast, program=program)


def record(
    meter: MeterView,
    first: date,
    last: date,
    load: Load,
    *,
    zone: ZoneInfo = BRUSSELS,
    quantity: str = "energy_import",
    quality: int = 0,
    now: datetime | None = None,
) -> IngestReport:
    """Record whole local days from first to last; intervals are numbered from midnight, 23 or 25 hours on days of the clock change."""
    channel = meter.channel(quantity)
    assert channel is not None
    starts, amounts = [], []
    for day in local_days(first, last):
        span = local_day(day, zone)
        for index in range(int(span.duration.total_seconds()) // channel.interval_s):
            amount = load(day, index)
            if amount is not None:
                starts.append(epoch_seconds(span.start) + index * channel.interval_s)
                amounts.append(amount)
    return record_at(meter, starts, amounts, quantity=quantity, quality=quality, now=now)


def record_at(
    meter: MeterView,
    starts_s: Sequence[int],
    amounts: Sequence[int],
    *,
    quantity: str = "energy_import",
    quality: int = 0,
    now: datetime | None = None,
) -> IngestReport:
    """Record readings that start at these instants."""
    channel = meter.channel(quantity)
    assert channel is not None
    count = len(starts_s)
    readings = ReadingColumns(
        channel_id=np.full(count, channel.id),
        start_s=np.array(starts_s, dtype=np.int64),
        length_s=np.full(count, channel.interval_s),
        amount=np.array(amounts, dtype=np.int64),
        quality=np.full(count, quality),
    )
    report = metering.record_readings(readings=readings, source="test", reference="", now=now or NOW + timedelta(days=365))
    assert report.refused == (), report.refused
    assert report.accepted + report.repeated + report.revised == count
    return report


def local(text: str, zone: ZoneInfo = BRUSSELS) -> datetime:
    """A local time such as "2026-11-20 17:00", as the UTC instant."""
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)
