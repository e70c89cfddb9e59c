"""The demo's install, made through the same actions that operators and customers use."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl
from django.contrib.auth import get_user_model

from commonwatt.accounts import actions as accounts
from commonwatt.accounts import people
from commonwatt.accounts.access import Viewer, viewer_for
from commonwatt.accounts.choices import CustomerKind, Role
from commonwatt.accounts.values import CustomerView
from commonwatt.baseline.programs import RULES
from commonwatt.demand_response import enrolments, events, programs
from commonwatt.demand_response.choices import TargetKind
from commonwatt.demand_response.plan import EventRequest, Target
from commonwatt.demand_response.views import EventView, ProgramView
from commonwatt.kernel.ids import digest_secret, normalise_claim_code
from commonwatt.metering import actions as metering
from commonwatt.metering import imports
from commonwatt.ops.demo import cast, plan
from commonwatt.ops.demo.loads import reported_wh
from commonwatt.ops.demo.people import SignIn
from commonwatt.ops.demo.response import Call
from commonwatt.settlement import actions as settlement
from commonwatt.wire.csv_options import Columns, CsvOptions, Unit

Say = Callable[[str], None]


def build(*, data_dir: Path, shown: datetime, say: Say) -> list[SignIn]:
    """Fill an empty install, as of the shown instant; returns the sign-ins to print."""
    founded = shown - timedelta(days=plan.HISTORY_DAYS)
    say("People, organisations, homes and meters …")
    passwords = {person.key: secrets.token_urlsafe(9) for person in _everybody()}
    desk = _operator(passwords, now=founded)
    sites = [site for party in cast.PARTIES for site in _party(party, passwords, now=founded)]
    first_day = shown.astimezone(plan.LOCAL).date()
    past_day = plan.past_event_day(first_day)
    say(f"{plan.HISTORY_DAYS} days of quarter-hours from {len(cast.PLACES)} meters …")
    _history(data_dir=data_dir, founded=founded, shown=shown, past_day=past_day, operator=desk)
    say("A program, its participants, and an event of the day before yesterday …")
    program = _program(desk, now=shown - timedelta(days=60))
    _enrol(program, sites, now=shown - timedelta(days=45))
    _past_event(program, desk, past_day, now=shown)
    return [SignIn(one.label, one.text, one.person.email, passwords[one.person.key]) for one in cast.SHOWN]


def operator() -> Viewer:
    """The person at the desk for whom the demo acts."""
    return _viewer(cast.OPERATOR)


def _everybody() -> list[cast.Person]:
    return [cast.OPERATOR, cast.DESK, *(person for party in cast.PARTIES for person in party.people)]


def _viewer(person: cast.Person) -> Viewer:
    return viewer_for(get_user_model().objects.get(email=person.email))


def _person(person: cast.Person, passwords: dict[str, str], *, now: datetime) -> Viewer:
    people.create_person(email=person.email, name=person.name, password=passwords[person.key], now=now)
    return _viewer(person)


def _operator(passwords: dict[str, str], *, now: datetime) -> Viewer:
    for person, role in ((cast.OPERATOR, Role.ADMINISTRATOR), (cast.DESK, Role.MEMBER)):
        _person(person, passwords, now=now)
        people.create_operator(email=person.email, name=person.name, role=role, now=now)
    return operator()


def _party(party: cast.Party, passwords: dict[str, str], *, now: datetime) -> list[tuple[cast.Person, int]]:
    """Make one customer with its people, sites and meters; returns who runs it beside each site's id."""
    viewers = [_person(person, passwords, now=now) for person in party.people]
    customer = accounts.create_customer(actor=None, kind=party.kind, name=party.name, now=now)
    for index, viewer in enumerate(viewers):
        role = Role.ADMINISTRATOR if index == 0 or party.kind is CustomerKind.HOUSEHOLD else Role.MEMBER
        code = accounts.invite(actor=None, customer_id=customer.id, role=role, email=viewer.email, now=now)
        accounts.accept_invitation(actor=viewer, code_digest=digest_secret(normalise_claim_code(code)), now=now)
    return [(party.people[0], _place(place, customer, now=now)) for place in party.places]


