"""Operators decide about alerts: acknowledge, resolve, discard, re-open. The one place where that is written.

Where the platform's table may be written (`SOURCE_ACCESS` write or own), resolving and discarding go there, in the
columns and words that the platform's own code uses; else they are kept in `AlertTriage`, as acknowledging always is.
Every write is conditional on the state that the decision starts from, so of two operators the first one wins and the
second one is told who it was.

A decision and its entry in the audit trail are of two databases: the entry is written before either is committed.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, IntegrityError, InterfaceError, OperationalError, router, transaction
from django.db.models import Case, F, Func, JSONField, Q, TextField, Value, When
from django.db.models.functions import Coalesce, Concat
from django.http import HttpRequest
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.models import AuditEntry, User
from apps.accounts.scope import scope_of
from apps.mirror import shape
from apps.mirror.models import PlatformAlert
from apps.triage.models import AlertTriage
from apps.triage.overlay import AlertState, decisions_about, state_of

logger = logging.getLogger(__name__)

PERMISSION: Final = "triage.triage_alert"
MOST_AT_ONCE: Final = 1000
LONGEST_COMMENT: Final = 2000


class Decision(StrEnum):
    """What can be decided. Re-opening takes back an acknowledgement or a discard; a resolved alert becomes active."""

    ACKNOWLEDGE = "acknowledge"
    RESOLVE = "resolve"
    DISCARD = "discard"
    REOPEN = "reopen"


STARTS_FROM: Final[dict[Decision, tuple[AlertState, ...]]] = {
    Decision.ACKNOWLEDGE: ("active",),
    Decision.RESOLVE: ("active", "acknowledged"),
    Decision.DISCARD: ("active", "acknowledged", "resolved", "unknown"),
    Decision.REOPEN: ("acknowledged", "resolved", "discarded"),
}
"""The states in which each decision can be taken."""

_ANOTHER_IS_ACTIVE: Final = "One alert of a type is active per device, and there is a newer one: it stays over."
_DONE: Final = {
    Decision.ACKNOWLEDGE: "acknowledged",
    Decision.RESOLVE: "resolved",
    Decision.DISCARD: "discarded",
    Decision.REOPEN: "re-opened",
}
_STATE_AFTER: Final[dict[Decision, AlertState]] = {
    Decision.ACKNOWLEDGE: "acknowledged",
    Decision.RESOLVE: "resolved",
    Decision.DISCARD: "discarded",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """An alert that was left as it is, and a sentence why."""

    alert_id: UUID
    label: str
    why: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """Which alerts changed, and which did not."""

    decision: Decision
    changed: tuple[UUID, ...]
    refused: tuple[Refusal, ...]

    @property
    def sentence(self) -> str:
        """What changed, in words; empty when nothing did."""
        if not self.changed:
            return ""
        number = len(self.changed)
        return f"{number} alert{'' if number == 1 else 's'} {_DONE[self.decision]}."


class _NotPossibleError(Exception):
    """The alert is not in a state for the decision; the text says why, and is empty when it has just changed."""


def possible(state: AlertState) -> tuple[Decision, ...]:
    """The decisions that can be taken about an alert in `state`."""
    return tuple(decision for decision, states in STARTS_FROM.items() if state in states)


def may_write_platform() -> bool:
    """Whether decisions go into the platform's own table."""
    return bool(settings.SOURCE_ACCESS in {"write", "own"})


def decide(
    alert_ids: Iterable[UUID],
    decision: Decision,
    *,
    actor: User,
    comment: str = "",
    request: HttpRequest | None = None,
) -> Outcome:
    """Take `decision` about each of these alerts, as far as `actor` may see them; each on its own, in the order given.

    The comment is kept with the decision (cut at 2,000 characters). Raises PermissionDenied for somebody without
    `triage.triage_alert`, ValueError for more than 1,000 alerts, and OperationalError when a database is away.
    """
    if not actor.has_perm(PERMISSION):
        raise PermissionDenied("Deciding about alerts needs the role operator. An administrator can change that.")
    ids = list(dict.fromkeys(alert_ids))
    if len(ids) > MOST_AT_ONCE:
        raise ValueError(f"at most {MOST_AT_ONCE} alerts at once, not {len(ids)}")
    comment = comment.replace("\x00", "").strip()[:LONGEST_COMMENT]
    alerts = PlatformAlert.objects.visible_to(scope_of(actor)).in_bulk(ids)
    standing = decisions_about(ids)
    changed, refused = [], []
    for alert_id in ids:
        alert = alerts.get(alert_id)
        if alert is None:
            refused.append(Refusal(alert_id, "alert", "It is not there any more, or belongs to another team."))
            continue
        why = _decide(alert, standing.get(alert_id), decision, actor, comment, request)
        if why:
            refused.append(Refusal(alert_id, str(alert), why))
        else:
            changed.append(alert_id)
    return Outcome(decision, tuple(changed), tuple(refused))


