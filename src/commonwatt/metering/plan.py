"""The decisions behind taking readings in: which can be taken, which are repeats, which contradict one another. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, unique

import numpy as np

from commonwatt.metering.columns import Flags, Ints, ReadingColumns

MAX_AMOUNT = 1_000_000_000_000
"""A terawatt-hour in one interval: more is a broken register, and sums of less fit every integer and float used here."""
EARLIEST_S = 631_152_000
"""1990-01-01T00:00Z: before that, no interval meter; a clock that was never set says 1970."""
CLOCK_TOLERANCE_S = 300
"""How far a meter's clock may be ahead of ours."""
WORST_QUALITY = 3

GRID_S = 900
"""Civil zones lie whole quarter hours from UTC: hourly readings of India begin at half past, daily ones at midnight there."""
DAY_S = 86_400
_CLOCK_CHANGE_S = 3600


@unique
class Reason(IntEnum):
    """Why a reading is refused; the names, in lower case, are the codes of reports and never change meaning."""

    TAKEN = 0
    UNKNOWN_CHANNEL = 1
    UNKNOWN_QUALITY = 2
    NEGATIVE = 3
    TOO_LARGE = 4
    IMPLAUSIBLE_TIME = 5
    OFF_GRID = 6
    WRONG_LENGTH = 7
    BEFORE_INSTALLATION = 8
    AFTER_REMOVAL = 9
    IN_FUTURE = 10
    CONTRADICTORY = 11
    OVERLAPPING = 12

    @property
    def code(self) -> str:
        """The reason as reports name it."""
        return self.name.lower()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ChannelFacts:
    """What must be known of channels to take readings in; arrays of equal length, ascending by channel.

    Attributes:
        channel_id: The channels.
        meter_id: Their meters.
        interval_s: How long each one's readings last. [s]
        life_start_s, life_end_s: The meter's life, [start, end), in seconds since 1970; far away where unknown.
        zones: The name of the civil zone whose days the rollups follow.
    """

    channel_id: Ints
    meter_id: Ints
    interval_s: Ints
    life_start_s: Ints
    life_end_s: Ints
    zones: tuple[str, ...]

    def places(self, channel_id: Ints) -> Ints:
        """The position of each channel in these arrays, -1 where it is not there."""
        if not len(self.channel_id):
            return np.full(len(channel_id), -1, dtype=np.int64)
        found = np.searchsorted(self.channel_id, channel_id)
        found[found == len(self.channel_id)] = 0
        return np.where(self.channel_id[found] == channel_id, found, -1)


def judge(*, readings: ReadingColumns, facts: ChannelFacts, now_s: int) -> Ints:
    """The `Reason` of each reading, looked at one by one: TAKEN, or the first thing wrong with it. Shape (readings,)."""
    place = facts.places(readings.channel_id)
    if not len(facts.channel_id):
        return np.full(len(readings), Reason.UNKNOWN_CHANNEL, dtype=np.int64)
    interval_s = facts.interval_s[place]
    start_s = readings.start_s
    wrong = {
        Reason.UNKNOWN_CHANNEL: place < 0,
        Reason.UNKNOWN_QUALITY: (readings.quality < 0) | (readings.quality > WORST_QUALITY),
        Reason.NEGATIVE: readings.amount < 0,
        Reason.TOO_LARGE: readings.amount > MAX_AMOUNT,
        Reason.IMPLAUSIBLE_TIME: start_s < EARLIEST_S,
        Reason.IN_FUTURE: start_s > now_s + CLOCK_TOLERANCE_S,
        Reason.OFF_GRID: start_s % grid_s(interval_s) != 0,
        Reason.WRONG_LENGTH: ~_fits(readings.length_s, interval_s),
        Reason.BEFORE_INSTALLATION: start_s < facts.life_start_s[place],
        # Not start + length: both columns come from outside, and their sum may not fit.
        Reason.AFTER_REMOVAL: start_s > facts.life_end_s[place] - interval_s,
    }
    return np.select(list(wrong.values()), [np.int64(reason) for reason in wrong], default=np.int64(Reason.TAKEN))


def grid_s(interval_s: Ints) -> Ints:
    """The grid on which readings of such a length may start. Where it is finer than the length, readings could overlap. [s]"""
    return np.gcd(interval_s, GRID_S)


def overlapping(*, given: ReadingColumns, held: ReadingColumns) -> Flags:
    """Whether each given reading overlaps a stored one or another given one, other than by starting where it starts.

    Args:
        given: At most one of each channel and start.
        held: The newest stored readings around them, at most one of each channel and start.
    Returns:
        Flags of shape (given,). Where two given readings overlap each other, both are flagged: nobody can say which is right.
    """
    channel = np.concatenate([given.channel_id, held.channel_id])
    start = np.concatenate([given.start_s, held.start_s])
    end = start + np.concatenate([given.length_s, held.length_s])
    is_held = np.arange(len(channel)) >= len(given)
    order = np.lexsort((is_held, start, channel))
    # A stored reading that starts where a given one starts is what that one repeats or revises; it no longer counts.
    is_replaced = np.zeros(len(order), dtype=np.bool_)
    is_replaced[1:] = (channel[order][1:] == channel[order][:-1]) & (start[order][1:] == start[order][:-1])
    order = order[~is_replaced]
    channel, start, end = channel[order], start[order], end[order]
    is_first = np.append(True, channel[1:] != channel[:-1])[: len(order)]
    # The latest end so far within each channel: lifted by channel, so that one running maximum serves them all.
    lift = (np.cumsum(is_first) - 1) * (int(end.max(initial=0)) + 1)
    latest_end = np.maximum.accumulate(end + lift) - lift
    clash = np.zeros(len(order), dtype=np.bool_)
    clash[1:] = ~is_first[1:] & (latest_end[:-1] > start[1:])
    clash[:-1] |= ~is_first[1:] & (end[:-1] > start[1:])
    flags = np.zeros(len(is_held), dtype=np.bool_)
    flags[order] = clash
    return flags[: len(given)]


def _fits(length_s: Ints, interval_s: Ints) -> Flags:
    """Whether a reading lasts as long as its channel's do; a civil day may be an hour shorter or longer."""
    off = np.abs(length_s - interval_s)
    fits: Flags = (off == 0) | ((interval_s == DAY_S) & (off == _CLOCK_CHANGE_S))
    return fits


def settle_duplicates(readings: ReadingColumns) -> tuple[Flags, Flags]:
    """Readings of one delivery that tell of the same interval: flags of the repeats, and of those that contradict one another.

    Of equal ones the first is kept and the others are repeats. Where they differ nobody can say which is right, so none is taken.
    """
    count = len(readings)
    order = np.lexsort((np.arange(count), readings.start_s, readings.channel_id))
    channel, start = readings.channel_id[order], readings.start_s[order]
    same_place = np.zeros(count, dtype=np.bool_)
    same_place[1:] = (channel[1:] == channel[:-1]) & (start[1:] == start[:-1])
    repeats, contradictory = np.zeros(count, dtype=np.bool_), np.zeros(count, dtype=np.bool_)
    if not same_place.any():
        return repeats, contradictory
    group = np.cumsum(~same_place) - 1
    first = np.flatnonzero(~same_place)[group]
    amount, quality, length = readings.amount[order], readings.quality[order], readings.length_s[order]
    differs = (amount != amount[first]) | (quality != quality[first]) | (length != length[first])
    torn = np.bincount(group, weights=differs) > 0
    contradictory[order] = torn[group]
    repeats[order] = same_place & ~torn[group]
    return repeats, contradictory
