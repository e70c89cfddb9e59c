"""Who is told what when an event is called, begins, ends or is cancelled, and when a program's terms change."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from commonwatt.accounts import queries as accounts
from commonwatt.accounts.values import SiteView
from commonwatt.demand_response.choices import Choice
from commonwatt.demand_response.event_queries import event, participants_of
from commonwatt.demand_response.messages import Message, listed, price_text, span_text, time_text
from commonwatt.demand_response.queries import enrolments_of, program
from commonwatt.demand_response.views import EventView, ProgramView


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A message for the members of one customer; `cause` is the same every time, so that nobody is told twice."""

    customer_id: int
    user_ids: tuple[int, ...]
    cause: str
    subject: str
    body: str


def event_notices(*, event_id: int, kind: str) -> list[Notice]:
    """What the members of every participant's customer are told when this happens to an event; empty for kinds nobody is told of.

    Times are in the sites' own zone. Who opted out hears of the call and of a cancellation only.

    Args:
        kind: The outbox's: "event.issued", "event.activated", "event.completed" or "event.cancelled".
    """
    words = _EVENT_WORDS.get(kind)
    if words is None:
        return []
    view = event(event_id)
    stays_in = kind in {"event.activated", "event.completed"}
    participants = [row for row in participants_of(event_id) if not (stays_in and row.choice == Choice.OUT)]
    sites = accounts.site_views(row.site_id for row in participants)
    groups: defaultdict[tuple[int, str], list[SiteView]] = defaultdict(list)
    for row in participants:
        site = sites[row.site_id]
        groups[row.customer_id, site.time_zone].append(site)
    members = accounts.member_user_ids(customer_ids={customer_id for customer_id, _zone in groups})
    notices = []
    for (customer_id, zone), places in sorted(groups.items()):
        message = words(view, listed(sorted(site.name for site in places)), ZoneInfo(zone))
        cause = f"{kind}:{view.public_id}:{view.modification_number}:{customer_id}:{zone}"
        notices.append(
            Notice(customer_id=customer_id, user_ids=members[customer_id], cause=cause, subject=message.subject, body=message.body)
        )
    return notices


def terms_notices(*, program_id: int, version: int) -> list[Notice]:
    """What the members of enrolled customers are told when a program gets new terms."""
    view = program(program_id)
    customers = sorted({row.customer_id for row in enrolments_of(program_id=program_id)})
    members = accounts.member_user_ids(customer_ids=customers)
    message = _terms_revised(view, version)
    return [
        Notice(
            customer_id=customer_id,
            user_ids=members[customer_id],
            cause=f"terms.revised:{view.public_id}:{version}:{customer_id}",
            subject=message.subject,
            body=message.body,
        )
        for customer_id in customers
    ]


def _issued(view: EventView, places: str, zone: ZoneInfo) -> Message:
    facts = _facts(view, places, zone)
    subject = _("Test event: %(span)s") if view.is_test else _("Use less electricity: %(span)s")
    lines = [_("%(program)s calls on %(places)s: please use less electricity on %(span)s (%(zone)s time).") % facts]
    if view.reason:
        lines.append(_("Reason: %(reason)s") % facts)
    if view.is_test:
        lines.append(_("This is a test: it shows that everything works. Nothing is credited for it."))
    else:
        lines.append(_("Using less than expected is credited with %(price)s.") % facts)
    lines.append(_("You take part unless you say otherwise. To skip this event, open its page and choose “Not this time”."))
    return Message(subject=subject % facts, body="\n\n".join(lines))


def _activated(view: EventView, places: str, zone: ZoneInfo) -> Message:
    facts = _facts(view, places, zone)
    return Message(
        subject=_("The event has begun, until %(to)s") % facts,
        body=_("The event of %(program)s for %(places)s is under way until %(to)s. Its page shows live what has been saved so far.")
        % facts,
    )


def _completed(view: EventView, places: str, zone: ZoneInfo) -> Message:
    facts = _facts(view, places, zone)
    return Message(
        subject=_("The event is over. Thank you!"),
        body=_("The event of %(program)s for %(places)s on %(span)s has ended. The statement follows when all readings are in.") % facts,
    )


def _cancelled(view: EventView, places: str, zone: ZoneInfo) -> Message:
    facts = _facts(view, places, zone)
    lines = [_("The event of %(program)s for %(places)s on %(span)s was cancelled: %(cancel_reason)s") % facts]
    if view.took_place:
        lines.append(_("What you had saved until then still counts."))
    return Message(subject=_("Cancelled: the event of %(span)s") % facts, body="\n\n".join(lines))


def _terms_revised(view: ProgramView, version: int) -> Message:
    facts = {"program": view.name, "version": version}
    return Message(
        subject=_("%(program)s has new terms") % facts,
        body=_(
            "Version %(version)d of the terms of %(program)s is now in force. Please read it and agree to it on the program's page: "
            "without your agreement you are not called for new events. Events already called keep the terms they were called under."
        )
        % facts,
    )


def _facts(view: EventView, places: str, zone: ZoneInfo) -> Mapping[str, str]:
    return {
        "program": view.program_name,
        "places": places,
        "span": span_text(view.starts_at, view.ends_at, zone),
        "to": time_text(view.ends_at, zone),
        "zone": zone.key,
        "price": price_text(view.price_micros_per_kwh, view.currency),
        "reason": view.reason,
        "cancel_reason": view.cancel_reason,
    }


_EVENT_WORDS: Mapping[str, Callable[[EventView, str, ZoneInfo], Message]] = {
    "event.issued": _issued,
    "event.activated": _activated,
    "event.completed": _completed,
    "event.cancelled": _cancelled,
}
