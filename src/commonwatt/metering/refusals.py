"""Why a reading was not taken, in words: what happened, to which reading, and what to do."""

from __future__ import annotations

import numpy as np
from django.utils.translation import gettext_lazy as _

from commonwatt.kernel.time import from_epoch
from commonwatt.metering.columns import Ints, ReadingColumns, Refusal, Refusals
from commonwatt.metering.plan import CLOCK_TOLERANCE_S, MAX_AMOUNT, ChannelFacts, Reason

_LATEST_S = 253_402_300_799  # the last second that a datetime can say


def collect(refusals: Refusals, *, readings: ReadingColumns, reasons: Ints, facts: ChannelFacts) -> None:
    """Add every reading whose reason is not TAKEN: the first ones in words while there is room, the rest counted."""
    refused = np.flatnonzero(reasons != Reason.TAKEN)
    spelled = 0
    for index in refused:
        if not refusals.has_room:
            break
        refusals.add(_refusal(readings, int(index), Reason(int(reasons[index])), facts))
        spelled += 1
    for reason, number in zip(*np.unique(reasons[refused[spelled:]], return_counts=True), strict=True):
        refusals.count(Reason(int(reason)).code, int(number))


def _refusal(readings: ReadingColumns, index: int, reason: Reason, facts: ChannelFacts) -> Refusal:
    line = None if readings.line is None else int(readings.line[index])
    channel = int(readings.channel_id[index])
    place = int(facts.places(np.array([channel]))[0])
    text = str(_SENTENCES[reason]) % {
        "start": _instant(int(readings.start_s[index])),
        "amount": int(readings.amount[index]),
        "length": int(readings.length_s[index]),
        "quality": int(readings.quality[index]),
        "channel": channel,
        "interval": int(facts.interval_s[place]) if place >= 0 else 0,
        "installed": _instant(int(facts.life_start_s[place])) if place >= 0 else "",
        "removed": _instant(int(facts.life_end_s[place])) if place >= 0 else "",
        "largest": MAX_AMOUNT,
        "tolerance": CLOCK_TOLERANCE_S // 60,
    }
    return Refusal(line=line, reason=reason.code, text=text)


def _instant(seconds: int) -> str:
    if 0 <= seconds <= _LATEST_S:
        return f"{from_epoch(seconds):%Y-%m-%dT%H:%M:%SZ}"
    return str(seconds)


_SENTENCES = {
    Reason.UNKNOWN_CHANNEL: _("There is no channel %(channel)s. Create the meter first, or correct the channel."),
    Reason.UNKNOWN_QUALITY: _("%(start)s: quality %(quality)s does not exist. Use 0 to 3, as the page on readings lists them."),
    Reason.NEGATIVE: _("%(start)s: the amount is %(amount)s. Amounts are never negative; what is given to the grid has its own channel."),
    Reason.TOO_LARGE: _(
        "%(start)s: the amount %(amount)s is above %(largest)s, more than any meter counts in one interval. Check the unit."
    ),
    Reason.IMPLAUSIBLE_TIME: _("%(start)s lies before interval meters existed. Check the meter's clock and the time column."),
    Reason.OFF_GRID: _("%(start)s is no time at which an interval of this channel can start. Check the time column and its zone."),
    Reason.WRONG_LENGTH: _("%(start)s: the interval lasts %(length)s seconds, but this channel's last %(interval)s."),
    Reason.BEFORE_INSTALLATION: _(
        "%(start)s lies before the meter was installed (%(installed)s). Correct the installation date, or leave it out."
    ),
    Reason.AFTER_REMOVAL: _("%(start)s lies after the meter was removed (%(removed)s). Correct the removal date, or leave it out."),
    Reason.IN_FUTURE: _("%(start)s lies more than %(tolerance)s minutes in the future. Check the meter's clock and the zone."),
    Reason.CONTRADICTORY: _("%(start)s: this delivery gives several amounts for the same interval. Keep the right one, and send it again."),
    Reason.OVERLAPPING: _(
        "%(start)s: the interval of %(length)s seconds overlaps another one of this channel. Check the times and their zone."
    ),
}
