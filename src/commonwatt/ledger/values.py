"""What the ledger takes and gives, and the codes of its accounts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from commonwatt.ledger.models import AccountKind


def party_code(party_id: str, currency: str) -> str:
    """The account that says what is owed to a customer."""
    return f"party:{party_id}:{currency}"


def program_code(program_public_id: str, currency: str) -> str:
    """The account that says what a program has spent."""
    return f"program:{program_public_id}:{currency}"


def payout_code(currency: str) -> str:
    """The account that says what has been paid out."""
    return f"payout:{currency}"


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRequest:
    """An account that must be there; `party_id` only for accounts of a party."""

    code: str
    kind: AccountKind
    currency: str
    party_id: str = ""


def party_account(party_id: str, currency: str) -> AccountRequest:
    """A customer's account, ready to be opened."""
    return AccountRequest(code=party_code(party_id, currency), kind=AccountKind.PARTY, currency=currency, party_id=party_id)


def program_account(program_public_id: str, currency: str) -> AccountRequest:
    """A program's account, ready to be opened."""
    return AccountRequest(code=program_code(program_public_id, currency), kind=AccountKind.PROGRAM, currency=currency)


def payout_account(currency: str) -> AccountRequest:
    """The account of payouts in one currency, ready to be opened."""
    return AccountRequest(code=payout_code(currency), kind=AccountKind.PAYOUT, currency=currency)


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferRequest:
    """An amount to move from the debit to the credit account. [nanos]

    Attributes:
        reference: What the transfer is for, unique for ever: the same reference moves money once.
        corrects: The reference of the transfer that this one corrects, between the same two accounts in either direction.
    """

    reference: str
    debit_code: str
    credit_code: str
    amount_nanos: int
    currency: str
    reason: str
    corrects: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TransferView:
    """A transfer as it was booked. [nanos]"""

    public_id: str
    reference: str
    debit_code: str
    credit_code: str
    amount_nanos: int
    currency: str
    reason: str
    corrects: str | None
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryView:
    """A transfer as one party sees it: positive when it is owed more. [nanos]"""

    reference: str
    reason: str
    amount_nanos: int
    currency: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Payout:
    """Whole cents paid to a party, and the nanos that stay owed: less than one cent."""

    reference: str
    cents: int
    carried_nanos: int
    currency: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerVerification:
    """What was looked at, and what is wrong with it in words; no problems: the ledger is whole."""

    accounts: int
    transfers: int
    problems: tuple[str, ...]
