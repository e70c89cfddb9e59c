"""What is owed for a measurement: exact to the nano, line by line, and the same on every machine."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.settlement.deliveries import QUARTER, START_S, delivery, event, meter

from commonwatt.baseline.reasons import Verdict
from commonwatt.demand_response.choices import NegativeIntervals
from commonwatt.settlement.plan import SettlementPlan, credited_price, credited_wh, plan_settlement

FLOOR, NET = NegativeIntervals.FLOOR, NegativeIntervals.NET
deliveries_wh = st.lists(st.integers(-(10**6), 10**6), min_size=1, max_size=24)


def test_each_line_is_baseline_less_reading_times_the_price() -> None:
    """Four quarter hours by hand: what was saved is paid to the nano, and a quarter with more use counts as zero."""
    plan = plan_settlement(delivery(meter(baseline_kwh=[1.2345, 1.2335, 1.0, 0.5], metered_wh=[1000, 1233, 1100, 500])))
    (meter_plan,) = plan.meters
    assert [(line.baseline_wh, line.metered_wh, line.delivered_wh, line.credited_wh, line.amount_nanos) for line in meter_plan.lines] == [
        (1234, 1000, 234, 234, 58_500_000),
        (1234, 1233, 1, 1, 250_000),
        (1000, 1100, -100, 0, 0),
        (500, 500, 0, 0, 0),
    ]
    assert [line.start_s for line in meter_plan.lines] == [START_S + QUARTER * index for index in range(4)]
    assert (meter_plan.baseline_wh, meter_plan.metered_wh, meter_plan.delivered_wh) == (3968, 3833, 135)
    assert (meter_plan.credited_wh, meter_plan.amount_nanos) == (235, 58_750_000)


def test_netting_deducts_what_was_used_too_much() -> None:
    """100 Wh too many in one quarter come off the others in proportion, so that the event pays what it saved in all."""
    of = event(negative="net")
    plan = plan_settlement(delivery(meter(baseline_kwh=[1.0, 1.0, 1.0, 1.0], metered_wh=[700, 900, 1100, None]), of=of))
    assert [line.credited_wh for line in plan.meters[0].lines] == [225, 75, 0, 0]
    assert (plan.meters[0].delivered_wh, plan.meters[0].credited_wh, plan.meters[0].amount_nanos) == (300, 300, 75_000_000)
    more = plan_settlement(delivery(meter(baseline_kwh=[1.0, 1.0], metered_wh=[900, 1200]), of=of))
    assert (more.meters[0].delivered_wh, more.meters[0].credited_wh) == (-100, 0)


@given(delivered=deliveries_wh)
def test_credited_energy_keeps_to_its_convention(delivered: list[int]) -> None:
    """Never below zero and never above what the interval delivered; netted intervals sum to the whole delivery, or to zero."""
    for convention in NegativeIntervals:
        credited = credited_wh(delivered, convention)
        assert all(0 <= got <= max(0, wh) for got, wh in zip(credited, delivered, strict=True))
    assert sum(credited_wh(delivered, FLOOR)) == sum(wh for wh in delivered if wh > 0)
    assert sum(credited_wh(delivered, NET)) == max(0, sum(delivered))


@given(delivered=deliveries_wh)
def test_without_excess_use_both_conventions_pay_the_same(delivered: list[int]) -> None:
    """Where nothing was used too much there is nothing to deduct."""
    gained = [abs(wh) for wh in delivered]
    assert credited_wh(gained, NET) == credited_wh(gained, FLOOR) == gained


@pytest.mark.parametrize(
    ("price", "factor_ppm", "credited"),
    [(250_000, 1_000_000, 250_000), (250_000, 800_000, 200_000), (3, 500_000, 2), (5, 500_000, 2), (250_001, 333_333, 83_334), (7, 0, 0)],
)
def test_the_credit_factor_gives_a_price_in_whole_micros(price: int, factor_ppm: int, credited: int) -> None:
    """A credit factor of 80 % on 0.25 pays 0.20; halves of a micro go to the even neighbour."""
    assert credited_price(price_micros_per_kwh=price, credit_factor_ppm=factor_ppm) == credited
    assert abs(credited - Fraction(price * factor_ppm, 1_000_000)) <= Fraction(1, 2)


def test_the_factored_price_stands_on_every_line() -> None:
    """The statement shows the price that was used, so that energy times price is the amount to the nano."""
    plan = plan_settlement(delivery(meter(baseline_kwh=[1.0], metered_wh=[0]), of=event(price=333_333, factor_ppm=900_000)))
    (line,) = plan.meters[0].lines
    assert (line.price_micros_per_kwh, line.amount_nanos) == (300_000, 300_000_000)


def test_a_missing_reading_is_not_paid_and_not_guessed() -> None:
    """A quarter without a reading stays on the statement, without figures and without pay, and nothing else changes."""
    plan = plan_settlement(delivery(meter(baseline_kwh=[1.0, 1.0], metered_wh=[None, 400])))
    missing, read = plan.meters[0].lines
    assert (missing.baseline_wh, missing.metered_wh, missing.delivered_wh, missing.credited_wh, missing.quality) == (
        1000,
        None,
        None,
        0,
        None,
    )
    assert (read.delivered_wh, read.credited_wh, read.quality) == (600, 600, 0)
    assert (plan.meters[0].baseline_wh, plan.meters[0].metered_wh, plan.meters[0].delivered_wh) == (1000, 400, 600)


@pytest.mark.parametrize("verdict", [verdict for verdict in Verdict if verdict is not Verdict.OK])
def test_without_a_baseline_nothing_is_paid_and_the_reason_is_kept(verdict: Verdict) -> None:
    """The lines show the readings; the verdict says why there is nothing to compare them with."""
    plan = plan_settlement(delivery(meter(baseline_kwh=[1.0, 1.0], metered_wh=[400, None], verdict=verdict)))
    (meter_plan,) = plan.meters
    assert meter_plan.verdict == verdict.name.lower()
    assert [(line.baseline_wh, line.metered_wh, line.delivered_wh, line.amount_nanos) for line in meter_plan.lines] == [
        (None, 400, None, 0),
        (None, None, None, 0),
    ]
    assert (meter_plan.baseline_wh, meter_plan.metered_wh, meter_plan.credited_wh, meter_plan.amount_nanos) == (0, 0, 0, 0)


def test_whoever_opted_out_is_measured_and_not_paid() -> None:
    """Chloe said no: her lines say what would have counted, and pay nothing."""
    plan = plan_settlement(delivery(meter(baseline_kwh=[1.0], metered_wh=[400], choice="out")))
    (meter_plan,) = plan.meters
    (line,) = meter_plan.lines
    assert (meter_plan.verdict, line.delivered_wh, line.credited_wh, line.amount_nanos) == ("opted_out", 600, 0, 0)


def test_a_customer_gets_one_share_for_all_its_meters() -> None:
    """Two meters of Ana's and one of Bram's make two shares."""
    plan = plan_settlement(
        delivery(
            meter(meter_id=1, baseline_kwh=[1.0], metered_wh=[900]),
            meter(meter_id=2, baseline_kwh=[1.0], metered_wh=[700]),
            meter(meter_id=3, customer_id=2, party_id="pty_bram", baseline_kwh=[1.0], metered_wh=[2000]),
        )
    )
    shares = plan.shares()
    assert (shares[1].party_id, shares[1].credited_wh, shares[1].amount_nanos) == ("pty_ana", 400, 100_000_000)
    assert (shares[2].party_id, shares[2].credited_wh, shares[2].amount_nanos) == ("pty_bram", 0, 0)


def _plan() -> SettlementPlan:
    return plan_settlement(
        delivery(
            meter(meter_id=2, baseline_kwh=[1.0, 0.5], metered_wh=[900, None]),
            meter(meter_id=1, baseline_kwh=[1.2345, 2.0], metered_wh=[900, 100], readings="b"),
        )
    )


def test_the_digest_is_taken_from_one_fixed_form() -> None:
    """This settlement is written exactly so before it is digested; another form would make old settlements look tampered with."""
    plan = replace(_plan(), rule={"ratio_max": 1.2, "key": "x"})
    days = '[["2026-03-25","selected"],["2026-03-24","selected"],["2026-03-22","other_day_kind"]]'
    first = (
        f'[[1,1,"pty_ana","ok",0],["none","none"],{days},[3234,1000,2234,2234,558500000],'
        "[[1774544400,900,1234,900,334,334,250000,83500000,0],[1774545300,900,2000,100,1900,1900,250000,475000000,0]]]"
    )
    second = (
        f'[[2,1,"pty_ana","ok",0],["none","none"],{days},[1000,900,100,100,25000000],'
        "[[1774544400,900,1000,900,100,100,250000,25000000,0],[1774545300,900,500,null,null,0,250000,0,null]]]"
    )
    assert [meter.digest for meter in plan.meters] == [_sha256(first), _sha256(second)]
    assert plan.digest == _sha256(f'[1,{{"key":"x","ratio_max":1.2}}]\n1 {_sha256(first)}\n2 {_sha256(second)}')


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def test_anything_said_otherwise_gives_another_digest() -> None:
    """One watt-hour, one nano, one reason, one day, one owner: each is noticed. The order in which meters were computed is not,
    and neither are readings that come to the same."""
    plan = _plan()
    first, second = plan.meters
    others = [
        replace(first, lines=(replace(first.lines[0], credited_wh=335), *first.lines[1:])),
        replace(first, lines=(replace(first.lines[0], amount_nanos=1), *first.lines[1:])),
        replace(first, verdict="too_few_days"),
        replace(first, days=first.days[1:]),
        replace(first, party_id="pty_bram"),
        replace(first, cap_status="capped_high"),
        replace(first, notes=1),
    ]
    digests = {replace(plan, meters=(other, second)).digest for other in others}
    digests |= {replace(plan, terms_version=2).digest, replace(plan, rule={}).digest, plan.digest}
    assert len(digests) == len(others) + 3
    assert replace(plan, meters=(second, first)).digest == plan.digest
    assert replace(plan, meters=(replace(first, readings_digest="c" * 64), second)).digest == plan.digest
