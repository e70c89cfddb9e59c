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
Form = dict[str, str]


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
    OWNERS = auto()
    """Whoever acts for the holder and is one of them: consent is nobody else's to give; 403 for the staff and those who may look."""
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
    data: Form | Callable[[World], Form] = field(default_factory=dict)
    """A form that would be accepted."""
    leaves_trace: bool | None = False
    """Whether an accepted form adds to the trail (None: for some it does); a refused one never does."""

    def form(self, world: World) -> Form:
        """What is sent."""
        return self.data(world) if callable(self.data) else self.data


def _customer(world: World, holder: str) -> Arguments:
    return (world.customer(holder).public_id,)


def _public(act: For = For.NOBODY, arguments: Callable[[World, str], Arguments] = nothing, **data: str) -> Route:
    return Route(For.EVERYBODY, act, arguments, data=data)


def _of(kind: str) -> Callable[[World, str], Arguments]:
    """The number of something of the holder's, as `World.energy` has it."""
    return lambda world, holder: (world.energy[holder][kind],)


def _program(world: World, _holder: str) -> Arguments:
    return (world.energy["home"]["program"],)


def _east(world: World) -> Form:
    _ = world.energy  # only sites that take part in something can be chosen
    return {"name": "East", "sites": str(world.cast.home_site.id)}


def _office(world: World) -> Form:
    _ = world.energy
    return {"sites": str(world.cast.office.id)}


def _answer(world: World, holder: str) -> Arguments:
    return world.energy[holder]["event"], world.site(holder)


def _enrolling(world: World, holder: str) -> Arguments:
    return world.energy[holder]["program"], world.site(holder)


def _imported(world: World, _holder: str) -> Arguments:
    return (world.import_with_refusals(),)


_LOOK = Route(For.PEOPLE)
_METER = {"number": "E-new", "interval_s": "900", "quantities": "energy_import"}
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
    # The operator's desk
    "portal:operator": Route(For.STAFF),
    "portal:operator_jobs": Route(For.STAFF),
    "portal:operator_job_cancel": Route(For.NOBODY, For.STAFF, lambda world, _: (world.job(),)),
    "portal:operator_meters": Route(For.STAFF),
    "portal:operator_meter_new": Route(For.STAFF, For.STAFF, data=_METER, leaves_trace=True),
    "portal:operator_meter": Route(For.STAFF, arguments=_of("meter"), holders=HOLDERS),
    "portal:operator_meter_assign": Route(For.NOBODY, For.STAFF, _of("meter"), HOLDERS),
    "portal:operator_meter_end": Route(For.NOBODY, For.STAFF, _of("meter"), HOLDERS, {"until_at": "2026-11-20T13:00"}, leaves_trace=True),
    "portal:operator_meter_claim_code": Route(For.NOBODY, For.STAFF, _of("meter"), HOLDERS, leaves_trace=True),
    "portal:event_new": Route(For.STAFF, For.STAFF),
    "portal:event_cancel": Route(For.NOBODY, For.STAFF, _of("event"), HOLDERS, {"reason": "Enough"}, leaves_trace=True),
    "portal:operator_meters_list": Route(For.STAFF, For.STAFF),
    "portal:operator_programs": Route(For.STAFF),
    "portal:operator_program_new": Route(For.STAFF, For.STAFF),
    "portal:operator_program": Route(For.STAFF, For.STAFF, _program),
    "portal:operator_program_terms": Route(For.STAFF, For.STAFF, _program),
    "portal:operator_groups": Route(For.STAFF, For.STAFF, data=_east, leaves_trace=True),
    "portal:operator_group_sites": Route(For.NOBODY, For.STAFF, lambda world, _: (world.group(),), data=_office, leaves_trace=True),
    "portal:operator_event": Route(For.STAFF, arguments=_of("event"), holders=HOLDERS),
    "portal:operator_event_live": Route(For.STAFF, arguments=_of("event"), holders=HOLDERS),
    "portal:operator_event_csv": Route(For.STAFF, arguments=_of("event"), holders=HOLDERS),
    "portal:operator_event_verify": Route(For.NOBODY, For.STAFF, _of("event"), HOLDERS),
    "portal:operator_imports": Route(For.STAFF, For.STAFF),
    "portal:operator_import_preview": Route(For.STAFF, For.STAFF, lambda world, _: (world.upload(),)),
    "portal:operator_import_job": Route(For.STAFF, arguments=lambda world, _: (world.job(),)),
    "portal:operator_import_cancel": Route(For.NOBODY, For.STAFF, lambda world, _: (world.job(),)),
    "portal:operator_import_report": Route(For.STAFF, arguments=_imported),
    "portal:operator_import_refused": Route(For.STAFF, arguments=_imported),
    # Customers: use, events, credits
    "portal:dashboard": _LOOK,
    "portal:meter_dashboard": Route(For.VIEWERS, arguments=_of("meter"), holders=HOLDERS),
    "portal:meter_csv": Route(For.VIEWERS, arguments=_of("meter"), holders=HOLDERS),
    "portal:meter_live": Route(For.VIEWERS, arguments=_of("meter"), holders=HOLDERS),
    "portal:meters": _LOOK,
    "portal:meters_of": Route(For.VIEWERS, arguments=_customer, holders=HOLDERS),
    "portal:meter_rename": Route(For.NOBODY, For.CHANGERS, _of("meter"), HOLDERS, {"name": "Cellar"}, leaves_trace=True),
    "portal:programs": _LOOK,
    "portal:program": Route(For.PEOPLE, arguments=_program),
    "portal:program_enrol": Route(For.NOBODY, For.OWNERS, _enrolling, HOLDERS, {"agreed": "on"}),
    "portal:program_leave": Route(For.NOBODY, For.OWNERS, _of("enrolment"), HOLDERS, leaves_trace=True),
    "portal:events": _LOOK,
    "portal:event": Route(For.VIEWERS, arguments=_of("event"), holders=HOLDERS),
    "portal:event_live": Route(For.VIEWERS, arguments=_of("event"), holders=HOLDERS),
    "portal:event_answer": Route(For.NOBODY, For.CHANGERS, _answer, HOLDERS, {"choice": "out"}, leaves_trace=True),
    "portal:statements": _LOOK,
    "portal:statements_of": Route(For.VIEWERS, arguments=_customer, holders=HOLDERS),
    "portal:statement": Route(For.VIEWERS, arguments=_of("statement"), holders=HOLDERS),
    "portal:statement_csv": Route(For.VIEWERS, arguments=_of("statement"), holders=HOLDERS),
    "portal:messages": _LOOK,
    "portal:messages_read": Route(For.NOBODY, For.PEOPLE),
    "portal:message_open": Route(For.NOBODY, For.ANA, lambda world, _: (world.message_to_ana(),)),
}
