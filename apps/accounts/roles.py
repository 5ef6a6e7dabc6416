"""Three roles, each a group of the same name: viewer, operator, admin. A role holds all that the one below it holds.

The groups and their permissions are the program's: `sync` writes them after every migration. Whoever needs something
else makes a group beside them.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Final

from django.apps import AppConfig
from django.apps import apps as installed
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import AnonymousUser
from django.db import router
from django.db.models import Q

from apps.accounts.models import User


class Role(IntEnum):
    """What somebody may do, apart from which teams' rows they see; compared with `>=`."""

    NONE = 0
    VIEWER = 1
    OPERATOR = 2
    ADMIN = 3

    @property
    def word(self) -> str:
        """The role's name for people, and its group's name."""
        return self.name.lower()


GROUPS: Final = {role.word: role for role in (Role.VIEWER, Role.OPERATOR, Role.ADMIN)}

VIEWED_APPS: Final = ("mirror", "triage", "dashboards")
"""The apps whose rows everybody with a role may look at."""
OPERATOR_PERMISSIONS: Final = ("triage_alert",)
"""Codenames that operators hold beyond looking."""
NEVER_GRANTED: Final = (
    "add_auditentry",
    "change_auditentry",
    "delete_auditentry",
    "add_signinattempt",
    "change_signinattempt",
    *(f"{verb}_{model}" for model in ("revision", "storedbody") for verb in ("add", "change", "delete")),
)
"""Codenames that nobody holds: the audit trail and the dashboards' history only grow, and attempts are counted, not
typed."""


def role_of(user: User | AnonymousUser) -> Role:
    """The highest role of `user`'s groups; ADMIN for superusers, NONE for whoever is signed out or deactivated.

    Kept on the user object, which lives as long as its request: one query at the first call.
    """
    if not isinstance(user, User) or not user.is_active:
        return Role.NONE
    if user.is_superuser:
        return Role.ADMIN
    kept: Role | None = getattr(user, "_role", None)
    if kept is None:
        names = user.groups.filter(name__in=GROUPS).values_list("name", flat=True)
        kept = max((GROUPS[name] for name in names), default=Role.NONE)
        user._role = kept  # type: ignore[attr-defined]
    return kept


def sync_after_migrate(sender: AppConfig, using: str, apps: Any = installed, **_: object) -> None:
    """Receiver of `post_migrate` for this app: makes every app's permissions, then `sync`."""
    del sender
    try:
        group = apps.get_model("auth", "Group")
    except LookupError:
        return
    if not router.allow_migrate_model(using, group):
        return
    # Django makes an app's permissions when that app's own signal comes, which may be after ours.
    for config in installed.get_app_configs():
        create_permissions(config, verbosity=0, using=using, apps=apps)
    sync(using=using)


def sync(using: str = "default") -> None:
    """Give the three groups exactly their permissions, of those that exist; idempotent."""
    from django.contrib.auth.models import Group, Permission

    ours = [config.label for config in installed.get_app_configs() if config.name.startswith("apps.")]
    looking = Q(content_type__app_label__in=VIEWED_APPS, codename__startswith="view_")
    wanted = {
        Role.VIEWER: looking,
        Role.OPERATOR: looking | Q(content_type__app_label__in=ours, codename__in=OPERATOR_PERMISSIONS),
        Role.ADMIN: (Q(content_type__app_label__in=ours) & ~Q(codename__in=NEVER_GRANTED))
        | Q(content_type__app_label="auth", content_type__model="group"),
    }
    for role, condition in wanted.items():
        group, _ = Group.objects.using(using).get_or_create(name=role.word)
        group.permissions.set(Permission.objects.using(using).filter(condition))
