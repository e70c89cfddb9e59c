"""Making and keeping programs: their names, their terms in versions, who takes part; and groups of sites."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from commonwatt.accounts import queries as accounts
from commonwatt.accounts.access import require_operator
from commonwatt.baseline.programs import RULES
from commonwatt.baseline.rules import rule_from_dict
from commonwatt.demand_response import actions, queries
from commonwatt.demand_response.access import access_group, access_program
from commonwatt.demand_response.programs import ProgramRefused
from commonwatt.demand_response.views import ProgramView
from commonwatt.portal import figures
from commonwatt.portal.enrolled_sites import site_choices
from commonwatt.portal.program_forms import EditForm, GroupForm, ProgramForm, TermsForm, terms_initial
from commonwatt.portal.requests import PortalRequest, page_number
from commonwatt.settlement.rule_words import rule_in_words

# The form's field for each field that the domain may refuse.
_FIELDS = {"price_micros_per_kwh": "price", "credit_factor_ppm": "credit_factor", "responding_share_ppm": "responding_percent"}


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def operator_program_new(request: PortalRequest) -> HttpResponse:
    """Make a program with the first version of its terms."""
    require_operator(request.viewer)
    place = settings.COMMONWATT
    program_form = ProgramForm(request.POST or None, initial={"currency": place.currency, "time_zone": place.time_zone})
    terms_form = TermsForm(request.POST or None)
    if request.method == "POST" and program_form.is_valid() & terms_form.is_valid():
        try:
            program = actions.create_program(actor=request.viewer, **program_form.cleaned_data, terms=terms_form.draft(), now=request.now)
        except ProgramRefused as refused:
            _refuse(refused, program_form, terms_form)
        else:
            messages.success(request, _("%(name)s is open for enrolment.") % {"name": program.name})
            return redirect("portal:operator_program", program.public_id)
    context = {"program_form": program_form, "terms_form": terms_form, "rules": _rules(), "crumbs": _crumbs(_("New program"))}
    return render(request, "portal/operator_program_new.html", context)


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def operator_program(request: PortalRequest, public_id: str) -> HttpResponse:
    """One program at the desk: its versions, its participants, and what may change without new terms."""
    require_operator(request.viewer)
    program = access_program(request.viewer, public_id, now=request.now)
    form = EditForm(request.POST or None, initial={"name": program.name, "description": program.description, "is_open": program.is_open})
    if request.method == "POST" and form.is_valid():
        try:
            actions.edit_program(actor=request.viewer, program_id=program.id, **form.cleaned_data, now=request.now)
        except ProgramRefused as refused:
            form.add_error(refused.field if refused.field in form.fields else None, str(refused))
        else:
            messages.success(request, _("The program is changed."))
            return redirect("portal:operator_program", public_id)
    page = queries.enrolments_page(program_id=program.id, page=page_number(request))
    context = {
        "program": program,
        "form": form,
        "page": page,
        "participants": _participants(page.items),
        "versions": [_version(program, terms) for terms in queries.terms_of(program.id)],
        "crumbs": _crumbs(program.name),
    }
    return render(request, "portal/operator_program.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def operator_program_terms(request: PortalRequest, public_id: str) -> HttpResponse:
    """The next version of a program's terms; sites must agree to them before they are called again."""
    require_operator(request.viewer)
    program = access_program(request.viewer, public_id, now=request.now)
    form = TermsForm(request.POST or None, initial=terms_initial(program.terms))
    if request.method == "POST" and form.is_valid():
        try:
            terms = actions.revise_terms(actor=request.viewer, program_id=program.id, terms=form.draft(), now=request.now)
        except ProgramRefused as refused:
            _refuse(refused, form)
        else:
            messages.success(request, _("Version %(n)d is in force. Participants are asked to agree to it.") % {"n": terms.version})
            return redirect("portal:operator_program", public_id)
    crumbs = [*_crumbs(program.name, reverse("portal:operator_program", args=[public_id])), {"label": _("New terms"), "url": ""}]
    return render(request, "portal/operator_program_terms.html", {"program": program, "form": form, "rules": _rules(), "crumbs": crumbs})


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def operator_groups(request: PortalRequest) -> HttpResponse:
    """Groups of sites that events can be aimed at, and a new one."""
    require_operator(request.viewer)
    form = GroupForm(request.POST or None, sites=site_choices())
    if request.method == "POST" and form.is_valid():
        site_ids = [int(key) for key in form.cleaned_data["sites"]]
        try:
            actions.create_group(actor=request.viewer, name=form.cleaned_data["name"], site_ids=site_ids, now=request.now)
        except ProgramRefused as refused:
            form.add_error("name", str(refused))
        else:
            messages.success(request, _("The group is made."))
            return redirect("portal:operator_groups")
    return render(request, "portal/operator_groups.html", {"groups": _groups(), "form": form, "crumbs": _crumbs(_("Groups"))})


