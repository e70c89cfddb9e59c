"""Every change to programs, their terms, and groups of sites. Terms are never edited: a new version follows the old one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import available_timezones

from django.db import transaction
from django.utils.translation import gettext as _

from commonwatt.accounts import audit
from commonwatt.accounts.access import Viewer, require_operator
from commonwatt.baseline.rules import BaselineRule, rule_to_dict
from commonwatt.demand_response import rows
from commonwatt.demand_response.choices import NegativeIntervals
from commonwatt.demand_response.models import Group, Program, ProgramTerms
from commonwatt.demand_response.views import GroupView, ProgramView, TermsView
from commonwatt.kernel.ids import new_public_id
from commonwatt.outbox import actions as outbox

# The shortest day has 23 hours, and days are compared with days.
LONGEST_MINUTES = 23 * 60


class ProgramRefused(ValueError):
    """A program, its terms or a group cannot be so; `field` names what to change, the message says how."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True, kw_only=True)
class TermsDraft:
    """The rules of a program, before they become a version."""

    notice_minutes: int
    shortest_minutes: int
    longest_minutes: int
    events_per_day: int
    events_per_year: int
    baseline_rule: BaselineRule
    price_micros_per_kwh: int
    consent_text: str
    credit_factor_ppm: int = 1_000_000
    negative_intervals: NegativeIntervals = NegativeIntervals.FLOOR
    data_wait_minutes: int = 60
    coverage_days: int = 15
    coverage_percent: int = 80
    responding_share_ppm: int = 50_000


@transaction.atomic
def create_program(
    *, actor: Viewer | None, name: str, description: str, currency: str, time_zone: str, terms: TermsDraft, now: datetime
) -> ProgramView:
    """A new program with version 1 of its terms, open for enrolment.

    Raises:
        ProgramRefused: For a name that is taken or empty, an unknown zone or currency, or terms that make no sense.
    """
    _require_operator(actor)
    _check_program(name=name.strip(), currency=currency, time_zone=time_zone)
    row = Program.objects.create(
        public_id=new_public_id("prg"),
        name=name.strip(),
        description=description.strip(),
        currency=currency,
        time_zone=time_zone,
        created_at=now,
    )
    version = _add_version(actor, row, terms, version=1, now=now)
    _audit(actor, "program.created", row.public_id, {"version": 1, "rule": terms.baseline_rule.key}, now=now)
    return rows.program_view(row, version)


@transaction.atomic
def edit_program(*, actor: Viewer | None, program_id: int, name: str, description: str, is_open: bool, now: datetime) -> ProgramView:
    """Change what a program is called and whether it takes new enrolments; its rules change by `revise_terms` only."""
    _require_operator(actor)
    row = Program.objects.select_for_update().get(pk=program_id)
    if name.strip() != row.name:
        _check_name(name.strip())
    row.name, row.description, row.is_open = name.strip(), description.strip(), is_open
    row.save(update_fields=["name", "description", "is_open"])
    _audit(actor, "program.edited", row.public_id, {"is_open": is_open}, now=now)
    return rows.program_view(row, row.terms.order_by("-version")[0])


@transaction.atomic
def revise_terms(*, actor: Viewer | None, program_id: int, terms: TermsDraft, now: datetime) -> TermsView:
    """The next version of a program's terms. Events already called keep theirs; sites must agree anew to be called again."""
    _require_operator(actor)
    program = Program.objects.select_for_update().get(pk=program_id)
    newest = program.terms.order_by("-version")[0]
    row = _add_version(actor, program, terms, version=newest.version + 1, now=now)
    _audit(actor, "terms.revised", program.public_id, {"version": row.version, "rule": terms.baseline_rule.key}, now=now)
    payload = {"program_id": program.pk, "version": row.version}
    outbox.append(kind="terms.revised", subject_kind="program", subject_id=program.public_id, payload=payload, now=now)
    return rows.terms_view(row)


@transaction.atomic
def create_group(*, actor: Viewer | None, name: str, site_ids: Sequence[int], now: datetime) -> GroupView:
    """A named set of sites to aim events at."""
    _require_operator(actor)
    if not name.strip() or Group.objects.filter(name=name.strip()).exists():
        raise ProgramRefused("name", _("Choose a name that no other group has."))
    row = Group.objects.create(public_id=new_public_id("grp"), name=name.strip())
    row.sites.set(sorted(set(site_ids)))
    _audit(actor, "group.created", row.public_id, {"sites": len(set(site_ids))}, now=now, kind="group")
    return _group_view(row)


