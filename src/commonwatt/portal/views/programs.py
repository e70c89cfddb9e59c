"""Programs as those see them who may join: what is asked, what it earns, whether a site is eligible; enrolling, agreeing, leaving."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from commonwatt.accounts import queries as accounts
from commonwatt.accounts.access import Forbidden, Right, Viewer, access_site
from commonwatt.accounts.values import Page, SiteView
from commonwatt.baseline.rules import rule_from_dict
from commonwatt.demand_response import actions, queries
from commonwatt.demand_response.access import access_enrolment, access_program
from commonwatt.demand_response.views import ConsentView, EnrolmentView, ProgramView
from commonwatt.portal import program_words
from commonwatt.portal.context import address_of
from commonwatt.portal.requests import PortalRequest, page_number
from commonwatt.settlement.rule_words import rule_in_words

PLACES_AT_ONCE = 20


@login_required
@require_safe
def programs(request: PortalRequest) -> HttpResponse:
    """Every program the viewer may see, and where their sites stand with each."""
    viewer = request.viewer
    theirs: dict[int, list[EnrolmentView]] = {}
    for enrolment in queries.enrolments_of(customer_ids=viewer.member_of):
        theirs.setdefault(enrolment.program_id, []).append(enrolment)
    seen = [one for one in queries.programs() if one.is_open or one.id in theirs or viewer.is_operator]
    cards = [
        {
            "program": one,
            "price": program_words.price_text(one),
            "enrolled": len(theirs.get(one.id, ())),
            "needs_consent": any(enrolment.needs_consent for enrolment in theirs.get(one.id, ())),
        }
        for one in seen
    ]
    context = {"cards": cards, "new_url": address_of("portal:operator_program_new") if viewer.is_operator else None}
    return render(request, "portal/programs.html", context)


@login_required
@never_cache
@require_safe
def program(request: PortalRequest, public_id: str) -> HttpResponse:
    """One program: its terms in words, its consent word for word, and what each of the viewer's sites can do."""
    shown = access_program(request.viewer, public_id, now=request.now)
    rule = rule_from_dict(shown.terms.baseline_rule)
    context = {
        "program": shown,
        "facts": program_words.facts(shown),
        "price": program_words.price_text(shown),
        "example": program_words.example(shown),
        "rule": rule,
        "rule_texts": rule_in_words(rule),
        "page": _places(request, shown),
        "crumbs": [{"label": _("Programs"), "url": reverse("portal:programs")}, {"label": shown.name, "url": ""}],
        "manage_url": address_of("portal:operator_program", public_id) if request.viewer.is_operator else None,
    }
    return render(request, "portal/program.html", context)


@login_required
@require_POST
def program_enrol(request: PortalRequest, public_id: str, site_id: str) -> HttpResponse:
    """Enrol a site, or agree to newer terms for it, with the text that was shown."""
    shown = access_program(request.viewer, public_id, now=request.now)
    site = _own_site(request.viewer, site_id, request)
    address = reverse("portal:program", args=[public_id])
    if not request.POST.get("agreed"):
        messages.error(request, _("To take part, read the agreement and tick that you agree."))
        return redirect(f"{address}#consent")
    version = request.POST.get("terms_version", "")
    try:
        actions.enrol(
            actor=request.viewer,
            site_id=site.id,
            program_id=shown.id,
            terms_version=int(version) if version.isascii() and version.isdecimal() and len(version) < 9 else 0,
            consent_text_digest=request.POST.get("consent_digest", ""),
            now=request.now,
        )
    except (actions.ConsentOutdated, actions.ConsentDiffers, actions.NotEligible) as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, _("%(site)s takes part in %(program)s.") % {"site": site.name, "program": shown.name})
    return redirect(address)


@login_required
@require_POST
def program_leave(request: PortalRequest, public_id: str) -> HttpResponse:
    """Leave a program: the address holds the enrolment."""
    enrolment = access_enrolment(request.viewer, public_id, Right.CHANGE, now=request.now)
    actions.leave_program(actor=request.viewer, enrolment_id=enrolment.id, now=request.now)
    messages.success(request, _("You have left %(program)s. What you earned stays yours.") % {"program": enrolment.program_name})
    return redirect("portal:program", enrolment.program_public_id)


def _own_site(viewer: Viewer, public_id: str, request: PortalRequest) -> SiteView:
    """A site of a customer that the viewer belongs to: consent is the customer's own, the operator cannot give it."""
    site = access_site(viewer, public_id, Right.CHANGE if not viewer.is_operator else Right.VIEW, now=request.now)
    if site.customer_id not in viewer.member_of:
        raise Forbidden("site", Right.CHANGE)
    return site


def _places(request: PortalRequest, shown: ProgramView) -> Page[dict[str, Any]]:
    """The viewer's sites, those enrolled first; a page of them, as each is held against its readings."""
    viewer = request.viewer
    enrolled = {one.site_id: one for one in queries.enrolments_of(customer_ids=viewer.member_of, program_id=shown.id)}
    sites = [site for customer in viewer.customers for site in accounts.sites_of(customer.id)]
    sites.sort(key=lambda site: site.id not in enrolled)
    pages = max(1, -(-len(sites) // PLACES_AT_ONCE))
    number = min(max(page_number(request), 1), pages)
    chosen = sites[(number - 1) * PLACES_AT_ONCE : number * PLACES_AT_ONCE]
    consents = queries.consents_of([enrolled[site.id].id for site in chosen if site.id in enrolled])
    customers = {customer.id: customer for customer in viewer.customers}
    places = [
        {
            "site": site,
            "customer": customers[site.customer_id],
            "enrolment": enrolled.get(site.id),
            "consent": _standing(consents[enrolled[site.id].id]) if site.id in enrolled else None,
            "eligibility": queries.eligibility(site_id=site.id, program_id=shown.id, now=request.now),
            "may_act": site.customer_id in viewer.acts_for,
        }
        for site in chosen
    ]
    return Page(tuple(places), number=number, pages=pages, total=len(sites))


def _standing(consents: Sequence[ConsentView]) -> ConsentView | None:
    return next((one for one in consents if one.withdrawn_at is None), None)
