"""The pages on which customers see their use, their events and their credits."""

from __future__ import annotations

from django.urls import URLPattern, URLResolver, path

from commonwatt.portal.views import dashboard, events, messages, places, programs, statements

routes: list[URLPattern | URLResolver] = [
    path("dashboard/", dashboard.dashboard, name="dashboard"),
    path("dashboard/<str:public_id>/", dashboard.meter_dashboard, name="meter_dashboard"),
    path("dashboard/<str:public_id>/figures.csv", dashboard.meter_csv, name="meter_csv"),
    path("dashboard/<str:public_id>/live/", dashboard.meter_live, name="meter_live"),
    path("meters/", places.meters, name="meters"),
    path("meters/of/<str:public_id>/", places.meters_of, name="meters_of"),
    path("meters/<str:public_id>/name/", places.meter_rename, name="meter_rename"),
    path("programs/", programs.programs, name="programs"),
    path("programs/<str:public_id>/", programs.program, name="program"),
    path("programs/<str:public_id>/sites/<str:site_id>/", programs.program_enrol, name="program_enrol"),
    path("enrolments/<str:public_id>/leave/", programs.program_leave, name="program_leave"),
    path("events/", events.events, name="events"),
    path("events/<str:public_id>/", events.event, name="event"),
    path("events/<str:public_id>/live/", events.event_live, name="event_live"),
    path("events/<str:public_id>/sites/<str:site_id>/", events.event_answer, name="event_answer"),
    path("statements/", statements.statements, name="statements"),
    path("statements/of/<str:public_id>/", statements.statements_of, name="statements_of"),
    path("statements/<str:public_id>/", statements.statement, name="statement"),
    path("statements/<str:public_id>/lines.csv", statements.statement_csv, name="statement_csv"),
    path("messages/", messages.messages, name="messages"),
    path("messages/read/", messages.messages_read, name="messages_read"),
    path("messages/<str:public_id>/", messages.message_open, name="message_open"),
]
