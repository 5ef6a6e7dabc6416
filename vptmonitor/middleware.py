"""What wraps every request: its id and log line, and the pages for a database that is away and for our own faults."""

from __future__ import annotations

import logging
import re
import sys
import time
import uuid
from collections.abc import Callable
from http import HTTPStatus

from django.db import InterfaceError, OperationalError, connections
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from apps.accounts.problems import problem
from vptmonitor.embedded import EmbeddedError
from vptmonitor.log import request_id

logger = logging.getLogger(__name__)

Handler = Callable[[HttpRequest], HttpResponse]

_ACCEPTABLE_ID = re.compile(r"\A[A-Za-z0-9._-]{1,40}\Z")
RETRY_AFTER = 5
"""Seconds after which a visitor's browser asks again when the database is away."""


class RequestLog:
    """Gives each request an id (a proxy's `X-Request-ID` is kept), returns it, and logs one line when it is done."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.headers.get("X-Request-ID", "")
        token = request_id.set(given if _ACCEPTABLE_ID.match(given) else uuid.uuid4().hex[:16])
        request.id = request_id.get()  # type: ignore[attr-defined]  # for the audit trail, which may not import ours
        started = time.monotonic()
        try:
            response = self.get_response(request)
            response["X-Request-ID"] = request_id.get()
            milliseconds = (time.monotonic() - started) * 1000
            # The path alone: a query may hold what somebody typed.
            logger.info("%s %s %d %.0f ms", request.method, request.path, response.status_code, milliseconds)
            return response
        finally:
            request_id.reset(token)


class DatabaseAway:
    """Answers 503 with a page that tries again by itself while a database cannot be reached."""

    def __init__(self, get_response: Handler) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """A lost or refused connection becomes 503; any other error is Django's to answer."""
        return away(request, error) if is_away(error) else None


def server_error(request: HttpRequest) -> HttpResponse:
    """The answer to an error that no view and no middleware dealt with; the URL configuration's `handler500`.

    Django asks `process_exception` about errors of views alone. The gate before them and the session around them ask
    the database too; Django calls this handler while it deals with their error.
    """
    error = sys.exc_info()[1]
    if isinstance(error, Exception) and is_away(error):
        response = away(request, error)
        response._has_been_logged = True  # type: ignore[attr-defined]  # one line is enough, as for errors of views
        return response
    if is_api(request):
        detail = f"The portal's log says more under {request_id.get()}."
        return problem(HTTPStatus.INTERNAL_SERVER_ERROR, "A fault of the portal", detail, reference=request_id.get())
    return HttpResponse(render_to_string("500.html", {"request_id": request_id.get()}), status=500)


def is_api(request: HttpRequest) -> bool:
    """Whether a program asks, which gets problem documents."""
    return request.path.startswith("/api/")


def is_away(error: Exception) -> bool:
    """Whether the error means that a database cannot be reached, rather than that a statement was wrong or slow.

    A server that refuses, ends or loses a connection gives SQLSTATE class 08 or 57P, or no SQLSTATE at all (libpq's
    own errors); a cancelled statement is 57014 and stays an error of its page.
    """
    if not isinstance(error, (OperationalError, InterfaceError, EmbeddedError)):
        return False
    code = getattr(error.__cause__, "pgcode", None)
    return code is None or code.startswith(("08", "57P", "53300"))


def away(request: HttpRequest, error: Exception) -> HttpResponse:
    """The 503 answer, as JSON for programs and as a page for people; dead connections are dropped."""
    logger.error("database away: %s", type(error).__name__)
    for connection in connections.all(initialized_only=True):
        connection.close_if_unusable_or_obsolete()
    if "text/html" not in request.headers.get("Accept", "") or is_api(request):
        detail = "The portal tries to reach it again with the next request."
        response: HttpResponse = problem(HTTPStatus.SERVICE_UNAVAILABLE, "The database is away", detail)
    else:
        response = HttpResponse(render_to_string("503.html"), status=503)
    response["Retry-After"] = str(RETRY_AFTER)
    return response
