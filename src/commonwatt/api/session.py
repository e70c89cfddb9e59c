"""Who may call: whoever has signed in on the pages, with the same cookie; unsafe methods carry the CSRF token."""

from __future__ import annotations

from django.conf import settings
from django.http import HttpRequest
from ninja.security import APIKeyCookie

from commonwatt.api.requests import api_request


class Session(APIKeyCookie):
    """A signed-in session whose person may still come in."""

    param_name = settings.SESSION_COOKIE_NAME

    def authenticate(self, request: HttpRequest, key: str | None) -> int | None:
        """The person's id, or None, which is answered with 401."""
        del key  # the session middleware has read it
        return api_request(request).viewer.user_id
