"""Every read of programs, enrolments and events that others need; values, never rows."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from commonwatt.accounts.values import Page
from commonwatt.demand_response import rows
from commonwatt.demand_response.eligibility import Eligibility, Reason, eligibility
from commonwatt.demand_response.event_queries import (
    NoSuchEvent,
    called_sites,
    called_spans,
    event,
    event_facts,
    events_page,
    events_ready_to_settle,
    facts_of,
    next_transition_at,
    open_events,
    opts_of,
    participants_of,
    people_to_tell,
    signals_of,
    targets_of,
    timeline,
)
from commonwatt.demand_response.models import Consent, Enrolment, Group, Program, ProgramTerms
from commonwatt.demand_response.views import ConsentView, EnrolmentView, GroupView, ProgramView, TermsView

__all__ = [
    "Eligibility",
    "NoSuchEvent",
    "NoSuchProgram",
    "Reason",
    "called_sites",
    "called_spans",
    "consents_of",
    "eligibility",
    "enrolments_of",
    "enrolments_page",
    "event",
    "event_facts",
    "events_page",
    "events_ready_to_settle",
    "facts_of",
    "groups",
    "next_transition_at",
    "open_events",
    "opts_of",
    "participants_of",
    "people_to_tell",
    "program",
    "programs",
    "signals_of",
    "targets_of",
    "terms_of",
    "timeline",
]
PAGE_SIZE = 50


class NoSuchProgram(LookupError):
    """There is no program of this id."""

    def __init__(self, program_id: int) -> None:
        super().__init__(f"there is no program with the id {program_id}")


def programs(*, only_open: bool = False) -> list[ProgramView]:
    """Every program with its newest terms, by name."""
    found = Program.objects.filter(is_open=True) if only_open else Program.objects.all()
    newest = {terms.program_id: terms for terms in ProgramTerms.objects.order_by("version")}
    return [rows.program_view(row, newest[row.pk]) for row in found.order_by("name")]


def program(program_id: int) -> ProgramView:
    """One program with its newest terms; raises NoSuchProgram."""
    row = Program.objects.filter(pk=program_id).first()
    if row is None:
        raise NoSuchProgram(program_id)
    return rows.program_view(row, row.terms.order_by("-version")[0])


def terms_of(program_id: int) -> list[TermsView]:
    """Every version of a program's terms, newest first."""
    return [rows.terms_view(row) for row in ProgramTerms.objects.filter(program_id=program_id).order_by("-version")]


def groups() -> list[GroupView]:
    """Every group with its sites, by name."""
    found = Group.objects.prefetch_related("sites").order_by("name")
    return [
        GroupView(id=row.pk, public_id=row.public_id, name=row.name, site_ids=tuple(sorted(site.pk for site in row.sites.all())))
        for row in found
    ]


def enrolments_of(
    *,
    customer_ids: Iterable[int] | None = None,
    site_ids: Iterable[int] | None = None,
    program_id: int | None = None,
    only_current: bool = True,
) -> list[EnrolmentView]:
    """Enrolments of these customers or sites, the newest first; those that have ended too, if asked for."""
    found = Enrolment.objects.order_by("-enrolled_at", "-pk")
    if customer_ids is not None:
        found = found.filter(site__customer_id__in=list(customer_ids))
    if site_ids is not None:
        found = found.filter(site_id__in=list(site_ids))
    if program_id is not None:
        found = found.filter(program_id=program_id)
    return rows.enrolment_views(found.filter(ended_at__isnull=True) if only_current else found)


def enrolments_page(*, program_id: int, page: int = 1, page_size: int = PAGE_SIZE) -> Page[EnrolmentView]:
    """One page of a program's current enrolments, the newest first."""
    found = Enrolment.objects.filter(program_id=program_id, ended_at__isnull=True).order_by("-enrolled_at", "-pk")
    total = found.count()
    pages = max(1, -(-total // page_size))
    number = min(max(page, 1), pages)
    chosen = rows.enrolment_views(found[(number - 1) * page_size : number * page_size])
    return Page(tuple(chosen), number=number, pages=pages, total=total)


def consents_of(enrolment_ids: Collection[int]) -> dict[int, list[ConsentView]]:
    """What was agreed to, word for word, by enrolment; the newest first."""
    found: dict[int, list[ConsentView]] = {key: [] for key in enrolment_ids}
    for row in Consent.objects.filter(enrolment_id__in=enrolment_ids).select_related("terms").order_by("-given_at", "-pk"):
        found[row.enrolment_id].append(
            ConsentView(
                terms_version=row.terms.version,
                text=row.text,
                text_digest=row.text_digest,
                given_by_name=row.given_by_name,
                given_at=row.given_at,
                withdrawn_at=row.withdrawn_at,
            )
        )
    return found
