"""Open accounts, move amounts, pay out. Nothing here changes a row: whatever was wrong is corrected by a further transfer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import datetime

from django.db import transaction

from commonwatt.kernel.ids import new_public_id
from commonwatt.kernel.money import NANOS_PER_CENT, payout_cents
from commonwatt.ledger import queries
from commonwatt.ledger.models import Account, Transfer
from commonwatt.ledger.rows import accounts_by_code, transfers_by_reference
from commonwatt.ledger.values import AccountRequest, Payout, TransferRequest, TransferView, party_account, payout_account

LARGEST_AMOUNT_NANOS = 2**63 - 1


class UnknownAccount(LookupError):
    """A transfer names an account that was never opened."""

    def __init__(self, code: str) -> None:
        super().__init__(f"There is no account {code!r}; open it first.")


class UnknownTransfer(LookupError):
    """A correction names a transfer that was never booked."""

    def __init__(self, reference: str, corrects: str) -> None:
        super().__init__(f"{reference!r} is to correct {corrects!r}, but no such transfer was booked.")


class CorrectsOtherAccounts(ValueError):
    """A correction moves money between other accounts than the transfer it corrects."""

    def __init__(self, reference: str, corrects: str) -> None:
        super().__init__(f"{reference!r} must move between the two accounts of {corrects!r}, which it corrects.")


class AccountTaken(ValueError):
    """The code stands for an account with other properties."""

    def __init__(self, code: str, field: str, stored: object, given: object) -> None:
        super().__init__(f"Account {code!r} is already open with {field} {stored!r}, not {given!r}.")


class ReferenceTaken(ValueError):
    """The reference was used for a transfer with other content: one of the two is a mistake, and nothing is booked."""

    def __init__(self, reference: str, field: str, stored: object, given: object) -> None:
        super().__init__(
            f"Transfer {reference!r} is already booked with {field} {stored!r}, not {given!r}; give this one its own reference."
        )
        self.field = field


class MixedCurrencies(ValueError):
    """A transfer between accounts of different currencies, or in another one than theirs."""

    def __init__(self, reference: str, code: str, currency: str, given: str) -> None:
        super().__init__(f"Transfer {reference!r} is in {given}, but account {code!r} is in {currency}.")


class NotAnAmount(ValueError):
    """A transfer of nothing, of less than nothing, of more than can be stored, or from an account to itself."""

    def __init__(self, reference: str, text: str) -> None:
        super().__init__(f"Transfer {reference!r} {text}.")


def open_account(*, request: AccountRequest, now: datetime) -> None:
    """Have the account; see `open_accounts`."""
    open_accounts(requests=[request], now=now)


@transaction.atomic
def open_accounts(*, requests: Iterable[AccountRequest], now: datetime) -> None:
    """Have every one of these accounts; those that are there already stay as they are.

    Two who open the same account at the same moment: the later one's transaction fails on the unique code, and can be run again.

    Raises:
        AccountTaken: If a code is in use for another kind, currency or party; nothing is opened then.
    """
    wanted = {request.code: request for request in requests}
    there = accounts_by_code(wanted)
    for account in there.values():
        request = wanted[account.code]
        for field in ("kind", "currency", "party_id"):
            if getattr(account, field) != getattr(request, field):
                raise AccountTaken(account.code, field, getattr(account, field), str(getattr(request, field)))
    Account.objects.bulk_create(
        [
            Account(code=request.code, kind=request.kind, currency=request.currency, party_id=request.party_id, created_at=now)
            for request in wanted.values()
            if request.code not in there
        ],
        batch_size=500,
    )


def transfer(
    *,
    reference: str,
    debit_code: str,
    credit_code: str,
    amount_nanos: int,
    currency: str,
    reason: str,
    at: datetime,
    corrects: str | None = None,
) -> TransferView:
    """Book one amount, once; see `transfer_all`."""
    request = TransferRequest(
        reference=reference,
        debit_code=debit_code,
        credit_code=credit_code,
        amount_nanos=amount_nanos,
        currency=currency,
        reason=reason,
        corrects=corrects,
    )
    return transfer_all(requests=[request], at=at)[0]


@transaction.atomic
def transfer_all(*, requests: Sequence[TransferRequest], at: datetime) -> list[TransferView]:
    """Book all these amounts, each once and all or none, and return them as they stand in the ledger, in the same order.

    A reference that is booked already with the same content is a repeat: it moves nothing, and the first booking is returned
    (with its own time: when something is repeated says nothing about what it is). Two who book the same reference at the same
    moment: the later one's transaction fails on the unique reference, and can be run again.

    Raises:
        ReferenceTaken: The reference stands for another content; the message names the first field that differs.
        UnknownAccount, UnknownTransfer, CorrectsOtherAccounts, MixedCurrencies, NotAnAmount: As they say.
    """
    there = {view.reference: view for view in queries.transfers(references=[request.reference for request in requests])}
    fresh: dict[str, TransferRequest] = {}
    for request in requests:
        earlier = there.get(request.reference) or fresh.setdefault(request.reference, request)
        _check_same(earlier, request)
    _book(list(fresh.values()), at=at)
    booked = there | {view.reference: view for view in queries.transfers(references=list(fresh))}
    return [booked[request.reference] for request in requests]


@transaction.atomic
def pay_out(*, party_id: str, currency: str, reference: str, now: datetime) -> Payout | None:
    """Record that a party was paid what it is owed, in whole cents; the rest stays owed. None if less than a cent is owed.

    The same reference pays once: a repeat returns what was paid then, and what is left over now.

    Raises:
        UnknownAccount: The party was never credited in this currency.
        ReferenceTaken: The reference stands for something else than a payout to this party.
    """
    party, paid = party_account(party_id, currency), payout_account(currency)
    # Two payouts at once must not both see the same balance: the second waits here.
    if Account.objects.select_for_update().filter(code=party.code).first() is None:
        raise UnknownAccount(party.code)
    balance = queries.balance(party.code)
    if (earlier := next(iter(queries.transfers(references=[reference])), None)) is not None:
        _check_legs(earlier, debit_code=party.code, credit_code=paid.code)
        return Payout(reference=reference, cents=earlier.amount_nanos // NANOS_PER_CENT, carried_nanos=balance, currency=currency)
    cents, carried = payout_cents(balance) if balance > 0 else (0, 0)
    if cents == 0:
        return None
    open_account(request=paid, now=now)
    transfer(
        reference=reference,
        debit_code=party.code,
        credit_code=paid.code,
        amount_nanos=cents * NANOS_PER_CENT,
        currency=currency,
        reason="payout",
        at=now,
    )
    return Payout(reference=reference, cents=cents, carried_nanos=carried, currency=currency)


def _book(requests: Sequence[TransferRequest], *, at: datetime) -> None:
    accounts = accounts_by_code(code for request in requests for code in (request.debit_code, request.credit_code))
    corrected = _corrected(requests)
    for request in requests:
        _check(request, accounts)
    Transfer.objects.bulk_create(
        [
            Transfer(
                public_id=new_public_id("trf"),
                reference=request.reference,
                debit=accounts[request.debit_code],
                credit=accounts[request.credit_code],
                amount_nanos=request.amount_nanos,
                currency=request.currency,
                at=at,
                reason=request.reason,
                corrects_id=corrected[request.corrects] if request.corrects else None,
            )
            for request in requests
        ],
        batch_size=500,
    )


def _corrected(requests: Sequence[TransferRequest]) -> dict[str, int]:
    """The keys of the transfers to be corrected, by reference."""
    found = transfers_by_reference(request.corrects for request in requests if request.corrects)
    for request in requests:
        if request.corrects is None:
            continue
        row = found.get(request.corrects)
        if row is None:
            raise UnknownTransfer(request.reference, request.corrects)
        if {row.debit.code, row.credit.code} != {request.debit_code, request.credit_code}:
            raise CorrectsOtherAccounts(request.reference, request.corrects)
    return {reference: row.pk for reference, row in found.items()}


def _check(request: TransferRequest, accounts: dict[str, Account]) -> None:
    if not 0 < request.amount_nanos <= LARGEST_AMOUNT_NANOS:
        raise NotAnAmount(request.reference, f"is of {request.amount_nanos} nanos, but an amount is between 1 and {LARGEST_AMOUNT_NANOS}")
    if request.debit_code == request.credit_code:
        raise NotAnAmount(request.reference, f"goes from {request.debit_code!r} to itself")
    for code in (request.debit_code, request.credit_code):
        account = accounts.get(code)
        if account is None:
            raise UnknownAccount(code)
        if account.currency != request.currency:
            raise MixedCurrencies(request.reference, code, account.currency, request.currency)


def _check_same(earlier: TransferView | TransferRequest, request: TransferRequest) -> None:
    for field in fields(TransferRequest):
        stored, given = getattr(earlier, field.name), getattr(request, field.name)
        if stored != given:
            raise ReferenceTaken(request.reference, field.name, stored, given)


def _check_legs(earlier: TransferView, *, debit_code: str, credit_code: str) -> None:
    for field, given in (("debit_code", debit_code), ("credit_code", credit_code)):
        if getattr(earlier, field) != given:
            raise ReferenceTaken(earlier.reference, field, getattr(earlier, field), given)
