"""What every template may use: where the viewer can go (and nothing they may not open), their messages, the demo's banner."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from commonwatt import __version__
from commonwatt.accounts.access import Viewer
from commonwatt.kernel.clock import TimeLapse
from commonwatt.notify import queries as notify
from commonwatt.portal.requests import PortalRequest, portal_request

Text = str | Promise


@dataclass(frozen=True, slots=True)
class NavItem:
    """One entry of the navigation."""

    label: Text
    url: str
    icon: str
    active: bool


@dataclass(frozen=True, slots=True)
class SignIn:
    """A person of the demo whom a visitor may sign in as with one click."""

    label: Text
    text: Text
    email: str
    password: str


@dataclass(frozen=True, slots=True)
class DemoBanner:
    """What is simulated, and how fast its time runs."""

    text: Text
    now: datetime
    rate: float
    sign_ins: tuple[SignIn, ...]


@dataclass(frozen=True, slots=True)
class _Entry:
    """A place in the navigation: who may open it, and by what route."""

    label: Text
    icon: str
    route: str
    may_open: Callable[[Viewer], bool]


def _operator(viewer: Viewer) -> bool:
    return viewer.is_operator


def _customer(viewer: Viewer) -> bool:
    return bool(viewer.member_of)


def _newcomer(viewer: Viewer) -> bool:
    return not viewer.is_anonymous and not viewer.member_of and not viewer.is_operator


_ENTRIES = (
    _Entry(_("Overview"), "layout-dashboard", "portal:operator", _operator),
    _Entry(_("Dashboard"), "chart-histogram", "portal:dashboard", _customer),
    _Entry(_("Customers"), "building-community", "portal:operator_customers", _operator),
    _Entry(_("Meters"), "gauge", "portal:operator_meters", _operator),
    _Entry(_("Imports"), "file-import", "portal:operator_imports", _operator),
    _Entry(_("Programs"), "clipboard-list", "portal:operator_programs", _operator),
    _Entry(_("Programs"), "clipboard-list", "portal:programs", lambda viewer: _customer(viewer) and not _operator(viewer)),
    _Entry(_("Events"), "calendar-event", "portal:events", lambda viewer: _customer(viewer) or _operator(viewer)),
    _Entry(_("Statements"), "receipt-2", "portal:statements", _customer),
    _Entry(_("Meters"), "gauge", "portal:meters", _customer),
    _Entry(_("People"), "users", "portal:organisation", _customer),
    _Entry(_("Staff"), "shield-check", "portal:operator_staff", lambda viewer: viewer.is_operator_administrator),
    _Entry(_("Trail"), "history", "portal:operator_audit", lambda viewer: viewer.is_operator_administrator),
    _Entry(_("Where you stand"), "hourglass", "portal:waiting", _newcomer),
    _Entry(_("Enter a code"), "key", "portal:claim", _newcomer),
)

_sign_ins: tuple[SignIn, ...] = ()


def use_sign_ins(sign_ins: Sequence[SignIn]) -> None:
    """Show these people on the landing and sign-in pages of a demo; called once, by whoever composes the process."""
    global _sign_ins  # noqa: PLW0603 (one process shows one install)
    _sign_ins = tuple(sign_ins)


def navigation(request: HttpRequest) -> dict[str, Any]:
    """Django's context processor. What costs a query is a callable, and asked only by templates that show it."""
    if not hasattr(request, "viewer"):  # refused before it came to our middleware, such as for a foreign host name
        return {"app_version": __version__, "nav_items": [], "demo_banner": None}
    asked = portal_request(request)
    account = address_of("portal:account") if asked.user.is_authenticated else None
    inbox = address_of("portal:messages") if asked.user.is_authenticated else None
    return {
        "app_version": __version__,
        "nav_items": cache(lambda: list(_items(asked))),
        "demo_banner": _banner(asked),
        "account_url": account,
        "notifications_url": inbox,
        "unread_count": cache(lambda: notify.unread_count(asked.viewer.person_id) if inbox else None),
    }


def _items(request: PortalRequest) -> Iterator[NavItem]:
    open_to_viewer = [(entry, address_of(entry.route)) for entry in _ENTRIES if entry.may_open(request.viewer)]
    addresses = [address for _entry, address in open_to_viewer if address]
    # The longest address that the page lies under is where the viewer is: /operator/ is above /operator/meters/.
    here = max((address for address in addresses if request.path.startswith(address)), key=len, default="")
    for entry, address in open_to_viewer:
        if address:
            yield NavItem(label=entry.label, url=address, icon=entry.icon, active=address == here)


def start_page(viewer: Viewer) -> str:
    """The first page of the navigation that the viewer may open and that exists."""
    addresses = (address_of(entry.route) for entry in _ENTRIES if entry.may_open(viewer))
    return next((address for address in addresses if address), reverse("portal:account"))


def address_of(route: str, *args: str) -> str | None:
    """The path of a route, or None where there is no such page."""
    try:
        return reverse(route, args=args)
    except NoReverseMatch:
        return None


def _banner(request: PortalRequest) -> DemoBanner | None:
    if not isinstance(request.clock, TimeLapse):
        return None
    rate = request.clock.rate
    text = gettext("Demonstration: real buildings and homes, in a time-lapse of %(rate)g seconds a second.") % {"rate": rate}
    return DemoBanner(text=text, now=request.now, rate=rate, sign_ins=_sign_ins)
