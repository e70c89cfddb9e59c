"""Every change of state of this domain."""

from __future__ import annotations

from commonwatt.demand_response.enrolments import ConsentDiffers, ConsentOutdated, NotEligible, enrol, leave_program
from commonwatt.demand_response.events import EventIsOver, EventRefused, ReasonMissing, advance_events, cancel_event, issue_event, opt
from commonwatt.demand_response.plan import EventRequest, Signal, SignalInterval, Target
from commonwatt.demand_response.programs import (
    ProgramRefused,
    TermsDraft,
    create_group,
    create_program,
    edit_program,
    revise_terms,
    set_group_sites,
)

__all__ = [
    "ConsentDiffers",
    "ConsentOutdated",
    "EventIsOver",
    "EventRefused",
    "EventRequest",
    "NotEligible",
    "ProgramRefused",
    "ReasonMissing",
    "Signal",
    "SignalInterval",
    "Target",
    "TermsDraft",
    "advance_events",
    "cancel_event",
    "create_group",
    "create_program",
    "edit_program",
    "enrol",
    "issue_event",
    "leave_program",
    "opt",
    "revise_terms",
    "set_group_sites",
]
