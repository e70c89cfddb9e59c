"""Programs, their terms, and groups of sites."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field

from commonwatt.accounts.access import Right, access_site, require_operator
from commonwatt.api.common import fill, site_names
from commonwatt.api.requests import api_request
from commonwatt.baseline.rules import BaselineRuleError, rule_from_dict
from commonwatt.demand_response import actions, queries
from commonwatt.demand_response.access import access_group, access_program
from commonwatt.demand_response.choices import NegativeIntervals
from commonwatt.demand_response.views import GroupView, ProgramView, TermsView

router = Router(tags=["programs"])


class TermsIn(Schema):
    """The rules of a program, before they become a version."""

    notice_minutes: int
    shortest_minutes: int
    longest_minutes: int
    events_per_day: int
    events_per_year: int
    baseline_rule: dict[str, Any] = Field(description="A baseline rule, whole, as the reference of rules describes it.")
    price_micros_per_kwh: int = Field(description="Millionths of the currency unit per kWh.")
    consent_text: str
    credit_factor_ppm: int = Field(1_000_000, description="Millionths of the price that are credited.")
    negative_intervals: NegativeIntervals = NegativeIntervals.FLOOR
    data_wait_minutes: int = 60
    coverage_days: int = 15
    coverage_percent: int = 80
    responding_share_ppm: int = 50_000

    def draft(self) -> actions.TermsDraft:
        """The same as the domain takes it; raises ProgramRefused for a rule that is none."""
        fields = self.model_dump(exclude={"baseline_rule"})
        try:
            return actions.TermsDraft(baseline_rule=rule_from_dict(self.baseline_rule), **fields)
        except BaselineRuleError as error:
            raise actions.ProgramRefused("baseline_rule", str(error)) from error


class TermsOut(TermsIn):
    """One version of a program's rules."""

    version: int
    created_at: datetime
    consent_digest: str = Field(description="SHA-256 of the consent text: sent back when somebody agrees to it.")


class ProgramIn(Schema):
    """A program to be made, with version 1 of its terms."""

    name: str
    description: str = ""
    currency: str = Field(description="Three capital letters, such as EUR.")
    time_zone: str = Field(description="Such as Europe/Brussels.")
    terms: TermsIn


class ProgramChange(Schema):
    """What may change about a program without new terms."""

    name: str
    description: str = ""
    is_open: bool


class ProgramOut(Schema):
    """A program with its newest terms."""

    id: str
    name: str
    description: str
    currency: str
    time_zone: str
    is_open: bool
    created_at: datetime
    terms: TermsOut


class GroupIn(Schema):
    """A named set of sites."""

    name: str
    sites: list[str]


class SitesIn(Schema):
    """Which sites."""

    sites: list[str]


class GroupOut(GroupIn):
    """A named set of sites."""

    id: str


@router.get("/programs", response=list[ProgramOut])
def list_programs(request: HttpRequest) -> list[ProgramOut]:
    """Every program that is open for enrolment or that you take part in; all of them for the operator."""
    viewer = api_request(request).viewer
    joined = {view.program_id for view in queries.enrolments_of(customer_ids=viewer.member_of)}
    return [_program(view) for view in queries.programs() if view.is_open or view.id in joined or viewer.is_operator]


@router.post("/programs", response={201: ProgramOut})
def create_program(request: HttpRequest, payload: ProgramIn) -> Status[ProgramOut]:
    """A new program with version 1 of its terms."""
    asked = api_request(request)
    require_operator(asked.viewer)
    terms = payload.terms.draft()
    fields = payload.model_dump(exclude={"terms"})
    return Status(201, _program(actions.create_program(actor=asked.viewer, terms=terms, now=asked.now, **fields)))


@router.get("/programs/{program_id}", response=ProgramOut)
def get_program(request: HttpRequest, program_id: str) -> ProgramOut:
    """A program with its newest terms."""
    asked = api_request(request)
    return _program(access_program(asked.viewer, program_id, now=asked.now))


@router.patch("/programs/{program_id}", response=ProgramOut)
def change_program(request: HttpRequest, program_id: str, payload: ProgramChange) -> ProgramOut:
    """Rename a program, describe it anew, open or close it for enrolment."""
    asked = api_request(request)
    view = access_program(asked.viewer, program_id, Right.CHANGE, now=asked.now)
    return _program(actions.edit_program(actor=asked.viewer, program_id=view.id, now=asked.now, **payload.model_dump()))


@router.get("/programs/{program_id}/terms", response=list[TermsOut])
def list_terms(request: HttpRequest, program_id: str) -> list[TermsOut]:
    """Every version of a program's terms, the newest first."""
    asked = api_request(request)
    view = access_program(asked.viewer, program_id, now=asked.now)
    return [_terms(terms) for terms in queries.terms_of(view.id)]


@router.post("/programs/{program_id}/terms", response={201: TermsOut})
def revise_terms(request: HttpRequest, program_id: str, payload: TermsIn) -> Status[TermsOut]:
    """The next version of a program's terms; participants must agree anew to be called for new events."""
    asked = api_request(request)
    view = access_program(asked.viewer, program_id, Right.CHANGE, now=asked.now)
    return Status(201, _terms(actions.revise_terms(actor=asked.viewer, program_id=view.id, terms=payload.draft(), now=asked.now)))


@router.get("/groups", response=list[GroupOut])
def list_groups(request: HttpRequest) -> list[GroupOut]:
    """Every group of sites, for the operator."""
    require_operator(api_request(request).viewer)
    return [_group(view) for view in queries.groups()]


@router.post("/groups", response={201: GroupOut})
def create_group(request: HttpRequest, payload: GroupIn) -> Status[GroupOut]:
    """A new group of sites."""
    asked = api_request(request)
    require_operator(asked.viewer)
    site_ids = _site_ids(request, payload.sites)
    return Status(201, _group(actions.create_group(actor=asked.viewer, name=payload.name, site_ids=site_ids, now=asked.now)))


@router.put("/groups/{group_id}/sites", response=GroupOut)
def set_group_sites(request: HttpRequest, group_id: str, payload: SitesIn) -> GroupOut:
    """Make these the sites of a group."""
    asked = api_request(request)
    view = access_group(asked.viewer, group_id, Right.CHANGE, now=asked.now)
    site_ids = _site_ids(request, payload.sites)
    return _group(actions.set_group_sites(actor=asked.viewer, group_id=view.id, site_ids=site_ids, now=asked.now))


def _site_ids(request: HttpRequest, public_ids: list[str]) -> list[int]:
    asked = api_request(request)
    return [access_site(asked.viewer, public_id, now=asked.now).id for public_id in public_ids]


def _terms(view: TermsView) -> TermsOut:
    return fill(TermsOut, view)


def _program(view: ProgramView) -> ProgramOut:
    return fill(ProgramOut, view, id=view.public_id)


def _group(view: GroupView) -> GroupOut:
    names = site_names(view.site_ids)
    return fill(GroupOut, view, id=view.public_id, sites=[names[site_id] for site_id in view.site_ids])
