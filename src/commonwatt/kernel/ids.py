"""Public ids and secrets: text, hard to guess, easy to read aloud where a person must type them."""

from __future__ import annotations

import hashlib
import secrets
from typing import NewType

PartyId = NewType("PartyId", str)
"""The pseudonym under which ledger and settlements know a customer."""

# Crockford's alphabet: no I, L, O, U, so that nothing is misread or misheard.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_MISREAD = str.maketrans("ILO", "110")


def new_public_id(prefix: str) -> str:
    """A random id such as `evt_7K3M9Q2X4T8V` (60 bits), safe to show and to put into an address."""
    return f"{prefix}_{_symbols(12)}"


def new_claim_code() -> str:
    """A code a person types once, such as `7K3M-9Q2X-4T8V-WZ5R` (80 bits)."""
    return "-".join(_symbols(4) for _ in range(4))


def normalise_claim_code(text: str) -> str:
    """What a person typed, in the one form that is hashed: upper case, misread letters mended, letters and digits only.

    Whatever a phone makes of the dashes (–, —, a dot, a blank) says nothing.
    """
    return "".join(filter(str.isalnum, text.upper())).translate(_MISREAD)


def new_token() -> str:
    """A secret for an address or a header (256 bits)."""
    return secrets.token_urlsafe(32)


def digest_secret(secret: str) -> str:
    """SHA-256 in hex: enough for secrets with 80 random bits or more, which no list can hold."""
    return hashlib.sha256(secret.encode()).hexdigest()


def _symbols(count: int) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(count))
