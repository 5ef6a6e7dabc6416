"""Every view says who may call it; `apps.accounts.middleware.AccessMiddleware` sees to it.

    @access(Role.VIEWER)            # a function, or a class-based view
    def devices(request): ...

    @access(Role.NONE)              # whoever is signed in
    @public                         # everybody, signed in or not
    @access(Role.OPERATOR, token=Scope.INGEST)    # by a token: GET needs the scope read, what writes this one

Tokens open what is below `/api/` only. A view that says nothing is refused to everybody. Which rows somebody sees is
another matter: `apps.accounts.scope`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from django.urls import ResolverMatch

from apps.accounts.models import ApiToken
from apps.accounts.roles import Role

V = TypeVar("V", bound=Callable[..., Any])

_ATTRIBUTE = "declared_access"


@dataclass(frozen=True)
class Access:
    """Who may call a view: everybody, or signed-in people whose role is at least `role`.

    `token` is the scope that a token needs for the methods that write.
    """

    everybody: bool = False
    role: Role = Role.ADMIN
    token: ApiToken.Scope = ApiToken.Scope.ADMIN

    def token_scope(self, method: str | None) -> ApiToken.Scope:
        """The scope that a token needs for `method`."""
        return ApiToken.Scope.READ if method in {"GET", "HEAD", "OPTIONS"} else self.token


def access(role: Role, *, token: ApiToken.Scope = ApiToken.Scope.ADMIN) -> Callable[[V], V]:
    """Declare that a view (a function or a class) is for signed-in people whose role is `role` or higher, and for
    their tokens: with the scope read to look, with the scope `token` to write."""

    def declare(view: V) -> V:
        setattr(view, _ATTRIBUTE, Access(role=role, token=token))
        return view

    return declare


def public(view: V) -> V:
    """Declare that a view is for everybody, signed in or not."""
    setattr(view, _ATTRIBUTE, Access(everybody=True))
    return view


FOREIGN_NAMESPACES: Final = {"admin": Access(role=Role.OPERATOR)}
"""Views that are not ours and so cannot be decorated, by their outermost namespace."""
FOREIGN_VIEWS: Final = {"admin:login": Access(everybody=True)}
"""Exceptions to these by view name: the admin's login sends people on to the portal's."""


def access_of(view: Callable[..., Any], match: ResolverMatch | None = None) -> Access | None:
    """What `view` declares, also of class-based views; None when it declares nothing and is not foreign."""
    # as_view() of Django's keeps the class as view_class; REST framework's as cls.
    for holder in (view, getattr(view, "view_class", None), getattr(view, "cls", None)):
        declared = getattr(holder, _ATTRIBUTE, None)
        if isinstance(declared, Access):
            return declared
    if match is not None and match.namespaces:
        return FOREIGN_VIEWS.get(match.view_name) or FOREIGN_NAMESPACES.get(match.namespaces[0])
    return None
