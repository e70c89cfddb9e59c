"""A statement tells its customer everything, to the same nano as the table to download and the ledger; and tells nobody else."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from tests.settlement.readings import write_event, write_history
from tests.settlement.world import ENDS_AT, SETTLED_AT, STARTS_AT, World, call, finish, make_world

from commonwatt.accounts.access import ANONYMOUS, Forbidden, NotFound, Right
from commonwatt.baseline.programs import RULES
from commonwatt.demand_response.choices import NegativeIntervals
from commonwatt.ledger import actions as ledger_actions
from commonwatt.ledger import queries as ledger
from commonwatt.ledger.values import party_code
from commonwatt.settlement import actions, queries, savings
from commonwatt.settlement.access import access_settlement, access_statement
from commonwatt.settlement.models import Settlement, Statement
from commonwatt.settlement.statements import CSV_COLUMNS, StatementDetail, csv_rows, statement_detail

pytestmark = pytest.mark.django_db
LATER = SETTLED_AT + timedelta(days=2)


@pytest.fixture
def world() -> World:
    """Settled with a quarter of Ana's missing, then corrected when it came."""
    world = make_world(rule=RULES["10-of-10+ratio20"], factor_ppm=900_000)
    write_history(world)
    write_event(world, "ana", [150, 151, 152])
    write_event(world, "chloe", [300, 200, 250, 250])
    actions.settle_due(now=SETTLED_AT)
    write_event(world, "ana", [333], start=ENDS_AT - timedelta(minutes=15), now=LATER)
    write_event(world, "ana", [153], start=STARTS_AT, now=LATER)
    actions.correct_for_readings(now=LATER)
    return world


def _statement(world: World, whose: str) -> Statement:
    customer = {"ana": world.cast.home, "chloe": world.cast.other_home, "office": world.cast.organisation}[whose]
    return Statement.objects.get(customer_id=customer.id)


def _detail(world: World, whose: str) -> StatementDetail:
    return statement_detail(_statement(world, whose).pk)


def test_a_statement_shows_every_figure_and_why(world: World) -> None:
    """Ana sees what was expected, used and saved in each quarter, at which price, and that the last quarter was more than expected."""
    detail = _detail(world, "ana")
    (meter,) = detail.meters
    assert [
        (line.baseline_wh, line.metered_wh, line.delivered_wh, line.credited_wh, line.amount_nanos, line.text) for line in meter.lines
    ] == [
        (250, 153, 97, 97, 21_825_000, ""),
        (250, 151, 99, 99, 22_275_000, ""),
        (250, 152, 98, 98, 22_050_000, ""),
        (250, 333, -83, 0, 0, "More was used than the baseline."),
    ]
    assert (detail.price_micros_per_kwh, detail.credited_price_micros_per_kwh) == (250_000, 225_000)
    assert detail.factor_text == "90.0 % of the price is paid (the program's credit factor)."
    assert (meter.meter_number, meter.site_name, meter.is_credited) == ("E-ana", "Home", True)
    assert (detail.total_nanos, detail.payable_cents, detail.carried_nanos) == (66_150_000, 6, 6_150_000)
    assert detail.rule_title == RULES["10-of-10+ratio20"].title
    assert detail.rule_texts[1] == "The baseline is their mean, interval by interval."
    assert meter.chart == {
        "zone": "Europe/Brussels",
        "interval_s": 900,
        "start": ["2026-11-20T16:00:00Z", "2026-11-20T16:15:00Z", "2026-11-20T16:30:00Z", "2026-11-20T16:45:00Z"],
        "baseline_wh": [250, 250, 250, 250],
        "metered_wh": [153, 151, 152, 333],
        "delivered_wh": [97, 99, 98, -83],
    }


def test_a_statement_shows_the_credit_and_each_correction(world: World) -> None:
    """What was credited first stays; the correction says only the difference, and what it was computed from."""
    detail = _detail(world, "ana")
    assert detail.credit is not None
    assert (detail.credit.kind_text, detail.credit.credited_wh, detail.credit.amount_nanos) == ("Credit", 297, 66_825_000)
    assert [(entry.kind_text, entry.settlement_number, entry.credited_wh, entry.amount_nanos) for entry in detail.corrections] == [
        ("Correction", 2, -3, -675_000)
    ]
    assert (detail.settlement_number, detail.settled_at, detail.meters[0].settlement_number) == (2, LATER, 2)
    assert _detail(world, "chloe").meters[0].settlement_number == 1
    assert _detail(world, "chloe").corrections == ()


