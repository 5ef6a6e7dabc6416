"""The admin's site: entered by role, with the portal's own pages for signing in and for passwords."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import admin
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.contrib.auth.views import redirect_to_login
from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache

from apps.accounts.models import AuditEntry
from apps.accounts.roles import Role, role_of

RECENT: Final = 10
"""How many of their own changes somebody sees on the first page."""


DOMAINS: Final = ("fleet", "execution", "navigation", "monitoring", "dashboards", "access", "audit")
"""The groups of the first page in their order: the platform's, then the portal's own."""
CHANGES: Final = (
    AuditEntry.Action.ADD, AuditEntry.Action.CHANGE, AuditEntry.Action.DELETE, AuditEntry.Action.TRIAGE
)  # fmt: skip


class PortalAdminSite(admin.AdminSite):
    """Operators and administrators come in, by role and not by `is_staff`; the rest their group's permissions say.

    Models are grouped by the word `domain` of their admin or of themselves, in the order of `DOMAINS`; those without
    one by their app, after them. An admin may say by `absent()` why its list must be empty.
    """

    site_title = "vptmonitor"
    site_header = "vptmonitor"
    index_title = "Administration"
    enable_nav_sidebar = False

    def has_permission(self, request: HttpRequest) -> bool:
        return role_of(request.user) >= Role.OPERATOR

    @method_decorator(never_cache)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Sends people to the portal's login, whose attempts are limited."""
        del extra_context
        return redirect_to_login(request.GET.get(REDIRECT_FIELD_NAME) or reverse("admin:index"))

    def password_change(  # type: ignore[override]  # a redirect is no template
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Sends people to the portal's page."""
        del request, extra_context
        return redirect("password_change")

    def password_change_done(  # type: ignore[override]
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Sends people to the portal's page."""
        del request, extra_context
        return redirect("password_change_done")

    def get_app_list(self, request: HttpRequest, app_label: str | None = None) -> list[Any]:
        groups: dict[str, dict[str, Any]] = {}
        plain: dict[str, dict[str, Any]] = {}
        for app in self._build_app_dict(request, app_label).values():
            for entry in app["models"]:
                model, model_admin = entry["model"], self._registry[entry["model"]]
                absent = getattr(model_admin, "absent", None)
                entry |= {"about": _about(model), "absent": absent() if absent else ""}
                domain = getattr(model_admin, "domain", None) or getattr(model, "domain", None)
                if not domain:
                    plain.setdefault(app["app_label"], {**app, "models": []})["models"].append(entry)
                    continue
                group = {
                    "name": domain.capitalize(), "app_label": domain, "app_url": f"{reverse('admin:index')}#{domain}",
                    "has_module_perms": True, "models": [],
                }  # fmt: skip
                groups.setdefault(domain, group)["models"].append(entry)
        known = [groups.pop(domain) for domain in DOMAINS if domain in groups]
        found = [*known, *groups.values(), *sorted(plain.values(), key=lambda app: str(app["name"]).casefold())]
        for group in found:
            group["models"].sort(key=lambda entry: str(entry["name"]).casefold())
        return found

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        mine = AuditEntry.objects.filter(actor_id=request.user.pk, action__in=CHANGES)[:RECENT]
        return super().index(request, {"mine": mine, **(extra_context or {})})

    def app_index(self, request: HttpRequest, app_label: str, extra_context: dict[str, Any] | None = None) -> Any:
        """The first page: its groups are the domains."""
        del request, app_label, extra_context
        return redirect("admin:index")


def _about(model: type[Model]) -> str:
    """The first sentence of the docstring of a model of ours."""
    if not model.__module__.startswith("apps."):
        return ""
    text = " ".join((model.__doc__ or "").split())
    return text.partition(". ")[0].rstrip(".") + "." if text else ""
