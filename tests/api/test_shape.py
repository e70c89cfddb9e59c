"""Every endpoint refuses in one shape, and the reference names every endpoint."""

from __future__ import annotations

import re
from http import HTTPStatus
from pathlib import Path

import pytest
from django.test import Client
from tests.api.callers import caller
from tests.cast import Cast

from commonwatt.api.reference import reference
from commonwatt.api.v1 import api

REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "api.md"
SHAPE = {"code", "message", "field"}


def operations() -> list[tuple[str, str]]:
    """Every method and path of the API, with something in place of each id."""
    paths = api.get_openapi_schema(path_prefix="/api/v1/")["paths"]
    return sorted((method.upper(), re.sub(r"\{.*?\}", "nothing", path)) for path, methods in paths.items() for method in methods)


def is_refusal(response: object, status: int) -> None:
    """Hold a response against the one shape."""
    assert response.status_code == status  # type: ignore[attr-defined]
    body = response.json()  # type: ignore[attr-defined]
    assert set(body) == SHAPE
    assert re.fullmatch(r"[a-z_]+", body["code"])
    assert body["message"]


@pytest.mark.django_db
@pytest.mark.parametrize(("method", "path"), operations())
def test_nobody_without_a_session_gets_an_answer(method: str, path: str) -> None:
    """401 in JSON, not a sign-in page, whatever the address."""
    is_refusal(Client().generic(method, path, "{}", content_type="application/json"), HTTPStatus.UNAUTHORIZED)


@pytest.mark.django_db
def test_every_refusal_has_the_one_shape(cast: Cast) -> None:
    """Things that are not there, bodies that are no JSON, methods that are none: code, message and field, and nothing else."""
    ana = caller(cast, "ana").client
    found = 0
    for method, path in operations():
        broken = ana.generic(method, path, "{", content_type="application/json")
        if method == "GET" and "nothing" not in path:
            continue
        body = broken.json()
        assert set(body) == SHAPE, (method, path, body)
        assert broken.status_code in {400, 404, 422}, (method, path, body)
        is_refusal(ana.generic("TRACE", path), HTTPStatus.METHOD_NOT_ALLOWED)
        found += 1
    assert found > 25
    is_refusal(ana.get("/api/v1/nothing"), HTTPStatus.NOT_FOUND)
    is_refusal(ana.get("/api/v1/"), HTTPStatus.NOT_FOUND)
    is_refusal(ana.get("/api/v1/events/evt_1/nothing"), HTTPStatus.NOT_FOUND)


@pytest.mark.django_db
def test_the_description_of_the_api_is_open_to_read() -> None:
    """Programs that generate clients need no session to read what there is."""
    found = Client().get("/api/v1/openapi.json")
    assert (found.status_code, found.json()["info"]["title"]) == (200, "Commonwatt")
    assert "/api/v1/events/{event_id}/live" in found.json()["paths"]


def test_the_reference_is_the_api() -> None:
    """docs/reference/api.md is written from the code: a change of one without the other fails here."""
    assert REFERENCE.read_text() == reference(), "write it anew: make docs"
