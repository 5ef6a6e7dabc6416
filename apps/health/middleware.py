"""Counts every request for `/metrics`."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from apps.health.metrics import REQUESTS

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class RequestMetrics:
    """Notes route, status and time. The route is the pattern, not the path: what visitors type makes no new series."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        status = 500
        try:
            response = self.get_response(request)
            status = response.status_code
            return response
        finally:
            match = request.resolver_match
            route = f"/{match.route}" if match else "none"
            method = request.method if request.method in METHODS else "other"
            REQUESTS.note(route, str(method), status, time.perf_counter() - started)
