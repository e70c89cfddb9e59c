"""What people are told when something in the change log concerns them: whom, in which words, and the page it leads to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from commonwatt.accounts import queries as accounts
from commonwatt.outbox.queries import Entry
from commonwatt.portal import figures


@dataclass(frozen=True, slots=True)
class Letter:
    """One message to some people; `cause` is the same however often its entry is delivered."""

    user_ids: tuple[int, ...]
    cause: str
    subject: str
    body: str
    address: str


def letters(entry: Entry) -> Iterable[Letter]:
    """The letters that an entry calls for; none for most kinds."""
    write = _WRITERS.get(entry.kind)
    return write(entry) if write else ()


def _about_event(entry: Entry) -> Iterator[Letter]:
    from commonwatt.demand_response.notices import event_notices

    address = reverse("portal:event", args=[entry.subject_id])
    for notice in event_notices(event_id=entry.payload["event_id"], kind=entry.kind):
        yield Letter(notice.user_ids, notice.cause, notice.subject, notice.body, address)


def _about_terms(entry: Entry) -> Iterator[Letter]:
    from commonwatt.demand_response.notices import terms_notices

    address = reverse("portal:program", args=[entry.subject_id])
    for notice in terms_notices(program_id=entry.payload["program_id"], version=entry.payload["version"]):
        yield Letter(notice.user_ids, notice.cause, notice.subject, notice.body, address)


def _about_settlement(entry: Entry) -> Iterator[Letter]:
    from commonwatt.settlement.queries import entries_of_settlement

    parts = entries_of_settlement(entry.subject_id)
    members = accounts.member_user_ids(customer_ids=[part.customer_id for part in parts])
    for part in parts:
        amount = figures.money(part.amount_nanos, part.currency)
        energy = figures.energy(part.credited_wh)
        facts = {"amount": amount, "energy": energy, "program": part.program_name}
        if entry.kind == "settlement.credited":
            subject = _("%(program)s: %(amount)s credited") % facts
            body = _("The event has been settled: %(energy)s less than your baseline counted, worth %(amount)s.") % facts
        else:
            subject = _("%(program)s: your credit was corrected by %(amount)s") % facts
            body = _("New readings came in after the event was settled; they change what counted by %(energy)s (%(amount)s).") % facts
        body += "\n" + _("The statement shows every interval, the days of the baseline and why they were used.")
        address = reverse("portal:statement", args=[part.statement_public_id])
        yield Letter(members[part.customer_id], f"{entry.kind}:{entry.subject_id}:{part.customer_id}", subject, body, address)


def _about_request(entry: Entry) -> Iterator[Letter]:
    customer_id = entry.payload["customer_id"]
    deciders = accounts.administrator_user_ids(customer_ids=[customer_id])[customer_id] or tuple(accounts.operator_ids())
    customer = accounts.customer_views([customer_id])[customer_id]
    person = accounts.people([entry.payload["user_id"]]).get(entry.payload["user_id"])
    if person is None:  # the account was closed in the meantime
        return
    facts = {"person": person.label, "customer": customer.name}
    subject = _("%(person)s asks to join %(customer)s") % facts
    body = _("Until you approve the request, %(person)s sees nothing of %(customer)s.") % facts
    yield Letter(deciders, _cause(entry), subject, body, reverse("portal:organisation_members", args=[customer.public_id]))


def _about_decision(entry: Entry) -> Iterator[Letter]:
    customer_id = entry.payload["customer_id"]
    facts = {"customer": accounts.customer_views([customer_id])[customer_id].name}
    if entry.payload["status"] == "approved":
        subject, body = _("You are now a member of %(customer)s") % facts, _("You can see its meters, events and statements.")
    else:
        subject = _("Your request to join %(customer)s was declined") % facts
        body = _("If you think this is a mistake, please ask an administrator of %(customer)s.") % facts
    yield Letter((entry.payload["user_id"],), _cause(entry), subject, body, reverse("portal:home"))


def _cause(entry: Entry) -> str:
    return f"{entry.kind}:{entry.sequence}"


_WRITERS: dict[str, Callable[[Entry], Iterator[Letter]]] = {
    "event.issued": _about_event,
    "event.activated": _about_event,
    "event.completed": _about_event,
    "event.cancelled": _about_event,
    "terms.revised": _about_terms,
    "settlement.credited": _about_settlement,
    "settlement.corrected": _about_settlement,
    "membership.requested": _about_request,
    "membership.decided": _about_decision,
}
