"""Enrolments: may a site take part, what was agreed to, and leaving."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import Field

from commonwatt.accounts.access import Right, access_customer, access_site
from commonwatt.api.common import PageNumber, PageOf, fill, page_of, site_names
from commonwatt.api.requests import api_request
from commonwatt.demand_response import actions, queries
from commonwatt.demand_response.access import access_enrolment, access_program
from commonwatt.demand_response.views import EnrolmentView

router = Router(tags=["enrolments"])


class ReasonOut(Schema):
    """One thing that was found about a site and a program."""

    code: str
    holds: bool
    blocks: bool = Field(description="Whether nobody can enrol without it.")
    text: str


class EligibilityOut(Schema):
    """Whether a site may enrol, and whether its readings suffice."""

    may_enrol: bool
    is_ready: bool
    coverage: float | None = Field(description="Share of the intervals of the latest days that have a reading; null without a meter.")
    reasons: list[ReasonOut]


class EnrolIn(Schema):
    """A consent: to which words, for which site."""

    site: str
    terms_version: int
    consent_digest: str


class EnrolmentOut(Schema):
    """A site's participation in a program."""

    id: str
    program: str
    site: str
    enrolled_at: datetime
    ended_at: datetime | None
    agreed_version: int | None
    newest_version: int
    needs_consent: bool = Field(description="Newer terms wait for an answer; until then the site is not called for new events.")


class ConsentOut(Schema):
    """What was agreed to, word for word, by whom and when."""

    terms_version: int
    text: str
    text_digest: str
    given_by_name: str
    given_at: datetime
    withdrawn_at: datetime | None


class EnrolmentDetail(EnrolmentOut):
    """An enrolment with its consents, the newest first."""

    consents: list[ConsentOut]


@router.get("/programs/{program_id}/eligibility", response=EligibilityOut)
def get_eligibility(
    request: HttpRequest, program_id: str, site: Annotated[str, Query(..., description="The site's id.")]
) -> EligibilityOut:
    """Whether a site may enrol, with reasons."""
    asked = api_request(request)
    program = access_program(asked.viewer, program_id, now=asked.now)
    place = access_site(asked.viewer, site, now=asked.now)
    return fill(EligibilityOut, queries.eligibility(site_id=place.id, program_id=program.id, now=asked.now))


@router.get("/programs/{program_id}/enrolments", response=PageOf[EnrolmentOut])
def list_program_enrolments(request: HttpRequest, program_id: str, page: PageNumber) -> dict[str, object]:
    """One page of a program's participants, for the operator."""
    asked = api_request(request)
    view = access_program(asked.viewer, program_id, Right.CHANGE, now=asked.now)
    found = queries.enrolments_page(program_id=view.id, page=page)
    return page_of(found, _enrolments(list(found.items)))


@router.post("/programs/{program_id}/enrolments", response={201: EnrolmentOut})
def enrol(request: HttpRequest, program_id: str, payload: EnrolIn) -> Status[EnrolmentOut]:
    """Enrol a site, or agree to newer terms for one that is enrolled."""
    asked = api_request(request)
    program = access_program(asked.viewer, program_id, now=asked.now)
    site = access_site(asked.viewer, payload.site, Right.CHANGE, now=asked.now)
    view = actions.enrol(
        actor=asked.viewer,
        site_id=site.id,
        program_id=program.id,
        terms_version=payload.terms_version,
        consent_text_digest=payload.consent_digest,
        now=asked.now,
    )
    return Status(201, _enrolments([view])[0])


@router.get("/customers/{customer_id}/enrolments", response=list[EnrolmentOut])
def list_customer_enrolments(request: HttpRequest, customer_id: str, *, ended: bool = False) -> list[EnrolmentOut]:
    """A customer's enrolments, the newest first; those that have ended too, if asked for."""
    asked = api_request(request)
    customer = access_customer(asked.viewer, customer_id, now=asked.now)
    return _enrolments(queries.enrolments_of(customer_ids=[customer.id], only_current=not ended))


@router.get("/enrolments/{enrolment_id}", response=EnrolmentDetail)
def get_enrolment(request: HttpRequest, enrolment_id: str) -> EnrolmentDetail:
    """An enrolment with everything that was agreed to."""
    asked = api_request(request)
    view = access_enrolment(asked.viewer, enrolment_id, now=asked.now)
    return fill(EnrolmentDetail, _enrolments([view])[0], consents=queries.consents_of([view.id])[view.id])


@router.post("/enrolments/{enrolment_id}/leave", response=EnrolmentOut)
def leave_program(request: HttpRequest, enrolment_id: str) -> EnrolmentOut:
    """End an enrolment and withdraw its consent."""
    asked = api_request(request)
    view = access_enrolment(asked.viewer, enrolment_id, Right.CHANGE, now=asked.now)
    return _enrolments([actions.leave_program(actor=asked.viewer, enrolment_id=view.id, now=asked.now)])[0]


def _enrolments(views: list[EnrolmentView]) -> list[EnrolmentOut]:
    names = site_names(view.site_id for view in views)
    return [fill(EnrolmentOut, view, id=view.public_id, program=view.program_public_id, site=names[view.site_id]) for view in views]
