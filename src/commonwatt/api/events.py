"""Events: called, previewed, answered, watched live, cancelled."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import Annotated

from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import AwareDatetime, Field

from commonwatt.accounts.access import Right, Viewer, access_site
from commonwatt.api.common import PageNumber, PageOf, fill, page_of, site_names
from commonwatt.api.requests import ApiRequest, api_request
from commonwatt.demand_response import actions, queries
from commonwatt.demand_response.access import access_event, access_group, access_participant, access_program
from commonwatt.demand_response.boards import Board
from commonwatt.demand_response.choices import Choice, EventStatus, OptSource, SignalType, TargetKind
from commonwatt.demand_response.live import board
from commonwatt.demand_response.preview import preview
from commonwatt.demand_response.views import EventView

router = Router(tags=["events"])


class TargetIn(Schema):
    """Whom to call: everyone enrolled, or the group or site of this id."""

    kind: TargetKind
    id: str | None = None


class SignalIntervalIo(Schema):
    """What is asked for during part of an event; `start_s` counts from the event's start."""

    start_s: int
    length_s: int
    value: float


class SignalIo(Schema):
    """A level, a price or a set point per interval; the intervals fill the event without gaps."""

    signal_type: SignalType
    intervals: list[SignalIntervalIo]


class EventIn(Schema):
    """An event to be called. Times carry an offset. Without signals it asks for level 1 throughout."""

    starts_at: AwareDatetime
    ends_at: AwareDatetime
    targets: list[TargetIn]
    signals: list[SignalIo] = []
    reason: str = ""
    is_test: bool = False
    target_kw: float | None = None


class EventOut(Schema):
    """One event; `participants` and `opted_out` count its sites."""

    id: str
    program: str
    program_name: str
    terms_version: int
    status: EventStatus
    modification_number: int
    starts_at: datetime
    ends_at: datetime
    issued_at: datetime
    is_test: bool
    reason: str
    target_kw: float | None
    price_micros_per_kwh: int
    currency: str
    cancelled_at: datetime | None
    cancel_reason: str
    participants: int | None = Field(description="How many sites were called; null unless you work for the operator.")
    opted_out: int | None = Field(description="How many of them opted out; null unless you work for the operator.")


class ParticipantOut(Schema):
    """A site that was called, and its answer so far; an empty choice means taking part."""

    site: str
    choice: str
    chosen_at: datetime | None


class TargetOut(Schema):
    """One aim of an event."""

    kind: TargetKind
    name: str


class StepOut(Schema):
    """One step in the life of an event."""

    kind: str
    at: datetime
    text: str
    site: str | None


class EventDetail(EventOut):
    """An event with what it asks for, whom it called (of others: only for the operator), and what happened."""

    signals: list[SignalIo]
    targets: list[TargetOut] = Field(description="Empty unless you work for the operator.")
    sites: list[ParticipantOut]
    timeline: list[StepOut]


class ObstacleOut(Schema):
    """A rule that a request breaks."""

    rule: str
    field: str
    text: str


class PreviewOut(Schema):
    """What would happen if the event were called."""

    obstacles: list[ObstacleOut]
    called: int
    waiting_for_consent: int
    without_baseline: int
    opted_out_last_time: int
    people_told: int
    expected_kw: float | None = Field(description="Mean power expected without the event, from the latest days.")
    expected_delivered_kw: float | None = Field(description="What would be delivered at the savings rate of the latest event.")


class CancelIn(Schema):
    """Why."""

    reason: str


class OptIn(Schema):
    """An answer, for one site."""

    site: str
    choice: Choice


class SiteBoardOut(Schema):
    """One site so far; energies are sums over the intervals that have ended and have both reading and baseline."""

    site: str
    choice: str
    has_baseline: bool
    expected_wh: int
    baseline_wh: int
    metered_wh: int
    delivered_wh: int
    delivered_w: float | None
    newest_at: datetime | None


class BoardIntervalOut(Schema):
    """One interval: sums over the meters that have reported, of the sites that take part."""

    start: datetime
    length_s: int
    in_event: bool
    baseline_wh: int | None
    metered_wh: int | None
    reporting: int
    meters: int


class BoardOut(Schema):
    """An event so far, provisional; of customers only their own sites."""

    now: datetime
    status: EventStatus
    expected_wh: int
    baseline_wh: int
    metered_wh: int
    delivered_wh: int
    projected_wh: int | None
    delivered_w: float | None
    newest_at: datetime | None
    target_kw: float | None
    sites: list[SiteBoardOut]
    series: list[BoardIntervalOut]


@router.get("/events", response=PageOf[EventOut])
def list_events(
    request: HttpRequest,
    page: PageNumber,
    program: Annotated[str | None, Query(None, description="Only this program's.")],
    status: Annotated[list[EventStatus], Query([], description="Only in these states.")],
) -> dict[str, object]:
    """One page of the events that called your sites, the latest first; of all events for the operator."""
    asked = api_request(request)
    program_id = access_program(asked.viewer, program, now=asked.now).id if program else None
    found = queries.events_page(customer_ids=_whose(asked.viewer), program_id=program_id, statuses=status, page=page)
    return page_of(found, (_event(view, asked.viewer) for view in found.items))


