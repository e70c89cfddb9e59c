"""Bringing readings in from a file: upload it, see what is understood, run it, read the report."""

from __future__ import annotations

from typing import Any

import msgspec
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import FileResponse, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from commonwatt.accounts import queries as accounts
from commonwatt.accounts.access import NotFound, require_operator
from commonwatt.jobs import actions as jobs
from commonwatt.jobs.access import access_job
from commonwatt.jobs.queries import JobView, job_page
from commonwatt.metering import queries
from commonwatt.metering.import_report import ImportReport, imported_file
from commonwatt.portal import uploads
from commonwatt.portal.import_forms import OptionsForm, UploadForm
from commonwatt.portal.import_preview import understand
from commonwatt.portal.requests import PortalRequest, page_number

JOB_KIND = "import-readings"


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def operator_imports(request: PortalRequest) -> HttpResponse:
    """Upload a file; below, the imports that run and those that were."""
    require_operator(request.viewer)
    form = UploadForm(request.POST or None, request.FILES or None)
    if request.method == "POST" and form.is_valid():
        file = form.cleaned_data["file"]
        token = uploads.keep(file.chunks())
        request.session[_key(token)] = file.name[:120]
        return redirect("portal:operator_import_preview", token)
    page = queries.batch_page(page=page_number(request))
    people = accounts.people({batch.actor_id for batch in page.items if batch.actor_id})
    context = {
        "form": form,
        "page": page,
        "rows": [{"batch": batch, "by": people.get(batch.actor_id or 0)} for batch in page.items],
        "running": [job for job in job_page(kinds=[JOB_KIND]).items if not job.is_finished or job.error],
    }
    return render(request, "portal/operator_imports.html", context)


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def operator_import_preview(request: PortalRequest, token: str) -> HttpResponse:
    """See what is understood of the upload, change how it is read, and run it."""
    require_operator(request.viewer)
    path = uploads.path_of(token)
    name = request.session.get(_key(token), _("upload"))
    form = OptionsForm(request.POST or None)
    is_usable = request.method != "POST" or form.is_valid()
    if request.method == "POST" and is_usable and "run" in request.POST:
        job = jobs.enqueue(
            kind=JOB_KIND,
            arguments={
                "path": str(path),
                "options": msgspec.to_builtins(form.options),
                "reference": name,
                "create_meters": form.cleaned_data["create_meters"],
            },
            run_at=request.now,
            now=request.now,
            key=f"{JOB_KIND}:{token}",
            requested_by=request.viewer.user_id,
        )
        return redirect("portal:operator_import_job", job)
    context = {
        "form": form,
        "name": name,
        "size": path.stat().st_size,
        "seen": understand(path, form.options) if is_usable else None,
        "crumbs": _crumbs(name),
    }
    return render(request, "portal/operator_import_preview.html", context)


@login_required
@never_cache
@require_safe
def operator_import_job(request: PortalRequest, public_id: str) -> HttpResponse:
    """How far an import is; when it is done, on to its report."""
    job = _import_job(request, public_id)
    if job.state == "done":
        address = reverse("portal:operator_import_report", args=[job.outcome["sequence"]])
        if request.htmx:
            return HttpResponse(headers={"HX-Redirect": address})
        return redirect(address)
    template = "portal/_operator_import_job.html" if request.htmx else "portal/operator_import_job.html"
    name = str(job.arguments.get("reference") or "")
    return render(request, template, {"job": job, "name": name, "crumbs": _crumbs(name)})


@login_required
@require_POST
def operator_import_cancel(request: PortalRequest, public_id: str) -> HttpResponse:
    """Stop an import; nothing of it is stored."""
    job = _import_job(request, public_id)
    if jobs.cancel(actor=request.viewer, public_id=job.public_id, now=request.now):
        messages.success(request, _("The import is stopped. Nothing of it is stored."))
    else:
        messages.info(request, _("The import was finished already."))
    return redirect("portal:operator_import_job", public_id)


@login_required
@never_cache
@require_safe
def operator_import_report(request: PortalRequest, sequence: int) -> HttpResponse:
    """What became of a delivery of readings: every line counted once, refusals with line and reason, totals to compare."""
    require_operator(request.viewer)
    batch = _batch(sequence)
    report = queries.file_report(sequence) or batch.report
    actor = accounts.people([batch.actor_id]).get(batch.actor_id) if batch.actor_id else None
    context = {
        "batch": batch,
        "report": report,
        "by": actor,
        "file_report": report if isinstance(report, ImportReport) else None,
        "meters_more": report.meters_count - len(report.meters) if isinstance(report, ImportReport) else 0,
        "refused_more": report.refused_count - len(report.refused),
        "reasons": sorted(report.refused_by_reason.items(), key=lambda item: -item[1]),
        "crumbs": _crumbs(batch.reference or f"#{batch.sequence}"),
    }
    return render(request, "portal/operator_import_report.html", context)


@login_required
@never_cache
@require_safe
def operator_import_refused(request: PortalRequest, sequence: int) -> HttpResponseBase:
    """Every refused line as CSV."""
    require_operator(request.viewer)
    report = queries.file_report(sequence)
    name = report.refused_file if report else None
    if name is None or not imported_file(name).is_file():
        raise NotFound("refused lines", str(sequence))
    return FileResponse(imported_file(name).open("rb"), as_attachment=True, filename=f"refused-{sequence}.csv", content_type="text/csv")


def _batch(sequence: int) -> queries.BatchView:
    batch = queries.batch(sequence)
    if batch is None:
        raise NotFound("import", str(sequence))
    return batch


def _import_job(request: PortalRequest, public_id: str) -> JobView:
    job = access_job(request.viewer, public_id, now=request.now)
    if job.kind != JOB_KIND:
        raise NotFound("job", public_id)
    return job


def _key(token: str) -> str:
    return f"upload:{token}"


def _crumbs(here: Any) -> list[dict[str, str]]:
    return [{"label": _("Imports"), "url": reverse("portal:operator_imports")}, {"label": str(here), "url": ""}]
