"""What is written when an event is settled: statements, entries, transfers and news, all or nothing, once."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from tests.settlement.world import SETTLED_AT, World, make_world

from commonwatt.baseline.reasons import Verdict
from commonwatt.ledger import queries as ledger
from commonwatt.ledger.models import Transfer
from commonwatt.ledger.values import party_code, program_code
from commonwatt.outbox import queries as outbox
from commonwatt.settlement import queries
from commonwatt.settlement.models import SettledMeter, Settlement, SettlementLine, Statement, StatementEntry
from commonwatt.settlement.recording import record
from commonwatt.settlement.values import Outcome

pytestmark = pytest.mark.django_db
LATER = SETTLED_AT + timedelta(days=1)


@pytest.fixture
def world() -> World:
    return make_world()


def _balances(world: World) -> dict[str, int]:
    customers = {"ana": world.cast.home, "chloe": world.cast.other_home, "office": world.cast.organisation}
    balances = {name: ledger.balance(party_code(customer.party_id, "EUR")) for name, customer in customers.items()}
    return {**balances, "program": ledger.balance(program_code(world.program.public_id, "EUR"))}


def _rows() -> tuple[list[tuple[object, ...]], ...]:
    return tuple(
        list(model.objects.order_by("pk").values_list())
        for model in (Settlement, SettledMeter, SettlementLine, Statement, StatementEntry, Transfer)
    )


def test_a_settlement_credits_everybody_to_the_nano(world: World) -> None:
    """Ana saved 334 Wh, Chloe used more, the office has no baseline: each gets a statement, and the ledger holds the same sums."""
    result = record(
        delivery=world.measured(
            world.part("ana", [1.2345, 1.0], [1000, 900]),
            world.part("chloe", [1.0, 1.0], [1100, None]),
            world.part("office", [5.0, 5.0], [4000, 4000], verdict=Verdict.TOO_FEW_DAYS),
        ),
        now=SETTLED_AT,
    )
    assert (result.outcome, result.number, result.meters, result.unpaid_meters, result.entries) == (Outcome.CREDITED, 1, 3, 1, 3)
    assert result.amount_nanos == 334 * 250_000
    assert _balances(world) == {"ana": 83_500_000, "chloe": 0, "office": 0, "program": 83_500_000}
    entries = list(
        StatementEntry.objects.order_by("statement__customer_id").values_list("kind", "credited_wh", "amount_nanos", "transfer_reference")
    )
    party = world.cast.home.party_id
    assert entries == [
        ("credit", 334, 83_500_000, f"settlement:{world.facts.public_id}:1:{party}"),
        ("credit", 0, 0, ""),
        ("credit", 0, 0, ""),
    ]
    assert SettlementLine.objects.count() == 6
    assert ledger.verify().problems == ()


def test_one_entry_of_the_log_tells_of_a_settlement_and_names_whom_to_tell(world: World) -> None:
    """Whoever writes to people finds each customer's amount and statement by the settlement's name."""
    before = outbox.newest()
    result = record(delivery=world.measured(world.part("ana", [1.0], [900]), world.part("chloe", [1.0], [1100])), now=SETTLED_AT)
    (entry,) = outbox.entries_after(before, limit=10)
    assert (entry.kind, entry.subject_kind, entry.subject_id) == ("settlement.credited", "settlement", result.settlement_public_id)
    assert entry.payload == {"event_id": world.event_id, "event_public_id": world.facts.public_id, "number": 1, "statements": 2}
    told = queries.entries_of_settlement(entry.subject_id)
    assert [(item.customer_id, item.kind, item.credited_wh, item.amount_nanos, item.currency, item.program_name) for item in told] == [
        (world.cast.home.id, "credit", 100, 25_000_000, "EUR", "Evening peak"),
        (world.cast.other_home.id, "credit", 0, 0, "EUR", "Evening peak"),
    ]


def test_settling_twice_changes_nothing(world: World) -> None:
    """The same measurement once more, by accident or by another process, leaves every row as it is."""
    delivery = world.measured(world.part("ana", [1.0], [900]))
    first = record(delivery=delivery, now=SETTLED_AT)
    rows, news = _rows(), outbox.newest()
    again = record(delivery=delivery, now=LATER)
    assert (again.outcome, again.settlement_public_id, again.number, again.entries) == (Outcome.UNCHANGED, first.settlement_public_id, 1, 0)
    assert (_rows(), outbox.newest()) == (rows, news)


def test_a_late_reading_gives_one_correction_with_the_difference(world: World) -> None:
    """Ana's missing quarter arrives: one entry adds what it is worth. Chloe's statement and the first settlement stay untouched."""
    chloe = world.part("chloe", [1.0, 1.0], [800, 800])
    record(delivery=world.measured(world.part("ana", [1.0, 1.0], [900, None]), chloe), now=SETTLED_AT)
    before = [{repr(row) for row in rows} for rows in _rows()]
    result = record(delivery=world.measured(world.part("ana", [1.0, 1.0], [900, 700], readings="b"), chloe, sequence=11), now=LATER)
    assert (result.outcome, result.number, result.entries, result.amount_nanos) == (Outcome.CORRECTED, 2, 1, 75_000_000)
    assert _balances(world) == {"ana": 100_000_000, "chloe": 100_000_000, "office": 0, "program": 200_000_000}
    correction = StatementEntry.objects.get(kind="correction")
    assert (correction.credited_wh, correction.amount_nanos, correction.statement.customer_id) == (300, 75_000_000, world.cast.home.id)
    (transfer,) = ledger.transfers(references=[correction.transfer_reference])
    assert (transfer.reason, transfer.amount_nanos) == ("correction", 75_000_000)
    assert transfer.corrects == f"settlement:{world.facts.public_id}:1:{world.cast.home.party_id}"
    after = [{repr(row) for row in rows} for rows in _rows()]
    assert all(earlier <= later for earlier, later in zip(before, after, strict=True))


def test_a_correction_may_take_back(world: World) -> None:
    """The meter had in truth used more: the difference goes back to the program, down to the nano, in the other direction."""
    record(delivery=world.measured(world.part("ana", [1.0], [900])), now=SETTLED_AT)
    result = record(delivery=world.measured(world.part("ana", [1.0], [1000], readings="b"), sequence=11), now=LATER)
    assert (result.entries, result.amount_nanos) == (1, -25_000_000)
    assert _balances(world) == {"ana": 0, "chloe": 0, "office": 0, "program": 0}
    third = record(delivery=world.measured(world.part("ana", [1.0], [998], readings="c"), sequence=12), now=LATER)
    assert (third.number, third.amount_nanos) == (3, 500_000)
    assert list(StatementEntry.objects.order_by("settlement__number").values_list("kind", "credited_wh", "amount_nanos")) == [
        ("credit", 100, 25_000_000),
        ("correction", -100, -25_000_000),
        ("correction", 2, 500_000),
    ]


def test_other_figures_with_the_same_sums_are_kept_without_an_entry(world: World) -> None:
    """A reading that moves nothing but a line gives a new settlement to read, and no entry on anybody's statement."""
    record(delivery=world.measured(world.part("ana", [1.0, 1.0], [900, 1100])), now=SETTLED_AT)
    result = record(delivery=world.measured(world.part("ana", [1.0, 1.0], [900, 1200], readings="b"), sequence=11), now=LATER)
    assert (result.outcome, result.number, result.entries) == (Outcome.CORRECTED, 2, 0)
    assert StatementEntry.objects.count() == 1


