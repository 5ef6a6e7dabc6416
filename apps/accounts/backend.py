"""Checking a name and a password, with the number of attempts limited before anything is hashed."""

from __future__ import annotations

from typing import Any

from asgiref.sync import sync_to_async
from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from apps.accounts import sign_in
from apps.accounts.address import counted_address
from apps.accounts.models import User

_ATTRIBUTE = "_sign_in_refusal"


class LimitedBackend(ModelBackend):
    """Django's own, behind the counters of `apps.accounts.sign_in`; every way to sign in by password leads through."""

    def authenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        """The user, or None. After too many attempts raises PermissionDenied, which Django makes a failed sign-in."""
        name = username if username is not None else kwargs.get(User.USERNAME_FIELD)
        if name is None or password is None or "\0" in name:  # PostgreSQL has no text with NUL, so nobody is called so
            return None
        address = counted_address(request) if request else "local"
        if refusal := sign_in.count(name, address):
            if request:
                setattr(request, _ATTRIBUTE, refusal)
            raise PermissionDenied("too many attempts to sign in")
        user = super().authenticate(request, username=name, password=password)
        if user is not None:
            sign_in.succeeded(name, address)
        return user

    async def aauthenticate(
        self, request: HttpRequest | None, username: str | None = None, password: str | None = None, **kwargs: Any
    ) -> User | None:
        """As `authenticate`; Django's own would go round the counters."""
        return await sync_to_async(self.authenticate)(request, username=username, password=password, **kwargs)


def refusal_of(request: HttpRequest) -> sign_in.Refusal | None:
    """Why the sign-in that this request tried was refused before the password was looked at; None when it was not."""
    return getattr(request, _ATTRIBUTE, None)
