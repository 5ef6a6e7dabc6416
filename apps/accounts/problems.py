"""Problem documents (RFC 9457): how every answer of the API says what went wrong.

A view of the API raises `Problem`, or an exception of Django's or REST framework's; `handler` answers them all alike. A
fault of the portal's own, or of a database, goes on to the middleware, which logs it and answers in the same form.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from rest_framework.exceptions import APIException
from rest_framework.views import set_rollback

from apps.accounts.access import access
from apps.accounts.roles import Role

CONTENT_TYPE: Final = "application/problem+json"
RETRY_AFTER: Final = 2
"""Seconds after which it is worth asking again what nobody had time for."""


class Problem(Exception):  # noqa: N818 -- the name of the thing that it becomes
    """A request that cannot be answered. `parameter` is the one of the address that is at fault; `more` are further
    members of the document."""

    def __init__(self, status: HTTPStatus, title: str, detail: str, *, parameter: str = "", **more: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.title = title
        self.detail = detail
        self.more = {"parameter": parameter, **more} if parameter else more


def problem(status: HTTPStatus, title: str, detail: str, **more: Any) -> JsonResponse:
    """The answer with a problem document."""
    body = {"type": "about:blank", "title": title, "status": int(status), "detail": detail, **more}
    answer = JsonResponse(body, status=status, content_type=CONTENT_TYPE)
    answer["Cache-Control"] = "no-store"
    return answer


def handler(error: Exception, context: Mapping[str, Any]) -> JsonResponse | None:
    """REST framework's exception handler. None lets the error go on."""
    answer = _answer(error)
    if answer is not None:
        set_rollback()
    return answer


def _answer(error: Exception) -> JsonResponse | None:
    match error:
        case Problem():
            answer = problem(error.status, error.title, error.detail, **error.more)
            if error.status == HTTPStatus.SERVICE_UNAVAILABLE:
                answer["Retry-After"] = str(RETRY_AFTER)
            return answer
        case Http404():
            return problem(HTTPStatus.NOT_FOUND, "Not found", str(error) or "There is nothing here.")
        case PermissionDenied():
            return problem(HTTPStatus.FORBIDDEN, "Not allowed", str(error) or "You may not do this.")
        case APIException():
            status = HTTPStatus(error.status_code)
            answer = problem(status, status.phrase, str(error.detail))
            for name in ("auth_header", "wait"):
                if value := getattr(error, name, None):
                    answer["WWW-Authenticate" if name == "auth_header" else "Retry-After"] = str(value)
            return answer
    return None


@csrf_exempt
@access(Role.NONE)
def no_such_address(request: HttpRequest) -> JsonResponse:
    """Everything below `/api/` that is no address."""
    return problem(HTTPStatus.NOT_FOUND, "Not found", "The API has no such address.")
