"""Energy and money are counted exactly; codes survive being read aloud and typed."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from commonwatt.kernel import ids, money, units


def test_the_price_of_a_hundred_watt_hours_is_exact() -> None:
    """100 Wh at 0.25 a kWh is two and a half cents, where a cent per line would be a fifth too much or too little."""
    assert money.amount_nanos(100, 250_000) == 25_000_000
    assert money.decimal_from_nanos(25_000_000) == Decimal("0.025")
    assert money.decimal_from_micros(250_000) == Decimal("0.25")


@given(wh=st.integers(-(10**9), 10**9), micros=st.integers(0, 10**9))
def test_pricing_agrees_with_fractions(wh: int, micros: int) -> None:
    """Watt-hours times micros is the amount that fractions of a kWh and of a unit give, to the last nano."""
    exact = Fraction(wh, 1000) * Fraction(micros, money.MICROS_PER_UNIT)
    assert Fraction(money.amount_nanos(wh, micros), money.NANOS_PER_UNIT) == exact


@given(nanos=st.integers(-(2**63), 2**63 - 1))
def test_amounts_are_written_without_loss(nanos: int) -> None:
    """The largest amount a database holds is written to the last of its nine decimals."""
    assert Fraction(money.decimal_from_nanos(nanos)) == Fraction(nanos, money.NANOS_PER_UNIT)


@pytest.mark.parametrize(
    ("nanos", "paid"), [(0, (0, 0)), (9_999_999, (0, 9_999_999)), (10_000_000, (1, 0)), (1_234_567_890, (123, 4_567_890))]
)
def test_a_payout_is_in_whole_cents_and_the_rest_is_carried(nanos: int, paid: tuple[int, int]) -> None:
    """What is less than a cent stays owed."""
    assert money.payout_cents(nanos) == paid


@given(amounts=st.lists(st.integers(0, 10**10), max_size=50))
def test_carrying_the_rest_loses_nothing_in_the_long_run(amounts: list[int]) -> None:
    """After any number of payouts, cents paid and the rest still owed are together all that was credited."""
    paid, carry = 0, 0
    for amount in amounts:
        cents, carry = money.payout_cents(carry + amount)
        paid += cents
        assert 0 <= carry < money.NANOS_PER_CENT
    assert paid * money.NANOS_PER_CENT + carry == sum(amounts)


def test_a_debt_is_not_paid_out() -> None:
    """A negative balance is refused with its amount."""
    with pytest.raises(ValueError, match="a balance of -1 nanos cannot be paid out"):
        money.payout_cents(-1)


@pytest.mark.parametrize(
    ("total", "weights", "parts"),
    [
        (10, [1, 1, 1], [4, 3, 3]),
        (15, [20, 2, 3], [12, 1, 2]),
        (0, [3, 1], [0, 0]),
        (7, [0, 5, 0], [0, 7, 0]),
        (1, [1, 1], [1, 0]),
        (100, [1, 2, 3, 4], [10, 20, 30, 40]),
    ],
)
def test_shares_go_to_the_largest_remainders(total: int, weights: list[int], parts: list[int]) -> None:
    """What division leaves over goes where most was cut off, and on a tie to whoever stands first."""
    assert money.split_by_weight(total, weights) == parts


@given(total=st.integers(0, 10**15), weights=st.lists(st.integers(0, 10**9), min_size=1, max_size=30).filter(any))
def test_shares_add_up_and_are_fair_to_one_unit(total: int, weights: list[int]) -> None:
    """The shares of a sum make the sum, and none is a whole unit away from its due; no weight, no share."""
    parts = money.split_by_weight(total, weights)
    assert sum(parts) == total
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - Fraction(total * weight, sum(weights))) < 1
        assert weight or not part


@pytest.mark.parametrize(("total", "weights"), [(-1, [1]), (1, []), (1, [0, 0]), (1, [2, -1])])
def test_a_sum_that_cannot_be_shared_is_refused(total: int, weights: list[int]) -> None:
    """No weights, weights below zero and a negative sum have no fair shares."""
    with pytest.raises(ValueError, match=f"cannot split {total} by weights"):
        money.split_by_weight(total, weights)


def test_energy_becomes_whole_watt_hours_half_to_even() -> None:
    """0.5 Wh goes to 0 and 1.5 Wh to 2, so that halves do not all go one way; the sign changes nothing."""
    kwh = np.array([0.0005, 0.0015, 0.0025, 0.0035, -0.0005, -0.0015, 0.00149, 12.3456])
    assert units.wh_from_kwh(kwh).tolist() == [0, 2, 2, 4, 0, -2, 1, 12346]


@given(wh=st.lists(st.integers(-(10**12), 10**12), max_size=20))
def test_watt_hours_survive_being_kilowatt_hours(wh: list[int]) -> None:
    """A reading that went through the numbers unchanged comes back as the same whole watt-hours."""
    there = units.kwh_from_wh(np.array(wh, dtype=np.int64))
    assert there.dtype == np.float64
    assert units.wh_from_kwh(there).tolist() == wh


@given(wh=st.lists(st.integers(-(10**6), 10**6), min_size=10, max_size=10))
def test_the_mean_of_ten_readings_is_rounded_as_by_hand(wh: list[int]) -> None:
    """One mean in ten ends in an exact half, which float64 has a little off: the watt-hour is that of exact fractions all the same."""
    mean_kwh = units.kwh_from_wh(np.array(wh)).sum() / 10
    assert units.wh_from_kwh(np.array([mean_kwh])).tolist() == [round(Fraction(sum(wh), 10))]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, 1e16])
def test_energy_that_no_whole_number_can_say_is_refused(value: float) -> None:
    """A gap or an impossible figure is never priced as if it were zero."""
    with pytest.raises(ValueError, match="must be finite and below"):
        units.wh_from_kwh(np.array([1.0, value]))


@pytest.mark.parametrize(
    ("text", "wh"),
    [
        ("0.1235", 124),
        ("0.1225", 122),
        ("-0.0015", -2),
        ("1e3", 1_000_000),
        (" 7 ", 7000),
        (".5", 500),
        ("5.", 5000),
        ("+2", 2000),
        ("0.0005", 0),
        ("0.00050000000000000000000000000000000001", 1),
        ("0", 0),
        ("0e999999999", 0),
        ("1e-999999999", 0),
        ("9223372036854775.807", 2**63 - 1),
    ],
)
def test_a_written_amount_is_rounded_once_and_half_to_even(text: str, wh: int) -> None:
    """However many decimals a meter file carries, only the last step rounds."""
    assert units.parse_amount(text, per_unit=1000) == wh


@pytest.mark.parametrize("text", ["", "abc", "NaN", "Infinity", "1,5", "1_000", "0x10", "١٢", "1.2.3", "--1", "1e", "9" * 65])
def test_what_is_no_number_is_refused_as_it_was_written(text: str) -> None:
    """A comma, a word or a foreign digit is not guessed at."""
    with pytest.raises(ValueError, match="is not a number; write it like 1234"):
        units.parse_amount(text, per_unit=1000)


@pytest.mark.parametrize("text", ["1e999999999", "9223372036854775.808", "-1e19"])
def test_an_amount_that_no_database_holds_is_refused(text: str) -> None:
    """A figure with a wrong exponent is caught before it reaches the readings."""
    with pytest.raises(ValueError, match="is too large"):
        units.parse_amount(text, per_unit=1000)


def test_power_is_energy_over_its_own_time() -> None:
    """250 Wh in a quarter hour is a kilowatt; in half an hour it is half of that."""
    assert units.mean_power_w(250, 900) == 1000.0
    assert units.mean_power_w(250, 1800) == 500.0


def test_public_ids_and_codes_have_their_form() -> None:
    """An id says what it names; a code is four groups of four, without letters that are misread."""
    readable = "[0-9A-HJKMNP-TV-Z]"
    assert re.fullmatch(f"evt_{readable}{{12}}", ids.new_public_id("evt"))
    assert re.fullmatch(f"{readable}{{4}}(-{readable}{{4}}){{3}}", ids.new_claim_code())
    assert len({ids.new_claim_code() for _ in range(1000)}) == 1000
    assert len(ids.new_token()) == 43


@given(code=st.builds(ids.new_claim_code), dash=st.sampled_from(["-", "–", "—", " ", "", ".", " - ", "\u00a0"]), small=st.booleans())
def test_a_claim_code_is_known_however_it_is_typed(code: str, dash: str, small: bool) -> None:
    """Small letters, blanks, the phone's own dashes, an O for a zero: it is still the code on the letter."""
    typed = code.replace("-", dash).replace("0", "O").replace("1", "l")
    typed = typed.lower() if small else typed
    assert ids.normalise_claim_code(typed) == code.replace("-", "")


def test_a_secret_is_kept_as_its_digest() -> None:
    """What is stored is SHA-256, which leads nobody back to the code."""
    assert ids.digest_secret("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
