"""What this room tells others: outcomes of settling. Values for pages stand in `statements`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Outcome(StrEnum):
    """What settling an event came to."""

    CREDITED = "credited"
    CORRECTED = "corrected"
    UNCHANGED = "unchanged"
    NOTHING_TO_SETTLE = "nothing_to_settle"


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementResult:
    """What settling an event came to. [nanos]

    Attributes:
        settlement_public_id: The settlement that now stands; None where there is none.
        number: Of that settlement: 1 credits, later ones correct; 0 where there is none.
        meters: How many meters it covers; `unpaid_meters` of them have no baseline or were opted out.
        entries: How many statements got an entry by this run.
        amount_nanos: What this run credited in all, less what it took back.
    """

    event_public_id: str
    outcome: Outcome
    settlement_public_id: str | None = None
    number: int = 0
    meters: int = 0
    unpaid_meters: int = 0
    entries: int = 0
    amount_nanos: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SettlementEntry:
    """One customer's part of one settlement: what to tell its people. [Wh, nanos]"""

    customer_id: int
    statement_public_id: str
    event_public_id: str
    program_name: str
    kind: str
    credited_wh: int
    amount_nanos: int
    currency: str