def test_readings_that_change_nothing_change_nothing(world: World) -> None:
    """A later look that knows more but sees the same leaves the settlement alone."""
    record(delivery=world.measured(world.part("ana", [1.0], [900])), now=SETTLED_AT)
    result = record(delivery=world.measured(world.part("ana", [1.0], [900]), sequence=99), now=LATER)
    assert (result.outcome, Settlement.objects.count()) == (Outcome.UNCHANGED, 1)


def test_a_measurement_that_knew_less_is_passed_over(world: World) -> None:
    """Two processes measured, the one that knew less writes last: it must not undo the other, nor a look that found no change."""
    old = world.measured(world.part("ana", [1.0], [500], readings="b"), sequence=15)
    record(delivery=world.measured(world.part("ana", [1.0], [900])), now=SETTLED_AT)
    record(delivery=world.measured(world.part("ana", [1.0], [900]), sequence=20), now=LATER)
    result = record(delivery=old, now=LATER)
    assert (result.outcome, Settlement.objects.count(), _balances(world)["ana"]) == (Outcome.UNCHANGED, 1, 25_000_000)


def test_credit_follows_whoever_held_the_meter_at_the_time(world: World) -> None:
    """It turns out that Chloe held Ana's meter already: Ana's credit goes back and Chloe's statement begins, each with its own entry."""
    record(delivery=world.measured(world.part("ana", [1.0], [900])), now=SETTLED_AT)
    chloe = {"customer_id": world.cast.other_home.id, "party_id": world.cast.other_home.party_id, "site_id": world.cast.other_site.id}
    result = record(delivery=world.measured(world.part("ana", [1.0], [900], **chloe)), now=LATER)
    assert (result.number, result.entries, result.amount_nanos) == (2, 2, 0)
    assert _balances(world) == {"ana": 0, "chloe": 25_000_000, "office": 0, "program": 25_000_000}
    kinds = StatementEntry.objects.filter(settlement__number=2).order_by("statement__customer_id").values_list("kind", "amount_nanos")
    assert list(kinds) == [("correction", -25_000_000), ("credit", 25_000_000)]


