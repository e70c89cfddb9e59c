"""Savings rate and participation, as pages count them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from commonwatt.demand_response.choices import Choice
from commonwatt.demand_response.participation import Participation, SavingsRate, SiteOutcome, participation, responded, savings_rate


def outcome(baseline_wh: int, delivered_wh: int, *, choice: str = "", is_measured: bool = True, ppm: int = 50_000) -> SiteOutcome:
    """What one site did in one event."""
    return SiteOutcome(choice=choice, is_measured=is_measured, baseline_wh=baseline_wh, delivered_wh=delivered_wh, responding_share_ppm=ppm)


def test_responding_means_more_than_the_share() -> None:
    """Exactly five per cent is not yet a response; a watt-hour more is."""
    assert not responded(baseline_wh=2000, delivered_wh=100, responding_share_ppm=50_000)
    assert responded(baseline_wh=2000, delivered_wh=101, responding_share_ppm=50_000)


def test_nothing_delivered_is_no_response_whatever_the_share() -> None:
    """A site that expected to export cannot respond by standing still."""
    assert not responded(baseline_wh=-500, delivered_wh=0, responding_share_ppm=0)
    assert not responded(baseline_wh=0, delivered_wh=0, responding_share_ppm=0)


def test_savings_rate_is_delivered_over_baseline_of_those_who_stayed_in() -> None:
    """Two sites stayed in and saved 600 of 3,000 Wh: 20 %. Who opted out counts neither way."""
    rate = savings_rate([outcome(2000, 700), outcome(1000, -100), outcome(5000, 4000, choice=Choice.OUT)])
    assert rate == SavingsRate(baseline_wh=3000, delivered_wh=600)
    assert rate.ratio == 0.2
    assert savings_rate([]).ratio is None


def test_participation_says_how_every_call_was_answered() -> None:
    """Four calls: one responded, one opted out, one used as ever, one could not be measured."""
    answers = [
        outcome(1000, 300),
        outcome(1000, 300, choice=Choice.OUT),
        outcome(1000, 10, choice=Choice.IN),
        outcome(0, 0, is_measured=False),
    ]
    assert participation(answers) == Participation(called=4, responded=1, opted_out=1, not_responded=1, not_measured=1)
    assert participation(answers).ratio == 0.25
    assert participation([]).ratio is None


@given(
    st.lists(
        st.builds(
            outcome,
            st.integers(-100, 10_000),
            st.integers(-10_000, 10_000),
            choice=st.sampled_from(["", "in", "out"]),
            is_measured=st.booleans(),
        )
    )
)
def test_the_parts_of_participation_add_up(answers: list[SiteOutcome]) -> None:
    """Nobody is counted twice or forgotten."""
    found = participation(answers)
    assert found.called == len(answers)
    assert found.responded + found.opted_out + found.not_responded + found.not_measured == found.called