@router.post("/programs/{program_id}/events", response={201: EventOut})
def issue_event(request: HttpRequest, program_id: str, payload: EventIn) -> Status[EventOut]:
    """Call an event under the program's newest terms."""
    asked = api_request(request)
    program = access_program(asked.viewer, program_id, Right.CHANGE, now=asked.now)
    wanted = _event_request(asked, payload)
    return Status(201, _event(actions.issue_event(actor=asked.viewer, program_id=program.id, request=wanted, now=asked.now), asked.viewer))


@router.post("/programs/{program_id}/events/preview", response=PreviewOut)
def preview_event(request: HttpRequest, program_id: str, payload: EventIn) -> PreviewOut:
    """Who would be called, what stands in the way, and what could be expected; calls nobody."""
    asked = api_request(request)
    program = access_program(asked.viewer, program_id, Right.CHANGE, now=asked.now)
    return fill(PreviewOut, preview(program_id=program.id, request=_event_request(asked, payload), now=asked.now))


@router.get("/events/{event_id}", response=EventDetail)
def get_event(request: HttpRequest, event_id: str) -> EventDetail:
    """An event with its sites' answers and what happened."""
    asked = api_request(request)
    view = access_event(asked.viewer, event_id, now=asked.now)
    return _detail(view, asked.viewer)


@router.post("/events/{event_id}/cancel", response=EventOut)
def cancel_event(request: HttpRequest, event_id: str, payload: CancelIn) -> EventOut:
    """Call an event off, before or while it runs; everyone who was called is told why."""
    asked = api_request(request)
    view = access_event(asked.viewer, event_id, Right.CHANGE, now=asked.now)
    cancelled = actions.cancel_event(actor=asked.viewer, event_id=view.id, reason=payload.reason, now=asked.now)
    return _event(cancelled, asked.viewer)


@router.post("/events/{event_id}/opt", response=ParticipantOut)
def opt(request: HttpRequest, event_id: str, payload: OptIn) -> ParticipantOut:
    """Answer an event for a site of yours."""
    asked = api_request(request)
    part = access_participant(asked.viewer, event_id, payload.site, Right.CHANGE, now=asked.now)
    answer = actions.opt(
        event_id=part.event_id, site_id=part.site_id, choice=payload.choice, source=OptSource.PERSON, actor=asked.viewer, now=asked.now
    )
    return fill(ParticipantOut, answer, site=payload.site)


@router.get("/events/{event_id}/live", response=BoardOut)
def get_live(request: HttpRequest, event_id: str) -> BoardOut:
    """What has been delivered so far, and how old the figures are."""
    asked = api_request(request)
    view = access_event(asked.viewer, event_id, now=asked.now)
    participants = queries.participants_of(view.id, customer_ids=_whose(asked.viewer))
    return _board(board(event_id=view.id, now=asked.now, site_ids={part.site_id for part in participants}))


def _whose(viewer: Viewer) -> Collection[int] | None:
    """Whose sites a viewer sees of an event: all of them for the operator."""
    return None if viewer.is_operator else viewer.member_of


def _event_request(asked: ApiRequest, payload: EventIn) -> actions.EventRequest:
    return actions.EventRequest(
        starts_at=payload.starts_at,
        ends_at=payload.ends_at,
        targets=tuple(actions.Target(kind=target.kind, id=_target_id(asked, target)) for target in payload.targets),
        signals=tuple(
            actions.Signal(
                signal_type=signal.signal_type,
                intervals=tuple(actions.SignalInterval(**interval.model_dump()) for interval in signal.intervals),
            )
            for signal in payload.signals
        ),
        reason=payload.reason,
        is_test=payload.is_test,
        target_kw=payload.target_kw,
    )


def _target_id(asked: ApiRequest, target: TargetIn) -> int | None:
    match target.kind:
        case TargetKind.EVERYONE:
            return None
        case TargetKind.GROUP:
            return access_group(asked.viewer, target.id or "", now=asked.now).id
        case TargetKind.SITE:
            return access_site(asked.viewer, target.id or "", now=asked.now).id


def _event(view: EventView, viewer: Viewer) -> EventOut:
    return fill(EventOut, view, **_shown(view, viewer))


def _shown(view: EventView, viewer: Viewer) -> dict[str, object]:
    """What is called otherwise here, or is the operator's to see alone."""
    named: dict[str, object] = {"id": view.public_id, "program": view.program_public_id}
    return named if viewer.is_operator else {**named, "participants": None, "opted_out": None}


def _detail(view: EventView, viewer: Viewer) -> EventDetail:
    participants = queries.participants_of(view.id, customer_ids=_whose(viewer))
    names = site_names(part.site_id for part in participants)
    steps = queries.timeline(view.id, customer_ids=_whose(viewer))
    return fill(
        EventDetail,
        view,
        **_shown(view, viewer),
        signals=queries.signals_of(view.id),
        targets=queries.targets_of(view.id) if viewer.is_operator else [],
        sites=[fill(ParticipantOut, part, site=names[part.site_id]) for part in participants],
        timeline=[fill(StepOut, step, site=names.get(step.site_id or 0)) for step in steps],
    )


def _board(found: Board) -> BoardOut:
    names = site_names(site.site_id for site in found.sites)
    sites = [fill(SiteBoardOut, site, site=names[site.site_id]) for site in found.sites]
    return fill(BoardOut, found, status=found.event.status, target_kw=found.event.target_kw, sites=sites)
