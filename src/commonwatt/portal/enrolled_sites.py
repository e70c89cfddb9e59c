"""The sites that take part in any program, for the operator to choose from."""

from __future__ import annotations

from commonwatt.accounts import queries as accounts
from commonwatt.demand_response import queries


def site_choices() -> list[tuple[str, str]]:
    """Every enrolled site, under the name of the customer it belongs to."""
    enrolled = {row.site_id for program in queries.programs() for row in queries.enrolments_of(program_id=program.id)}
    sites = accounts.site_views(enrolled)
    customers = accounts.customer_views({site.customer_id for site in sites.values()})
    named = [(str(site.id), f"{customers[site.customer_id].name} · {site.name}") for site in sites.values()]
    return sorted(named, key=lambda choice: choice[1].casefold())
