"""Addresses with every kind of declaration, for the tests of the gate."""

from __future__ import annotations

from functools import wraps
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import include, path
from django.views import View
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from apps.accounts.access import access, public
from apps.accounts.models import ApiToken
from apps.accounts.roles import Role
from apps.accounts.scope import scope_of


@public
def everybody(request: HttpRequest) -> HttpResponse:
    return HttpResponse("open")


@access(Role.NONE)
def signed_in(request: HttpRequest) -> HttpResponse:
    return HttpResponse("signed in")


@access(Role.VIEWER)
class Viewers(View):
    def get(self, request: HttpRequest) -> HttpResponse:
        return HttpResponse("for viewers")


@access(Role.OPERATOR)
def operators(request: HttpRequest) -> HttpResponse:
    return HttpResponse("for operators")


@access(Role.ADMIN)
def admins(request: HttpRequest) -> HttpResponse:
    return HttpResponse("for admins")


@access(Role.VIEWER)
def refusing(request: HttpRequest) -> HttpResponse:
    raise PermissionDenied("This run belongs to another team.")


@access(Role.VIEWER)
class Seen(APIView):
    """What the caller is and sees, never as a page: that would need the addresses of the portal."""

    renderer_classes = (JSONRenderer,)

    def get(self, request: Request) -> Response:
        scope = scope_of(request.user)
        return Response(
            {
                "who": request.user.get_username(),
                "token": request.auth.name if isinstance(request.auth, ApiToken) else None,
                "everything": scope.everything,
                "teams": sorted(str(team) for team in scope.team_ids),
                "hosts": sorted(scope.host_names),
            }
        )

    def post(self, request: Request) -> Response:
        return Response({"administered": True})


@access(Role.OPERATOR, token=ApiToken.Scope.INGEST)
class Written(APIView):
    def post(self, request: Request) -> Response:
        return Response({"written": True})


def undeclared(request: HttpRequest) -> HttpResponse:
    return HttpResponse("nobody should read this")


def wrapped(view: Any) -> Any:
    @wraps(view)
    def inner(*args: Any, **kwargs: Any) -> Any:
        return view(*args, **kwargs)

    return inner


urlpatterns = [
    path("everybody/", everybody),
    path("signed-in/", signed_in),
    path("viewers/", Viewers.as_view()),
    path("operators/", operators),
    path("api/operators/", operators),
    path("api/seen/", Seen.as_view()),
    path("api/written/", Written.as_view()),
    path("seen/", Seen.as_view()),
    path("wrapped/", wrapped(operators)),
    path("admins/", admins),
    path("refusing/", refusing),
    path("undeclared/", undeclared),
    path("account/", include("apps.accounts.urls")),
]
