"""The ledger books every amount once, never changes what it booked, and always balances."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import DatabaseError, IntegrityError, connection, transaction

from commonwatt.ledger import actions, queries
from commonwatt.ledger.models import Account, Transfer
from commonwatt.ledger.values import TransferRequest, party_account, party_code, payout_code, program_account, program_code

NOW = datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
ANA, BRAM = party_code("pty_ana", "EUR"), party_code("pty_bram", "EUR")
PROGRAM = program_code("prg_evening", "EUR")
POSTGRES = "postgresql"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _accounts(db: None) -> None:
    requests = [
        party_account("pty_ana", "EUR"),
        party_account("pty_bram", "EUR"),
        party_account("pty_ana", "GBP"),
        program_account("prg_evening", "EUR"),
    ]
    actions.open_accounts(requests=requests, now=NOW)


def _credit(reference: str = "stl_1:pty_ana", amount: int = 25_000_000, **other: object) -> TransferRequest:
    fields: dict[str, object] = {
        "reference": reference,
        "debit_code": PROGRAM,
        "credit_code": ANA,
        "amount_nanos": amount,
        "currency": "EUR",
        "reason": "credit",
        **other,
    }
    return TransferRequest(**fields)  # type: ignore[arg-type]  # one field is exchanged at a time


def _book(*requests: TransferRequest) -> None:
    actions.transfer_all(requests=requests, at=NOW)


def test_a_credit_is_owed_to_the_party_and_spent_by_the_program() -> None:
    """What the program spends is what Ana is owed, to the nano, and nobody else is touched."""
    _book(_credit())
    assert (queries.balance(ANA), queries.balance(PROGRAM), queries.balance(BRAM)) == (25_000_000, 25_000_000, 0)
    assert queries.balance("party:nobody:EUR") == 0


def test_the_same_booking_twice_moves_money_once() -> None:
    """A repeat, even at a later time, gives back the first booking."""
    first = actions.transfer_all(requests=[_credit()], at=NOW)
    again = actions.transfer_all(requests=[_credit(), _credit()], at=NOW + timedelta(days=1))
    assert again == [*first, *first]
    assert again[0].at == NOW
    assert queries.balance(ANA) == 25_000_000


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"amount_nanos": 1}, "already booked with amount_nanos 25000000, not 1"),
        ({"credit_code": BRAM, "amount_nanos": 1}, f"already booked with credit_code '{ANA}', not '{BRAM}'"),
        ({"reason": "gift"}, "already booked with reason 'credit', not 'gift'"),
        ({"currency": "GBP"}, "already booked with currency 'EUR', not 'GBP'"),
    ],
)
def test_the_same_reference_for_something_else_is_refused(other: dict[str, object], message: str) -> None:
    """The first difference is named, nothing is booked, and what was booked stays."""
    _book(_credit())
    with pytest.raises(actions.ReferenceTaken, match=message):
        _book(_credit("stl_1:pty_bram", credit_code=BRAM), _credit(**other))
    assert (queries.balance(ANA), queries.balance(BRAM), Transfer.objects.count()) == (25_000_000, 0, 1)


def test_two_different_bookings_in_one_go_cannot_share_a_reference() -> None:
    """Within one batch too, a reference stands for one content."""
    with pytest.raises(actions.ReferenceTaken, match="amount_nanos 25000000, not 2"):
        _book(_credit(), _credit(amount=2))
    assert Transfer.objects.count() == 0


@pytest.mark.parametrize(
    ("request_", "error", "message"),
    [
        (_credit(amount=0), actions.NotAnAmount, "is of 0 nanos, but an amount is between 1 and 9223372036854775807"),
        (_credit(amount=2**63), actions.NotAnAmount, "is of 9223372036854775808 nanos"),
        (_credit(debit_code=ANA), actions.NotAnAmount, f"goes from '{ANA}' to itself"),
        (_credit(debit_code="program:none:EUR"), actions.UnknownAccount, "There is no account 'program:none:EUR'; open it first"),
        (
            _credit(credit_code=party_code("pty_ana", "GBP")),
            actions.MixedCurrencies,
            "is in EUR, but account 'party:pty_ana:GBP' is in GBP",
        ),
        (_credit(corrects="stl_0"), actions.UnknownTransfer, "is to correct 'stl_0', but no such transfer was booked"),
    ],
)
def test_what_cannot_be_booked_is_refused_in_words(request_: TransferRequest, error: type[Exception], message: str) -> None:
    """No amount, the same account twice, an unknown account, another currency, a correction of nothing: all or none is booked."""
    with pytest.raises(error, match=message):
        _book(_credit("fine"), request_)
    assert Transfer.objects.count() == 0


def test_a_correction_points_at_what_it_corrects_and_stays_between_the_same_two() -> None:
    """Ten nanos too many are taken back by a transfer of its own; the first one still says what it said."""
    _book(_credit(amount=100))
    back = _credit("stl_2:pty_ana", amount=10, debit_code=ANA, credit_code=PROGRAM, reason="correction", corrects="stl_1:pty_ana")
    _book(back)
    assert (queries.balance(ANA), queries.balance(PROGRAM)) == (90, 90)
    assert [view.amount_nanos for view in queries.transfers(references=["stl_1:pty_ana", "stl_2:pty_ana"])] == [100, 10]
    with pytest.raises(actions.CorrectsOtherAccounts, match="must move between the two accounts of 'stl_1:pty_ana'"):
        _book(_credit("stl_3", amount=1, credit_code=BRAM, corrects="stl_1:pty_ana"))


def test_an_account_is_opened_once_and_stays_what_it_is() -> None:
    """Opening it again changes nothing; opening it as something else is refused by the field."""
    actions.open_account(request=party_account("pty_ana", "EUR"), now=NOW + timedelta(days=1))
    assert Account.objects.get(code=ANA).created_at == NOW
    other = party_account("pty_bram", "EUR")
    with pytest.raises(actions.AccountTaken, match=f"Account '{BRAM}' is already open with party_id 'pty_bram', not 'pty_eve'"):
        actions.open_account(request=type(other)(code=BRAM, kind=other.kind, currency="EUR", party_id="pty_eve"), now=NOW)


def test_payouts_are_whole_cents_and_carry_the_rest() -> None:
    """2.5 cents: two are paid, half a cent stays owed and counts next time."""
    _book(_credit())
    paid = actions.pay_out(party_id="pty_ana", currency="EUR", reference="pay_1", now=NOW)
    assert paid is not None
    assert (paid.cents, paid.carried_nanos) == (2, 5_000_000)
    assert actions.pay_out(party_id="pty_ana", currency="EUR", reference="pay_2", now=NOW) is None
    _book(_credit("stl_2:pty_ana"))
    again = actions.pay_out(party_id="pty_ana", currency="EUR", reference="pay_2", now=NOW)
    assert again is not None
    assert (again.cents, again.carried_nanos) == (3, 0)
    assert (queries.balance(ANA), queries.balance(payout_code("EUR")), queries.balance(PROGRAM)) == (0, 50_000_000, 50_000_000)
    assert [entry.amount_nanos for entry in queries.payouts("pty_ana")] == [20_000_000, 30_000_000]


def test_the_same_payout_is_made_once() -> None:
    """A payout that is asked for again says what was paid, and pays nothing."""
    _book(_credit())
    first = actions.pay_out(party_id="pty_ana", currency="EUR", reference="pay_1", now=NOW)
    assert actions.pay_out(party_id="pty_ana", currency="EUR", reference="pay_1", now=NOW + timedelta(days=1)) == first
    assert queries.balance(payout_code("EUR")) == 20_000_000
    _book(_credit("stl_1:pty_bram", credit_code=BRAM))
    with pytest.raises(actions.ReferenceTaken, match="with debit_code 'party:pty_ana:EUR', not 'party:pty_bram:EUR'"):
        actions.pay_out(party_id="pty_bram", currency="EUR", reference="pay_1", now=NOW)


def test_a_party_in_debt_is_paid_nothing_until_it_is_owed_again() -> None:
    """A correction after the payout leaves a debt, which later credits fill up first."""
    _book(_credit())
    actions.pay_out(party_id="pty_ana", currency="EUR", reference="pay_1", now=NOW)
    _book(_credit("stl_2:pty_ana", debit_code=ANA, credit_code=PROGRAM, reason="correction", corrects="stl_1:pty_ana"))
    assert queries.party_balances("pty_ana") == {"EUR": -20_000_000, "GBP": 0}
    assert actions.pay_out(party_id="pty_ana", currency="EUR", reference="pay_2", now=NOW) is None
    _book(_credit("stl_3:pty_ana"))
    assert actions.pay_out(party_id="pty_ana", currency="EUR", reference="pay_2", now=NOW) is None
    with pytest.raises(actions.UnknownAccount, match="There is no account 'party:pty_eve:EUR'"):
        actions.pay_out(party_id="pty_eve", currency="EUR", reference="pay_3", now=NOW)


def test_a_party_reads_its_own_entries_newest_first() -> None:
    """Ana sees what she was credited, corrected and paid with its sign, page by page, and nothing of Bram's."""
    _book(_credit("a", amount=20_000_000), _credit("b", amount=7, credit_code=BRAM))
    _book(_credit("c", amount=5, debit_code=ANA, credit_code=PROGRAM, corrects="a"))
    actions.pay_out(party_id="pty_ana", currency="EUR", reference="pay", now=NOW + timedelta(hours=1))
    page = queries.entries("pty_ana")
    assert [(entry.reference, entry.amount_nanos) for entry in page.items] == [("pay", -10_000_000), ("c", -5), ("a", 20_000_000)]
    assert (page.number, page.pages, page.total) == (1, 1, 3)
    assert queries.entries("pty_ana", page=99).items == page.items


