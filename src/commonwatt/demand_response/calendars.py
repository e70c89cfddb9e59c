"""Public holidays of a site's country or region."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import lru_cache

import holidays


class CountryUnknown(LookupError):
    """A country code whose public holidays nobody here knows; a baseline must not guess which days were ordinary."""

    def __init__(self, country: str) -> None:
        super().__init__(f"the public holidays of {country!r} are not known; correct the site's country, such as GB, BE or US-CA")


def public_holidays(country: str, days: Iterable[date]) -> frozenset[date]:
    """The public holidays of a country ("BE") or one of its regions ("GB-ENG") in the years of these days.

    Raises:
        CountryUnknown: For a code that is neither.
    """
    return frozenset().union(*(_of_year(country, year) for year in {day.year for day in days}))


@lru_cache(maxsize=512)
def _of_year(country: str, year: int) -> frozenset[date]:
    code, _, region = country.partition("-")
    try:
        return frozenset(holidays.country_holidays(code, subdiv=region or None, years=year))
    except NotImplementedError as error:
        raise CountryUnknown(country) from error
