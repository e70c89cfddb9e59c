"""Any sequence of credits, corrections, payouts and repeats leaves the ledger as plain arithmetic says, and balanced."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime

import pytest
from django.db import connection, transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from commonwatt.kernel.money import NANOS_PER_CENT
from commonwatt.ledger import actions, queries
from commonwatt.ledger.values import TransferRequest, party_account, party_code, payout_code, program_account, program_code

NOW = datetime(2026, 3, 29, 1, 0, tzinfo=UTC)
PARTIES = ["pty_ana", "pty_bram", "pty_chloe"]
PROGRAM, PAYOUT = program_code("prg", "EUR"), payout_code("EUR")


class Bookkeeping(RuleBasedStateMachine):
    """Books through the actions, and keeps the same books beside it as sums in plain Python."""

    def __init__(self) -> None:
        super().__init__()
        self.undone = transaction.atomic()
        self.undone.__enter__()
        actions.open_accounts(requests=[program_account("prg", "EUR"), *(party_account(party, "EUR") for party in PARTIES)], now=NOW)
        self.booked: list[TransferRequest] = []
        self.owed: Counter[str] = Counter()
        self.spent = 0
        self.paid = 0
        self.payouts = 0

    def teardown(self) -> None:
        transaction.set_rollback(True)
        self.undone.__exit__(None, None, None)

    def _book(self, party: str, amount: int, *, to_party: bool, corrects: str | None) -> None:
        debit, credit = (PROGRAM, party_code(party, "EUR")) if to_party else (party_code(party, "EUR"), PROGRAM)
        request = TransferRequest(
            reference=f"ref_{len(self.booked)}",
            debit_code=debit,
            credit_code=credit,
            amount_nanos=amount,
            currency="EUR",
            reason="correction" if corrects else "credit",
            corrects=corrects,
        )
        actions.transfer_all(requests=[request], at=NOW)
        self.booked.append(request)
        self.owed[party] += amount if to_party else -amount
        self.spent += amount if to_party else -amount

    @rule(party=st.sampled_from(PARTIES), amount=st.integers(1, 10**11))
    def credit(self, party: str, amount: int) -> None:
        self._book(party, amount, to_party=True, corrects=None)

    @precondition(lambda self: self.booked)
    @rule(data=st.data(), amount=st.integers(1, 10**9), to_party=st.booleans())
    def correct(self, data: st.DataObject, amount: int, to_party: bool) -> None:
        original = data.draw(st.sampled_from(self.booked))
        leg = original.credit_code if original.debit_code == PROGRAM else original.debit_code
        self._book(leg.split(":")[1], amount, to_party=to_party, corrects=original.reference)

    @rule(party=st.sampled_from(PARTIES))
    def pay_out(self, party: str) -> None:
        self.payouts += 1
        cents = max(0, self.owed[party]) // NANOS_PER_CENT
        payout = actions.pay_out(party_id=party, currency="EUR", reference=f"pay_{self.payouts}", now=NOW)
        assert (payout.cents if payout else 0) == cents
        self.owed[party] -= cents * NANOS_PER_CENT
        self.paid += cents * NANOS_PER_CENT

    @precondition(lambda self: self.booked)
    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        actions.transfer_all(requests=data.draw(st.lists(st.sampled_from(self.booked), max_size=5)), at=NOW)

    @precondition(lambda self: self.booked)
    @rule(data=st.data())
    def misuse(self, data: st.DataObject) -> None:
        first = data.draw(st.sampled_from(self.booked))
        other = TransferRequest(
            reference=first.reference,
            debit_code=first.debit_code,
            credit_code=first.credit_code,
            amount_nanos=first.amount_nanos + 1,
            currency="EUR",
            reason=first.reason,
            corrects=first.corrects,
        )
        with pytest.raises(actions.ReferenceTaken):
            actions.transfer_all(requests=[other], at=NOW)

    @invariant()
    def balances_are_what_arithmetic_says(self) -> None:
        assert {party: queries.balance(party_code(party, "EUR")) for party in PARTIES} == {party: self.owed[party] for party in PARTIES}
        assert (queries.balance(PROGRAM), queries.balance(PAYOUT)) == (self.spent, self.paid)
        # Debits equal credits: what was spent is owed or paid.
        assert self.spent == sum(self.owed.values()) + self.paid

    @invariant()
    def debits_equal_credits_and_nothing_is_wrong(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT COALESCE(SUM(t.amount_nanos * (CASE WHEN a.id = t.credit_id THEN 1 ELSE -1 END)), 0), COUNT(*) "
                "FROM ledger_transfer t JOIN ledger_account a ON a.id IN (t.debit_id, t.credit_id)"
            )
            total, legs = cursor.fetchone()
        assert (int(total), legs % 2) == (0, 0)
        assert queries.verify().problems == ()


@pytest.mark.django_db
def test_the_books_balance_after_anything_that_can_happen() -> None:
    """Credits, corrections in both directions, payouts and repeats in any order: every balance is what adding up by hand gives."""
    run_state_machine_as_test(
        Bookkeeping,
        settings=settings(max_examples=25, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)),
    )
