"""Which meters speak for a site at a moment, at what interval, and whose readings stood in for them before an exchange."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from commonwatt.kernel.time import EPOCH
from commonwatt.metering import queries as metering
from commonwatt.metering.values import AssignmentView, ChannelView

ENERGY = ("energy_import", "energy_export")
# Finer readings are summed to quarter hours: no rulebook settles finer than its market, and the arrays stay small.
INTERVALS_S = tuple(minutes * 60 for minutes in (15, 30, 60, 120, 180, 240, 360, 480, 720, 1440))
FOREVER_S = 2**62


@dataclass(frozen=True, slots=True)
class Segment:
    """A meter's readings count from `from_s` until `until_s` (exclusive), seconds since 1970 UTC."""

    meter_id: int
    from_s: int
    until_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """A meter at a site, and what its history is made of: its own time there, and that of the meters it took over from."""

    meter_id: int
    site_id: int
    customer_id: int
    interval_s: int
    channels: tuple[ChannelView, ...]
    segments: tuple[Segment, ...]


def holdings(*, site_ids: Sequence[int], at: datetime, since: datetime) -> list[Holding]:
    """The meters that measure energy at these sites at that moment, ascending by id, with their history back to `since`.

    A meter speaks for a site only from the day it was put there: what it read before, elsewhere or for somebody else, is no
    part of the site's history. Where exactly one meter was taken away at the moment another was put in its place, by the same
    customer, the new one continues the old one's history; exchanges can follow one another.
    """
    # The end is exclusive: an assignment that starts at this very moment counts.
    assignments = metering.assignments_at_sites(site_ids=site_ids, start=since, end=at + timedelta.resolution)
    held = {assignment.meter_id: assignment for assignment in assignments if assignment.holds_at(at)}
    by_meter: defaultdict[int, list[ChannelView]] = defaultdict(list)
    for channel in metering.channels_of(meter_ids=sorted(held)):
        if channel.quantity in ENERGY:
            by_meter[channel.meter_id].append(channel)
    predecessors = _predecessors(assignments)
    return [
        Holding(
            meter_id=meter_id,
            site_id=held[meter_id].site_id,
            customer_id=held[meter_id].customer_id,
            interval_s=settlement_interval_s(channels),
            channels=tuple(sorted(channels, key=lambda channel: channel.id)),
            segments=_segments(held[meter_id], predecessors),
        )
        for meter_id, channels in sorted(by_meter.items())
    ]


def settlement_interval_s(channels: Iterable[ChannelView]) -> int:
    """The shortest interval, a quarter hour or more, that every channel's readings fill exactly; a day if none else does. [s]"""
    lengths = [channel.interval_s for channel in channels]
    return next((step for step in INTERVALS_S if all(step % length == 0 for length in lengths)), INTERVALS_S[-1])


def _predecessors(assignments: Iterable[AssignmentView]) -> Mapping[tuple[int, int, datetime], AssignmentView]:
    """Who left each (site, customer) at which moment, where that was one meter alone."""
    left: defaultdict[tuple[int, int, datetime], list[AssignmentView]] = defaultdict(list)
    came: defaultdict[tuple[int, int, datetime], int] = defaultdict(int)
    for assignment in assignments:
        came[assignment.site_id, assignment.customer_id, assignment.from_at] += 1
        if assignment.until_at is not None:
            left[assignment.site_id, assignment.customer_id, assignment.until_at].append(assignment)
    return {place: gone[0] for place, gone in left.items() if len(gone) == 1 and came[place] == 1}


def _segments(held: AssignmentView, predecessors: Mapping[tuple[int, int, datetime], AssignmentView]) -> tuple[Segment, ...]:
    segments = [Segment(held.meter_id, _next_second(held.from_at), FOREVER_S)]
    came_at = held.from_at
    while before := predecessors.get((held.site_id, held.customer_id, came_at)):
        segments.append(Segment(before.meter_id, _next_second(before.from_at), segments[-1].from_s))
        came_at = before.from_at
    return tuple(segments)


def _next_second(instant: datetime) -> int:
    """The first whole second at or after the instant, since 1970 UTC: readings start on whole seconds, assignments at any moment."""
    return -((EPOCH - instant) // timedelta(seconds=1))
