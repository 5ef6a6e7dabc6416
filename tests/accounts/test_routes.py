"""Every address of the portal declares who may call it, and keeps to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import RoutePattern

from apps.accounts.access import FOREIGN_NAMESPACES, FOREIGN_VIEWS, Access, access_of
from apps.accounts.models import User
from apps.accounts.roles import Role
from tests.people import signed_in


@dataclass(frozen=True)
class Route:
    """An address. `path` is None where it takes arguments."""

    pattern: str
    path: str | None
    name: str
    namespace: str
    view: Callable[..., Any]

    @property
    def access(self) -> Access | None:
        """What applies to it, by its own declaration or by the list of foreign ones."""
        foreign = FOREIGN_VIEWS.get(self.name) or FOREIGN_NAMESPACES.get(self.namespace)
        return access_of(self.view) or foreign


def walk(resolver: URLResolver, before: str = "/", plain: bool = True, spaces: tuple[str, ...] = ()) -> Iterator[Route]:
    for entry in resolver.url_patterns:
        text = before + str(entry.pattern)
        fixed = plain and isinstance(entry.pattern, RoutePattern) and not entry.pattern.converters
        if isinstance(entry, URLResolver):
            yield from walk(entry, text, fixed, (*spaces, entry.namespace) if entry.namespace else spaces)
        elif isinstance(entry, URLPattern):
            name = ":".join((*spaces, entry.name or ""))
            yield Route(text, text if fixed else None, name, spaces[0] if spaces else "", entry.callback)


ROUTES = list(walk(get_resolver()))
VISITED = [route for route in ROUTES if route.path is not None]


def test_every_route_declares_its_access() -> None:
    assert [route.pattern for route in ROUTES if route.access is None] == []


def test_the_walk_sees_the_portal_and_the_admin() -> None:
    names = {route.name for route in ROUTES}
    assert {"login", "logout", "password_change", "admin:index", "admin:accounts_user_changelist"} <= names


def test_what_is_public_is_a_short_list() -> None:
    """A page that becomes public by accident fails here; one that shall be public is added."""
    public = {route.name for route in ROUTES if route.access and route.access.everybody}
    probes = {"livez", "readyz", "server_health", "metrics"}
    assert public <= {"login", "logout", "admin:login", "portal:favicon", *probes}


@pytest.mark.django_db(databases=["default", "source"])
@pytest.mark.parametrize("route", VISITED, ids=lambda route: route.path)
def test_each_page_opens_for_whom_it_is_for(route: Route, alice: User, bob: User, admin: User, nobody: User) -> None:
    assert route.path is not None
    assert route.access is not None
    if route.access.everybody:
        # A probe may ask for a token of its own; 405 is a page that takes POST alone.
        assert Client(headers={"accept": "text/html"}).get(route.path).status_code in {200, 302, 401, 405, 503}
        return
    answer = Client(headers={"accept": "text/html"}).get(route.path)
    if route.path.startswith("/api/"):
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    else:
        assert (answer.status_code, answer.headers.get("Location", "").partition("?")[0]) == (302, "/account/login/")
    for person, role in ((nobody, Role.NONE), (bob, Role.VIEWER), (alice, Role.OPERATOR), (admin, Role.ADMIN)):
        status = signed_in(person).get(route.path).status_code
        if role < route.access.role:
            assert status == 403, f"{person} must not open it"
        elif route.namespace not in FOREIGN_NAMESPACES:
            assert status not in {401, 403}, f"{person} may open it"
        elif role == Role.ADMIN and route.name.endswith((":index", "_changelist")):
            assert status == 200, "an administrator sees every list"
