"""The page of the search box."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from apps.accounts.access import access
from apps.accounts.roles import Role
from apps.accounts.scope import scope_of
from apps.portal.listing import LONGEST_TEXT
from apps.portal.selectors import search as finding


@access(Role.VIEWER)
def search(request: HttpRequest) -> HttpResponse:
    """`/search/?q=`"""
    text = request.GET.get("q", "").replace("\x00", "").strip()[:LONGEST_TEXT]
    kinds = finding.search(scope=scope_of(request.user), now=timezone.now(), text=text) if text else []
    return render(
        request,
        "portal/search/results.html",
        {
            "title": "Search",
            "text": text,
            "kinds": kinds,
            "answer": finding.answer(kinds, text) if text else "What are you looking for?",
            "days": finding.SEARCHED_DAYS,
        },
    )
