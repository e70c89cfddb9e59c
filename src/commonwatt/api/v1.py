"""Version 1 of the JSON API: the same actions, queries and access functions as the pages."""

from __future__ import annotations

from ninja import NinjaAPI

from commonwatt.api import accounts, enrolments, errors, events, meters, programs, settlements
from commonwatt.api.session import Session

api = NinjaAPI(
    title="Commonwatt",
    version="1",
    description=(
        "Times are ISO 8601 in UTC and name the start of an interval. Energies are whole watt-hours, prices millionths of the "
        "currency unit per kWh, amounts billionths of it. Ids are text. Errors have one shape."
    ),
    urls_namespace="api",
    auth=Session(),
    docs_url=None,  # its page loads scripts from another host
)
errors.install(api)
for part in (accounts, meters, programs, enrolments, events, settlements):
    api.add_router("", part.router)
