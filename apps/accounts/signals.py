"""Sign-ins, sign-outs and failed attempts go into the audit trail; changes of rights reach remembered tokens."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db.models.signals import m2m_changed, post_delete, post_save
from django.dispatch import receiver
from django.http import HttpRequest

from apps.accounts import audit, tokens
from apps.accounts.backend import refusal_of
from apps.accounts.models import ApiToken, AuditEntry, HostTeam, TeamMembership, User

Action = AuditEntry.Action


@receiver(user_logged_in, dispatch_uid="audit sign-in")
def signed_in(request: HttpRequest, user: User, **_: object) -> None:
    audit.record(Action.SIGN_IN, request=request, actor=user, obj=user)


@receiver(user_logged_out, dispatch_uid="audit sign-out")
def signed_out(request: HttpRequest, user: User | None, **_: object) -> None:
    if user is not None:
        audit.record(Action.SIGN_OUT, request=request, actor=user, obj=user)


@receiver(user_login_failed, dispatch_uid="audit failed sign-in")
def not_signed_in(credentials: dict[str, Any], request: HttpRequest | None = None, **_: object) -> None:
    """A wrong password is an entry; of those refused by the limit the first in a window, so a flood fills nothing."""
    name = str(credentials.get(User.USERNAME_FIELD, "")).replace("\0", "")
    # People type passwords into the wrong field: a name that nobody has is not kept.
    user = User.objects.filter(username=name).first()
    label = user.get_username() if user else "a name that nobody has"
    object_id = str(user.pk) if user else ""
    refusal = refusal_of(request) if request else None
    if refusal is None:
        audit.record(
            Action.SIGN_IN_FAILED,
            request=request,
            actor="a visitor",
            kind="accounts.user",
            object_id=object_id,
            label=label,
        )
    elif refusal.first:
        audit.record(
            Action.REFUSED, request=request, actor="a visitor", kind="accounts.user", object_id=object_id, label=label,
            reason=f"Too many attempts to sign in, counted by {refusal.counter.replace('_', ' ')}.",
        )  # fmt: skip


@receiver((post_save, post_delete), sender=ApiToken, dispatch_uid="tokens: a token")
@receiver((post_save, post_delete), sender=User, dispatch_uid="tokens: an owner")
@receiver((post_save, post_delete), sender=TeamMembership, dispatch_uid="tokens: a membership")
@receiver((post_save, post_delete), sender=HostTeam, dispatch_uid="tokens: a host's team")
@receiver(m2m_changed, sender=User.groups.through, dispatch_uid="tokens: a role")
def rights_changed(**_: object) -> None:
    """What a token may do depends on all of these."""
    tokens.forget()
