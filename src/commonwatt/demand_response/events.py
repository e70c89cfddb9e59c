"""The life of an event: called, answered, begun, ended or cancelled. Each step and its log entry are one transaction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime

from django.db import transaction
from django.db.models import Q
from django.utils.translation import gettext as _

from commonwatt.accounts import audit
from commonwatt.accounts.access import NotFound, Right, Viewer, require_operator, require_right
from commonwatt.demand_response import rows
from commonwatt.demand_response.choices import Choice, EventStatus, OptSource, TargetKind
from commonwatt.demand_response.messages import violation_text
from commonwatt.demand_response.models import Event, EventSignal, EventTarget, Opt, Participant, Program
from commonwatt.demand_response.plan import REASON_LENGTH, EventPlan, EventRequest, Violation, decide_event, held_span, is_open, steps_due
from commonwatt.demand_response.targets import Aim, aim, lock_sites
from commonwatt.demand_response.views import EventView, ParticipantView
from commonwatt.kernel.ids import new_public_id
from commonwatt.kernel.time import require_utc
from commonwatt.outbox import actions as outbox

_STEP_KINDS = {EventStatus.ACTIVE: "event.activated", EventStatus.COMPLETED: "event.completed"}


class EventRefused(ValueError):
    """The event breaks rules; `violations` names each, the message says them in words, times in the program's zone."""

    def __init__(self, violations: Sequence[Violation], *, time_zone: str) -> None:
        self.violations = tuple(violations)
        self.texts = tuple(violation_text(violation, time_zone=time_zone) for violation in violations)
        super().__init__(" ".join(self.texts))


class EventIsOver(ValueError):
    """The event has ended or was cancelled, so it can neither be cancelled nor answered any more."""

    def __init__(self) -> None:
        super().__init__(_("This event is over or was cancelled; nothing about it can be changed any more."))


class ReasonMissing(ValueError):
    """An event is cancelled with a reason, which everyone called is told."""

    def __init__(self) -> None:
        text = _("Say why the event is cancelled, in at most %(characters)d characters: everyone who was called is told.")
        super().__init__(text % {"characters": REASON_LENGTH})


@transaction.atomic
def issue_event(*, actor: Viewer | None, program_id: int, request: EventRequest, now: datetime) -> EventView:
    """Call an event under the program's newest terms; its participants are the sites that the targets mean at this moment.

    Args:
        actor: Who calls it; None for a command or the demo.

    Raises:
        EventRefused: With every rule that it breaks. Nothing has changed then.
    """
    if actor is not None:
        require_operator(actor)
    request = _in_utc(request)
    # The program's row keeps its terms from being revised meanwhile, the sites' rows keep other events from taking them.
    program = Program.objects.select_for_update().get(pk=program_id)
    lock_sites(program_id=program_id, targets=request.targets)
    terms = program.terms.order_by("-version")[0]
    aimed = aim(program_time_zone=program.time_zone, terms=terms, request=request)
    plan = decide_event(
        limits=rows.limits_of(rows.terms_view(terms)), request=request, sites=aimed.sites, not_enrolled=aimed.not_enrolled, now=now
    )
    if not isinstance(plan, EventPlan):
        raise EventRefused(plan, time_zone=program.time_zone)
    event = Event.objects.create(
        public_id=new_public_id("evt"),
        program=program,
        terms=terms,
        starts_at=plan.starts_at,
        ends_at=plan.ends_at,
        issued_at=now,
        issued_by_id=actor.user_id if actor else None,
        is_test=request.is_test,
        reason=request.reason.strip(),
        target_kw=request.target_kw,
    )
    _add_parts(event, request, plan, aimed)
    _log(event, actor, "event.issued", {"participants": len(plan.site_ids), "is_test": event.is_test}, now=now)
    return _view(event)


@transaction.atomic
def cancel_event(*, actor: Viewer | None, event_id: int, reason: str, now: datetime) -> EventView:
    """Call an event off, before or while it runs. What was delivered in whole intervals up to now still counts.

    Raises:
        EventIsOver: If it has ended or was cancelled before.
        ReasonMissing: Without a reason, or with one that is too long.
    """
    if actor is not None:
        require_operator(actor)
    event = Event.objects.select_for_update().get(pk=event_id)
    if not is_open(status=EventStatus(event.status), ends_at=event.ends_at, now=now):
        raise EventIsOver
    if not 0 < len(reason.strip()) <= REASON_LENGTH:
        raise ReasonMissing
    event.status, event.cancelled_at, event.cancel_reason = EventStatus.CANCELLED, now, reason.strip()
    event.modification_number += 1
    event.save(update_fields=["status", "cancelled_at", "cancel_reason", "modification_number"])
    _, until_at = held_span(starts_at=event.starts_at, ends_at=event.ends_at, cancelled_at=now)
    event.participants.update(until_at=until_at)
    _log(event, actor, "event.cancelled", {"was_under_way": event.starts_at <= now}, now=now)
    return _view(event)