def test_every_day_looked_at_is_used_or_refused_with_a_reason(world: World) -> None:
    """Ten weekdays are used; the weekend, and days before there were readings, are there with why not."""
    (meter,) = _detail(world, "ana").meters
    assert [row.day for row in meter.used_days] == [date(2026, 11, day) for day in (19, 18, 17, 16, 13, 12, 10, 9, 6, 5)]
    refused = {row.day: row.text for row in meter.refused_days}
    assert refused[date(2026, 11, 15)] == "Another kind of day than that of the event."
    assert refused[date(2026, 11, 11)] == "A public holiday."  # Armistice Day in Belgium
    assert refused[date(2026, 11, 3)] == "Readings are missing in the hours that count."
    assert meter.adjustment_text == "Adjusted by −0.2\u00a0%, as the hours before the event asked for."
    (office,) = _detail(world, "office").meters
    assert (office.verdict_text, office.is_credited) == ("Nothing is credited: too few past days are suitable for a baseline.", False)
    assert {line.text for line in office.lines} == {"No reading: nothing is credited."}


def test_statement_table_and_ledger_agree_to_the_nano(world: World) -> None:
    """The lines, the entries, the downloaded table and the account in the ledger hold one and the same sum for everybody."""
    for whose, customer in (("ana", world.cast.home), ("chloe", world.cast.other_home), ("office", world.cast.organisation)):
        detail = _detail(world, whose)
        header, *rows = csv_rows(_statement(world, whose).pk)
        assert header == CSV_COLUMNS
        table = sum((Decimal(row[header.index("amount")]) for row in rows), Decimal(0))
        lines = sum(line.amount_nanos for meter in detail.meters for line in meter.lines)
        entries = sum(entry.amount_nanos for entry in (detail.credit, *detail.corrections) if entry)
        assert table * 10**9 == lines == entries == detail.total_nanos == ledger.balance(party_code(customer.party_id, "EUR"))
        assert detail.credited_wh == sum(int(row[header.index("credited_wh")]) for row in rows)


def test_the_table_writes_exact_decimals_and_leaves_gaps_empty(world: World) -> None:
    """Prices with six decimals, amounts with nine, times in UTC; a missing reading is an empty cell and never a zero."""
    public_id = world.facts.public_id
    ana = list(csv_rows(_statement(world, "ana").pk))
    number = _statement(world, "ana").public_id
    assert ana[1] == (
        number, public_id, "2", "E-ana", "2026-11-20T16:00:00Z", "900", "250", "153", "97", "97", "0.225000", "0.021825000", "EUR", "measured", "ok",
    )  # fmt: skip
    office = list(csv_rows(_statement(world, "office").pk))
    assert office[1][6:] == ("", "", "", "0", "0.225000", "0.000000000", "EUR", "missing", "too_few_days")


def test_a_statement_takes_a_fixed_number_of_queries(world: World) -> None:
    """However many quarters and meters, the page asks the database the same few times."""
    with CaptureQueriesContext(connection) as few:
        _detail(world, "ana")
    with CaptureQueriesContext(connection) as list_queries:
        page = queries.statements_of(world.cast.home.id)
    assert len(few) <= 14
    assert len(list_queries) <= 4
    (row,) = page.items
    assert (row.credited_wh, row.amount_nanos, row.corrections, row.changed_at) == (294, 66_150_000, 1, LATER)
    assert row.event.program_name == "Evening peak"
    assert queries.statement_of_event(event_id=world.event_id, customer_id=world.cast.home.id) == row
    assert queries.statement_of_event(event_id=0, customer_id=world.cast.home.id) is None


def test_a_statement_is_its_customers_and_the_desks(world: World) -> None:
    """Ana and Bram, who shares her household, and Otto at the desk may read it; for Chloe and passers-by it is not there."""
    statement = _statement(world, "ana")
    for viewer in (world.cast.ana, world.cast.bram, world.cast.otto, world.cast.pia):
        assert access_statement(viewer, statement.public_id, now=LATER).id == statement.pk
    for stranger in (world.cast.chloe, world.cast.olga, ANONYMOUS):
        with pytest.raises(NotFound):
            access_statement(stranger, statement.public_id, now=LATER)
    with pytest.raises(NotFound):
        access_statement(world.cast.otto, "stm_NOWHERE", now=LATER)
    with pytest.raises(Forbidden):
        access_statement(world.cast.milo, _statement(world, "office").public_id, Right.CHANGE, now=LATER)


