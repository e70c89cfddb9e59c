"""Balances and bookings, summed in SQL; and whether the ledger is whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from django.db import connection
from django.db.models import BigIntegerField, Case, F, Q, QuerySet, Sum, When

from commonwatt.accounts.values import Page
from commonwatt.kernel.money import NANOS_PER_UNIT
from commonwatt.ledger.models import Account, AccountKind, Transfer
from commonwatt.ledger.rows import transfers_by_reference
from commonwatt.ledger.values import EntryView, LedgerVerification, TransferView

PAGE_SIZE = 50
GUARDED = ("account", "transfer")
GUARDS = {
    "sqlite": {"transfer_currencies_agree", "transfer_amount_is_whole"}
    | {f"{name}_{rule}" for name in GUARDED for rule in ("never_changes", "never_goes", "is_never_replaced")},
    "postgresql": {"transfer_currencies_agree"}
    | {f"{name}_{rule}" for name in GUARDED for rule in ("never_changes", "never_goes", "is_never_emptied")},
}
"""The triggers that hold the ledger, by database."""


def balance(code: str) -> int:
    """What an account stands at, on the side it normally grows on: owed to a party, spent by a program, paid out. [nanos]

    Zero for an account that was never opened: nothing was ever booked on it.
    """
    account = Account.objects.filter(code=code).first()
    if account is None:
        return 0
    credited_less_debited = _total(Transfer.objects.filter(credit=account)) - _total(Transfer.objects.filter(debit=account))
    return -credited_less_debited if account.kind == AccountKind.PROGRAM else credited_less_debited


def party_balances(party_id: str) -> dict[str, int]:
    """What is owed to a party, by currency; negative where it was credited too much and paid out. [nanos]"""
    accounts = Account.objects.filter(kind=AccountKind.PARTY, party_id=party_id).order_by("currency")
    return {account.currency: balance(account.code) for account in accounts}


def transfers(*, references: Sequence[str]) -> list[TransferView]:
    """Those of the transfers that are booked, by reference."""
    return [_view(row) for _, row in sorted(transfers_by_reference(references).items())]


def transfers_under(prefix: str) -> list[TransferView]:
    """Every transfer whose reference begins so, by reference."""
    rows = Transfer.objects.filter(reference__startswith=prefix).select_related("debit", "credit", "corrects")
    return [_view(row) for row in rows.order_by("reference")]


def entries(party_id: str, page: int = 1) -> Page[EntryView]:
    """One page of what a party was credited, corrected and paid, newest first; a number out of range gives the nearest page."""
    mine = Account.objects.filter(kind=AccountKind.PARTY, party_id=party_id)
    rows = Transfer.objects.filter(Q(debit__in=mine) | Q(credit__in=mine))
    total = rows.count()
    pages = max(1, -(-total // PAGE_SIZE))
    number = min(max(page, 1), pages)
    signed = rows.annotate(
        signed_nanos=Case(When(credit__in=mine, then=F("amount_nanos")), default=-F("amount_nanos"), output_field=BigIntegerField())
    )
    chosen = signed.order_by("-at", "-id")[(number - 1) * PAGE_SIZE : number * PAGE_SIZE]
    items = tuple(
        EntryView(reference=row.reference, reason=row.reason, amount_nanos=row.signed_nanos, currency=row.currency, at=row.at)
        for row in chosen
    )
    return Page(items, number=number, pages=pages, total=total)


def payouts(party_id: str) -> list[EntryView]:
    """What was paid to a party, oldest first, in positive amounts."""
    rows = Transfer.objects.filter(debit__party_id=party_id, credit__kind=AccountKind.PAYOUT).order_by("at", "id")
    return [
        EntryView(reference=row.reference, reason=row.reason, amount_nanos=row.amount_nanos, currency=row.currency, at=row.at)
        for row in rows
    ]


def verify() -> LedgerVerification:
    """Look at every account and transfer: sums, currencies, amounts, and whether the database still guards them."""
    rows = Transfer.objects.select_related("debit", "credit").order_by("id")
    mixed = rows.filter(~Q(currency=F("debit__currency")) | ~Q(currency=F("credit__currency")))
    unsound = rows.filter(Q(amount_nanos__lte=0) | Q(debit=F("credit")))
    problems = [
        *(
            f"Transfer {row.reference!r} is in {row.currency}, its accounts in {row.debit.currency}, {row.credit.currency}."
            for row in mixed
        ),
        *(f"Transfer {row.reference!r} moves {row.amount_nanos} nanos from {row.debit.code!r} to {row.credit.code!r}." for row in unsound),
        *(f"All balances in {currency} add up to {total} nanos, not to nothing." for currency, total in _imbalances().items()),
        *(
            f"The database no longer holds the trigger {name!r}; run the migrations again."
            for name in sorted(GUARDS[connection.vendor] - _triggers())
        ),
    ]
    return LedgerVerification(accounts=Account.objects.count(), transfers=rows.count(), problems=tuple(problems))


def _total(rows: QuerySet[Transfer]) -> int:
    return _whole(rows.aggregate(**_SUMS))


# Whole units and nanos apart: the sum of all nanos may pass what a database's integer holds, and SQLite then refuses to add.
_SUMS = {"units": Sum(F("amount_nanos") / NANOS_PER_UNIT), "nanos": Sum(F("amount_nanos") % NANOS_PER_UNIT)}


def _whole(sums: Mapping[str, int | None]) -> int:
    return int(sums["units"] or 0) * NANOS_PER_UNIT + int(sums["nanos"] or 0)


def _imbalances() -> dict[str, int]:
    """Credits less debits, by the currency of the accounts they stand on, where they differ."""
    totals: Counter[str] = Counter()
    for side, sign in (("credit__currency", 1), ("debit__currency", -1)):
        for row in Transfer.objects.values(side).annotate(**_SUMS).order_by(side):
            totals[row[side]] += sign * _whole(row)
    return {currency: total for currency, total in sorted(totals.items()) if total}


def _triggers() -> set[str]:
    catalogue = (
        "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        if connection.vendor == "sqlite"
        else "SELECT tgname FROM pg_trigger WHERE tgenabled <> 'D'"
    )
    with connection.cursor() as cursor:
        cursor.execute(catalogue)
        return {name for (name,) in cursor.fetchall()}


def _view(row: Transfer) -> TransferView:
    return TransferView(
        public_id=row.public_id,
        reference=row.reference,
        debit_code=row.debit.code,
        credit_code=row.credit.code,
        amount_nanos=row.amount_nanos,
        currency=row.currency,
        reason=row.reason,
        corrects=row.corrects.reference if row.corrects else None,
        at=row.at,
    )
