"""A meter's energy over a period, by interval, day or month, beside what the days like them say: only what the viewer may see."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from commonwatt.baseline.like_days import LOOK_BACK_DAYS
from commonwatt.demand_response.expected import Expected, ExpectedDay, expected_day, expected_days
from commonwatt.kernel.time import Interval, from_epoch, local_date, local_days
from commonwatt.kernel.time import local_day as uncached_local_day
from commonwatt.metering import queries as metering
from commonwatt.metering.choices import Quality, Quantity
from commonwatt.metering.profiles import label_index
from commonwatt.metering.queries import DailyEnergy
from commonwatt.metering.values import MeterAccess, MeterView
from commonwatt.portal.periods import Period, Span, Step, period

# A page of a year asks for two years of days, and for the same ones as the page before.
local_day = lru_cache(maxsize=8192)(uncached_local_day)

LEAST_STEP_S = 900
_DAY_MINUTES = 1440


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One interval, day or month of the meter.

    Attributes:
        energy_wh: What the readings add up to; None where none is there or (of an interval) it is not whole. [Wh]
        is_whole: Whether readings cover it.
        is_estimated: Whether part of it was estimated.
        expected: What the like days say, None where they are too few.
    """

    start: datetime
    end: datetime
    day: date
    energy_wh: int | None
    is_whole: bool
    is_estimated: bool
    expected: Expected | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two sums over the same stretch of two periods, whole in both. [Wh] `days` is how many days; 0 within one day."""

    energy_wh: int
    before_wh: int
    days: int

    @property
    def change(self) -> float | None:
        """By what ratio it is more (or, negative, less); None where there is nothing to compare with."""
        return (self.energy_wh - self.before_wh) / self.before_wh if self.before_wh else None


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterPeriod:
    """The whole view.

    Attributes:
        bars: In order; those that lie ahead too.
        energy_wh: The sum of the bars.
        expected_day: The prediction of a single day, with the days behind it; None for longer periods.
        against_expected: The sum over the bars that are whole and have a prediction, against that prediction.
        against_previous: Against the period before; None where no stretch is whole in both.
    """

    period: Period
    bars: tuple[Bar, ...]
    energy_wh: int
    expected_day: ExpectedDay | None
    against_expected: Comparison | None
    against_previous: Comparison | None

    @property
    def has_readings(self) -> bool:
        """Whether there is anything to draw."""
        return any(bar.energy_wh is not None for bar in self.bars)


def meter_period(access: MeterAccess, shown: Period, *, now: datetime) -> MeterPeriod:
    """Everything a dashboard shows of one meter and one period."""
    if shown.step is Step.INTERVAL and interval_minutes(access.meter) < _DAY_MINUTES:
        return _one_day(access, shown)
    earlier = shown.moved(-1)
    first = min(earlier.first, shown.first - timedelta(days=LOOK_BACK_DAYS))
    channel = access.meter.channel(Quantity.ENERGY_IMPORT)
    known = {each.day: each for each in metering.daily(channel.id, first, shown.last)} if channel else {}
    days = _days(access, shown, known, now=now)
    before = _days(access, earlier, known, now=now, with_expected=False)
    return MeterPeriod(
        period=shown,
        bars=_months(days, access.meter) if shown.step is Step.MONTH else days,
        energy_wh=sum(bar.energy_wh or 0 for bar in days),
        expected_day=None,
        against_expected=_against_expected(days),
        against_previous=_pairs(days, before, shown),
    )


def interval_minutes(meter: MeterView) -> int:
    """The length of the bars of a day: a quarter hour, or the meter's own interval where that is longer."""
    return max(meter.interval_s, LEAST_STEP_S) // 60


def may_use(access: MeterAccess, whole: Interval) -> bool:
    """Whether all of a stretch of time is the viewer's to see."""
    return any(
        (span.from_at is None or span.from_at <= whole.start) and (span.until_at is None or whole.end <= span.until_at)
        for span in access.spans
    )


def expected_of_day(access: MeterAccess, day: date) -> ExpectedDay:
    """What the like days say of one day, by interval."""
    return expected_day(
        meter=access.meter, day=day, interval_minutes=interval_minutes(access.meter), may_use=lambda whole: may_use(access, whole)
    )


def expected_at(expected: ExpectedDay, start: datetime, zone: ZoneInfo) -> Expected | None:
    """What is expected of the interval that starts then, if it is one of that day."""
    day, label = label_index(start, zone, expected.interval_minutes)
    return expected.labels[label] if day == expected.day and expected.labels else None


def _one_day(access: MeterAccess, shown: Period) -> MeterPeriod:
    expected = expected_of_day(access, shown.first)
    bars = _intervals(access, shown.first, expected)
    before = _intervals(access, shown.first - timedelta(days=1), None)
    read = sum(bar.is_whole for bar in bars)
    same_stretch = bars[:read], before[:read]
    # A day with gaps, or of another length, is compared with nothing: the sums would not mean the same.
    is_fair = read > 0 and all(bar.is_whole for part in same_stretch for bar in part) and len(same_stretch[1]) == read
    is_fair = is_fair and (len(bars) == len(before) or read < len(bars))
    return MeterPeriod(
        period=shown,
        bars=bars,
        energy_wh=sum(bar.energy_wh or 0 for bar in bars),
        expected_day=expected,
        against_expected=_against_expected(bars),
        against_previous=Comparison(energy_wh=_sum(same_stretch[0]), before_wh=_sum(same_stretch[1]), days=0) if is_fair else None,
    )


