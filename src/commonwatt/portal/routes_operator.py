"""The pages of the operator's desk."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from commonwatt.portal.views import operator_board as board
from commonwatt.portal.views import operator_events as events
from commonwatt.portal.views import operator_imports as imports
from commonwatt.portal.views import operator_meters as meters
from commonwatt.portal.views import operator_overview as overview
from commonwatt.portal.views import operator_programs as programs

routes: list[URLPattern | URLResolver] = [
    path("operator/", overview.operator, name="operator"),
    path("operator/jobs/", overview.operator_jobs, name="operator_jobs"),
    path("operator/jobs/<str:public_id>/cancel/", overview.operator_job_cancel, name="operator_job_cancel"),
    path("operator/meters/", meters.operator_meters, name="operator_meters"),
    path("operator/meters/new/", meters.operator_meter_new, name="operator_meter_new"),
    path("operator/meters/list/", meters.operator_meters_list, name="operator_meters_list"),
    path("operator/meters/<str:public_id>/", meters.operator_meter, name="operator_meter"),
    path("operator/meters/<str:public_id>/holder/", meters.operator_meter_assign, name="operator_meter_assign"),
    path("operator/meters/<str:public_id>/holder/end/", meters.operator_meter_end, name="operator_meter_end"),
    path("operator/meters/<str:public_id>/claim-code/", meters.operator_meter_claim_code, name="operator_meter_claim_code"),
    path("events/new/", events.event_new, name="event_new"),
    path("events/<str:public_id>/cancel/", events.event_cancel, name="event_cancel"),
    path("operator/imports/", imports.operator_imports, name="operator_imports"),
    path("operator/imports/upload/<str:token>/", imports.operator_import_preview, name="operator_import_preview"),
    path("operator/imports/jobs/<str:public_id>/", imports.operator_import_job, name="operator_import_job"),
    path("operator/imports/jobs/<str:public_id>/stop/", imports.operator_import_cancel, name="operator_import_cancel"),
    path("operator/imports/<int:sequence>/", imports.operator_import_report, name="operator_import_report"),
    path("operator/imports/<int:sequence>/refused.csv", imports.operator_import_refused, name="operator_import_refused"),
    path("operator/programs/", programs.operator_programs, name="operator_programs"),
    path("operator/programs/new/", programs.operator_program_new, name="operator_program_new"),
    path("operator/programs/<str:public_id>/", programs.operator_program, name="operator_program"),
    path("operator/programs/<str:public_id>/terms/", programs.operator_program_terms, name="operator_program_terms"),
    path("operator/groups/", programs.operator_groups, name="operator_groups"),
    path("operator/groups/<str:public_id>/sites/", programs.operator_group_sites, name="operator_group_sites"),
    path("operator/events/<str:public_id>/", board.operator_event, name="operator_event"),
    path("operator/events/<str:public_id>/live/", board.operator_event_live, name="operator_event_live"),
    path("operator/events/<str:public_id>/sites.csv", board.operator_event_csv, name="operator_event_csv"),
    path("operator/events/<str:public_id>/verify/", board.operator_event_verify, name="operator_event_verify"),
]
