"""The one shape in which the API says no, and the table of what becomes of each exception."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from http import HTTPStatus
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.utils.translation import gettext as _
from ninja import NinjaAPI, Schema
from ninja.errors import AuthenticationError, HttpError, ValidationError

from commonwatt.accounts.access import Forbidden, NotFound
from commonwatt.demand_response.actions import (
    ConsentDiffers,
    ConsentOutdated,
    EventIsOver,
    EventRefused,
    NotEligible,
    ProgramRefused,
    ReasonMissing,
)


class Error(Schema):
    """Why nothing was done.

    `code` is for programs and stays the same, `message` is for people, `field` is the path of the part of the request to change
    (as `body.starts_at` or `query.from`), empty where it is not one part.
    """

    code: str
    message: str
    field: str = ""


def error_response(status: HTTPStatus, code: str, message: str, field: str = "") -> HttpResponse:
    """An error in the one shape."""
    return JsonResponse({"code": code, "message": message, "field": field}, status=status)


def install(api: NinjaAPI) -> None:
    """Answer every refusal of the domains, and of the framework, in the one shape."""
    for kind, status, code in _REFUSALS:
        api.add_exception_handler(kind, _refusal(status, code))
    api.add_exception_handler(EventRefused, _event_refused)
    api.add_exception_handler(ProgramRefused, _program_refused)
    api.add_exception_handler(ValidationError, _invalid)
    api.add_exception_handler(AuthenticationError, _not_signed_in)
    api.add_exception_handler(HttpError, _http_error)
    for missing in (NotFound, Http404):
        api.add_exception_handler(missing, _not_found)
    api.add_exception_handler(Forbidden, _forbidden)


def not_found(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponse:
    """The answer to addresses below /api/v1/ that are none."""
    del request, args, kwargs
    return error_response(HTTPStatus.NOT_FOUND, "not_found", _("There is nothing at this address."))


def in_shape(view: Callable[..., HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """A view whose "method not allowed" has the one shape too: the framework answers that before any handler of ours."""

    @wraps(view)
    def shaped(request: HttpRequest, *args: object, **kwargs: object) -> HttpResponseBase:
        response = view(request, *args, **kwargs)
        if response.status_code != HTTPStatus.METHOD_NOT_ALLOWED:
            return response
        text = _("This address does not take %(method)s.") % {"method": request.method}
        refused = error_response(HTTPStatus.METHOD_NOT_ALLOWED, "method_not_allowed", text)
        refused.headers["Allow"] = response.headers["Allow"]
        return refused

    return shaped


_REFUSALS: tuple[tuple[type[Exception], HTTPStatus, str], ...] = (
    (EventIsOver, HTTPStatus.CONFLICT, "event_is_over"),
    (ReasonMissing, HTTPStatus.UNPROCESSABLE_ENTITY, "reason_missing"),
    (ConsentOutdated, HTTPStatus.CONFLICT, "consent_outdated"),
    (ConsentDiffers, HTTPStatus.CONFLICT, "consent_differs"),
    (NotEligible, HTTPStatus.CONFLICT, "not_eligible"),
)


def _refusal(status: HTTPStatus, code: str) -> Callable[[HttpRequest, Any], HttpResponse]:
    """(Any: the framework types its handlers by exception.)"""

    def answer(request: HttpRequest, error: Exception) -> HttpResponse:
        del request
        return error_response(status, code, str(error))

    return answer


def _event_refused(request: HttpRequest, error: Any) -> HttpResponse:
    """The first rule that is broken gives code and field; the message says all of them."""
    del request
    first = error.violations[0]
    return error_response(HTTPStatus.UNPROCESSABLE_ENTITY, f"event_{first.rule}", str(error), f"body.{first.field}")


def _program_refused(request: HttpRequest, error: Any) -> HttpResponse:
    del request
    return error_response(HTTPStatus.UNPROCESSABLE_ENTITY, "program_refused", str(error), f"body.{error.field}")


def _invalid(request: HttpRequest, error: Any) -> HttpResponse:
    """The first part of a request that does not fit."""
    del request
    first = error.errors[0]
    # The framework names the body's argument between "body" and the field; whoever calls does not know that name.
    place = [str(part) for part in first["loc"] if part != "payload"]
    return error_response(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid", first["msg"], ".".join(place))


def _not_signed_in(request: HttpRequest, error: Any) -> HttpResponse:
    del request, error
    return error_response(HTTPStatus.UNAUTHORIZED, "not_signed_in", _("Sign in first: this address needs a session."))


def _http_error(request: HttpRequest, error: Any) -> HttpResponse:
    """What the framework refuses by itself: a body that is no JSON, a missing CSRF token."""
    del request
    status = HTTPStatus(error.status_code)
    return error_response(status, status.name.lower(), str(error))


def _not_found(request: HttpRequest, error: Any) -> HttpResponse:
    del error
    return not_found(request)


def _forbidden(request: HttpRequest, error: Any) -> HttpResponse:
    del request, error
    return error_response(HTTPStatus.FORBIDDEN, "forbidden", _("You may see this, but not change it."))
