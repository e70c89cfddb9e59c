"""Who may see and do what with programs, groups, enrolments and events: "not found" rather than "not yours"."""

from __future__ import annotations

from datetime import datetime

from commonwatt.accounts.access import Forbidden, NotFound, Right, Viewer, require_right
from commonwatt.demand_response import rows
from commonwatt.demand_response.models import Enrolment, Event, Group, Participant, Program
from commonwatt.demand_response.queries import groups
from commonwatt.demand_response.views import EnrolmentView, EventView, GroupView, ParticipantView, ProgramView


def access_program(viewer: Viewer, public_id: str, right: Right = Right.VIEW, *, now: datetime) -> ProgramView:
    """The program with its newest terms.

    Everybody who is signed in may see one that is open; a closed one is seen by its participants and the operator, who alone may
    change one.
    """
    del now  # programs are not dated
    row = Program.objects.filter(public_id=public_id).first()
    if row is None or viewer.is_anonymous or not (row.is_open or viewer.is_operator or _takes_part(viewer, row)):
        raise NotFound("program", public_id)
    _operator_only(viewer, right, kind="program")
    return rows.program_view(row, row.terms.order_by("-version")[0])


def access_group(viewer: Viewer, public_id: str, right: Right = Right.VIEW, *, now: datetime) -> GroupView:
    """The group; groups are the operator's business alone."""
    del right, now  # who may see a group may change it
    row = Group.objects.filter(public_id=public_id).first()
    if row is None or not viewer.is_operator:
        raise NotFound("group", public_id)
    return next(group for group in groups() if group.id == row.pk)


def access_enrolment(viewer: Viewer, public_id: str, right: Right = Right.VIEW, *, now: datetime) -> EnrolmentView:
    """The enrolment, for the site's customer and the operator; only who acts for the customer may change it."""
    del now  # memberships are not dated
    found = rows.enrolment_views(Enrolment.objects.filter(public_id=public_id))
    if not found:
        raise NotFound("enrolment", public_id)
    require_right(viewer, customer_id=found[0].customer_id, right=Right.VIEW, kind="enrolment", public_id=public_id)
    # Consent is the customer's own: the operator sees it, and cannot give or withdraw it.
    if right > Right.VIEW and found[0].customer_id not in viewer.acts_for:
        raise Forbidden("enrolment", right)
    return found[0]


def access_event(viewer: Viewer, public_id: str, right: Right = Right.VIEW, *, now: datetime) -> EventView:
    """The event, for customers whose sites it calls and the operator, who alone may change it.

    To answer one for a site, ask `access_participant`.
    """
    del now  # who was called stays so
    row = Event.objects.filter(public_id=public_id).first()
    if row is None or not (viewer.is_operator or _was_called(viewer, row)):
        raise NotFound("event", public_id)
    _operator_only(viewer, right, kind="event")
    return rows.event_views(Event.objects.filter(pk=row.pk))[0]


def access_participant(
    viewer: Viewer, event_public_id: str, site_public_id: str, right: Right = Right.VIEW, *, now: datetime
) -> ParticipantView:
    """The part of a site in an event; CHANGE is to answer for it."""
    del now  # memberships are not dated
    row = Participant.objects.filter(event__public_id=event_public_id, site__public_id=site_public_id)
    found = rows.participant_views(row)
    if not found:
        raise NotFound("event", event_public_id)
    require_right(viewer, customer_id=found[0].customer_id, right=right, kind="event", public_id=event_public_id)
    return found[0]


def _operator_only(viewer: Viewer, right: Right, *, kind: str) -> None:
    if right > Right.VIEW and not viewer.is_operator:
        raise Forbidden(kind, right)


def _takes_part(viewer: Viewer, program: Program) -> bool:
    return program.enrolments.filter(site__customer_id__in=viewer.member_of).exists()


def _was_called(viewer: Viewer, event: Event) -> bool:
    return event.participants.filter(site__customer_id__in=viewer.member_of).exists()
