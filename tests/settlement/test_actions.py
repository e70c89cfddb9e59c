"""From readings to credits, with nothing made by hand between them; late readings correct, and everything can be computed again."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from tests.settlement.readings import write, write_event, write_history
from tests.settlement.world import ENDS_AT, SETTLED_AT, STARTS_AT, World, call, finish, make_world

from commonwatt.demand_response import events
from commonwatt.demand_response.choices import Choice, OptSource
from commonwatt.demand_response.event_queries import NoSuchEvent
from commonwatt.ledger import queries as ledger
from commonwatt.ledger.values import party_code
from commonwatt.metering import actions as metering
from commonwatt.settlement import actions, queries
from commonwatt.settlement.models import SettledMeter, Settlement, SettlementLine, StatementEntry, Watch
from commonwatt.settlement.values import Outcome
from commonwatt.settlement.verification import verify

pytestmark = pytest.mark.django_db
LATER = SETTLED_AT + timedelta(days=2)


@pytest.fixture
def world() -> World:
    world = make_world()
    write_history(world)
    return world


def _settled(world: World) -> World:
    write_event(world, "ana", [150, 150, 150, 150])
    write_event(world, "chloe", [300, 200, 250, 250])
    (result,) = actions.settle_due(now=SETTLED_AT)
    assert result.outcome is Outcome.CREDITED
    return world


def _owed(world: World) -> tuple[int, int]:
    return tuple(ledger.balance(party_code(customer.party_id, "EUR")) for customer in (world.cast.home, world.cast.other_home))  # type: ignore[return-value]  # two customers


def test_readings_become_credits(world: World) -> None:
    """Ten weekdays of 250 or 251 Wh expect 250.5, which is 250; Ana used 150 a quarter and is credited 400 Wh, Chloe 50."""
    _settled(world)
    ana, chloe, office = SettledMeter.objects.order_by("meter_id")
    assert [(row.verdict, row.baseline_wh, row.metered_wh, row.delivered_wh, row.credited_wh) for row in (ana, chloe, office)] == [
        ("ok", 1000, 600, 400, 400),
        ("ok", 1000, 1000, 0, 50),
        ("too_few_days", 0, 0, 0, 0),
    ]
    assert [day["day"] for day in ana.days if day["status"] == "selected"][:2] == ["2026-11-19", "2026-11-18"]
    assert _owed(world) == (100_000_000, 12_500_000)
    assert (
        list(SettlementLine.objects.filter(settled_meter=office).values_list("baseline_wh", "metered_wh", "amount_nanos"))
        == [(None, None, 0)] * 4
    )
    assert queries.events_due(now=LATER) == []


def test_nothing_is_settled_before_its_time(world: World) -> None:
    """Not while the event runs, not while the program waits for readings; then once."""
    other = call(world.program, starts_at=STARTS_AT + timedelta(days=3))
    with pytest.raises(actions.EventNotOver, match="ends at 2026-11-23 17:00 UTC; settle it when it is over"):
        actions.settle_event(event_id=other, now=SETTLED_AT)
    with pytest.raises(actions.TooEarly, match="waits for readings until 2026-11-20 18:00 UTC"):
        actions.settle_event(event_id=world.event_id, now=SETTLED_AT - timedelta(seconds=1))
    with pytest.raises(NoSuchEvent):
        actions.settle_event(event_id=0, now=SETTLED_AT)
    assert actions.settle_due(now=SETTLED_AT - timedelta(seconds=1)) == []
    assert Settlement.objects.count() == 0
    assert [result.number for result in actions.settle_due(now=SETTLED_AT)] == [1]
    assert actions.settle_due(now=SETTLED_AT) == []


def test_an_event_cancelled_before_it_began_or_only_tested_settles_nothing(world: World) -> None:
    """Nobody was asked to save anything, so nobody gets a statement."""
    cancelled = call(world.program, starts_at=STARTS_AT + timedelta(days=3))
    events.cancel_event(actor=None, event_id=cancelled, reason="Not needed", now=STARTS_AT + timedelta(days=2))
    test = call(world.program, starts_at=STARTS_AT + timedelta(days=4), is_test=True)
    finish(STARTS_AT + timedelta(days=5))
    for event_id in (cancelled, test):
        result = actions.settle_event(event_id=event_id, now=STARTS_AT + timedelta(days=6))
        assert (result.outcome, result.settlement_public_id) == (Outcome.NOTHING_TO_SETTLE, None)
    assert queries.events_due(now=STARTS_AT + timedelta(days=6)) == [world.event_id]
    assert Settlement.objects.count() == 0


def test_an_event_cancelled_while_it_ran_settles_what_ran(world: World) -> None:
    """Called off after 40 minutes: the two whole quarters before that are credited, the third is not."""
    starts_at = STARTS_AT + timedelta(days=3)
    event_id = call(world.program, starts_at=starts_at)
    finish(starts_at)
    events.cancel_event(actor=None, event_id=event_id, reason="Enough", now=starts_at + timedelta(minutes=40))
    write_event(world, "ana", [150, 150, 0, 0], start=starts_at, now=starts_at + timedelta(hours=1))
    result = actions.settle_event(event_id=event_id, now=starts_at + timedelta(minutes=100))
    ana = SettledMeter.objects.get(settlement__event_id=event_id, meter_id=world.meters["ana"].id)
    assert (result.outcome, ana.lines.count(), ana.credited_wh) == (Outcome.CREDITED, 2, 200)


def test_whoever_opted_out_gets_a_statement_that_says_so() -> None:
    """Ana said no: her quarters are there with what was measured, and nothing is credited."""
    world = make_world()
    write_history(world)
    event_id = call(world.program, starts_at=STARTS_AT + timedelta(days=3))
    events.opt(
        event_id=event_id,
        site_id=world.cast.home_site.id,
        choice=Choice.OUT,
        source=OptSource.PERSON,
        actor=world.cast.ana,
        now=STARTS_AT + timedelta(days=2),
    )
    finish(STARTS_AT + timedelta(days=3, hours=1))
    write_event(world, "ana", [150] * 4, start=STARTS_AT + timedelta(days=3), now=STARTS_AT + timedelta(days=4))
    actions.settle_event(event_id=event_id, now=STARTS_AT + timedelta(days=4))
    ana = SettledMeter.objects.get(settlement__event_id=event_id, meter_id=world.meters["ana"].id)
    assert (ana.verdict, ana.delivered_wh, ana.credited_wh) == ("opted_out", 400, 0)
    assert StatementEntry.objects.get(statement__customer_id=world.cast.home.id, settlement__event_id=event_id).amount_nanos == 0


def test_a_late_reading_is_noticed_and_corrected_once(world: World) -> None:
    """Ana's last quarter comes two days late: one correction adds it, nobody else's statement changes, and a second look does nothing."""
    write_event(world, "ana", [150, 150, 150])
    write_event(world, "chloe", [200] * 4)
    actions.settle_due(now=SETTLED_AT)
    assert (actions.correct_for_readings(now=SETTLED_AT), _owed(world)) == ([], (75_000_000, 50_000_000))
    write_event(world, "ana", [150], start=ENDS_AT - timedelta(minutes=15), now=LATER)
    (result,) = actions.correct_for_readings(now=LATER)
    assert (result.outcome, result.number, result.entries, result.amount_nanos) == (Outcome.CORRECTED, 2, 1, 25_000_000)
    assert actions.correct_for_readings(now=LATER) == []
    assert _owed(world) == (100_000_000, 50_000_000)
    assert list(StatementEntry.objects.order_by("id").values_list("kind", "amount_nanos"))[3:] == [("correction", 25_000_000)]


def test_a_corrected_past_day_moves_the_baseline_and_the_credit(world: World) -> None:
    """A reading of a day in the baseline is replaced by a larger one: the baseline rises, and with it what is credited."""
    _settled(world)
    day = STARTS_AT - timedelta(days=1)
    write(world.meters["ana"], day, [350] * 4, now=LATER)
    (result,) = actions.correct_for_readings(now=LATER)
    # One of ten days uses 99 or 100 Wh more in each quarter: 260.4 or 260.5 expected, which is 260.
    assert (result.entries, result.amount_nanos) == (1, 4 * 10 * 250_000)


def test_readings_that_do_not_matter_are_looked_at_once_and_left(world: World) -> None:
    """Another meter, after the event, morning hours of a past day: no settlement, and the next run has nothing left to look at."""
    _settled(world)
    stranger = metering.create_meter(actor=None, number="E-stranger", now=LATER)
    write(stranger, STARTS_AT, [100] * 4, now=LATER)
    write(world.meters["ana"], ENDS_AT + timedelta(hours=1), [100] * 4, now=LATER)
    write(world.meters["ana"], STARTS_AT - timedelta(days=1, hours=6), [77] * 4, now=LATER)
    assert [result.outcome for result in actions.correct_for_readings(now=LATER)] == [Outcome.UNCHANGED]
    watch = Watch.objects.get()
    assert watch.checked_sequence == watch.due_sequence
    assert queries.watches_due() == []
    assert Settlement.objects.count() == 1


def test_a_meter_that_changed_hands_later_credits_whoever_had_it_then(world: World) -> None:
    """Bram moves in and takes Ana's meter over after the event: the credit is Ana's, and so are the late correction and the statement."""
    write_event(world, "ana", [150, 150, 150])
    metering.end_assignment(actor=None, meter_id=world.meters["ana"].id, until_at=ENDS_AT, now=ENDS_AT)
    metering.assign_meter(
        actor=None,
        meter_id=world.meters["ana"].id,
        customer_id=world.cast.other_home.id,
        site_id=world.cast.other_site.id,
        from_at=ENDS_AT,
        now=ENDS_AT,
    )
    actions.settle_due(now=SETTLED_AT)
    write_event(world, "ana", [150], start=ENDS_AT - timedelta(minutes=15), now=LATER)
    actions.correct_for_readings(now=LATER)
    assert _owed(world) == (100_000_000, 0)


def test_one_event_that_fails_does_not_keep_others_from_being_settled(world: World) -> None:
    """A program whose rule cannot be read is named in the error; the other event is settled all the same."""
    starts_at = STARTS_AT + timedelta(days=3)
    other = call(world.program, starts_at=starts_at)
    finish(starts_at + timedelta(hours=1))
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_site SET country = 'XX' WHERE id = %s", [world.cast.office.id])
    with pytest.raises(ExceptionGroup, match="some events could not be settled") as failure:
        actions.settle_due(now=starts_at + timedelta(days=1))
    assert len(failure.value.exceptions) == 2
    assert failure.value.exceptions[1].__notes__ == [f"while settling event {other}"]


def test_a_settlement_and_its_corrections_can_be_computed_again(world: World) -> None:
    """From the readings known then, by the rule kept with it: every line, sum, day, digest, entry and transfer is the same."""
    _settled(world)
    write(world.meters["ana"], STARTS_AT - timedelta(days=1), [350] * 4, now=LATER)
    actions.correct_for_readings(now=LATER)
    write_event(world, "chloe", [10, 10, 10, 10], now=LATER)
    actions.correct_for_readings(now=LATER)
    found = verify(event_id=world.event_id, now=LATER)
    assert (found.settlements, found.meters, found.lines, found.entries) == (3, 9, 36, 5)
    assert found.differences == ()


TAMPERINGS = [
    ("UPDATE settlement_settlementline SET credited_wh = 101, amount_nanos = 25250000 WHERE id = (SELECT MIN(id) FROM settlement_settlementline)",
     ["meter {ana}, 2026-11-20T16:00Z: credited_wh is 101, but should be 100", "amount_nanos is 25250000, but should be 25000000",
      "as a whole: result_digest", "statement of {party}: sum of amount_nanos is 100000000, but should be 100250000"]),
    ("UPDATE settlement_settlementline SET metered_wh = 149 WHERE id = (SELECT MIN(id) FROM settlement_settlementline)",
     ["metered_wh is 149, but should be 150"]),
    ("UPDATE settlement_settledmeter SET credited_wh = 401 WHERE meter_id = {ana}", ["meter {ana}: credited_wh is 401, but should be 400"]),
    ("UPDATE settlement_settledmeter SET party_id = 'pty_eve' WHERE meter_id = {ana}",
     ["meter {ana}: party_id is 'pty_eve', but should be '{party}'", "statement of pty_eve: sum of credited_wh is 0, but should be 400"]),
    ("UPDATE settlement_settledmeter SET verdict = 'no_rule_for_day' WHERE verdict = 'too_few_days'", ["verdict is 'no_rule_for_day'"]),
    ("UPDATE settlement_settledmeter SET days = '[]' WHERE meter_id = {ana}", ["meter {ana}: days is ()"]),
    ("DELETE FROM settlement_settlementline WHERE id = (SELECT MIN(id) FROM settlement_settlementline)",
     ["meter {ana}, 2026-11-20T16:00Z: is settled is False, but should be True"]),
    ("UPDATE settlement_settlement SET result_digest = 'x'", ["as a whole: result_digest is 'x', but should be"]),
    ("UPDATE settlement_settlement SET readings_digest = 'x'", ["as a whole: readings_digest is 'x', but should be"]),
    ("UPDATE settlement_settlement SET terms_version = 7", ["as a whole: terms_version is 7, but should be 1"]),
    ("UPDATE settlement_settlement SET rule = '{{}}'", ["as a whole: rule is {{}}, but should be {{'"]),
    ("UPDATE settlement_settlement SET number = 3", ["as a whole: number is 3, but should be 1"]),
    ("UPDATE settlement_statemententry SET amount_nanos = 100000001 WHERE amount_nanos = 100000000",
     ["sum of amount_nanos is 100000001, but should be 100000000", "amount_nanos is 100000000, but should be 100000001"]),
    ("UPDATE settlement_statemententry SET transfer_reference = 'settlement:x' WHERE amount_nanos = 100000000",
     ["transfer settlement:x: amount_nanos is 0, but should be 100000000"]),
]  # fmt: skip


@pytest.mark.parametrize(("statement", "named"), TAMPERINGS)
def test_whatever_is_tampered_with_is_named(world: World, statement: str, named: list[str]) -> None:
    """Somebody changes one figure with plain SQL: verification says where, what stands there and what should."""
    _settled(world)
    names = {"ana": world.meters["ana"].id, "party": world.cast.home.party_id}
    with connection.cursor() as cursor:
        cursor.execute(statement.format(**names))
    found = [str(difference) for difference in verify(event_id=world.event_id, now=LATER).differences]
    for text in named:
        assert any(text.format(**names) in line for line in found), found


def test_a_reading_that_was_replaced_behind_the_back_is_noticed(world: World) -> None:
    """A stored reading is changed with plain SQL: what was settled from it no longer follows from the readings, and says so."""
    _settled(world)
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE metering_reading SET amount = 151 WHERE channel_id = %s AND start_s = %s",
            [world.meters["ana"].channels[0].id, int(STARTS_AT.timestamp())],
        )
    found = [str(difference) for difference in verify(event_id=world.event_id, now=LATER).differences]
    assert any("as a whole: readings_digest" in line for line in found)
    assert any("metered_wh is 150, but should be 151" in line for line in found)
