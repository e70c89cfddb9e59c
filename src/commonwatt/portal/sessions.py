"""Where a person is signed in: the browsers' sessions, kept alive while they are used, shown and ended on the account page."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.contrib.sessions.models import Session
from django.db import transaction
from django.utils.translation import gettext as _

from commonwatt.portal.requests import PortalRequest

# The session's note of when it was last kept alive, in seconds since 1970. Sessions end in real time, whatever a time-lapse shows.
_SEEN = "seen_s"
_KEEP_ALIVE_S = 300


@dataclass(frozen=True, slots=True)
class SessionView:
    """One browser in which a person is signed in."""

    id: int
    ip: str
    browser: str
    created_at: datetime
    last_seen_at: datetime
    is_current: bool


def keep_alive(request: PortalRequest) -> None:
    """Put off the sign-out of whoever is here, every few minutes at most: showing a page is then no write to the database."""
    if not request.user.is_authenticated:
        return
    if time.time() - request.session.get(_SEEN, 0) >= min(_KEEP_ALIVE_S, settings.SESSION_COOKIE_AGE // 10):
        note_session(request)


def note_session(request: PortalRequest) -> None:
    """Note that the signed-in person is here now; the session is saved with a new end."""
    request.session[_SEEN] = int(time.time())
    UserSession.objects.create_from_request(request)


def sessions_of(request: PortalRequest) -> list[SessionView]:
    """Where this person is signed in, this browser first, then the most recently seen."""
    rows = list(UserSession.objects.filter(user_id=request.viewer.person_id).order_by("-last_seen_at", "-pk"))
    keys = [row.session_key for row in rows]
    alive = set(Session.objects.filter(session_key__in=keys, expire_date__gt=datetime.now(UTC)).values_list("session_key", flat=True))
    here = request.session.session_key
    views = [
        SessionView(row.pk, row.ip, browser_of(row.user_agent), row.created_at, row.last_seen_at, row.session_key == here)
        for row in rows
        if row.session_key in alive
    ]
    return sorted(views, key=lambda view: not view.is_current)


def browser_of(user_agent: str) -> str:
    """What a browser says of itself, as people call it: the name and the system. Unknown ones say so."""
    # The order matters: Edge also calls itself Chrome, Chrome calls itself Safari.
    names = (("Edg", "Edge"), ("OPR", "Opera"), ("Firefox", "Firefox"), ("FxiOS", "Firefox"), ("Chrome", "Chrome"), ("CriOS", "Chrome"))
    systems = (
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("Linux", "Linux"),
    )
    name = next((shown for sign, shown in (*names, ("Safari", "Safari")) if sign in user_agent), "")
    system = next((shown for sign, shown in systems if sign in user_agent), "")
    if name and system:
        return _("%(browser)s on %(system)s") % {"browser": name, "system": system}
    return name or system or _("An unknown browser")


@transaction.atomic
def forget_ended() -> int:
    """Delete sessions past their end, and the notes of browsers whose session is gone; returns how many notes."""
    Session.objects.filter(expire_date__lte=datetime.now(UTC)).delete()
    notes, _by_kind = UserSession.objects.exclude(session_key__in=Session.objects.values("session_key")).delete()
    return int(notes)


@transaction.atomic
def end_session(*, user_id: int, session_id: int) -> bool:
    """Sign a person out in one browser; False if that is no session of theirs."""
    row = UserSession.objects.filter(pk=session_id, user_id=user_id).first()
    if row is None:
        return False
    row.end()
    return True


@transaction.atomic
def end_sessions(*, user_id: int, except_key: str | None = None) -> int:
    """Sign a person out everywhere (but in the browser of this session key); returns how many browsers that was."""
    rows = UserSession.objects.filter(user_id=user_id).exclude(session_key=except_key)
    keys = list(rows.values_list("session_key", flat=True))
    Session.objects.filter(session_key__in=keys).delete()
    rows.delete()
    return len(keys)