def test_settlements_are_read_at_the_desk_alone(world: World) -> None:
    """A settlement holds everybody's figures, so that only the operator's staff may open it."""
    settlement = Settlement.objects.get(number=1)
    assert access_settlement(world.cast.pia, settlement.public_id, now=LATER).number == 1
    for viewer in (world.cast.ana, world.cast.olga, ANONYMOUS):
        with pytest.raises(NotFound):
            access_settlement(viewer, settlement.public_id, now=LATER)
    with pytest.raises(NotFound):
        access_settlement(world.cast.otto, "stl_NOWHERE", now=LATER)


def test_the_savings_rate_comes_with_its_parts(world: World) -> None:
    """Ana: 211 of 1,000 Wh, four quarters together, the bad one included; the office could not be measured."""
    ana = savings.savings_of_customer(customer_id=world.cast.home.id, until=LATER)
    assert (ana.rate.delivered_wh, ana.rate.baseline_wh, ana.rate.ratio) == (211, 1000, 0.211)
    assert (ana.credited_wh, ana.amounts, ana.events) == (294, (("EUR", 66_150_000),), 1)
    assert (ana.participation.called, ana.participation.responded, ana.participation.ratio) == (1, 1, 1.0)
    office = savings.savings_of_customer(customer_id=world.cast.organisation.id, until=LATER)
    assert (office.rate.ratio, office.participation.not_measured, office.participation.called) == (None, 1, 1)
    everyone = savings.savings(until=LATER)
    assert (everyone.participation.called, everyone.participation.responded) == (3, 1)
    before = savings.savings_of_customer(customer_id=world.cast.home.id, until=STARTS_AT)
    assert (before.events, before.participation.called, before.rate.ratio) == (0, 0, None)


def test_events_that_are_not_settled_yet_count_for_nothing(world: World) -> None:
    """An event that is over but still waits for readings changes neither savings nor participation."""
    before = savings.savings_of_customer(customer_id=world.cast.home.id, until=LATER)
    call(world.program, starts_at=STARTS_AT + timedelta(days=3))
    finish(STARTS_AT + timedelta(days=4))
    assert savings.savings_of_customer(customer_id=world.cast.home.id, until=STARTS_AT + timedelta(days=5)) == before


def test_the_desk_sees_how_an_event_went(world: World) -> None:
    """All settlements of the event with their amounts, how many meters have which verdict, and the sums."""
    performance = savings.event_performance(world.event_id)
    assert performance is not None
    assert [(row.number, row.entries, row.amount_nanos) for row in performance.settlements] == [(2, 1, -675_000), (1, 3, 78_075_000)]
    assert [(count.verdict, count.meters) for count in performance.verdicts] == [("ok", 2), ("too_few_days", 1)]
    assert (performance.statements, performance.savings.amounts) == (3, (("EUR", 77_400_000),))
    assert savings.event_performance(call(world.program, starts_at=STARTS_AT + timedelta(days=3))) is None


def test_payouts_and_balance_stand_beside_the_statements(world: World) -> None:
    """6.615 cents are owed: six are paid, 0.615 carried."""
    ledger_actions.pay_out(party_id=world.cast.home.party_id, currency="EUR", reference="pay_1", now=LATER)
    assert [(entry.amount_nanos, entry.at) for entry in queries.payouts_of(world.cast.home.id)] == [(60_000_000, LATER)]
    assert queries.balances_of(world.cast.home.id) == {"EUR": 6_150_000}


def test_netting_is_explained_where_it_takes_something() -> None:
    """Under the other convention the last quarter's excess comes off the others, and the lines say so."""
    world = make_world(negative=NegativeIntervals.NET)
    write_history(world)
    write_event(world, "ana", [150, 150, 150, 280])
    actions.settle_due(now=SETTLED_AT)
    detail = _detail(world, "ana")
    assert "is deducted" in detail.negative_text
    assert [(line.credited_wh, line.text) for line in detail.meters[0].lines] == [
        (90, "Part is deducted for intervals in which more was used than the baseline."),
        (90, "Part is deducted for intervals in which more was used than the baseline."),
        (90, "Part is deducted for intervals in which more was used than the baseline."),
        (0, "More was used than the baseline."),
    ]
    assert detail.credited_wh == detail.meters[0].delivered_wh == 270
