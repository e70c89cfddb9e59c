"""Who may see and do what: to a stranger a thing does not exist, to a member it may be closed."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from tests.cast import NOW, Cast

from commonwatt.accounts.access import (
    ANONYMOUS,
    Forbidden,
    NotFound,
    Right,
    access_customer,
    access_site,
    require_operator,
    require_operator_administrator,
    viewer_for,
)

# What each person may do at most with Ana's household, and with the organisation; None: it does not exist for them.
HIGHEST = {
    "ana": (Right.MANAGE, None),
    "bram": (Right.CHANGE, None),
    "chloe": (None, None),
    "otto": (Right.MANAGE, Right.MANAGE),
    "pia": (Right.CHANGE, Right.CHANGE),
    "olga": (None, Right.MANAGE),
    "milo": (None, Right.VIEW),
    "wim": (None, None),
    "rosa": (None, None),
}


@pytest.mark.parametrize("right", list(Right))
@pytest.mark.parametrize("name", HIGHEST)
def test_rights_follow_membership(cast: Cast, name: str, right: Right) -> None:
    """Everybody gets exactly their rights in a household and an organisation, and in the sites of each."""
    viewer = getattr(cast, name)
    things = [(cast.home, cast.home_site, HIGHEST[name][0]), (cast.organisation, cast.office, HIGHEST[name][1])]
    for customer, site, highest in things:
        for access, thing in ((access_customer, customer), (access_site, site)):
            if highest is None:
                with pytest.raises(NotFound):
                    access(viewer, thing.public_id, right, now=NOW)
            elif highest < right:
                with pytest.raises(Forbidden):
                    access(viewer, thing.public_id, right, now=NOW)
            else:
                assert access(viewer, thing.public_id, right, now=NOW) == thing


def test_not_there_and_not_yours_cannot_be_told_apart(cast: Cast) -> None:
    """A stranger gets the same answer for another's household as for one that never was."""
    answers: list[Any] = []
    for number in (cast.home.public_id, "home_000000000000"):
        with pytest.raises(NotFound) as caught:
            access_customer(cast.chloe, number, now=NOW)
        answers.append(str(caught.value).replace(number, "…"))
    assert answers[0] == answers[1]


def test_the_operators_desk_is_for_its_staff(cast: Cast) -> None:
    """Only staff come to the desk, and only its administrators to what decides about people."""
    require_operator_administrator(cast.otto)
    require_operator(cast.pia)
    with pytest.raises(Forbidden):
        require_operator_administrator(cast.pia)
    for viewer in (cast.olga, cast.ana, ANONYMOUS):
        with pytest.raises(NotFound):
            require_operator(viewer)


def test_nobody_and_closed_accounts_are_strangers(cast: Cast, django_assert_num_queries: Any) -> None:
    """Who is not signed in, or whose account is closed, has no rights at all; telling who asks takes two queries."""
    closed = cast.user("ana")
    closed.is_active = False
    assert viewer_for(AnonymousUser()) == viewer_for(closed) == ANONYMOUS
    user = cast.user("bram")
    with django_assert_num_queries(2):
        assert viewer_for(user) == cast.bram
    with pytest.raises(NotFound):
        _ = ANONYMOUS.person_id
