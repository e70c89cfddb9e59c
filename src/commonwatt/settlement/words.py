"""What a statement says in words: the rule, the days, the adjustment, and why nothing is paid where nothing is."""

from __future__ import annotations

from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as later
from django.utils.translation import ngettext

from commonwatt.baseline.reasons import AdjustmentStatus, DayStatus, Note, Verdict, notes_in
from commonwatt.demand_response.choices import NegativeIntervals
from commonwatt.settlement.plan import OPTED_OUT, PPM, WITHDRAWN

_USED = {DayStatus.SELECTED, DayStatus.SELECTED_EVENT_DAY}
_DAYS: dict[DayStatus, Promise] = {
    DayStatus.NOT_LOOKED_AT: later("Not looked at: the rule has no baseline for an event on this kind of day."),
    DayStatus.SELECTED: later("Used."),
    DayStatus.SELECTED_EVENT_DAY: later("Used although there was an event, because too few other days were found."),
    DayStatus.NOT_SELECTED: later("Compared, but not among the days that the rule picks."),
    DayStatus.NOT_NEEDED: later("Not needed: enough newer days were found."),
    DayStatus.POOL_TOO_SMALL: later("Suitable, but too few such days were found in all."),
    DayStatus.AFTER_EVENT: later("The day of the event itself, or later."),
    DayStatus.TOO_RECENT: later("Too close to the event: the rule starts further back."),
    DayStatus.TOO_OLD: later("Longer ago than the rule looks back."),
    DayStatus.OTHER_DAY_KIND: later("Another kind of day than that of the event."),
    DayStatus.HOLIDAY: later("A public holiday."),
    DayStatus.EVENT_DAY: later("There was an event on this day."),
    DayStatus.CLOCK_CHANGE: later("The clocks changed on this day."),
    DayStatus.INCOMPLETE: later("Readings are missing in the hours that count."),
    DayStatus.LOW_USAGE: later("Far less was used than on other days."),
}
_VERDICTS: dict[str, Promise] = {
    Verdict.OK.name.lower(): later("There is a baseline, and what was saved against it is credited."),
    OPTED_OUT: later("You chose not to take part, so nothing is credited. The lines show what was measured."),
    WITHDRAWN: later("Nothing is credited: this meter did not stand at a site that was called."),
    Verdict.TOO_FEW_DAYS.name.lower(): later("Nothing is credited: too few past days are suitable for a baseline."),
    Verdict.NO_RULE_FOR_DAY.name.lower(): later("Nothing is credited: the rule has no baseline for an event on this kind of day."),
    Verdict.NO_ADJUSTMENT.name.lower(): later("Nothing is credited: the rule asks for an adjustment that cannot be computed."),
}
_NOTES: dict[Note, Promise] = {
    Note.FEWER_DAYS: later("Fewer days were found than the rule aims for."),
    Note.EVENT_DAYS_READMITTED: later("Days with events were used, because too few other days were found."),
    Note.LOOK_BACK_EXTENDED: later("Older days were used, because too few were found within the rule's reach."),
    Note.ALL_ZERO: later("The meter recorded no energy at all on the days used."),
    Note.CONSTANT: later("The meter recorded the same amount in every interval of the days used."),
    Note.NEGATIVE: later("On the days used, more was given to the grid than taken from it at times."),
    Note.FLOORED: later("The baseline fell below zero and was raised to zero."),
    Note.CLOCK_CHANGE_EVENT: later("The clocks changed on the day of the event."),
}
_UNADJUSTED: dict[AdjustmentStatus, Promise] = {
    AdjustmentStatus.NONE: later("The rule has no adjustment to the day of the event."),
    AdjustmentStatus.NO_DAYS: later("Not adjusted: there is no baseline to adjust."),
    AdjustmentStatus.MISSING_READINGS: later("Not adjusted: readings before the event are missing."),
    AdjustmentStatus.OUTSIDE_DAY: later("Not adjusted: the hours before the event lie on the day before."),
    AdjustmentStatus.NOT_WHOLE_INTERVALS: later("Not adjusted: the meter's intervals are too long for the rule's hours."),
    AdjustmentStatus.ZERO_BASELINE: later("Not adjusted: nothing was used in those hours on the days compared."),
    AdjustmentStatus.NEGATIVE_LOAD: later("Not adjusted: more was given to the grid than taken from it in the hours before the event."),
}
_CAPPED = {AdjustmentStatus.CAPPED_HIGH, AdjustmentStatus.CAPPED_LOW}


def is_used(day_status: str) -> bool:
    """Whether a day with this status is one of those that the baseline is made of."""
    return DayStatus[day_status.upper()] in _USED


def day_text(day_status: str) -> str:
    """What became of one past day, in words."""
    return str(_DAYS[DayStatus[day_status.upper()]])


def verdict_text(verdict: str) -> str:
    """Whether a meter is credited, and if not, why not."""
    return str(_VERDICTS[verdict])


def note_texts(notes: int) -> tuple[str, ...]:
    """What to know about a baseline that stands."""
    return tuple(str(_NOTES[note]) for note in notes_in(notes))


def adjustment_text(*, kind: str, value: float | None, raw: float | None, cap_status: str, interval_s: int) -> str:
    """How the day of the event moved the baseline, and whether the rule's limit held it back."""
    status = AdjustmentStatus[cap_status.upper()]
    if status in _UNADJUSTED:
        return str(_UNADJUSTED[status])
    if kind == "ratio":
        applied, wanted = (_percent(factor) for factor in (value, raw))
    else:
        applied, wanted = (_power(offset, interval_s) for offset in (value, raw))
    if status in _CAPPED:
        text = _("Adjusted by %(applied)s, as far as the rule allows; the hours before the event asked for %(wanted)s.")
        return text % {"applied": applied, "wanted": wanted}
    return _("Adjusted by %(applied)s, as the hours before the event asked for.") % {"applied": applied}


def negative_text(convention: str) -> str:
    """What happens to intervals in which more was used than expected."""
    if NegativeIntervals(convention) is NegativeIntervals.NET:
        return _("What was used beyond the baseline in some intervals is deducted from what was saved in the others of the same meter.")
    return _("An interval in which more was used than the baseline counts as zero.")


def factor_text(credit_factor_ppm: int) -> str:
    """How much of the price is paid."""
    if credit_factor_ppm == PPM:
        return _("The full price is paid.")
    share = figure(credit_factor_ppm * 100 / PPM, 1)
    return _("%(share)s %% of the price is paid (the program's credit factor).") % {"share": share}


def duration_text(minutes: int) -> str:
    """A span as a person says it: "3 hours", "90 minutes"."""
    if minutes % 60 == 0 and minutes:
        return ngettext("%(count)d hour", "%(count)d hours", minutes // 60) % {"count": minutes // 60}
    return ngettext("%(count)d minute", "%(count)d minutes", minutes) % {"count": minutes}


def figure(number: float, decimals: int) -> str:
    """A number as the reader's language writes it, rounded (Django's own formatting cuts off: 19.99 would become 19.9)."""
    return number_format(round(number, decimals), decimal_pos=decimals)


def _percent(factor: float | None) -> str:
    return _signed(((factor or 0.0) - 1.0) * 100, "%")


def _power(offset_kwh: float | None, interval_s: int) -> str:
    return _signed((offset_kwh or 0.0) * 3600 / interval_s, "kW", decimals=2)


def _signed(number: float, unit: str, decimals: int = 1) -> str:
    sign = "+" if number >= 0 else "−"
    return f"{sign}{figure(abs(number), decimals)}\u00a0{unit}"
