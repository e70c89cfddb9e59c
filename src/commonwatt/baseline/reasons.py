"""Named reasons: why a day was used or not, what became of the adjustment, whether there is a baseline at all.

The numbers are stored with settlements and never change meaning. The English text is for the caller to translate and show.
"""

from __future__ import annotations

from enum import IntEnum, IntFlag, unique


@unique
class DayStatus(IntEnum):
    """What the rule made of one past day, for one meter."""

    NOT_LOOKED_AT = 0
    SELECTED = 1
    SELECTED_EVENT_DAY = 2
    NOT_SELECTED = 3
    NOT_NEEDED = 4
    POOL_TOO_SMALL = 5
    AFTER_EVENT = 6
    TOO_RECENT = 7
    TOO_OLD = 8
    OTHER_DAY_KIND = 9
    HOLIDAY = 10
    EVENT_DAY = 11
    CLOCK_CHANGE = 12
    INCOMPLETE = 13
    LOW_USAGE = 14

    @property
    def text(self) -> str:
        """The reason in plain words."""
        return _DAY_TEXTS[self]


@unique
class AdjustmentStatus(IntEnum):
    """What became of the same-day adjustment, for one meter."""

    NONE = 0
    APPLIED = 1
    CAPPED_HIGH = 2
    CAPPED_LOW = 3
    NO_DAYS = 4
    MISSING_READINGS = 5
    OUTSIDE_DAY = 6
    NOT_WHOLE_INTERVALS = 7
    ZERO_BASELINE = 8
    NEGATIVE_LOAD = 9

    @property
    def text(self) -> str:
        """The reason in plain words."""
        return _ADJUSTMENT_TEXTS[self]


@unique
class Verdict(IntEnum):
    """Whether there is a baseline, for one meter; if not, why not."""

    OK = 0
    TOO_FEW_DAYS = 1
    NO_RULE_FOR_DAY = 2
    NO_ADJUSTMENT = 3

    @property
    def text(self) -> str:
        """The reason in plain words."""
        return _VERDICT_TEXTS[self]


@unique
class Note(IntFlag):
    """Things to know about a baseline that stands: shown beside it, never hidden, never a refusal."""

    FEWER_DAYS = 1
    EVENT_DAYS_READMITTED = 2
    LOOK_BACK_EXTENDED = 4
    ALL_ZERO = 8
    CONSTANT = 16
    NEGATIVE = 32
    FLOORED = 64
    CLOCK_CHANGE_EVENT = 128

    @property
    def text(self) -> str:
        """The note in plain words; call it on a single note."""
        return _NOTE_TEXTS[self]


def notes_in(bits: int) -> tuple[Note, ...]:
    """The single notes in one meter's bits, in their fixed order."""
    return tuple(note for note in Note if note & bits)


_DAY_TEXTS = {
    DayStatus.NOT_LOOKED_AT: "Not looked at: the rule has no baseline for this kind of event day.",
    DayStatus.SELECTED: "Used for the baseline.",
    DayStatus.SELECTED_EVENT_DAY: "An event took place on this day; it is used because too few other days were found.",
    DayStatus.NOT_SELECTED: "Compared, but not among the days that the rule picks.",
    DayStatus.NOT_NEEDED: "Enough newer days were found.",
    DayStatus.POOL_TOO_SMALL: "Suitable, but the rule needs more such days than were found.",
    DayStatus.AFTER_EVENT: "The event day itself, or a later day.",
    DayStatus.TOO_RECENT: "Too close to the event; the rule starts further back.",
    DayStatus.TOO_OLD: "Longer ago than the rule looks back.",
    DayStatus.OTHER_DAY_KIND: "Another kind of day than the event day.",
    DayStatus.HOLIDAY: "A public holiday.",
    DayStatus.EVENT_DAY: "An event or an outage took place on this day.",
    DayStatus.CLOCK_CHANGE: "The clocks changed on this day.",
    DayStatus.INCOMPLETE: "Readings are missing in the hours that count.",
    DayStatus.LOW_USAGE: "Far less energy than usual was used in the hours of the event.",
}
_ADJUSTMENT_TEXTS = {
    AdjustmentStatus.NONE: "The rule has no same-day adjustment.",
    AdjustmentStatus.APPLIED: "Adjusted to the load before the event.",
    AdjustmentStatus.CAPPED_HIGH: "Adjusted upwards, as far as the rule allows.",
    AdjustmentStatus.CAPPED_LOW: "Adjusted downwards, as far as the rule allows.",
    AdjustmentStatus.NO_DAYS: "Not adjusted: there is no baseline to adjust.",
    AdjustmentStatus.MISSING_READINGS: "Not adjusted: readings before the event are missing.",
    AdjustmentStatus.OUTSIDE_DAY: "Not adjusted: the event starts so early that the hours before it lie in the day before.",
    AdjustmentStatus.NOT_WHOLE_INTERVALS: "Not adjusted: the meter's intervals are too long for the rule's hours.",
    AdjustmentStatus.ZERO_BASELINE: "Not adjusted: no energy is expected in the hours before the event.",
    AdjustmentStatus.NEGATIVE_LOAD: "Not adjusted: the site exports in the hours before the event.",
}
_VERDICT_TEXTS = {
    Verdict.OK: "There is a baseline.",
    Verdict.TOO_FEW_DAYS: "No baseline: too few past days are suitable.",
    Verdict.NO_RULE_FOR_DAY: "No baseline: the rule has none for events on this kind of day.",
    Verdict.NO_ADJUSTMENT: "No baseline: the rule asks for an adjustment that cannot be computed.",
}
_NOTE_TEXTS = {
    Note.FEWER_DAYS: "Fewer days were found than the rule aims for.",
    Note.EVENT_DAYS_READMITTED: "Days with events were used, because too few other days were found.",
    Note.LOOK_BACK_EXTENDED: "Older days were used, because too few days were found within the rule's reach.",
    Note.ALL_ZERO: "The meter recorded no energy at all on the days used.",
    Note.CONSTANT: "The meter recorded the same amount in every interval of the days used.",
    Note.NEGATIVE: "The days used hold negative readings.",
    Note.FLOORED: "The baseline fell below zero and was raised to zero.",
    Note.CLOCK_CHANGE_EVENT: "The clocks changed on the event day.",
}
