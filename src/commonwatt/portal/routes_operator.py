"""The pages of the operator's desk."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from commonwatt.portal.views import operator_events as events
from commonwatt.portal.views import operator_meters as meters

routes: list[URLPattern | URLResolver] = [
    path("operator/meters/", meters.operator_meters, name="operator_meters"),
    path("operator/meters/new/", meters.operator_meter_new, name="operator_meter_new"),
    path("operator/meters/<str:public_id>/", meters.operator_meter, name="operator_meter"),
    path("operator/meters/<str:public_id>/holder/", meters.operator_meter_assign, name="operator_meter_assign"),
    path("operator/meters/<str:public_id>/holder/end/", meters.operator_meter_end, name="operator_meter_end"),
    path("operator/meters/<str:public_id>/claim-code/", meters.operator_meter_claim_code, name="operator_meter_claim_code"),
    path("events/new/", events.event_new, name="event_new"),
    path("events/<str:public_id>/cancel/", events.event_cancel, name="event_cancel"),
]
