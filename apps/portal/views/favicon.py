"""The portal's mark at the address that browsers try on their own."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_safe

from apps.accounts.access import public
from apps.portal.templatetags.components import asset


@public
@require_safe
def favicon(request: HttpRequest) -> HttpResponse:
    """`/favicon.ico`: asked for by what shows no page, a feed reader or a tab with a bare file."""
    return redirect(asset("portal/favicon.svg"))
