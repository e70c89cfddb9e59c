"""A program, three meters and an event that is over: what there is to settle, made by the rooms' own actions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.cast import NOW, ZONE, Cast, make_cast
from tests.settlement.deliveries import delivery, meter

from commonwatt.accounts.access import Viewer
from commonwatt.baseline.programs import RULES
from commonwatt.baseline.rules import BaselineRule
from commonwatt.demand_response import enrolments, events, programs
from commonwatt.demand_response import queries as demand_response
from commonwatt.demand_response.choices import NegativeIntervals, TargetKind
from commonwatt.demand_response.measured import Delivery, MeasuredGroup
from commonwatt.demand_response.plan import EventRequest, Target
from commonwatt.demand_response.programs import TermsDraft
from commonwatt.demand_response.views import EventFacts, ProgramView
from commonwatt.kernel.time import epoch_seconds
from commonwatt.metering import actions as metering
from commonwatt.metering.values import MeterView

STARTS_AT = datetime(2026, 11, 20, 16, 0, tzinfo=UTC)  # a Friday, five in the afternoon in Brussels
ENDS_AT = STARTS_AT + timedelta(hours=1)
SETTLED_AT = ENDS_AT + timedelta(hours=1)
HELD_FROM = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class World:
    """What there is to settle. Meters by whose they are: ana, chloe, office."""

    cast: Cast
    program: ProgramView
    event_id: int
    meters: Mapping[str, MeterView]

    @property
    def facts(self) -> EventFacts:
        """The event as it stands."""
        return demand_response.event_facts(self.event_id)

    def part(self, whose: str, baseline_kwh: Sequence[float], metered_wh: Sequence[int | None], **more: Any) -> MeasuredGroup:
        """A measurement by hand of one of the meters."""
        customer = {"ana": self.cast.home, "chloe": self.cast.other_home, "office": self.cast.organisation}[whose]
        site = {"ana": self.cast.home_site, "chloe": self.cast.other_site, "office": self.cast.office}[whose]
        fields: dict[str, Any] = {"customer_id": customer.id, "party_id": customer.party_id, "site_id": site.id, **more}
        return meter(
            baseline_kwh=baseline_kwh,
            metered_wh=metered_wh,
            meter_id=self.meters[whose].id,
            start_s=epoch_seconds(STARTS_AT),
            **fields,
        )

    def measured(self, *parts: MeasuredGroup, sequence: int = 10) -> Delivery:
        """A measurement by hand of the event."""
        return delivery(*parts, of=self.facts, sequence=sequence)


def make_world(
    *,
    rule: BaselineRule = RULES["10-of-10"],
    negative: NegativeIntervals = NegativeIntervals.FLOOR,
    factor_ppm: int = 1_000_000,
    interval_s: int = 900,
) -> World:
    """Ana, Chloe and the office are enrolled, were called for an hour, and the hour is over."""
    cast = make_cast()
    program = programs.create_program(
        actor=None, name="Evening peak", description="", currency="EUR", time_zone=ZONE, terms=_terms(rule, negative, factor_ppm), now=NOW
    )
    places = {
        "ana": (cast.ana, cast.home.id, cast.home_site.id),
        "chloe": (cast.chloe, cast.other_home.id, cast.other_site.id),
        "office": (cast.olga, cast.organisation.id, cast.office.id),
    }
    meters = {}
    for whose, (viewer, customer_id, site_id) in places.items():
        row = metering.create_meter(actor=None, number=f"E-{whose}", interval_s=interval_s, now=NOW)
        meters[whose] = metering.assign_meter(
            actor=None, meter_id=row.id, customer_id=customer_id, site_id=site_id, from_at=HELD_FROM, now=NOW
        )
        _enrol(viewer, program, site_id)
    event_id = call(program)
    finish()
    return World(cast=cast, program=program, event_id=event_id, meters=meters)


def call(program: ProgramView, *, starts_at: datetime = STARTS_AT, hours: float = 1, is_test: bool = False) -> int:
    """Call everybody who is enrolled, four hours before."""
    request = EventRequest(
        starts_at=starts_at,
        ends_at=starts_at + timedelta(hours=hours),
        targets=(Target(kind=TargetKind.EVERYONE),),
        is_test=is_test,
    )
    return events.issue_event(actor=None, program_id=program.id, request=request, now=starts_at - timedelta(hours=4)).id


def finish(now: datetime = ENDS_AT) -> None:
    """Let every event begin and end whose time has come."""
    events.advance_events(now=now)


def _enrol(viewer: Viewer, program: ProgramView, site_id: int) -> None:
    enrolments.enrol(
        actor=viewer,
        site_id=site_id,
        program_id=program.id,
        terms_version=program.terms.version,
        consent_text_digest=program.terms.consent_digest,
        now=NOW - timedelta(days=1),
    )


def _terms(rule: BaselineRule, negative: NegativeIntervals, factor_ppm: int) -> TermsDraft:
    return TermsDraft(
        notice_minutes=60,
        shortest_minutes=15,
        longest_minutes=240,
        events_per_day=2,
        events_per_year=100,
        baseline_rule=rule,
        price_micros_per_kwh=250_000,
        consent_text="Less power in the evening, a credit for it.",
        credit_factor_ppm=factor_ppm,
        negative_intervals=negative,
    )
