"""What a meter is expected to use by the days like it, for its dashboard: calls and public holidays are known here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from django.db.models import F

from commonwatt.accounts import queries as accounts
from commonwatt.baseline.arrays import BoolArray, FloatArray
from commonwatt.baseline.like_days import LOOK_BACK_DAYS, like_days
from commonwatt.demand_response.calendars import public_holidays
from commonwatt.demand_response.models import Participant
from commonwatt.kernel.time import Interval, local_date, local_day, local_days
from commonwatt.kernel.units import WH_PER_KWH
from commonwatt.metering.choices import Quantity
from commonwatt.metering.profiles import profiles
from commonwatt.metering.queries import DailyEnergy
from commonwatt.metering.values import MeterView

MayUse = Callable[[Interval], bool]
"""Whether a whole day's readings are the viewer's to see; days that are not are no example to them."""
_SATURDAY = 5
_local_day = lru_cache(maxsize=8192)(local_day)  # a year's page asks for hundreds of days, the next one for the same


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What one day, or one interval of it, is expected to come to: the mean of its like days, and the least and most among them. [Wh]"""

    mean_wh: int
    low_wh: int
    high_wh: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedDay:
    """A day by local label; `labels` is empty where too few like days are known. `days` are those compared with, newest first."""

    day: date
    interval_minutes: int
    labels: tuple[Expected, ...]
    days: tuple[date, ...]


def expected_day(*, meter: MeterView, day: date, interval_minutes: int, may_use: MayUse) -> ExpectedDay:
    """What a meter is expected to import on one civil day of its zone, by local label."""
    days = local_days(day - timedelta(days=LOOK_BACK_DAYS), day)
    read = profiles(
        meter_ids=[meter.id],
        days=days,
        quantity=Quantity.ENERGY_IMPORT,
        zone=ZoneInfo(meter.time_zone),
        interval_minutes=interval_minutes,
    )
    whole = read.valid[0].all(axis=1) & ~read.irregular_days
    found = like_days(
        energy=read.energy_kwh[0] * WH_PER_KWH,
        is_usable=_ordinary(meter, days, whole, may_use),
        is_rest_day=_rest_days(meter, days),
        asked_for=np.array([len(days) - 1]),
    )
    used = tuple(days[position] for position in found.used[0])
    labels = _expected(found.mean[0], found.low[0], found.high[0]) if used else ()
    return ExpectedDay(day=day, interval_minutes=interval_minutes, labels=tuple(one for one in labels if one), days=used)


def expected_days(
    *, meter: MeterView, days: Sequence[date], known: Mapping[date, DailyEnergy], may_use: MayUse
) -> dict[date, Expected | None]:
    """What a meter is expected to import on each of these consecutive civil days of its zone, from daily sums alone.

    Args:
        known: The meter's days that have readings, from LOOK_BACK_DAYS before the first on.
    """
    if not days:
        return {}
    every = local_days(days[0] - timedelta(days=LOOK_BACK_DAYS), days[-1])
    whole = np.array([day in known and known[day].is_whole for day in every], dtype=np.bool_)
    found = like_days(
        energy=np.array([[float(known[day].energy_wh) if day in known else 0.0] for day in every]),
        is_usable=_ordinary(meter, every, whole, may_use),
        is_rest_day=_rest_days(meter, every),
        asked_for=np.arange(len(every) - len(days), len(every)),
    )
    return dict(zip(days, _expected(found.mean[:, 0], found.low[:, 0], found.high[:, 0]), strict=True))


def _expected(mean: FloatArray, low: FloatArray, high: FloatArray) -> list[Expected | None]:
    return [
        None if np.isnan(middle) else Expected(mean_wh=round(middle), low_wh=round(least), high_wh=round(most))
        for middle, least, most in zip(mean.tolist(), low.tolist(), high.tolist(), strict=True)
    ]


def _ordinary(meter: MeterView, days: Sequence[date], whole: BoolArray, may_use: MayUse) -> BoolArray:
    """The whole days that may be used and on which no event called the meter's site."""
    zone = ZoneInfo(meter.time_zone)
    called = _called_days(meter, zone, days)
    return whole & np.array([day not in called and may_use(_local_day(day, zone)) for day in days], dtype=np.bool_)


def _called_days(meter: MeterView, zone: ZoneInfo, days: Sequence[date]) -> set[date]:
    if meter.holder is None:
        return set()
    since, until = local_day(days[0], zone).start, local_day(days[-1], zone).end
    calls = Participant.objects.filter(site_id=meter.holder.site_id, from_at__lt=until, until_at__gt=since).filter(
        until_at__gt=F("from_at")
    )
    spans: list[tuple[datetime, datetime]] = list(calls.values_list("from_at", "until_at"))
    return {day for start, end in spans for day in local_days(local_date(start, zone), local_date(end - timedelta.resolution, zone))}


def _rest_days(meter: MeterView, days: Sequence[date]) -> BoolArray:
    """Weekends, and the public holidays of the site's country."""
    site = accounts.site_views([meter.holder.site_id]).get(meter.holder.site_id) if meter.holder else None
    holidays = public_holidays(site.country, days) if site else frozenset()
    return np.array([day.weekday() >= _SATURDAY or day in holidays for day in days], dtype=np.bool_)