def history(alert_id: UUID, limit: int = 20) -> list[AuditEntry]:
    """What was decided about an alert, newest first. One query."""
    kind = PlatformAlert._meta.label_lower
    found = AuditEntry.objects.filter(kind=kind, object_id=str(alert_id), action=AuditEntry.Action.TRIAGE)
    return list(found.order_by("-id")[:limit])


def _decide(
    alert: PlatformAlert,
    standing: AlertTriage | None,
    decision: Decision,
    actor: User,
    comment: str,
    request: HttpRequest | None,
) -> str:
    """Take the decision; the answer is why it could not be taken, empty when it was."""
    before = state_of(alert, standing)
    now = timezone.now()
    try:
        if before not in STARTS_FROM[decision]:
            raise _NotPossibleError(_already(alert.pk, before))
        in_platform = _goes_to_platform(alert, standing, decision)
        # 1. The source's transaction is the inner one: it commits when the entry below is already written, and a
        #    failure of its commit takes the entry and the portal's own change back.
        with transaction.atomic(using=router.db_for_write(AlertTriage)), transaction.atomic(using=shape.SOURCE):
            if in_platform:
                _write_platform(alert, decision, actor, comment, now)
                AlertTriage.objects.filter(alert_id=alert.pk).delete()
            else:
                _write_portal(alert, decision, actor, comment, now)
            # 2. The entry: who, from which state to which, and where it was written.
            audit.record(
                AuditEntry.Action.TRIAGE,
                request=request,
                actor=actor,
                obj=alert,
                before={"state": before},
                after={"state": _after(alert, standing, decision), "kept_in": "platform" if in_platform else "portal"},
                reason=comment,
            )
    except _NotPossibleError as error:
        return str(error) or _changed_meanwhile(alert.pk)
    except (OperationalError, InterfaceError):
        raise
    except IntegrityError:
        return _ANOTHER_IS_ACTIVE
    except DatabaseError as error:
        logger.warning("alert %s cannot be changed: %s", alert.pk, error)
        return "The platform's database refused the change: the portal's role may not write there."
    return ""


def _goes_to_platform(alert: PlatformAlert, standing: AlertTriage | None, decision: Decision) -> bool:
    """Whether the decision is written into the platform's table. Raises _NotPossibleError where it would have to be."""
    column = "discard" if decision is Decision.DISCARD or alert.discard else "status"
    writable = may_write_platform() and shape.has_field(PlatformAlert, column)
    if decision is Decision.ACKNOWLEDGE:
        return False
    if decision is not Decision.REOPEN:
        return writable
    if not alert.discard and (_discarded_here(standing) or alert.status != "resolved"):
        return False
    if not writable:
        raise _NotPossibleError(
            f"The platform itself {'discarded' if alert.discard else 'resolved'} it, and its database is read only."
        )
    return True


def _write_portal(alert: PlatformAlert, decision: Decision, actor: User, comment: str, now: datetime) -> None:
    mine = AlertTriage.objects.filter(alert_id=alert.pk)
    if decision is Decision.REOPEN:
        if not mine.delete()[0]:
            raise _NotPossibleError
        return
    words: dict[str, Any] = {
        "state": _STATE_AFTER[decision],
        "comment": comment,
        "actor_id": actor.pk,
        "actor": actor.get_username(),
        "at": now,
    }
    labels = {
        "host_name": alert.host_name or "",
        "device_id": alert.device_id or "",
        "device_name": alert.device_name or "",
        "incident_type": alert.incident_type or "",
        "start_time": alert.start_time,
    }
    _, created = AlertTriage.objects.get_or_create(alert_id=alert.pk, defaults=words | labels)
    if not created and not mine.filter(state__in=STARTS_FROM[decision]).update(**words):
        raise _NotPossibleError


