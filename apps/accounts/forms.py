"""Sign-in and password forms that say when too many attempts were made."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from apps.accounts import sign_in
from apps.accounts.address import counted_address
from apps.accounts.backend import refusal_of
from apps.accounts.sign_in import Refusal


def too_many_attempts(refusal: Refusal) -> ValidationError:
    """The error that people read."""
    minutes = "1 minute" if refusal.minutes == 1 else f"{refusal.minutes} minutes"
    return ValidationError(f"Too many attempts. Try again in {minutes}.", code="limited")


class SignInForm(AuthenticationForm):
    """Name and password."""

    def get_invalid_login_error(self) -> ValidationError:
        refusal = refusal_of(self.request) if self.request else None
        return too_many_attempts(refusal) if refusal else super().get_invalid_login_error()


class LimitedPasswordChangeForm(PasswordChangeForm):
    """The old and the new password; guesses at the old one count as attempts to sign in."""

    def __init__(self, *args: Any, request: HttpRequest, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request

    def clean_old_password(self) -> str:
        name, address = self.user.get_username(), counted_address(self.request)
        if refusal := sign_in.count(name, address):
            raise too_many_attempts(refusal)
        password = super().clean_old_password()
        sign_in.succeeded(name, address)
        return password
