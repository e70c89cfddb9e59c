"""`settle`: credit what is due, or prove that what was credited can be recomputed."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import click

from commonwatt.ops.commands.frame import Failed, Timer, plural, tell, with_tables
from commonwatt.ops.install import Install

if TYPE_CHECKING:
    from commonwatt.settlement.values import SettlementResult


@click.command()
@click.option("--event", "public_id", metavar="ID", help="Only this event, such as evt_7K3M9Q2X4T8V.")
@click.option("--verify", is_flag=True, help="Change nothing; recompute what was settled and compare every figure.")
@click.option("--dry-run", is_flag=True, help="Change nothing; print the events that are due.")
@with_tables
def settle(here: Install, *, public_id: str | None, verify: bool, dry_run: bool) -> None:
    """Settle the events that are due, and correct settled ones whose readings have changed."""
    if verify and dry_run:
        raise click.UsageError("--verify changes nothing anyway; leave --dry-run out.")
    now = here.clock.now()
    event_id = None if public_id is None else _event_id(public_id, now=now)
    if verify:
        _verify(event_id, now=now)
    elif dry_run:
        _list_due(event_id, now=now)
    else:
        _settle(event_id, now=now)


def _event_id(public_id: str, *, now: datetime) -> int:
    from commonwatt.accounts.access import NotFound, Viewer
    from commonwatt.demand_response.access import access_event

    command_line = Viewer(user_id=None, name="", email="", is_operator=True)
    try:
        return access_event(command_line, public_id, now=now).id
    except NotFound as error:
        raise Failed(f"There is no event {public_id!r}.") from error


def _settle(event_id: int | None, *, now: datetime) -> None:
    from commonwatt.settlement import actions

    took = Timer()
    try:
        if event_id is not None:
            results = [actions.settle_event(event_id=event_id, now=now)]
        else:
            results = [*actions.settle_due(now=now), *actions.correct_for_readings(now=now)]
    except (actions.EventNotOver, actions.TooEarly) as error:
        raise Failed(str(error)) from error
    for result in results:
        click.echo(_line(result))
    entries = sum(result.entries for result in results)
    unpaid = sum(result.unpaid_meters for result in results)
    tell(
        f"settle: {plural(len(results), 'event')}, {plural(entries, 'statement entry', 'statement entries')}, "
        f"{plural(unpaid, 'meter')} without pay, {took}"
    )


def _line(result: SettlementResult) -> str:
    fields = (result.event_public_id, result.outcome.value, result.number, result.meters, result.entries, result.amount_nanos)
    return "\t".join(str(value) for value in fields)


def _list_due(event_id: int | None, *, now: datetime) -> None:
    from commonwatt.demand_response.event_queries import event_facts
    from commonwatt.settlement.queries import events_due

    due = [one for one in events_due(now=now) if event_id in {None, one}]
    for one in due:
        click.echo(event_facts(one).public_id)
    tell(f"settle: {plural(len(due), 'event')} due, nothing changed")


def _verify(event_id: int | None, *, now: datetime) -> None:
    from commonwatt.ledger import queries as ledger
    from commonwatt.settlement.queries import settled_event_ids
    from commonwatt.settlement.verification import verify

    took = Timer()
    found = [verify(event_id=one, now=now) for one in ([event_id] if event_id is not None else settled_event_ids())]
    wrong = [f"{one.event_public_id}\t{difference}" for one in found for difference in one.differences]
    wrong += [f"ledger\t{problem}" for problem in ledger.verify().problems]
    for line in wrong:
        click.echo(line)
    counts = ", ".join(
        [
            plural(len(found), "event"),
            plural(sum(one.settlements for one in found), "settlement"),
            plural(sum(one.lines for one in found), "line"),
            plural(len(wrong), "difference"),
        ]
    )
    tell(f"settle: {counts}, {took}")
    if wrong:
        raise Failed("What is stored is not what the readings give. The differences are listed above.")
