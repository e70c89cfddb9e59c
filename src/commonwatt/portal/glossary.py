"""The field's words, once each, in plain language: for the help page, and for the links that lead there."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class Term:
    """One word of the glossary: its anchor on the help page, its name, and what it means."""

    slug: str
    name: str | Promise
    meaning: str | Promise


TERMS: tuple[Term, ...] = (
    Term(
        "adjustment",
        _("Adjustment"),
        _(
            "A correction of the baseline by how the day of the event began. On an unusually cold or busy day the hours before the event "
            "run above normal, so the baseline is raised by the same amount or ratio, within a limit that the program names."
        ),
    ),
    Term(
        "baseline",
        _("Baseline"),
        _(
            "The energy that would have been used without the event, worked out from comparable earlier days. The statement lists which "
            "days were used and which were left out, and why."
        ),
    ),
    Term(
        "channel",
        _("Channel"),
        _("One quantity that a meter measures, such as energy taken from the grid or energy given back. Both are counted upwards only."),
    ),
    Term(
        "claim-code",
        _("Claim code"),
        _(
            "A code that the operator hands to whoever a meter belongs to. Typing it when signing up connects the meter to the account. "
            "A meter number alone proves nothing, since anyone can read it off the box."
        ),
    ),
    Term(
        "credit",
        _("Credit"),
        _("The money for delivered energy: delivered kilowatt-hours times the price of the program, for every interval of the event."),
    ),
    Term("customer", _("Customer"), _("The household or organisation that a site belongs to and that is credited.")),
    Term(
        "delivered",
        _("Delivered energy"),
        _(
            "Baseline minus reading: what was not used because of the event. It is negative where more was used than expected, and it is "
            "rounded to whole watt-hours once per interval, before it is priced."
        ),
    ),
    Term(
        "demand-response",
        _("Demand response"),
        _(
            "Using less, or at another time, when the grid asks for it: on a winter evening, say, when everybody cooks and no sun shines. "
            "Whoever helps is paid for what they did not use."
        ),
    ),
    Term(
        "enrolment",
        _("Enrolment"),
        _("A site's taking part in a program, agreed to with a stored version of the terms, and ended whenever you wish."),
    ),
    Term(
        "estimated",
        _("Estimated reading"),
        _("A value that stands in for one the meter did not send. It is hatched in charts and marked in tables, never shown as measured."),
    ),
    Term("event", _("Event"), _("One call within a program: from when until when, for whom, and how much is hoped for.")),
    Term(
        "interval",
        _("Interval"),
        _("A short span of time, often a quarter of an hour, named by its start. 17:00 means from 17:00 until just before 17:15."),
    ),
    Term("kilowatt", _("Kilowatt (kW)"), _("How fast energy is used: a kettle takes about 2 kW while it boils.")),
    Term(
        "kilowatt-hour",
        _("Kilowatt-hour (kWh)"),
        _("How much energy is used: 1 kW for one hour. It is what the meter counts and the bill is made of."),
    ),
    Term(
        "ledger",
        _("Ledger"),
        _("The book of all credits. Every line moves an amount from one account to another and stays for good; a mistake gets a new line."),
    ),
    Term("meter", _("Meter"), _("The device at a site that measures energy. At any time it belongs to one customer.")),
    Term("operator", _("Operator"), _("Whoever runs this platform: a utility, an aggregator or an energy community.")),
    Term("opt", _("Opt in, opt out"), _("The answer to one event: joining it or skipping it. Skipping never ends the enrolment.")),
    Term("organisation", _("Organisation"), _("A customer with members of its own, such as a university or a firm.")),
    Term(
        "participation",
        _("Participation"),
        _("How many of the events you were called to you joined, as a number and as a share."),
    ),
    Term(
        "prediction",
        _("Predicted"),
        _("What a meter was expected to use, from the same kind of earlier days as the baseline. It is a forecast, not a promise."),
    ),
    Term("program", _("Program"), _("The standing offer: what may be asked, how long before, how often, and what is paid for it.")),
    Term(
        "quality",
        _("Quality"),
        _("How sure a reading is: measured, estimated or missing. Missing is left empty and never counted as zero."),
    ),
    Term("reading", _("Reading"), _("The amount one channel of a meter counted over one interval.")),
    Term(
        "savings-rate",
        _("Savings rate"),
        _("Delivered energy divided by the baseline, over all events you took part in: 12 % means about an eighth less than expected."),
    ),
    Term(
        "settlement", _("Settlement"), _("Working out who is owed what after an event. It can be repeated at any time to the same figures.")
    ),
    Term("signal", _("Signal"), _("What an event asks per interval: a level, a price or a limit.")),
    Term("site", _("Site"), _("The place where meters stand: a home, a building, a plant. It has one address and one time zone.")),
    Term(
        "statement", _("Statement"), _("The account of one event for one customer, interval by interval, with all it was worked out from.")
    ),
    Term("ven", _("VEN"), _("The participant's side of OpenADR: a device or gateway that hears of events and answers.")),
    Term("vtn", _("VTN"), _("The server's side of OpenADR: it calls the events. Commonwatt is one.")),
)

BY_SLUG: dict[str, Term] = {term.slug: term for term in TERMS}
