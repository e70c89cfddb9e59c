"""Rows by their names, many at a time: for this room alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from commonwatt.ledger.models import Account, Transfer

# SQLite takes some ten thousand parameters in one statement; a settlement may name more.
CHUNK = 5000


def accounts_by_code(codes: Iterable[str]) -> dict[str, Account]:
    """Those of the accounts that are there."""
    return {row.code: row for chunk in _chunks(codes) for row in Account.objects.filter(code__in=chunk)}


def transfers_by_reference(references: Iterable[str]) -> dict[str, Transfer]:
    """Those of the transfers that are booked, with their accounts and what they correct."""
    rows = Transfer.objects.select_related("debit", "credit", "corrects")
    return {row.reference: row for chunk in _chunks(references) for row in rows.filter(reference__in=chunk)}


def _chunks(names: Iterable[str]) -> Iterator[Sequence[str]]:
    every = sorted(set(names))
    for start in range(0, len(every), CHUNK):
        yield every[start : start + CHUNK]
