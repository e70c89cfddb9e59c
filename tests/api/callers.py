"""Callers of the API: signed in by session, sending JSON."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from django.http import HttpResponse
from django.test import Client
from tests.cast import Cast, sign_in


@dataclass(frozen=True)
class Caller:
    """One person's browser."""

    client: Client

    def get(self, path: str, **query: Any) -> HttpResponse:
        """GET below /api/v1."""
        return self.client.get(f"/api/v1{path}", query)  # type: ignore[return-value]  # the test client's own response class

    def send(self, method: str, path: str, body: object = None) -> HttpResponse:
        """Any other method, with a JSON body."""
        return self.client.generic(method, f"/api/v1{path}", json.dumps(body or {}), content_type="application/json")  # type: ignore[return-value]

    def post(self, path: str, body: object = None) -> HttpResponse:
        """POST below /api/v1."""
        return self.send("POST", path, body)


def caller(cast: Cast, name: str) -> Caller:
    """The browser of one of the cast, signed in."""
    return Caller(sign_in(Client(), cast.user(name)))
