"""API tokens: made once, kept as a digest, checked with every request that brings one.

A token that was good is remembered for `REMEMBERED_SECONDS`, with its owner's role and teams, so that a busy client
costs no query per request. Changes in this process count at once (`apps.accounts.signals` calls `forget`); in other
processes a revoked token may pass for that long.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import string
import time
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from django.db.models import Q
from django.utils import timezone
from rest_framework.authentication import BaseAuthentication

from apps.accounts.models import ApiToken, HostTeam, User
from apps.accounts.roles import Role, role_of
from apps.accounts.scope import held_scope, scope_of

if TYPE_CHECKING:
    from rest_framework.request import Request

PREFIX: Final = "vpt_"
"""By which people and scanners of leaked secrets know what it is."""
_RANDOM: Final = 43
"""Letters and digits after the prefix: 256 bits."""
_SHAPE: Final = re.compile(rf"{PREFIX}[A-Za-z0-9]{{{_RANDOM}}}", re.ASCII)
REMEMBERED_SECONDS: Final = 3.0
_MOST_REMEMBERED: Final = 1000
_USED_EVERY: Final = timedelta(minutes=1)

_remembered: dict[str, tuple[ApiToken, float]] = {}
"""Digest -> token and when it was read. Threads may read the same one twice; both answers are right."""


def issue(
    *,
    owner: User,
    name: str,
    scopes: Iterable[ApiToken.Scope],
    team_ids: Iterable[UUID] = (),
    host_names: Iterable[str] = (),
    expires_at: datetime | None = None,
) -> tuple[ApiToken, str]:
    """Make and save a token; returns it with its text, which nobody can read again."""
    token = ApiToken(
        owner=owner,
        name=name,
        scopes=list(scopes),
        team_ids=list(team_ids),
        host_names=list(host_names),
        expires_at=expires_at,
    )
    text = give_text(token)
    token.save()
    return token, text


def give_text(token: ApiToken) -> str:
    """Put a new random text's digest into an unsaved token, and return the text."""
    alphabet = string.ascii_letters + string.digits
    text = PREFIX + "".join(secrets.choice(alphabet) for _ in range(_RANDOM))
    token.token_digest, token.begins = _digest(text), text[:10]
    return text


def authenticate(text: str) -> ApiToken | None:
    """The valid token whose text this is, with its owner, who knows it as `owner.token`; else None.

    At most one query (and one for the moment of use, once a minute); none for a text that has not a token's shape.
    """
    if not _SHAPE.fullmatch(text):
        return None
    digest = _digest(text)
    token = _recent(digest)
    if token is None:
        token = ApiToken.objects.select_related("owner").filter(token_digest=digest).first()
        if token is None or not hmac.compare_digest(token.token_digest, digest):
            return None
        token.owner.token = token
        if len(_remembered) >= _MOST_REMEMBERED:
            _remembered.clear()
        _remembered[digest] = token, time.monotonic()
    now = timezone.now()
    if not token.is_valid(now):
        return None
    _note_use(token, now)
    return token


def forget() -> None:
    """Read every token anew: one of them, or what its owner may do, has changed."""
    _remembered.clear()


def revoke(token: ApiToken) -> bool:
    """From now on it opens nothing; False when it was revoked before."""
    changed = ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now())
    forget()
    return bool(changed)


def may_write_for(who: ApiToken | User, *, host: str | None, team_id: UUID | None) -> bool:
    """Whether a row of this host and this team (None where its table has no such column) may be written.

    It takes the role operator, and of a token the scope ingest. The team must be one that is seen; so must the host. A
    host that belongs to no team yet may report for every team that is seen, and a token limited to hosts for the teams
    that these belong to. At most one query beyond those of `scope_of`.
    """
    user = _acting_by(who) if isinstance(who, ApiToken) else who
    if role_of(user) < Role.OPERATOR or (user.token is not None and ApiToken.Scope.INGEST not in user.token.scopes):
        return False
    scope = scope_of(user)
    if scope.everything:
        return True
    if host is None:
        return team_id is not None and team_id in scope.team_ids
    if host in scope.host_names:
        return team_id is None or team_id in scope.team_ids or _reports_for(user, host, team_id)
    limited = user.token is not None and bool(user.token.host_names)
    return not limited and team_id in scope.team_ids and not HostTeam.objects.filter(host_name=host).exists()


def _acting_by(token: ApiToken) -> User:
    """The token's owner, bound to it."""
    if token.owner.token is token:
        return token.owner
    owner = User.objects.get(pk=token.owner_id)
    owner.token = token
    return owner


def _reports_for(user: User, host: str, team_id: UUID) -> bool:
    """Whether a token limited to hosts, and to no teams, may write the host's rows of this team."""
    if user.token is None or user.token.team_ids or not user.token.host_names:
        return False
    held = held_scope(user)
    if not held.everything and team_id not in held.team_ids:
        return False
    teams = set(HostTeam.objects.filter(host_name=host).values_list("team_id", flat=True))
    return not teams or team_id in teams


class TokenAuthentication(BaseAuthentication):
    """REST framework's view of what the gate has found: `request.user` is the owner, `request.auth` the token."""

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        token = getattr(request._request, "auth", None)
        return (token.owner, token) if isinstance(token, ApiToken) else None

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _recent(digest: str) -> ApiToken | None:
    token, read = _remembered.get(digest, (None, 0.0))
    return token if time.monotonic() - read < REMEMBERED_SECONDS else None


def _note_use(token: ApiToken, now: datetime) -> None:
    before = now - _USED_EVERY
    if token.last_used_at is None or token.last_used_at <= before:
        token.last_used_at = now
        stale = Q(last_used_at=None) | Q(last_used_at__lte=before)
        ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=now)