def _write_platform(alert: PlatformAlert, decision: Decision, actor: User, comment: str, now: datetime) -> None:
    """What the platform's own code writes in these columns, and `updated_at`, which it forgets when it resolves."""
    row = PlatformAlert.objects.filter(pk=alert.pk)
    if decision is Decision.RESOLVE:
        start = alert.start_time
        words = {"resolved_by": actor.get_username(), **({"resolution_comment": comment} if comment else {})}
        changed = row.filter(status="active").update(
            status="resolved",
            end_time=max(now, start + timedelta(seconds=1)) if start else now,
            metadata=_merged("metadata", words),
            updated_at=now,
        )
    elif decision is Decision.DISCARD:
        changed = row.exclude(discard=True).update(discard=True, **_human_check(comment, now))
    elif alert.discard:
        changed = row.filter(discard=True).update(discard=False, **_human_check(comment, now))
    else:
        if _another_is_active(alert):
            raise _NotPossibleError(_ANOTHER_IS_ACTIVE)
        changed = row.filter(status="resolved").update(status="active", end_time=None, updated_at=now)
    if not changed:
        raise _NotPossibleError


def _another_is_active(alert: PlatformAlert) -> bool:
    """Whether the device has an active alert of the same type. A database of ours refuses a second one by itself, the
    platform's does not."""
    names = ("host_name", "device_id", "incident_type")
    if not all(shape.has_field(PlatformAlert, name) for name in names):
        return False
    key = {name: getattr(alert, name) for name in names}
    return PlatformAlert.objects.filter(status="active", **key).exclude(pk=alert.pk).exists()


def _human_check(comment: str, now: datetime) -> dict[str, Any]:
    """The columns of a person's look at an alert. The AI's comment stays, the person's is appended."""
    by_ai = Q(check_type__in=("ai", "ai_and_human"))
    columns: dict[str, Any] = {
        "checked": True,
        "check_type": Case(When(by_ai, then=Value("ai_and_human")), default=Value("manual")),
        "updated_at": now,
    }
    if comment:
        text = Value(comment, output_field=TextField())
        appended = Concat(F("discard_comment"), Value("\n\nHuman: "), text, output_field=TextField())
        columns["discard_comment"] = Case(When(discard_comment__gt="", then=appended), default=text)
    return columns


def _merged(column: str, words: dict[str, str]) -> Func:
    """The JSON object of `column` with `words` in it, put together in the database so that nothing is lost."""
    json = JSONField()
    return Func(
        Coalesce(F(column), Value({}, json), output_field=json),
        Value(words, json),
        template="(%(expressions)s)",
        arg_joiner=" || ",
        output_field=json,
    )


def _after(alert: PlatformAlert, standing: AlertTriage | None, decision: Decision) -> AlertState:
    if decision is not Decision.REOPEN:
        return _STATE_AFTER[decision]
    # A false alarm that was over is not broken again when it turns out to have been a true one.
    discarded = alert.discard or _discarded_here(standing)
    return "resolved" if discarded and alert.status == "resolved" else "active"


def _discarded_here(standing: AlertTriage | None) -> bool:
    return standing is not None and standing.state == AlertTriage.State.DISCARDED


def _changed_meanwhile(alert_id: UUID) -> str:
    """Why a decision came too late, after another look."""
    alert = PlatformAlert.objects.filter(pk=alert_id).first()
    if alert is None:
        return "The platform has deleted it meanwhile."
    return _already(alert_id, state_of(alert, decisions_about([alert_id]).get(alert_id)))


def _already(alert_id: UUID, state: AlertState) -> str:
    """That the alert is in `state`, and who put it there when it was not the platform."""
    last = next(iter(history(alert_id, 1)), None)
    if last is None or (last.after or {}).get("state") != state:
        return f"It is {state} already."
    seconds = max(0, round((timezone.now() - last.at).total_seconds()))
    ago = f"{seconds} s ago" if seconds < 120 else f"at {timezone.localtime(last.at):%H:%M on %d %b}"
    return f"{last.actor} {'re-opened' if state == 'active' else state} it {ago}."
