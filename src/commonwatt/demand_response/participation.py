"""Savings rate and participation, as every page counts them (S0-38, S0-39). Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from commonwatt.demand_response.choices import Choice

MILLION = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class SavingsRate:
    """Delivered over baseline, both summed over the intervals that have a reading and a baseline. [Wh]"""

    baseline_wh: int
    delivered_wh: int

    @property
    def ratio(self) -> float | None:
        """Delivered / baseline; negative where more was used; None where no energy was expected."""
        return self.delivered_wh / self.baseline_wh if self.baseline_wh > 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteOutcome:
    """What one site did in one event. `is_measured`: at least one interval had a reading and a baseline."""

    choice: str
    is_measured: bool
    baseline_wh: int
    delivered_wh: int
    responding_share_ppm: int

    @property
    def responded(self) -> bool:
        """Whether it counts as having taken part."""
        return self.choice != Choice.OUT and responded(
            baseline_wh=self.baseline_wh, delivered_wh=self.delivered_wh, responding_share_ppm=self.responding_share_ppm
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Participation:
    """Of so many calls of a site: answered by using less, opted out, neither, or not measurable. The four parts add up."""

    called: int
    responded: int
    opted_out: int
    not_responded: int
    not_measured: int

    @property
    def ratio(self) -> float | None:
        """Responded / called; None where nobody was called."""
        return self.responded / self.called if self.called else None


def responded(*, baseline_wh: int, delivered_wh: int, responding_share_ppm: int) -> bool:
    """Whether more than the program's share of the baseline was delivered (5 % unless its terms say otherwise)."""
    return delivered_wh * MILLION > baseline_wh * responding_share_ppm and delivered_wh > 0


def savings_rate(outcomes: Iterable[SiteOutcome]) -> SavingsRate:
    """The savings rate of those who did not opt out."""
    taking_part = [outcome for outcome in outcomes if outcome.choice != Choice.OUT]
    return SavingsRate(
        baseline_wh=sum(outcome.baseline_wh for outcome in taking_part),
        delivered_wh=sum(outcome.delivered_wh for outcome in taking_part),
    )


def participation(outcomes: Iterable[SiteOutcome]) -> Participation:
    """How the calls were answered."""
    everyone = tuple(outcomes)
    staying = [outcome for outcome in everyone if outcome.choice != Choice.OUT]
    measured = [outcome for outcome in staying if outcome.is_measured]
    active = sum(outcome.responded for outcome in measured)
    return Participation(
        called=len(everyone),
        responded=active,
        opted_out=len(everyone) - len(staying),
        not_responded=len(measured) - active,
        not_measured=len(staying) - len(measured),
    )