def _place(place: cast.Place, customer: CustomerView, *, now: datetime) -> int:
    site = accounts.create_site(
        actor=None, customer_id=customer.id, name=place.name, time_zone=cast.ZONE, country=cast.COUNTRY,
        latitude=place.latitude, longitude=place.longitude, now=now,
    )  # fmt: skip
    meter = metering.create_meter(actor=None, number=place.meter_number, name=place.name, installed_on=now.date(), now=now)
    metering.assign_meter(actor=None, meter_id=meter.id, customer_id=customer.id, site_id=site.id, from_at=now, now=now)
    return site.id


def _history(*, data_dir: Path, founded: datetime, shown: datetime, past_day: date, operator: Viewer) -> None:
    """Import everything up to the shown instant from one CSV file, as an operator would."""
    starts = plan.quarters(plan.at(founded.date() + timedelta(days=1), plan.STARTS_AT.replace(hour=0)), plan.floor_quarter(shown))
    call = Call(*plan.event_span(past_day))
    frames = [
        pl.DataFrame(
            {
                "meter": pl.repeat(place.meter_number, len(starts), eager=True),
                "start": starts,
                "wh": reported_wh(number=place.meter_number, starts=starts, calls=[call]),
            }
        )
        for place in cast.PLACES
    ]
    path = data_dir / "demo-history.csv"
    pl.concat(frames).with_columns(pl.col("start").dt.strftime("%Y-%m-%dT%H:%MZ")).write_csv(path)
    imports.import_csv(path=path, options=CsvOptions(unit=Unit.WH, columns=Columns(amount="wh")), actor_id=operator.user_id, now=shown)
    path.unlink()


def _program(operator: Viewer, *, now: datetime) -> ProgramView:
    terms = programs.TermsDraft(
        notice_minutes=30, shortest_minutes=30, longest_minutes=240, events_per_day=2, events_per_year=120,
        baseline_rule=RULES["10-of-10+ratio20"], price_micros_per_kwh=450_000, consent_text=cast.CONSENT,
        data_wait_minutes=plan.DATA_WAIT // timedelta(minutes=1),
    )  # fmt: skip
    return programs.create_program(
        actor=operator, name=cast.PROGRAM_NAME, description=cast.PROGRAM_DESCRIPTION, currency=cast.CURRENCY,
        time_zone=cast.ZONE, terms=terms, now=now,
    )  # fmt: skip


def _enrol(program: ProgramView, sites: list[tuple[cast.Person, int]], *, now: datetime) -> None:
    for person, site_id in sites:
        enrolments.enrol(
            actor=_viewer(person), site_id=site_id, program_id=program.id,
            terms_version=program.terms.version, consent_text_digest=program.terms.consent_digest, now=now,
        )  # fmt: skip


def _past_event(program: ProgramView, operator: Viewer, day: date, *, now: datetime) -> None:
    event = call_event(program_id=program.id, actor=operator, day=day, now=plan.at(day, plan.CALLED_AT))
    for instant in plan.event_span(day):
        events.advance_events(now=instant)
    settlement.settle_event(event_id=event.id, now=now)


def call_event(*, program_id: int, actor: Viewer, day: date, now: datetime) -> EventView:
    """Call the event of a day, for everyone."""
    starts_at, ends_at = plan.event_span(day)
    request = EventRequest(
        starts_at=starts_at,
        ends_at=ends_at,
        targets=(Target(kind=TargetKind.EVERYONE),),
        reason="Cold evening, little wind",
        target_kw=100.0,
    )
    return events.issue_event(actor=actor, program_id=program_id, request=request, now=now)
