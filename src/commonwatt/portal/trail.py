"""The trail in words: what stands in the audit entries, as sentences for people."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from commonwatt.accounts.choices import ActorRole, Role, Standing
from commonwatt.accounts.values import AuditView, CustomerView, Page

# What each act is called; an act that is not listed here shows under its own code, so that nothing is left out.
ACTS: dict[str, Promise] = {
    "customer.created": gettext_lazy("Customer created"),
    "customer.renamed": gettext_lazy("Customer renamed"),
    "site.created": gettext_lazy("Site added"),
    "site.changed": gettext_lazy("Site changed"),
    "invitation.created": gettext_lazy("Invitation made"),
    "invitation.withdrawn": gettext_lazy("Invitation withdrawn"),
    "membership.joined": gettext_lazy("Joined by invitation"),
    "membership.requested": gettext_lazy("Asked to join"),
    "membership.decided": gettext_lazy("Membership decided"),
    "person.signed_up": gettext_lazy("Signed up"),
    "person.link_used": gettext_lazy("First password set by one-time link"),
    "person.profile_changed": gettext_lazy("Profile changed"),
    "person.account_closed": gettext_lazy("Account closed"),
    "operator.added": gettext_lazy("Added to the operator's staff"),
    "operator.removed": gettext_lazy("Removed from the operator's staff"),
    "operator.role_changed": gettext_lazy("Role at the operator's desk changed"),
    "operator.link_created": gettext_lazy("One-time link made"),
    "meter.created": gettext_lazy("Meter created"),
    "meter.renamed": gettext_lazy("Meter renamed"),
    "meter.removed": gettext_lazy("Meter removed"),
    "meter.assigned": gettext_lazy("Meter assigned"),
    "meter.assignment_ended": gettext_lazy("Meter no longer held"),
    "meter.claimed": gettext_lazy("Meter claimed by its code"),
    "claim_code.created": gettext_lazy("Claim code made"),
    "program.created": gettext_lazy("Program created"),
    "program.edited": gettext_lazy("Program edited"),
    "terms.revised": gettext_lazy("Terms of a program revised"),
    "group.created": gettext_lazy("Group of sites created"),
    "group.changed": gettext_lazy("Group of sites changed"),
    "consent.given": gettext_lazy("Consent given"),
    "enrolment.started": gettext_lazy("Enrolled in a program"),
    "enrolment.renewed": gettext_lazy("Enrolled under new terms"),
    "enrolment.ended": gettext_lazy("Left a program"),
    "event.issued": gettext_lazy("Event called"),
    "event.activated": gettext_lazy("Event began"),
    "event.completed": gettext_lazy("Event ended"),
    "event.cancelled": gettext_lazy("Event cancelled"),
    "event.opted": gettext_lazy("Answer to an event"),
    "settlement.credited": gettext_lazy("Event settled and credited"),
    "settlement.corrected": gettext_lazy("Settlement corrected"),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One entry of the trail, ready to show."""

    sequence: int
    at: datetime
    who: str
    act: str
    what: str
    customer: CustomerView | None


def lines(page: Page[AuditView]) -> list[Line]:
    """The entries of a page in words."""
    return [
        Line(entry.sequence, entry.at, _who(entry), str(ACTS.get(entry.action, entry.action)), _what(entry), entry.customer)
        for entry in page.items
    ]


def _who(entry: AuditView) -> str:
    if entry.actor is None:
        return str(ActorRole(entry.actor_role).label)
    return entry.actor.label or _("Closed account")


def _what(entry: AuditView) -> str:
    detail = entry.detail
    if entry.action == "customer.renamed" and detail:
        return _("from “%(from)s” to “%(to)s”") % detail
    if entry.action == "membership.decided":
        return str(Standing.of(str(detail["status"]), str(detail["role"])).label)
    said = [str(detail[key]) for key in ("name", "number") if detail.get(key)]
    if (role := str(detail.get("role"))) in Role.values:
        said.append(str(Role(role).label))
    return ", ".join(said) if said else entry.object_id
