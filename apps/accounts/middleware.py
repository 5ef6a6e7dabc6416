"""The gate before every view: signed in, high enough a role, and never past a view that declares no access.

Below `/api/` a token (`Authorization: Bearer vpt_...`) signs in for its one request; elsewhere it is not looked at.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse

from apps.accounts import audit, tokens
from apps.accounts.access import Access, access_of
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
        if (text := _bearer(request)) is not None and (refusal := _sign_in_by_token(request, text, declared, view)):
            return refusal
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
    return "text/html" in accept and not _is_api(request)


def _is_api(request: HttpRequest) -> bool:
    return request.path.startswith("/api/")


def _bearer(request: HttpRequest) -> str | None:
    """The token that the request brings, where tokens count; None without one."""
    if not _is_api(request):
        return None
    scheme, _, text = request.headers.get("Authorization", "").partition(" ")
    return text.strip() if scheme.casefold() == "bearer" else None


def _sign_in_by_token(
    request: HttpRequest, text: str, declared: Access, view: Callable[..., Any]
) -> HttpResponse | None:
    """Make the token's owner the request's user, whatever session came along; else the refusal."""
    token = tokens.authenticate(text)
    if token is None:
        detail = (
            "The token is unknown, expired or revoked, or its owner is no longer active. Ask an administrator for one."
        )
        answer = problem(HTTPStatus.UNAUTHORIZED, "Not signed in", detail)
        answer["WWW-Authenticate"] = 'Bearer error="invalid_token"'
        return answer
    request.user, request.auth = token.owner, token  # type: ignore[attr-defined]
    needed = declared.token_scope(request.method)
    if needed not in token.scopes and _answers(view, request.method):
        return _refuse(
            request, f"This needs a token with the scope {needed.value}; this one has {', '.join(token.scopes)}."
        )
    return None


def _answers(view: Callable[..., Any], method: str | None) -> bool:
    """Whether the view has an answer to the method; what it refuses with 405 needs no scope."""
    actions = getattr(view, "actions", None)
    holder = getattr(view, "cls", None)
    if holder is None:
        return True
    return str(method).lower() in actions if actions is not None else hasattr(holder, str(method).lower())


def _ask_to_sign_in(request: HttpRequest) -> HttpResponse:
    if wants_page(request):
        # What was posted is lost by signing in: then the way leads to the start page.
        back = request.get_full_path() if request.method in {"GET", "HEAD"} else "/"
        return redirect_to_login(back)
    how = "Sign in first, or send a token: Authorization: Bearer vpt_..." if _is_api(request) else "Sign in first."
    answer = problem(HTTPStatus.UNAUTHORIZED, "Not signed in", how)
    answer["WWW-Authenticate"] = "Bearer" if _is_api(request) else "Session"
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
