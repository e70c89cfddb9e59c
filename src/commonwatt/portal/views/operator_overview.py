"""The operator's first page: what runs, what needs attention, what the portfolio did; and the queue of jobs."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from commonwatt.accounts import queries as accounts
from commonwatt.accounts.access import require_operator
from commonwatt.demand_response import queries as demand_response
from commonwatt.jobs import actions as jobs
from commonwatt.jobs.access import access_job
from commonwatt.jobs.queries import job_page, queue_state
from commonwatt.metering import queries as metering
from commonwatt.portal import figures
from commonwatt.portal.requests import PortalRequest, page_number
from commonwatt.portal.site_map import site_map
from commonwatt.settlement import savings as settled

SILENT_AFTER = timedelta(days=2)
SILENT_SHOWN, DELIVERIES_SHOWN, SITES_ON_MAP = 6, 5, 2000


@login_required
@never_cache
@require_safe
def operator(request: PortalRequest) -> HttpResponse:
    """What the desk should look at first."""
    require_operator(request.viewer)
    silent, silent_meters = metering.silent_meters(since=(request.now - SILENT_AFTER).date(), limit=SILENT_SHOWN)
    savings = settled.savings(until=request.now)
    programs = demand_response.programs()
    context = {
        "events": demand_response.open_events(),
        "queue": queue_state(now=request.now),
        "silent": silent,
        "silent_meters": silent_meters,
        "meters": metering.meter_page(page_size=1).total,
        "unheld": metering.meter_page(is_held=False, page_size=1).total,
        "savings": savings,
        "credited": " · ".join(figures.money(nanos, currency) for currency, nanos in savings.amounts),
        "deliveries": metering.batch_page(page_size=DELIVERIES_SHOWN).items,
        "map": _map(programs),
    }
    return render(request, "portal/operator.html", context)


@login_required
@never_cache
@require_safe
def operator_jobs(request: PortalRequest) -> HttpResponse:
    """The queue: what runs, what waits, what failed and why."""
    require_operator(request.viewer)
    page = job_page(page_number(request))
    people = accounts.people({job.requested_by for job in page.items if job.requested_by})
    context = {
        "page": page,
        "rows": [{"job": job, "by": people.get(job.requested_by or 0)} for job in page.items],
        "queue": queue_state(now=request.now),
    }
    return render(request, "portal/operator_jobs.html", context)


@login_required
@require_POST
def operator_job_cancel(request: PortalRequest, public_id: str) -> HttpResponse:
    """Take a job out of the queue."""
    require_operator(request.viewer)
    job = access_job(request.viewer, public_id, now=request.now)
    if jobs.cancel(actor=request.viewer, public_id=job.public_id, now=request.now):
        messages.success(request, _("The job is cancelled."))
    else:
        messages.info(request, _("The job was finished already."))
    return redirect("portal:operator_jobs")


def _map(programs: list[Any]) -> dict[str, Any] | None:
    """Where the enrolled sites are."""
    enrolled = {row.site_id for program in programs for row in demand_response.enrolments_of(program_id=program.id)}
    sites = accounts.site_views(sorted(enrolled)[:SITES_ON_MAP])
    drawn = site_map(list(sites.values()))
    if drawn is None:
        return None
    customers = accounts.customer_views({point.site.customer_id for point in drawn.points})
    points = [
        {"point": point, "customer": customers[point.site.customer_id], "is_home": not customers[point.site.customer_id].is_organisation}
        for point in drawn.points
    ]
    return {"drawn": drawn, "points": points}
