"""What is shown of an event while it runs: values only. Energies are sums over intervals that have ended. [Wh]"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from commonwatt.demand_response.views import EventView


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteBoard:
    """One site so far. Energies are sums over the intervals that have ended and have both reading and baseline. [Wh]

    Attributes:
        expected_wh: The baseline of the whole event.
        delivered_w: Mean power delivered in the newest such interval; None before the first, and once it is out of date. [W]
        newest_at: Until when there are readings, context hours included; None without any.
        has_baseline: Whether at least one meter has one.
    """

    site_id: int
    customer_id: int
    choice: str
    has_baseline: bool
    expected_wh: int
    baseline_wh: int
    metered_wh: int
    delivered_w: float | None
    newest_at: datetime | None

    @property
    def delivered_wh(self) -> int:
        """Baseline minus reading; positive where less was used. [Wh]"""
        return self.baseline_wh - self.metered_wh


@dataclass(frozen=True, slots=True, kw_only=True)
class BoardInterval:
    """One interval of the chart: sums over the sites that take part.

    Attributes:
        baseline_wh: Of the meters that have reported, or of all where none has yet; None where no day can say. [Wh]
        metered_wh: Of the meters that have reported; None where none has. [Wh]
        reporting, meters: How many meters have reported, of how many that have a baseline.
    """

    start: datetime
    length_s: int
    in_event: bool
    baseline_wh: int | None
    metered_wh: int | None
    reporting: int
    meters: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """An event so far: `sites` are all that were asked for; sums leave out those that opted out."""

    event: EventView
    now: datetime
    expected_wh: int
    baseline_wh: int
    metered_wh: int
    delivered_w: float | None
    newest_at: datetime | None
    sites: tuple[SiteBoard, ...]
    series: tuple[BoardInterval, ...]
    ingest_sequence: int

    @property
    def delivered_wh(self) -> int:
        """Baseline minus reading so far; positive where less was used. [Wh]"""
        return self.baseline_wh - self.metered_wh

    @property
    def projected_wh(self) -> int | None:
        """What will have been delivered at the end if it goes on at the same rate; None before the first interval. [Wh]"""
        if self.baseline_wh <= 0:
            return None
        return round(self.delivered_wh * self.expected_wh / self.baseline_wh)
