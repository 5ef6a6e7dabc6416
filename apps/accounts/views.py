"""Signing in and out, and changing one's own password. Templates: `registration/`."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import views
from django.db import transaction
from django.http import HttpResponse
from django.urls import reverse_lazy

from apps.accounts import audit
from apps.accounts.access import access, public
from apps.accounts.backend import refusal_of
from apps.accounts.forms import LimitedPasswordChangeForm, SignInForm
from apps.accounts.models import AuditEntry
from apps.accounts.roles import Role


@public
class SignIn(views.LoginView):
    """Answers 429 with `Retry-After` after too many attempts (see `apps.accounts.sign_in`)."""

    authentication_form = SignInForm
    redirect_authenticated_user = True

    def form_invalid(self, form: Any) -> HttpResponse:
        response = super().form_invalid(form)
        if refusal := refusal_of(self.request):
            response.status_code = 429
            response["Retry-After"] = str(refusal.seconds)
        return response


@public
class SignOut(views.LogoutView):
    """By POST only; then the sign-in page."""


@access(Role.NONE)
class PasswordChange(views.PasswordChangeView):
    """Ends all other sessions of the person, since a session is bound to the password's hash."""

    form_class = LimitedPasswordChangeForm
    success_url = reverse_lazy("password_change_done")

    def get_form_kwargs(self) -> dict[str, Any]:
        return {**super().get_form_kwargs(), "request": self.request}

    def form_valid(self, form: Any) -> HttpResponse:
        with transaction.atomic():
            audit.record(
                AuditEntry.Action.CHANGE,
                request=self.request,
                obj=form.user,
                after={"password": "new"},
                reason="own password",
            )
            return super().form_valid(form)


@access(Role.NONE)
class PasswordChangeDone(views.PasswordChangeDoneView):
    """Says that it worked."""