@login_required
@require_POST
def operator_group_sites(request: PortalRequest, public_id: str) -> HttpResponse:
    """Change which sites a group has."""
    require_operator(request.viewer)
    group = access_group(request.viewer, public_id, now=request.now)
    form = GroupForm({"name": group.name, "sites": request.POST.getlist("sites")}, sites=site_choices())
    if form.is_valid():
        site_ids = [int(key) for key in form.cleaned_data["sites"]]
        actions.set_group_sites(actor=request.viewer, group_id=group.id, site_ids=site_ids, now=request.now)
        messages.success(request, _("The group is changed. Events already called keep their sites."))
    else:
        messages.error(request, _("Choose at least one site."))
    return redirect("portal:operator_groups")


@login_required
@require_safe
def operator_programs(request: PortalRequest) -> HttpResponse:
    """Every program at the desk."""
    require_operator(request.viewer)
    programs = queries.programs()
    counts = {program.id: queries.enrolments_page(program_id=program.id, page_size=1).total for program in programs}
    rows = [
        {
            "program": program,
            "participants": counts[program.id],
            "price": figures.price(program.terms.price_micros_per_kwh, program.currency),
            "rule": rule_from_dict(dict(program.terms.baseline_rule)).title,
        }
        for program in programs
    ]
    return render(request, "portal/operator_programs.html", {"rows": rows})


def _refuse(refused: ProgramRefused, *forms: Any) -> None:  # Any: one of the forms above
    """Put the refusal beside the field it is about, in whichever form has it."""
    field = _FIELDS.get(refused.field, refused.field)
    form = next((form for form in forms if field in form.fields), forms[0])
    form.add_error(field if field in form.fields else None, str(refused))


def _rules() -> list[dict[str, Any]]:
    return [{"key": key, "title": rule.title, "texts": rule_in_words(rule), "source": rule.source} for key, rule in RULES.items()]


def _version(program: ProgramView, terms: Any) -> dict[str, Any]:
    rule = rule_from_dict(dict(terms.baseline_rule))
    return {
        "terms": terms,
        "rule": rule.title,
        "price": figures.price(terms.price_micros_per_kwh, program.currency),
        "factor": figures.percent(terms.credit_factor_ppm / 1_000_000, 0),
        "is_newest": terms.version == program.terms.version,
    }


def _participants(rows: Any) -> list[dict[str, Any]]:
    sites = accounts.site_views({row.site_id for row in rows})
    customers = accounts.customer_views({row.customer_id for row in rows})
    return [{"row": row, "site": sites[row.site_id], "customer": customers[row.customer_id]} for row in rows]


def _groups() -> list[dict[str, Any]]:
    groups = queries.groups()
    choices = site_choices()
    return [{"group": group, "choices": [(int(key), label, int(key) in group.site_ids) for key, label in choices]} for group in groups]


def _crumbs(here: str, url: str = "") -> list[dict[str, str]]:
    return [{"label": _("Programs"), "url": reverse("portal:operator_programs")}, {"label": here, "url": url}]