def _intervals(access: MeterAccess, day: date, expected: ExpectedDay | None) -> tuple[Bar, ...]:
    zone = ZoneInfo(access.meter.time_zone)
    whole = local_day(day, zone)
    step_s = interval_minutes(access.meter) * 60
    series = metering.energy_series(meter_ids=[access.id], start=whole.start, end=whole.end, step_s=step_s)
    bars = []
    for start_s, energy, covered, worst in zip(
        series.start_s.tolist(), series.energy_wh.tolist(), series.is_whole.tolist(), series.worst_quality.tolist(), strict=True
    ):
        start = from_epoch(start_s)
        is_whole = covered and access.may_see(start)
        bars.append(
            Bar(
                start=start,
                end=start + timedelta(seconds=step_s),
                day=day,
                energy_wh=energy if is_whole else None,
                is_whole=is_whole,
                is_estimated=worst == Quality.ESTIMATED,
                expected=expected_at(expected, start, zone) if expected else None,
            )
        )
    return tuple(bars)


def _days(
    access: MeterAccess, shown: Period, known: Mapping[date, DailyEnergy], *, now: datetime, with_expected: bool = True
) -> tuple[Bar, ...]:
    meter, zone = access.meter, ZoneInfo(access.meter.time_zone)
    days = local_days(shown.first, shown.last)
    until_today = [day for day in days if day <= local_date(now, zone)]
    asked = until_today if with_expected else []
    expected = expected_days(meter=meter, days=asked, known=known, may_use=lambda whole: may_use(access, whole))
    bars = []
    for day in days:
        whole = local_day(day, zone)
        is_all_theirs = may_use(access, whole)
        found = known.get(day) if is_all_theirs else None
        energy_wh = found.energy_wh if found else None
        if not is_all_theirs and day in known:
            energy_wh = _part_of_day(access, whole)
        bars.append(
            Bar(
                start=whole.start,
                end=whole.end,
                day=day,
                energy_wh=energy_wh,
                is_whole=found is not None and found.is_whole,
                is_estimated=found is not None and found.worst_quality == Quality.ESTIMATED,
                expected=expected.get(day),
            )
        )
    return tuple(bars)


def _part_of_day(access: MeterAccess, whole: Interval) -> int | None:
    """The energy of a day on which the meter changed hands: the viewer's part alone; rollups know only whole days."""
    if not any(
        (span.from_at is None or span.from_at < whole.end) and (span.until_at is None or span.until_at > whole.start)
        for span in access.spans
    ):
        return None
    seen = [bar.energy_wh for bar in _intervals(access, local_date(whole.start, ZoneInfo(access.meter.time_zone)), None)]
    theirs = [energy for energy in seen if energy is not None]
    return sum(theirs) if theirs else None


def _months(days: Sequence[Bar], meter: MeterView) -> tuple[Bar, ...]:
    zone = ZoneInfo(meter.time_zone)
    by_month: dict[date, list[Bar]] = {}
    for bar in days:
        by_month.setdefault(bar.day.replace(day=1), []).append(bar)
    return tuple(_month(first, part, zone) for first, part in by_month.items())


def _month(first: date, days: Sequence[Bar], zone: ZoneInfo) -> Bar:
    read = [bar for bar in days if bar.energy_wh is not None]
    expected = [bar.expected for bar in read if bar.expected is not None]
    # A sum of predictions for some of the days would stand beside the readings of all: none is shown then.
    is_fair = bool(read) and len(expected) == len(read) and all(bar.is_whole for bar in read)
    return Bar(
        start=local_day(days[0].day, zone).start,
        end=days[-1].end,
        day=first,
        energy_wh=sum(bar.energy_wh or 0 for bar in read) if read else None,
        is_whole=all(bar.is_whole for bar in days),
        is_estimated=any(bar.is_estimated for bar in days),
        expected=Expected(
            mean_wh=sum(one.mean_wh for one in expected),
            low_wh=sum(one.low_wh for one in expected),
            high_wh=sum(one.high_wh for one in expected),
        )
        if is_fair
        else None,
    )


def _against_expected(bars: Sequence[Bar]) -> Comparison | None:
    both = [
        (bar.energy_wh, bar.expected.mean_wh) for bar in bars if bar.is_whole and bar.energy_wh is not None and bar.expected is not None
    ]
    if not both:
        return None
    is_days = bars[0].end - bars[0].start > timedelta(hours=20)
    return Comparison(energy_wh=sum(used for used, _ in both), before_wh=sum(said for _, said in both), days=len(both) if is_days else 0)


def _pairs(days: Sequence[Bar], before: Sequence[Bar], shown: Period) -> Comparison | None:
    """Days held against the same days of the period before: of months and years by date, else in order."""
    earlier = {bar.day: bar for bar in before}
    pairs = [(bar, earlier.get(_counterpart(bar.day, shown))) for bar in days]
    both = [(bar, old) for bar, old in pairs if old is not None and bar.is_whole and old.is_whole]
    if not both:
        return None
    return Comparison(energy_wh=_sum([bar for bar, _ in both]), before_wh=_sum([old for _, old in both]), days=len(both))


def _counterpart(day: date, shown: Period) -> date:
    match shown.span:
        case Span.MONTH:
            last = period(Span.MONTH, day.replace(day=1) - timedelta(days=1)).last
            return last.replace(day=day.day) if day.day <= last.day else date.min
        case Span.YEAR:
            is_leap_day = (day.month, day.day) == (2, 29)
            return date.min if is_leap_day else day.replace(year=day.year - 1)
        case _:
            return day - timedelta(days=shown.days)


def _sum(bars: Sequence[Bar]) -> int:
    return sum(bar.energy_wh or 0 for bar in bars)
