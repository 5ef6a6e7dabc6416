"""People, roles, teams, the audit trail and blocked sign-ins in the admin."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from apps.accounts import (
    admin_tokens,  # noqa: F401 -- registers the admin of tokens
    audit,
)
from apps.accounts.admin_base import AuditedModelAdmin, BoundedPaginator
from apps.accounts.models import AuditEntry, HostTeam, SignInAttempt, TeamMembership, User
from apps.accounts.roles import GROUPS, Role
from apps.accounts.teams import known_hosts, known_teams

if TYPE_CHECKING:
    AnyModelForm = forms.ModelForm[Any]
    MembershipsBase = admin.TabularInline[TeamMembership, User]
    UsersBase = DjangoUserAdmin[User]
else:
    AnyModelForm = forms.ModelForm
    MembershipsBase = admin.TabularInline
    UsersBase = DjangoUserAdmin


def _uuid(value: UUID | str) -> UUID:
    # The field coerces what was posted and also what the row holds.
    return value if isinstance(value, UUID) else UUID(value)


class TeamForm(AnyModelForm):
    """Offers the platform's teams by name, and copies the name; where the teams cannot be read, takes an id."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.teams = known_teams()
        if self.teams:
            chosen = self.instance.team_id
            gone = {} if chosen is None or chosen in self.teams else {chosen: f"{self.instance} (gone)"}
            field = forms.TypedChoiceField(
                label="Team", coerce=_uuid, choices=[("", "Choose a team"), *self.teams.items(), *gone.items()]
            )
            self.fields["team_id"] = field
        # Where it is a cell of a table, only the column's head names it.
        self.fields["team_id"].widget.attrs["aria-label"] = "Team"

    def save(self, commit: bool = True) -> Any:
        name = self.teams.get(self.instance.team_id)
        if name:
            self.instance.team_name = name
        return super().save(commit)


class HostTeamForm(TeamForm):
    """Suggests the names of the platform's hosts; a host that has not reported yet can be typed."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["host_name"].help_text = "Known hosts: " + (", ".join(known_hosts()[:50]) or "none yet")


class Memberships(MembershipsBase):
    model = TeamMembership
    form = TeamForm
    fields = ("team_id",)
    extra = 1
    verbose_name = "team"
    verbose_name_plural = "teams whose rows are shown"


@admin.register(User)
class UserAdmin(AuditedModelAdmin, UsersBase):
    """Roles are groups. Only a superuser touches superusers, and nobody deletes themselves."""

    domain = "access"
    list_display = ("username", "full_name", "role", "teams", "is_active", "last_login")
    list_filter = ("groups", "all_teams", "is_active")
    search_fields = ("username", "first_name", "last_name", "email")
    filter_horizontal = ()
    readonly_fields = ("last_login", "date_joined")
    inlines = (Memberships,)
    fieldsets = (
        (None, {"fields": ("username", "password")}),
        ("Person", {"fields": ("first_name", "last_name", "email")}),
        ("Access", {"fields": ("is_active", "groups", "all_teams", "is_superuser")}),
        ("Dates", {"fields": ("last_login", "date_joined")}),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        return super().get_queryset(request).prefetch_related("groups", "memberships")

    @admin.display(description="name")
    def full_name(self, user: User) -> str:
        return user.get_full_name()

    @admin.display(description="role")
    def role(self, user: User) -> str:
        held = max((GROUPS.get(group.name, Role.NONE) for group in user.groups.all()), default=Role.NONE)
        return "superuser" if user.is_superuser else held.word

    @admin.display(description="teams")
    def teams(self, user: User) -> str:
        if user.all_teams or user.is_superuser:
            return "all"
        return ", ".join(str(membership) for membership in user.memberships.all()) or "none"

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> tuple[str, ...]:
        return self.readonly_fields if request.user.is_superuser else (*self.readonly_fields, "is_superuser")

    def has_change_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_change_permission(request, obj) and _may_touch(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return super().has_delete_permission(request, obj) and _may_touch(request, obj) and obj != request.user

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        with transaction.atomic():
            user = self.get_object(request, id)
            before = user.password if user else ""
            response = super().user_change_password(request, id, form_url)
            changed = self.get_object(request, id)
            if changed and changed.password != before:
                audit.record(
                    AuditEntry.Action.CHANGE, request=request, obj=changed, after={"password": "new"},
                    reason="set by an administrator",
                )  # fmt: skip
            return response


def _may_touch(request: HttpRequest, user: User | None) -> bool:
    return user is None or not user.is_superuser or request.user.is_superuser


admin.site.unregister(Group)


@admin.register(Group)
class GroupAdmin(AuditedModelAdmin, DjangoGroupAdmin):
    """The three groups of the roles are the program's (`apps.accounts.roles`): shown, never changed."""

    domain = "access"

    def has_change_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return super().has_change_permission(request, obj) and (obj is None or obj.name not in GROUPS)

    def has_delete_permission(self, request: HttpRequest, obj: Group | None = None) -> bool:
        return super().has_delete_permission(request, obj) and (obj is None or obj.name not in GROUPS)


