"""Every read of events, who was called and how they answered; re-exported by `queries`."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime, timedelta

from django.db.models import Exists, F, Min, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from commonwatt.accounts import queries as accounts
from commonwatt.accounts.values import Page
from commonwatt.demand_response import rows
from commonwatt.demand_response.choices import Choice, EventStatus, OptSource, TargetKind
from commonwatt.demand_response.models import Event, Opt, Participant
from commonwatt.demand_response.views import (
    Called,
    CalledSite,
    EventFacts,
    EventView,
    OptView,
    ParticipantView,
    SignalView,
    TargetView,
    TimelineEntry,
)

PAGE_SIZE = 25
_OPEN = (EventStatus.UPCOMING, EventStatus.ACTIVE)


class NoSuchEvent(LookupError):
    """There is no event of this id."""

    def __init__(self, event_id: int) -> None:
        super().__init__(f"there is no event with the id {event_id}")


def event(event_id: int) -> EventView:
    """One event; raises NoSuchEvent."""
    found = rows.event_views(Event.objects.filter(pk=event_id))
    if not found:
        raise NoSuchEvent(event_id)
    return found[0]


def event_facts(event_id: int) -> EventFacts:
    """What a measurement and a settlement need of an event; raises NoSuchEvent."""
    row = Event.objects.filter(pk=event_id).select_related("program", "terms").first()
    if row is None:
        raise NoSuchEvent(event_id)
    return rows.event_facts(row)


def facts_of(event_ids: Collection[int]) -> dict[int, EventFacts]:
    """The same of many events, by id, in one query; those that do not exist are left out."""
    found = Event.objects.filter(pk__in=event_ids).select_related("program", "terms")
    return {row.pk: rows.event_facts(row) for row in found}


def events_page(
    *,
    customer_ids: Collection[int] | None = None,
    program_id: int | None = None,
    statuses: Collection[EventStatus] = (),
    page: int = 1,
    page_size: int = PAGE_SIZE,
) -> Page[EventView]:
    """One page of events, the latest start first: of these customers' sites, or (None) of everybody."""
    found = _for_customers(Event.objects.order_by("-starts_at", "-pk"), customer_ids)
    if program_id is not None:
        found = found.filter(program_id=program_id)
    if statuses:
        found = found.filter(status__in=statuses)
    total = found.count()
    pages = max(1, -(-total // page_size))
    number = min(max(page, 1), pages)
    chosen = rows.event_views(found[(number - 1) * page_size : number * page_size])
    return Page(tuple(chosen), number=number, pages=pages, total=total)


def open_events(*, customer_ids: Collection[int] | None = None) -> list[EventView]:
    """Events under way or to come, the next one first: of these customers' sites, or (None) of everybody."""
    found = Event.objects.filter(status__in=_OPEN).order_by("starts_at", "pk")
    return rows.event_views(_for_customers(found, customer_ids))


def next_transition_at() -> datetime | None:
    """When the next event begins or ends; None when none is open. Whoever advances events need not look before."""
    starts = Event.objects.filter(status=EventStatus.UPCOMING).aggregate(at=Min("starts_at"))["at"]
    ends = Event.objects.filter(status=EventStatus.ACTIVE).aggregate(at=Min("ends_at"))["at"]
    return min((at for at in (starts, ends) if at is not None), default=None)


def events_ready_to_settle(*, now: datetime) -> list[int]:
    """Ids of events whose readings have been waited for long enough, the earliest end first, settled before or not.

    Completed events, and those cancelled after they began, from so many minutes after their (effective) end as their terms say.
    Test events pay nothing and are left out.
    """
    took_place = Q(status=EventStatus.COMPLETED) | Q(status=EventStatus.CANCELLED, cancelled_at__gt=F("starts_at"))
    found = Event.objects.filter(took_place, starts_at__lt=now, is_test=False)
    fields = ("pk", "ends_at", "cancelled_at", "terms__data_wait_minutes")
    ends = [(min(ends_at, cancelled_at or ends_at), pk, wait) for pk, ends_at, cancelled_at, wait in found.values_list(*fields)]
    return [pk for end, pk, wait in sorted(ends) if end + timedelta(minutes=wait) <= now]


def participants_of(event_id: int, *, customer_ids: Collection[int] | None = None) -> list[ParticipantView]:
    """The sites that an event called, ascending by id: those of these customers, or (None) all."""
    found = Participant.objects.filter(event_id=event_id).order_by("site_id")
    if customer_ids is not None:
        found = found.filter(site__customer_id__in=customer_ids)
    return rows.participant_views(found)


def opts_of(event_id: int, *, customer_ids: Collection[int] | None = None) -> list[OptView]:
    """Every answer to an event, oldest first: of these customers' sites, or (None) all."""
    found = Opt.objects.filter(participant__event_id=event_id).select_related("participant", "given_by").order_by("at", "pk")
    if customer_ids is not None:
        found = found.filter(participant__site__customer_id__in=customer_ids)
    return [
        OptView(
            site_id=row.participant.site_id,
            choice=Choice(row.choice),
            source=OptSource(row.source),
            given_by_name=str(row.given_by) if row.given_by else "",
            at=row.at,
        )
        for row in found
    ]


def signals_of(event_id: int) -> list[SignalView]:
    """What an event asks for."""
    found = Event.objects.get(pk=event_id).signals.order_by("signal_type")
    return [SignalView(signal_type=row.signal_type, intervals=tuple(row.intervals)) for row in found]


def targets_of(event_id: int) -> list[TargetView]:
    """Whom an event was aimed at."""
    found = Event.objects.get(pk=event_id).targets.order_by("pk").values_list("kind", "group__name", "site__name")
    return [TargetView(kind=TargetKind(kind), name=group or site or "") for kind, group, site in found]


def timeline(event_id: int, *, customer_ids: Collection[int] | None = None) -> list[TimelineEntry]:
    """What happened to an event, in order; answers of these customers' sites, or (None) of all."""
    view = event(event_id)
    steps = [TimelineEntry(kind="issued", at=view.issued_at, text=_("The event was called."))]
    steps += [
        TimelineEntry(kind="opted", at=answer.at, text=_opt_text(answer), site_id=answer.site_id)
        for answer in opts_of(event_id, customer_ids=customer_ids)
    ]
    if view.status in {EventStatus.ACTIVE, EventStatus.COMPLETED} or (view.took_place and view.status is EventStatus.CANCELLED):
        steps.append(TimelineEntry(kind="activated", at=view.starts_at, text=_("The event began.")))
    if view.cancelled_at is not None:
        text = _("The event was cancelled: %(reason)s") % {"reason": view.cancel_reason}
        steps.append(TimelineEntry(kind="cancelled", at=view.cancelled_at, text=text))
    if view.status is EventStatus.COMPLETED:
        steps.append(TimelineEntry(kind="completed", at=view.ends_at, text=_("The event ended.")))
    return sorted(steps, key=lambda step: step.at)


def called_spans(*, event_id: int, since: datetime, until: datetime) -> tuple[Called, ...]:
    """When other events, of any program, held the sites of this one within [since, until); cancelled parts left out."""
    sites = Participant.objects.filter(event_id=event_id).values("site_id")
    found = Participant.objects.filter(site_id__in=sites, from_at__lt=until, until_at__gt=since).filter(until_at__gt=F("from_at"))
    found = found.exclude(event_id=event_id).order_by("from_at", "pk")
    return tuple(Called(*row) for row in found.values_list("site_id", "from_at", "until_at"))


def calls_between(*, start: datetime, end: datetime) -> tuple[Called, ...]:
    """Every call of a site that has not opted out, overlapping [start, end); cancelled parts left out, oldest first. One query."""
    found = Participant.objects.filter(from_at__lt=end, until_at__gt=start).filter(until_at__gt=F("from_at")).exclude(choice=Choice.OUT)
    return tuple(Called(*row) for row in found.order_by("from_at", "pk").values_list("site_id", "from_at", "until_at"))


def called_sites(
    *,
    since: datetime,
    until: datetime,
    site_ids: Collection[int] | None = None,
    program_id: int | None = None,
) -> list[CalledSite]:
    """Every call of a site for an event that took place and started in [since, until), oldest first.

    With the stored or measured figures of each this gives participation and savings rate (see `participation`).
    """
    found = Participant.objects.filter(from_at__gte=since, from_at__lt=until).exclude(event__status=EventStatus.UPCOMING)
    found = found.exclude(until_at=F("from_at")).order_by("from_at", "event_id", "site_id")
    if site_ids is not None:
        found = found.filter(site_id__in=site_ids)
    if program_id is not None:
        found = found.filter(event__program_id=program_id)
    fields = ("event_id", "event__public_id", "event__program_id", "site_id", "site__customer_id", "choice", "from_at")
    return [CalledSite(*row) for row in found.values_list(*fields, "event__terms__responding_share_ppm")]


def people_to_tell(event_id: int) -> list[int]:
    """User ids of the approved members of every participant's customer, ascending."""
    customers = {participant.customer_id for participant in participants_of(event_id)}
    members = accounts.member_user_ids(customer_ids=customers)
    return sorted({user_id for users in members.values() for user_id in users})


def _for_customers(found: QuerySet[Event], customer_ids: Iterable[int] | None) -> QuerySet[Event]:
    if customer_ids is None:
        return found
    theirs = Participant.objects.filter(event=OuterRef("pk"), site__customer_id__in=customer_ids)
    return found.filter(Exists(theirs))


def _opt_text(answer: OptView) -> str:
    if answer.source == OptSource.LEFT:
        return _("Left the program.")
    return _("Will take part.") if answer.choice == Choice.IN else _("Will not take part.")