def test_balances_stay_exact_beyond_the_integers_of_the_database() -> None:
    """Three of the largest amounts add up without a nano lost."""
    largest = actions.LARGEST_AMOUNT_NANOS
    _book(*(_credit(f"big_{number}", amount=largest) for number in range(3)))
    assert queries.balance(ANA) == 3 * largest
    assert queries.verify().problems == ()


def _refused(statement: str, parameters: list[object], name: str) -> None:
    before = list(Transfer.objects.order_by("id").values_list()), list(Account.objects.order_by("id").values_list())
    with pytest.raises(IntegrityError, match=name), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, parameters)
    assert (list(Transfer.objects.order_by("id").values_list()), list(Account.objects.order_by("id").values_list())) == before


def test_the_database_itself_refuses_to_change_or_remove_what_is_booked() -> None:
    """Whoever reaches past the program with plain SQL cannot rewrite a transfer or an account either."""
    _book(_credit())
    _refused("UPDATE ledger_transfer SET amount_nanos = 1", [], "transfer_never_changes")
    _refused("UPDATE ledger_transfer SET reason = reason", [], "transfer_never_changes")
    _refused("DELETE FROM ledger_transfer", [], "transfer_never_goes")
    _refused("UPDATE ledger_account SET currency = 'GBP' WHERE code = %s", [ANA], "account_never_changes")
    _refused("DELETE FROM ledger_account WHERE code = %s", [BRAM], "account_never_goes")
    row = Transfer.objects.get()
    row.amount_nanos = 1
    with pytest.raises(IntegrityError, match="transfer_never_changes"), transaction.atomic():
        row.save()
    with pytest.raises(IntegrityError, match="transfer_never_goes"), transaction.atomic():
        row.delete()
    if connection.vendor == POSTGRES:
        connection.check_constraints()  # or PostgreSQL would refuse for the foreign keys it has yet to look at
        _refused("TRUNCATE ledger_transfer", [], "transfer_is_never_emptied")
        _refused("TRUNCATE ledger_account CASCADE", [], "is_never_emptied")
    else:
        columns = "id, public_id, reference, amount_nanos, currency, at, reason, corrects_id, credit_id, debit_id"
        copy = columns.replace("amount_nanos", "1")
        _refused(f"REPLACE INTO ledger_transfer ({columns}) SELECT {copy} FROM ledger_transfer", [], "transfer_is_never_replaced")
        _refused("REPLACE INTO ledger_account SELECT * FROM ledger_account", [], "account_is_never_replaced")


