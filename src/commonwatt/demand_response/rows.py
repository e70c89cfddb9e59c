"""Rows of this domain as the frozen views that others see; used by its queries and actions only."""

from __future__ import annotations

import hashlib
from datetime import timedelta

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery

from commonwatt.demand_response.choices import Choice, EventStatus
from commonwatt.demand_response.models import Consent, Enrolment, Event, Participant, Program, ProgramTerms
from commonwatt.demand_response.plan import Limits
from commonwatt.demand_response.views import EnrolmentView, EventFacts, EventView, ParticipantView, ProgramView, TermsView


def digest_text(text: str) -> str:
    """SHA-256 of a text, hex: names the exact words that were agreed to."""
    return hashlib.sha256(text.encode()).hexdigest()


def terms_view(row: ProgramTerms) -> TermsView:
    """One version of a program's terms."""
    return TermsView(
        id=row.pk,
        program_id=row.program_id,
        version=row.version,
        created_at=row.created_at,
        notice_minutes=row.notice_minutes,
        shortest_minutes=row.shortest_minutes,
        longest_minutes=row.longest_minutes,
        events_per_day=row.events_per_day,
        events_per_year=row.events_per_year,
        baseline_rule=row.baseline_rule,
        price_micros_per_kwh=row.price_micros_per_kwh,
        credit_factor_ppm=row.credit_factor_ppm,
        negative_intervals=row.negative_intervals,
        data_wait_minutes=row.data_wait_minutes,
        consent_text=row.consent_text,
        consent_digest=digest_text(row.consent_text),
        coverage_days=row.coverage_days,
        coverage_percent=row.coverage_percent,
        responding_share_ppm=row.responding_share_ppm,
    )


def program_view(row: Program, terms: ProgramTerms) -> ProgramView:
    """A program with the terms given."""
    return ProgramView(
        id=row.pk,
        public_id=row.public_id,
        name=row.name,
        description=row.description,
        currency=row.currency,
        time_zone=row.time_zone,
        is_open=row.is_open,
        created_at=row.created_at,
        terms=terms_view(terms),
    )


def limits_of(terms: TermsView) -> Limits:
    """What the terms allow, as the decisions take it."""
    return Limits(
        notice=timedelta(minutes=terms.notice_minutes),
        shortest=timedelta(minutes=terms.shortest_minutes),
        longest=timedelta(minutes=terms.longest_minutes),
        events_per_day=terms.events_per_day,
        events_per_year=terms.events_per_year,
    )


def enrolment_views(rows: QuerySet[Enrolment]) -> list[EnrolmentView]:
    """Enrolments in the rows' order, in one query."""
    newest = ProgramTerms.objects.filter(program=OuterRef("program")).order_by("-version").values("version")[:1]
    agreed = Consent.objects.filter(enrolment=OuterRef("pk"), withdrawn_at__isnull=True).order_by("-terms__version")
    found = rows.select_related("program").annotate(
        newest_version=Subquery(newest),
        agreed_version=Subquery(agreed.values("terms__version")[:1]),
        customer=F("site__customer_id"),
    )
    return [
        EnrolmentView(
            id=row.pk,
            public_id=row.public_id,
            program_id=row.program_id,
            program_public_id=row.program.public_id,
            program_name=row.program.name,
            site_id=row.site_id,
            customer_id=row.customer,
            enrolled_at=row.enrolled_at,
            ended_at=row.ended_at,
            agreed_version=row.agreed_version,
            newest_version=row.newest_version,
        )
        for row in found
    ]


def event_views(rows: QuerySet[Event]) -> list[EventView]:
    """Events in the rows' order, in one query."""
    # Counted apart: a join would multiply the rows that the caller may have filtered by.
    participants = Participant.objects.filter(event=OuterRef("pk")).order_by().values("event")
    everyone = participants.annotate(count=Count("pk")).values("count")
    out = participants.annotate(count=Count("pk", filter=Q(choice=Choice.OUT))).values("count")
    found = rows.select_related("program", "terms", "issued_by").annotate(called=Subquery(everyone), out=Subquery(out))
    return [
        EventView(
            id=row.pk,
            public_id=row.public_id,
            program_id=row.program_id,
            program_public_id=row.program.public_id,
            program_name=row.program.name,
            program_time_zone=row.program.time_zone,
            currency=row.program.currency,
            terms_id=row.terms_id,
            terms_version=row.terms.version,
            price_micros_per_kwh=row.terms.price_micros_per_kwh,
            status=EventStatus(row.status),
            modification_number=row.modification_number,
            starts_at=row.starts_at,
            ends_at=row.ends_at,
            issued_at=row.issued_at,
            issued_by_name=str(row.issued_by) if row.issued_by else "",
            is_test=row.is_test,
            reason=row.reason,
            target_kw=row.target_kw,
            cancelled_at=row.cancelled_at,
            cancel_reason=row.cancel_reason,
            participants=row.called or 0,
            opted_out=row.out or 0,
        )
        for row in found
    ]


def event_facts(row: Event) -> EventFacts:
    """What a measurement and a settlement need; `program` and `terms` should be selected with the row."""
    return EventFacts(
        event_id=row.pk,
        public_id=row.public_id,
        status=EventStatus(row.status),
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        cancelled_at=row.cancelled_at,
        is_test=row.is_test,
        reason=row.reason,
        program_id=row.program_id,
        program_public_id=row.program.public_id,
        program_name=row.program.name,
        currency=row.program.currency,
        time_zone=row.program.time_zone,
        terms_version=row.terms.version,
        rule=row.terms.baseline_rule,
        price_micros_per_kwh=row.terms.price_micros_per_kwh,
        credit_factor_ppm=row.terms.credit_factor_ppm,
        negative_intervals=row.terms.negative_intervals,
        data_wait_minutes=row.terms.data_wait_minutes,
        responding_share_ppm=row.terms.responding_share_ppm,
    )


def participant_views(rows: QuerySet[Participant]) -> list[ParticipantView]:
    """Participants in the rows' order, in one query."""
    fields = ("event_id", "site_id", "site__customer_id", "enrolment_id", "choice", "chosen_at")
    return [
        ParticipantView(event_id=event, site_id=site, customer_id=customer, enrolment_id=enrolment, choice=choice, chosen_at=at)
        for event, site, customer, enrolment, choice, at in rows.values_list(*fields)
    ]