@transaction.atomic
def opt(*, event_id: int, site_id: int, choice: Choice, source: OptSource, actor: Viewer | None, now: datetime) -> ParticipantView:
    """Answer an event for a site; the newest answer stands, every one is kept. Repeating the answer that stands changes nothing.

    Args:
        actor: The person who answers; None for a device.

    Raises:
        NotFound: If the site was not called, or is none of the actor's business.
        EventIsOver: If it has ended or was cancelled.
    """
    waiting = Participant.objects.select_for_update(of=("self",)).select_related("site")
    participant = waiting.filter(event_id=event_id, site_id=site_id).first()
    if participant is None:
        raise NotFound("event", str(event_id))
    # Read after the lock: a cancellation takes this row too, so whoever comes second sees what the first one did.
    event = Event.objects.get(pk=event_id)
    if actor is not None:
        require_right(actor, customer_id=participant.site.customer_id, right=Right.CHANGE, kind="event", public_id=event.public_id)
    if not is_open(status=EventStatus(event.status), ends_at=event.ends_at, now=now):
        raise EventIsOver
    if participant.choice != choice:
        participant.choice, participant.chosen_at = choice, now
        participant.save(update_fields=["choice", "chosen_at"])
        user_id = actor.user_id if actor else None
        Opt.objects.create(participant=participant, choice=choice, source=source, given_by_id=user_id, at=now)
        facts = {"site": participant.site.public_id, "choice": choice.value, "source": source.value}
        _log(event, actor, "event.opted", facts, now=now, customer_id=participant.site.customer_id, site_id=site_id)
    return rows.participant_views(Participant.objects.filter(pk=participant.pk))[0]


@transaction.atomic
def advance_events(*, now: datetime) -> list[str]:
    """Begin and end the events whose time has come, the oldest event first; return what happened, as "activated evt_…".

    Running it twice, or by two workers at once, is the same as once. After a standstill an event passes through both steps.
    """
    due = Event.objects.filter(Q(status=EventStatus.UPCOMING, starts_at__lte=now) | Q(status=EventStatus.ACTIVE, ends_at__lte=now))
    done = []
    for event in due.order_by("pk").select_for_update(of=("self",)).select_related("program", "terms"):
        for step in steps_due(status=EventStatus(event.status), starts_at=event.starts_at, ends_at=event.ends_at, now=now):
            event.status = step
            event.save(update_fields=["status"])
            _append(event, _STEP_KINDS[step], now=now)
            done.append(f"{_STEP_KINDS[step].removeprefix('event.')} {event.public_id}")
    return done


def _in_utc(request: EventRequest) -> EventRequest:
    starts_at = require_utc(request.starts_at, name="starts_at")
    return replace(request, starts_at=starts_at, ends_at=require_utc(request.ends_at, name="ends_at"))


def _add_parts(event: Event, request: EventRequest, plan: EventPlan, aimed: Aim) -> None:
    """The event's signals, targets and participants."""
    EventSignal.objects.bulk_create(
        EventSignal(event=event, signal_type=signal.signal_type, intervals=[asdict(interval) for interval in signal.intervals])
        for signal in plan.signals
    )
    EventTarget.objects.bulk_create(
        EventTarget(
            event=event,
            kind=target.kind,
            group_id=target.id if target.kind is TargetKind.GROUP else None,
            site_id=target.id if target.kind is TargetKind.SITE else None,
        )
        for target in request.targets
    )
    from_at, until_at = held_span(starts_at=plan.starts_at, ends_at=plan.ends_at, cancelled_at=None)
    Participant.objects.bulk_create(
        [
            Participant(event=event, enrolment_id=aimed.enrolments[site_id], site_id=site_id, from_at=from_at, until_at=until_at)
            for site_id in plan.site_ids
        ],
        batch_size=1000,
    )


def _log(
    event: Event,
    actor: Viewer | None,
    kind: str,
    detail: audit.Detail,
    *,
    now: datetime,
    customer_id: int | None = None,
    site_id: int | None = None,
) -> None:
    """Audit trail first, outbox last: every transaction takes these two locks late and in this order."""
    audit.record(actor=actor, action=kind, kind="event", object_id=event.public_id, customer_id=customer_id, detail=detail, now=now)
    _append(event, kind, now=now, site_id=site_id)


def _append(event: Event, kind: str, *, now: datetime, site_id: int | None = None) -> None:
    payload = {"event_id": event.pk, "program_id": event.program_id, "modification_number": event.modification_number}
    if site_id is not None:
        payload["site_id"] = site_id
    outbox.append(kind=kind, subject_kind="event", subject_id=event.public_id, payload=payload, now=now)


def _view(event: Event) -> EventView:
    return rows.event_views(Event.objects.filter(pk=event.pk))[0]