INSERT = (
    "INSERT INTO ledger_transfer (public_id, reference, amount_nanos, currency, at, reason, credit_id, debit_id) "
    "VALUES ('trf_x', %s, %s, %s, '2026-03-29 01:00:00+00:00', 'credit', %s, %s)"
)


def test_the_database_itself_refuses_unsound_transfers() -> None:
    """Another currency, nothing or less, one account on both sides, a reference twice: refused by name, past the program."""
    _book(_credit())
    ana, program = Account.objects.get(code=ANA).pk, Account.objects.get(code=PROGRAM).pk
    pounds = Account.objects.get(code=party_code("pty_ana", "GBP")).pk
    _refused(INSERT, ["x", 1, "GBP", ana, program], "transfer_currencies_agree")
    _refused(INSERT, ["x", 1, "EUR", pounds, program], "transfer_currencies_agree")
    _refused(INSERT, ["x", 0, "EUR", ana, program], "transfer_amount_is_positive")
    _refused(INSERT, ["x", -1, "EUR", ana, program], "transfer_amount_is_positive")
    _refused(INSERT, ["x", 1, "EUR", ana, ana], "transfer_moves_between_two_accounts")
    _refused(INSERT, ["stl_1:pty_ana", 1, "EUR", ana, program], "reference")
    with connection.cursor() as cursor:
        cursor.execute(INSERT, ["sound", 1, "EUR", ana, program])
    assert queries.balance(ANA) == 25_000_001


@pytest.mark.parametrize("amount", [1.5, "many"])
def test_the_database_itself_refuses_what_is_no_whole_amount(amount: object) -> None:
    """SQLite would keep half a nano, or a word, in a column of whole numbers; here it does not."""
    ana, program = Account.objects.get(code=ANA).pk, Account.objects.get(code=PROGRAM).pk
    # PostgreSQL has real types: it refuses the word as data, and rounds a fraction before anything is stored.
    if connection.vendor == POSTGRES and amount == 1.5:
        return
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(INSERT, ["x", amount, "EUR", ana, program])
    assert Transfer.objects.count() == 0


def test_verify_counts_what_it_saw_and_names_a_missing_guard() -> None:
    """A whole ledger has no problems; one whose trigger was dropped says which."""
    _book(_credit())
    sound = queries.verify()
    assert (sound.accounts, sound.transfers, sound.problems) == (4, 1, ())
    on = " ON ledger_transfer" if connection.vendor == POSTGRES else ""
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TRIGGER transfer_never_changes{on}")
        cursor.execute("UPDATE ledger_transfer SET currency = 'GBP'")
    assert queries.verify().problems == (
        "Transfer 'stl_1:pty_ana' is in GBP, its accounts in EUR, EUR.",
        "The database no longer holds the trigger 'transfer_never_changes'; run the migrations again.",
    )