@transaction.atomic
def set_group_sites(*, actor: Viewer | None, group_id: int, site_ids: Sequence[int], now: datetime) -> GroupView:
    """Make these the sites of a group; events already called keep theirs."""
    _require_operator(actor)
    row = Group.objects.select_for_update().get(pk=group_id)
    row.sites.set(sorted(set(site_ids)))
    _audit(actor, "group.changed", row.public_id, {"sites": len(set(site_ids))}, now=now, kind="group")
    return _group_view(row)


def _require_operator(actor: Viewer | None) -> None:
    """Nobody (None) is a command or the demo: no right is asked."""
    if actor is not None:
        require_operator(actor)


def _add_version(actor: Viewer | None, program: Program, terms: TermsDraft, *, version: int, now: datetime) -> ProgramTerms:
    _check_terms(terms)
    return ProgramTerms.objects.create(
        program=program,
        version=version,
        created_at=now,
        created_by_id=actor.user_id if actor else None,
        notice_minutes=terms.notice_minutes,
        shortest_minutes=terms.shortest_minutes,
        longest_minutes=terms.longest_minutes,
        events_per_day=terms.events_per_day,
        events_per_year=terms.events_per_year,
        baseline_rule=rule_to_dict(terms.baseline_rule),
        price_micros_per_kwh=terms.price_micros_per_kwh,
        credit_factor_ppm=terms.credit_factor_ppm,
        negative_intervals=terms.negative_intervals,
        data_wait_minutes=terms.data_wait_minutes,
        consent_text=terms.consent_text.strip(),
        coverage_days=terms.coverage_days,
        coverage_percent=terms.coverage_percent,
        responding_share_ppm=terms.responding_share_ppm,
    )


def _check_program(*, name: str, currency: str, time_zone: str) -> None:
    _check_name(name)
    if not (len(currency) == 3 and currency.isascii() and currency.isalpha() and currency.isupper()):
        raise ProgramRefused("currency", _("Write the currency as three capital letters, such as EUR."))
    if time_zone not in available_timezones():
        raise ProgramRefused("time_zone", _("“%(zone)s” is no time zone; write it like Europe/Brussels.") % {"zone": time_zone})


def _check_name(name: str) -> None:
    if not name or Program.objects.filter(name=name).exists():
        raise ProgramRefused("name", _("Choose a name that no other program has."))


def _check_terms(terms: TermsDraft) -> None:
    checks = (
        ("notice_minutes", terms.notice_minutes >= 0, _("The notice cannot be negative.")),
        ("shortest_minutes", terms.shortest_minutes > 0, _("The shortest event must last at least a minute.")),
        ("longest_minutes", terms.longest_minutes >= terms.shortest_minutes, _("The longest event must not be shorter than the shortest.")),
        ("longest_minutes", terms.longest_minutes <= LONGEST_MINUTES, _("Events last 23 hours at most: days are compared with days.")),
        ("events_per_day", terms.events_per_day > 0, _("At least one event a day must be allowed.")),
        ("events_per_year", terms.events_per_year > 0, _("At least one event a year must be allowed.")),
        ("price_micros_per_kwh", terms.price_micros_per_kwh >= 0, _("The price cannot be negative.")),
        ("credit_factor_ppm", terms.credit_factor_ppm >= 0, _("The credit factor cannot be negative.")),
        ("coverage_days", terms.coverage_days > 0, _("Readings of at least one day must be looked at.")),
        ("coverage_percent", 0 <= terms.coverage_percent <= 100, _("The share of readings needed lies between 0 and 100 %.")),
        ("data_wait_minutes", terms.data_wait_minutes >= 0, _("The wait for readings cannot be negative.")),
        ("responding_share_ppm", terms.responding_share_ppm >= 0, _("The share that counts as responding cannot be negative.")),
        ("consent_text", bool(terms.consent_text.strip()), _("Say what a participant agrees to.")),
    )
    for field, holds, message in checks:
        if not holds:
            raise ProgramRefused(field, message)


def _group_view(row: Group) -> GroupView:
    site_ids = tuple(row.sites.order_by("pk").values_list("pk", flat=True))
    return GroupView(id=row.pk, public_id=row.public_id, name=row.name, site_ids=site_ids)


def _audit(actor: Viewer | None, action: str, object_id: str, detail: audit.Detail, *, now: datetime, kind: str = "program") -> None:
    audit.record(actor=actor, action=action, kind=kind, object_id=object_id, customer_id=None, detail=detail, now=now)
