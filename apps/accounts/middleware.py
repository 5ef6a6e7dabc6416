"""The gate before every view: signed in, high enough a role, and never past a view that declares no access."""

from __future__ import annotations

import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from apps.accounts import audit
from apps.accounts.access import access_of
from apps.accounts.models import AuditEntry
from apps.accounts.problems import problem
from apps.accounts.roles import role_of

logger = logging.getLogger(__name__)


class AccessMiddleware:
    """Applies what `apps.accounts.access` declares; refusals of signed-in people go into the audit trail."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Callable[..., Any], *_: Any) -> HttpResponse | None:
        """None lets the view run. Raises PermissionDenied where a person is to see the page 403."""
        declared = access_of(view, request.resolver_match)
        if declared is None:
            logger.error("the view of %s declares no access, so nobody may call it", request.path)
            return _refuse(request, "This page does not say who may see it, so nobody may.")
        if declared.everybody:
            return None
        if not request.user.is_authenticated:
            return _ask_to_sign_in(request)
        if role_of(request.user) < declared.role:
            held = role_of(request.user).word
            have = "you have no role yet" if held == "none" else f"yours is {held}"
            return _refuse(
                request, f"This needs the role {declared.role.word}; {have}. An administrator can change that."
            )
        return None

    def process_exception(self, request: HttpRequest, error: Exception) -> None:
        """A view's own refusal is remembered as well; Django answers it."""
        if isinstance(error, PermissionDenied):
            _remember(request, str(error))


def wants_page(request: HttpRequest) -> bool:
    """Whether a person's browser asks for a page, rather than a program for data."""
    accept = request.headers.get("Accept", "text/html")
    return "text/html" in accept and not request.path.startswith("/api/")


def _ask_to_sign_in(request: HttpRequest) -> HttpResponse:
    if wants_page(request):
        # What was posted is lost by signing in: then the way leads to the start page.
        back = request.get_full_path() if request.method in {"GET", "HEAD"} else "/"
        return redirect_to_login(back)
    answer = problem(HTTPStatus.UNAUTHORIZED, "Not signed in", "Sign in first.")
    answer["WWW-Authenticate"] = "Session"
    return answer


def _refuse(request: HttpRequest, reason: str) -> HttpResponse:
    _remember(request, reason)
    if wants_page(request):
        raise PermissionDenied(reason)
    return problem(HTTPStatus.FORBIDDEN, "Not allowed", reason)


def _remember(request: HttpRequest, reason: str) -> None:
    if request.user.is_authenticated:
        name = request.resolver_match.view_name if request.resolver_match else ""
        audit.record(
            AuditEntry.Action.REFUSED, request=request, kind="page", object_id=name, label=request.path, reason=reason
        )