@admin.register(TeamMembership)
class TeamMembershipAdmin(AuditedModelAdmin):
    domain = "access"
    form = TeamForm
    fields = ("user", "team_id")
    list_display = ("user", "team_name", "team_id")
    list_select_related = ("user",)
    search_fields = ("user__username", "team_name")
    autocomplete_fields = ("user",)


@admin.register(HostTeam)
class HostTeamAdmin(AuditedModelAdmin):
    domain = "access"
    form = HostTeamForm
    fields = ("host_name", "team_id")
    list_display = ("host_name", "team_name", "team_id")
    list_filter = ("team_name",)
    search_fields = ("host_name", "team_name")


@admin.register(AuditEntry)
class AuditEntryAdmin(AuditedModelAdmin):
    """Looked at only: nobody adds, changes or deletes here, and the database would refuse it."""

    domain = "audit"
    list_display = ("at", "actor", "action", "kind", "label", "address", "request_id")
    list_filter = ("action", "at")
    search_fields = ("actor", "label")
    search_help_text = "The name of who did it, or of what was touched"
    fields = ("at", "actor", "address", "action", "kind", "object_id", "label", "differences", "reason", "request_id")
    readonly_fields = ("differences",)
    ordering = ("-id",)
    paginator = BoundedPaginator
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    list_per_page = 50

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    @admin.display(description="before and after")
    def differences(self, entry: AuditEntry) -> SafeString | str:
        before, after = entry.before or {}, entry.after or {}
        names = [*before, *(name for name in after if name not in before)]
        if not names:
            return "-"
        rows = ((name, _as_text(before, name), _as_text(after, name)) for name in names)
        return format_html(
            "<table><thead><tr><th>Field</th><th>Before</th><th>After</th></tr></thead><tbody>{}</tbody></table>",
            format_html_join("", "<tr><th>{}</th><td>{}</td><td>{}</td></tr>", rows),
        )


def _as_text(state: dict[str, Any], name: str) -> str:
    if name not in state:
        return ""
    value = state[name]
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


@admin.register(SignInAttempt)
class SignInAttemptAdmin(AuditedModelAdmin):
    """Who is kept from signing in, until when, and the action that lets them in at once."""

    domain = "audit"
    COUNTERS = {"both": "name_and_address", "address": "address", "name": "name"}

    list_display = ("key", "attempts", "limit", "window_start", "blocked_until")
    search_fields = ("key",)
    ordering = ("-window_start",)
    paginator = BoundedPaginator
    show_full_result_count = False
    actions = ("unlock",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        # `unlock` is the one way, with a word of what it does.
        return False

    def has_unlock_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("accounts.delete_signinattempt")

    @admin.display(description="limit")
    def limit(self, attempt: SignInAttempt) -> int:
        return settings.SIGN_IN_LIMIT[self.COUNTERS[attempt.key.partition("|")[0]]]

    @admin.display(description="blocked until")
    def blocked_until(self, attempt: SignInAttempt) -> datetime | None:
        end = attempt.window_start + timedelta(seconds=settings.SIGN_IN_LIMIT["window_seconds"])
        return end if attempt.attempts > self.limit(attempt) and end > timezone.now() else None

    @admin.action(description="Unlock: forget the attempts counted", permissions=["unlock"])
    def unlock(self, request: HttpRequest, queryset: QuerySet[SignInAttempt]) -> None:
        with transaction.atomic():
            stored = self._stored(list(queryset.order_by().values_list("pk", flat=True)))
            SignInAttempt.objects.filter(pk__in=stored).delete()
            self._record_deleted(request, stored.values())
        self.message_user(request, f"Unlocked: {len(stored)}.", messages.SUCCESS)
