"""Every view says who may call it; `apps.accounts.middleware.AccessMiddleware` sees to it.

    @access(Role.VIEWER)            # a function, or a class-based view
    def devices(request): ...

    @access(Role.NONE)              # whoever is signed in
    @public                         # everybody, signed in or not

A view that says nothing is refused to everybody. Which rows somebody sees is another matter: `apps.accounts.scope`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from django.urls import ResolverMatch

from apps.accounts.roles import Role

V = TypeVar("V", bound=Callable[..., Any])

_ATTRIBUTE = "declared_access"


@dataclass(frozen=True)
class Access:
    """Who may call a view: everybody, or signed-in people whose role is at least `role`."""

    everybody: bool = False
    role: Role = Role.ADMIN


def access(role: Role) -> Callable[[V], V]:
    """Declare that a view (a function or a class) is for signed-in people whose role is `role` or higher."""

    def declare(view: V) -> V:
        setattr(view, _ATTRIBUTE, Access(role=role))
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
