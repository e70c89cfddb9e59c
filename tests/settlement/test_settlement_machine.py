"""Readings early, late, twice and replaced, looks in between: everybody is owed what the newest readings say, and nothing is rewritten."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test
from tests.settlement.readings import write_event, write_history
from tests.settlement.world import ENDS_AT, SETTLED_AT, STARTS_AT, World, make_world

from commonwatt.ledger import queries as ledger
from commonwatt.ledger.models import Transfer
from commonwatt.ledger.values import party_code
from commonwatt.settlement import actions
from commonwatt.settlement.models import SettledMeter, Settlement, SettlementLine, Statement, StatementEntry
from commonwatt.settlement.statements import statement_detail
from commonwatt.settlement.verification import verify

EXPECTED_WH, PRICE = 250, 250_000  # ten days of 250 and 251 Wh
KEPT = (Settlement, SettledMeter, SettlementLine, Statement, StatementEntry, Transfer)
people = st.sampled_from(["ana", "chloe"])


class Settling(RuleBasedStateMachine):
    """Readings come and go by the rooms' own actions; what each person is owed is kept beside it as a sum in plain Python."""

    world: World  # set before the machine runs: everybody, with readings up to the event

    def __init__(self) -> None:
        super().__init__()
        self.undone = transaction.atomic()
        self.undone.__enter__()
        self.now = ENDS_AT
        self.newest: dict[tuple[str, int], int] = {}
        self.owed: Counter[str] = Counter()
        self.entries: Counter[str] = Counter()
        self.settled = False
        self.kept: list[set[tuple[object, ...]]] = [set() for _ in KEPT]

    def teardown(self) -> None:
        found = verify(event_id=self.world.event_id, now=self.now)
        assert [str(difference) for difference in found.differences] == []
        transaction.set_rollback(True)
        self.undone.__exit__(None, None, None)

    @rule(whose=people, quarter=st.integers(0, 3), amount=st.integers(0, 500))
    def reading_comes(self, whose: str, quarter: int, amount: int) -> None:
        write_event(self.world, whose, [amount], start=STARTS_AT + quarter * timedelta(minutes=15), now=self.now)
        self.newest[whose, quarter] = amount

    @rule(whose=people)
    def same_readings_come_again(self, whose: str) -> None:
        for (owner, quarter), amount in self.newest.items():
            if owner == whose:
                write_event(self.world, whose, [amount], start=STARTS_AT + quarter * timedelta(minutes=15), now=self.now)

    @rule(minutes=st.integers(1, 90))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @rule()
    def jobs_run(self) -> None:
        due = self.now >= SETTLED_AT and not self.settled
        assert len(actions.settle_due(now=self.now)) == int(due)
        actions.correct_for_readings(now=self.now)
        self.settled = self.settled or due
        if self.settled:
            self._expect()

    @rule()
    def somebody_settles_again(self) -> None:
        if self.settled:
            actions.settle_event(event_id=self.world.event_id, now=self.now)
            self._expect()

    def _expect(self) -> None:
        for whose in ("ana", "chloe"):
            saved = sum(max(0, EXPECTED_WH - amount) for (owner, _), amount in self.newest.items() if owner == whose)
            if whose not in self.entries or self.owed[whose] != saved * PRICE:
                self.entries[whose] += 1
            self.owed[whose] = saved * PRICE

    @invariant()
    def everybody_is_owed_what_the_readings_said_at_the_last_look(self) -> None:
        for whose, customer in (("ana", self.world.cast.home), ("chloe", self.world.cast.other_home)):
            assert ledger.balance(party_code(customer.party_id, "EUR")) == self.owed[whose]
            assert StatementEntry.objects.filter(statement__customer_id=customer.id).count() == self.entries[whose]
            for statement in Statement.objects.filter(customer_id=customer.id):
                detail = statement_detail(statement.pk)
                assert detail.total_nanos == sum(meter.amount_nanos for meter in detail.meters) == self.owed[whose]

    @invariant()
    def nothing_written_is_ever_rewritten(self) -> None:
        rows = [{tuple(map(repr, row)) for row in model.objects.values_list()} for model in KEPT]
        assert all(before <= after for before, after in zip(self.kept, rows, strict=True))
        self.kept = [set(found) for found in rows]


@pytest.mark.django_db
def test_whatever_order_readings_and_looks_come_in_the_sums_are_right() -> None:
    """One entry each time a sum changed, none when it did not; every settlement can be computed again at the end."""
    Settling.world = make_world()
    write_history(Settling.world)
    run_state_machine_as_test(
        Settling,
        settings=settings(max_examples=12, stateful_step_count=14, deadline=None, suppress_health_check=list(HealthCheck)),
    )
