"""Answers to requests that were refused before a view saw them."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 with a page that says what to do when a form's token is missing or out of date.

    `reason` is Django's, for the log alone: it helps whoever forges a request more than whoever fills in a form.
    """
    return render(request, "403_csrf.html", status=403)