def test_a_correction_holds_only_the_meters_that_changed(world: World) -> None:
    """One late meter of many costs one meter's rows; of the others the earlier settlement still speaks."""
    chloe = world.part("chloe", [1.0], [800])
    record(delivery=world.measured(world.part("ana", [1.0], [900]), chloe), now=SETTLED_AT)
    record(delivery=world.measured(world.part("ana", [1.0], [700], readings="b"), chloe, sequence=11), now=LATER)
    rows = SettledMeter.objects.order_by("settlement__number", "meter_id").values_list("settlement__number", "meter_id")
    assert list(rows) == [(1, world.meters["ana"].id), (1, world.meters["chloe"].id), (2, world.meters["ana"].id)]
    standing = queries.standing_meters().order_by("meter_id").values_list("settlement__number", "credited_wh")
    assert list(standing) == [(2, 300), (1, 200)]


def test_a_meter_that_should_not_have_counted_is_withdrawn(world: World) -> None:
    """Ana's second look finds no meter of hers at a called site: what was credited goes back, and the meter no longer stands."""
    chloe = world.part("chloe", [1.0], [800])
    record(delivery=world.measured(world.part("ana", [1.0], [900]), chloe), now=SETTLED_AT)
    result = record(delivery=world.measured(chloe), now=LATER)
    assert (result.outcome, result.entries, result.amount_nanos) == (Outcome.CORRECTED, 1, -25_000_000)
    assert list(queries.standing_meters().values_list("meter_id", flat=True)) == [world.meters["chloe"].id]
    assert SettledMeter.objects.get(verdict="withdrawn").meter_id == world.meters["ana"].id
    assert record(delivery=world.measured(chloe), now=LATER).outcome is Outcome.UNCHANGED
    back = record(delivery=world.measured(world.part("ana", [1.0], [900]), chloe), now=LATER)
    assert (back.number, back.entries, _balances(world)["ana"]) == (3, 1, 25_000_000)


def test_an_event_without_meters_is_settled_with_nothing(world: World) -> None:
    """Nobody held a meter: the settlement says so, and does not come up again."""
    result = record(delivery=world.measured(), now=SETTLED_AT)
    assert (result.outcome, result.meters, result.entries) == (Outcome.CREDITED, 0, 0)
    assert queries.events_due(now=LATER) == []


def _refused(name: str, statement: str, parameters: list[object]) -> None:
    with pytest.raises(IntegrityError, match=name), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def test_the_database_itself_refuses_unsound_settlements(world: World) -> None:
    """A second number one, an amount that is not energy times price, pay without a reading, an entry that was not booked."""
    record(delivery=world.measured(world.part("ana", [1.0, 1.0], [900, None])), now=SETTLED_AT)
    read, missing = SettlementLine.objects.order_by("start").values_list("pk", flat=True)
    line = "UPDATE settlement_settlementline SET {} WHERE id = %s"
    _refused("settlement_line_amount_is_wh_times_price", line.format("amount_nanos = 1"), [read])
    _refused("settlement_line_unmetered_is_unpaid", line.format("credited_wh = 1, amount_nanos = 250000"), [missing])
    _refused("settlement_line_takes_nothing_away", line.format("credited_wh = -1, amount_nanos = -250000"), [read])
    _refused("settled_meter_delivered_is_the_difference", "UPDATE settlement_settledmeter SET delivered_wh = 1", [])
    _refused("settled_meter_without_verdict_is_unpaid", "UPDATE settlement_settledmeter SET verdict = 'too_few_days'", [])
    _refused("settlement_numbers_start_at_one", "UPDATE settlement_settlement SET number = 0", [])
    _refused("statement_entry_is_booked", "UPDATE settlement_statemententry SET transfer_reference = ''", [])
    _refused("statement_entry_is_booked", "UPDATE settlement_statemententry SET amount_nanos = 0", [])
    _refused("statement_entry_kind_is_known", "UPDATE settlement_statemententry SET kind = 'gift'", [])
    copy = (
        "INSERT INTO settlement_settlement "
        "(public_id, event_id, number, terms_version, rule, ingest_sequence, readings_digest, result_digest, created_at) "
        "SELECT 'stl_x', event_id, number, terms_version, rule, ingest_sequence, readings_digest, result_digest, created_at FROM settlement_settlement"
    )
    _refused("settlement_number_once_per_event|event_id", copy, [])
    entry = (
        "INSERT INTO settlement_statemententry (statement_id, settlement_id, kind, credited_wh, amount_nanos, transfer_reference, created_at) "
        "SELECT statement_id, settlement_id, 'correction', 0, {}, created_at FROM settlement_statemententry"
    )
    _refused("statement_entry_once_per_settlement|statement_id", entry.format("0, ''"), [])
