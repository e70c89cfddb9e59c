"""Every address × everybody × own and others' things × looking and acting, against the table in access_table.py."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from tests.cast import Cast, sign_in
from tests.portal.access_table import ROLES, TABLE, For, Form, Right, Route
from tests.portal.world import World, end

from commonwatt.accounts.models import AuditHead

WANTED = {For.VIEWERS: Right.VIEW, For.CHANGERS: Right.CHANGE, For.OWNERS: Right.CHANGE, For.MANAGERS: Right.MANAGE}
LEAD_TO_SIGN_IN = {name for name, route in TABLE.items() if route.look is For.EVERYBODY} | {"portal:account_sessions_end"}
"""Ways in, and the way out, end on the sign-in page by themselves."""
OK, SIGN_IN, UNKNOWN, FORBIDDEN, NO_METHOD, UNAUTHENTICATED = "ok", "sign in", "404", "403", "405", "401"


@pytest.fixture(autouse=True)
def _without_rate_limits(settings: Any) -> None:
    settings.ACCOUNT_RATE_LIMITS = False
    settings.RATELIMIT_ENABLE = False


def addresses(resolver: URLResolver | None = None, prefix: str = "") -> Iterator[str]:
    """The full name of every address that Django answers."""
    for pattern in (resolver or get_resolver()).url_patterns:
        if isinstance(pattern, URLPattern):
            assert pattern.name, f"{pattern.pattern} has no name"
            yield prefix + pattern.name
        elif pattern.namespace != "api":  # tests/api/test_access.py has its table, by operation
            inner = f"{prefix}{pattern.namespace}:" if pattern.namespace else prefix
            yield from addresses(pattern, inner)


def expected(whom: For, role: str, holder: str, *, is_api: bool = False) -> str:
    """What somebody should get; from the API 401 where a page sends to the sign-in page."""
    if whom is For.EVERYBODY:
        return OK
    if role == "anonymous":
        return UNAUTHENTICATED if is_api else SIGN_IN
    if whom is For.NOBODY:
        return NO_METHOD
    if whom is For.PEOPLE:
        return OK
    if whom is For.ANA:
        return OK if role == "ana" else UNKNOWN
    if whom in {For.STAFF, For.STAFF_ADMINISTRATORS}:
        if role == "pia" and whom is For.STAFF_ADMINISTRATORS:
            return FORBIDDEN
        return OK if role in {"otto", "pia"} else UNKNOWN
    held = ROLES[role][holder]
    if held is None:
        return UNKNOWN
    if whom is For.OWNERS and role in {"otto", "pia"}:
        return FORBIDDEN
    return OK if held >= WANTED[whom] else FORBIDDEN


def outcome(response: Any) -> str:
    """What somebody got, in the words of the table."""
    if response.status_code in {301, 302} and response.headers["Location"].startswith(reverse("account_login")):
        return SIGN_IN
    if response.status_code in {401, 403, 404, 405}:
        return str(response.status_code)
    return OK if response.status_code < 400 or response.status_code in {400, 422} else f"{response.status_code} {response.content!r}"


def client_of(cast: Cast, role: str) -> Client:
    """A browser in which somebody (or nobody) is signed in, lately enough for anything that asks the password again."""
    client = Client(raise_request_exception=True)
    if role != "anonymous":
        sign_in(client, cast.user(role))
    return client


def tell(client: Client, method: str, path: str, form: Form) -> tuple[str, int]:
    """What a request comes to, and how many entries it adds to the trail; whatever it did is undone."""
    before = AuditHead.objects.get().sequence
    with transaction.atomic():
        response = client.get(path) if method == "GET" else client.post(path, form)
        if response.streaming:
            end(response)
        result = outcome(response), AuditHead.objects.get().sequence - before
        transaction.set_rollback(True)
    return result


def test_every_address_is_in_the_table() -> None:
    """A page that nobody thought about is refused: every address has its row, and every row its address (the API: tests/api)."""
    found = [name for name in addresses() if not name.startswith("api:")]
    assert sorted(found) == sorted(TABLE), "add a row to tests/portal/access_table.py"


PARTS = [list(TABLE)[first::8] for first in range(8)]
"""The table in eight parts: each test makes the cast and its things once, and tries a part of the addresses."""


@pytest.mark.parametrize("names", PARTS)
def test_only_those_who_may(cast: Cast, names: list[str]) -> None:
    """Everybody gets at every address exactly what is theirs: looking, acting, own things and others'."""
    world = World(cast)
    wrong = [difference for name in names for difference in differences(world, name)]
    assert wrong == []


def differences(world: World, name: str) -> Iterator[str]:
    """Where an address does not keep to its row."""
    route = TABLE[name]
    for holder in route.holders:
        path = reverse(name, args=route.arguments(world, holder))
        for role in ROLES:
            for method, whom in (("GET", route.look), ("POST", route.act)):
                got, traces = tell(client_of(world.cast, role), method, path, route.form(world))
                want = expected(whom, role, holder)
                if whom is For.NOBODY and got in {NO_METHOD, UNKNOWN, SIGN_IN}:
                    got = want  # whoever is refused before is refused for that
                if got == SIGN_IN and name in LEAD_TO_SIGN_IN:
                    got = want
                if got != want:
                    yield f"{method} {path} as {role}: {got}, not {want}"
                leaves = route.leaves_trace if method == "POST" and want == OK else False
                if leaves is not None and bool(traces) != leaves:
                    yield f"{method} {path} as {role}: {traces} entries in the trail"


@pytest.mark.parametrize("names", PARTS)
def test_forms_of_other_sites_are_refused(cast: Cast, names: list[str]) -> None:
    """A form sent from another site, without our token, is refused to whoever may act here, and leaves no trace."""
    world, accepted = World(cast), []
    for name in names:
        route = TABLE[name]
        if route.act is For.NOBODY:
            continue
        client = Client(enforce_csrf_checks=True)
        sign_in(client, cast.user(able(route)))
        path, form = reverse(name, args=route.arguments(world, route.holders[0])), route.form(world)
        before = AuditHead.objects.get().sequence
        if client.post(path, form).status_code != 403 or AuditHead.objects.get().sequence != before:
            accepted.append(name)
    assert accepted == []


@pytest.mark.parametrize("names", PARTS)
def test_pages_know_no_other_methods(cast: Cast, names: list[str]) -> None:
    """Nothing of the portal answers to PUT, PATCH or DELETE."""
    world, answered = World(cast), []
    for name in names:
        route = TABLE[name]
        client = client_of(cast, able(route))
        path = reverse(name, args=route.arguments(world, route.holders[0]))
        methods = ("put", "patch", "delete") if name.startswith("portal:") else ()
        answered += [f"{method} {name}" for method in methods if getattr(client, method)(path).status_code != 405]
    assert answered == []


def able(route: Route) -> str:
    """Somebody whom the route is for."""
    return "ana" if {For.ANA, For.OWNERS} & {route.look, route.act} else "otto"
