"""Who may open which address, and who may act there: the one table of expectations behind tests/portal/test_access.py.

A page that is added without a row here fails the suite.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto

from tests.portal.world import HOLDERS, World

from commonwatt.accounts.access import Right

Arguments = Sequence[str | int]


class For(Enum):
    """Whom a method of a route is for. Everybody else is refused as the name of each says."""

    NOBODY = auto()
    """The method does not exist: 405 for whoever comes as far as that."""
    EVERYBODY = auto()
    PEOPLE = auto()
    """Whoever is signed in; others are sent to the sign-in page."""
    ANA = auto()
    """The one whose it is; to others it does not exist."""
    STAFF = auto()
    """The operator's staff; to others it does not exist."""
    STAFF_ADMINISTRATORS = auto()
    """Of the staff only administrators (403 for members); to others it does not exist."""
    VIEWERS = auto()
    """Whoever may see the holder's things; to others they do not exist."""
    CHANGERS = auto()
    """Whoever may act for the holder; 403 for those who may only look."""
    MANAGERS = auto()
    """Whoever decides about the holder's people; 403 for those who may look or act."""


# The highest right that each of the cast has in the things of each holder; None: they do not exist for them.
ROLES: dict[str, dict[str, Right | None]] = {
    "anonymous": {"home": None, "organisation": None},
    "otto": {"home": Right.MANAGE, "organisation": Right.MANAGE},
    "pia": {"home": Right.CHANGE, "organisation": Right.CHANGE},
    "olga": {"home": None, "organisation": Right.MANAGE},
    "milo": {"home": None, "organisation": Right.VIEW},
    "wim": {"home": None, "organisation": None},
    "rosa": {"home": None, "organisation": None},
    "ana": {"home": Right.MANAGE, "organisation": None},
    "bram": {"home": Right.CHANGE, "organisation": None},
    "chloe": {"home": None, "organisation": None},
}


def nothing(_world: World, _holder: str) -> Arguments:
    """A route without objects."""
    return ()


@dataclass(frozen=True)
class Route:
    """One address: whom it is for, what stands in it, what is sent to it."""

    look: For
    """Whom GET is for."""
    act: For = For.NOBODY
    """Whom POST is for."""
    arguments: Callable[[World, str], Arguments] = nothing
    """What stands in the address, for each holder."""
    holders: tuple[str, ...] = ("",)
    data: dict[str, str] = field(default_factory=dict)
    """A form that would be accepted."""
    leaves_trace: bool | None = False
    """Whether an accepted form adds to the trail (None: for some it does); a refused one never does."""
    is_api: bool = False
    """Answers in JSON: 401 instead of the sign-in page."""


def _customer(world: World, holder: str) -> Arguments:
    return (world.customer(holder).public_id,)


def _public(act: For = For.NOBODY, arguments: Callable[[World, str], Arguments] = nothing, **data: str) -> Route:
    return Route(For.EVERYBODY, act, arguments, data=data)


_SITE = {"name": "Shed", "time_zone": "Europe/Brussels", "country": "BE"}
_PERSON = {"email": "new@example.org", "name": "New", "role": "member"}

TABLE: dict[str, Route] = {
    # allauth: ways in, and one's own sign-in
    "account_login": _public(For.EVERYBODY),
    "account_logout": _public(For.EVERYBODY),
    "account_inactive": _public(),
    "account_signup": _public(For.EVERYBODY),
    "account_email_verification_sent": _public(),
    "account_confirm_email": _public(For.EVERYBODY, lambda world, _: (world.confirmation_key(),)),
    "account_confirm_login_code": _public(For.EVERYBODY),
    "account_reset_password": _public(For.EVERYBODY),
    "account_reset_password_done": _public(),
    "account_reset_password_from_key": _public(For.EVERYBODY, lambda _world, _: ("1", "no-such-key")),
    "account_reset_password_from_key_done": _public(),
    "account_reauthenticate": Route(For.PEOPLE, For.PEOPLE),
    "account_email": Route(For.PEOPLE, For.PEOPLE),
    "account_change_password": Route(For.PEOPLE, For.PEOPLE),
    "account_set_password": Route(For.PEOPLE, For.PEOPLE),
    # For everybody
    "portal:landing": _public(),
    "portal:help": _public(),
    # Ways in
    "portal:home": Route(For.PEOPLE),
    "portal:claim": Route(For.PEOPLE, For.PEOPLE, data={"code": "0000-0000-0000-0000"}),
    "portal:waiting": Route(For.PEOPLE),
    "portal:accept_invitation": Route(For.EVERYBODY, For.EVERYBODY, lambda world, _: (world.invitation_code(),), leaves_trace=None),
    "portal:sign_in_link": _public(For.EVERYBODY, lambda world, _: (world.sign_in_token(),), password="short"),
    # One's own account
    "portal:account": Route(For.PEOPLE, For.PEOPLE, data={"name": "New"}, leaves_trace=True),
    "portal:account_notifications": Route(For.NOBODY, For.PEOPLE),
    "portal:account_sessions_end": Route(For.NOBODY, For.PEOPLE),
    "portal:account_session_end": Route(For.NOBODY, For.ANA, lambda world, _: (world.session_of_ana(),)),
    "portal:account_trail": Route(For.PEOPLE),
    "portal:account_close": Route(For.PEOPLE, For.PEOPLE, leaves_trace=None),
    # The people and places of a customer
    "portal:organisation": Route(For.PEOPLE),
    "portal:organisation_members": Route(For.VIEWERS, arguments=_customer, holders=HOLDERS),
    "portal:organisation_rename": Route(For.NOBODY, For.CHANGERS, _customer, HOLDERS, {"name": "New name"}, leaves_trace=True),
    "portal:organisation_trail": Route(For.MANAGERS, arguments=_customer, holders=HOLDERS),
    "portal:organisation_invite": Route(For.NOBODY, For.MANAGERS, _customer, HOLDERS, {"role": "member"}, leaves_trace=True),
    "portal:organisation_invitation_withdraw": Route(
        For.NOBODY,
        For.MANAGERS,
        lambda world, holder: (world.customer(holder).public_id, world.invitation(holder)),
        HOLDERS,
        leaves_trace=True,
    ),
    "portal:organisation_member_decide": Route(
        For.NOBODY,
        For.MANAGERS,
        lambda world, holder: (world.customer(holder).public_id, world.membership(holder)),
        HOLDERS,
        {"standing": "rejected"},
        leaves_trace=True,
    ),
    "portal:site_new": Route(For.CHANGERS, For.CHANGERS, _customer, HOLDERS, _SITE, leaves_trace=True),
    "portal:site": Route(For.CHANGERS, For.CHANGERS, lambda world, holder: (world.site(holder),), HOLDERS, _SITE, leaves_trace=True),
    # The operator's customers and staff
    "portal:operator_customers": Route(For.STAFF),
    "portal:operator_customer_new": Route(For.STAFF, For.STAFF, data={"name": "New", "kind": "organisation"}, leaves_trace=True),
    "portal:operator_customer": Route(For.STAFF, arguments=_customer, holders=HOLDERS),
    "portal:operator_staff": Route(For.STAFF_ADMINISTRATORS, For.STAFF_ADMINISTRATORS, data=_PERSON, leaves_trace=True),
    "portal:operator_staff_role": Route(
        For.NOBODY, For.STAFF_ADMINISTRATORS, lambda world, _: (world.staff(),), data={"role": ""}, leaves_trace=True
    ),
    "portal:operator_audit": Route(For.STAFF_ADMINISTRATORS),
}
