"""Who is behind a socket: found by the session when it connects, and again while it stays.

All of it asks the portal's database and is called in a thread.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.contrib.sessions.models import Session
from django.utils import timezone
from django.utils.crypto import constant_time_compare

from apps.accounts.models import User
from apps.accounts.roles import Role, role_of
from apps.accounts.scope import TeamScope, scope_of

ACCESS_TOPICS: Final = frozenset(
    {"accounts_user", "accounts_user_groups", "accounts_teammembership", "accounts_hostteam"}
)
"""The tables that say who somebody is: after a change of these everybody is looked at again."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """Somebody in a session, and what they may see."""

    session: str
    user: int
    scope: TeamScope


def find(session: str) -> Viewer | None:
    """Who is signed in by that session and has at least the role of a viewer; None for anybody else."""
    row = Session.objects.filter(pk=session, expire_date__gt=timezone.now()).first()
    if row is None:
        return None
    kept: dict[str, Any] = row.get_decoded()
    user = _user(kept.get(SESSION_KEY)) if BACKEND_SESSION_KEY in kept else None
    # A session ends with the password that it was opened by.
    if user is None or not constant_time_compare(kept.get(HASH_SESSION_KEY, ""), user.get_session_auth_hash()):
        return None
    return Viewer(session, user.pk, scope_of(user)) if role_of(user) >= Role.VIEWER else None


def living(sessions: Collection[str]) -> set[str]:
    """Which of these sessions have neither expired nor been ended. One query."""
    return set(
        Session.objects.filter(pk__in=sessions, expire_date__gt=timezone.now()).values_list("session_key", flat=True)
    )


def _user(key: Any) -> User | None:
    try:
        return User.objects.filter(pk=int(key), is_active=True).first()
    except (TypeError, ValueError):
        return None
