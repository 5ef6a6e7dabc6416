"""The one place where a dashboard's JSON is written: each change a revision, with who, why and what brought it.

The dashboard's row is locked while its history grows, and every call is one transaction with its entry in the audit
trail: after a kill at any point either all of it is there or nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import Max
from django.http import HttpRequest
from django.utils import timezone

from apps.accounts import audit
from apps.accounts.models import AuditEntry
from apps.dashboards import bodies
from apps.dashboards.models import Cause, Dashboard, Revision, StoredBody
from apps.panels.document import read_dashboard


class StaleRevisionError(RuntimeError):
    """Somebody else made another revision current meanwhile. `current` is that revision."""

    def __init__(self, current: Revision) -> None:
        super().__init__(f"{current.actor} saved revision {current.number} meanwhile")
        self.current = current


def record(
    dashboard: Dashboard,
    body: Mapping[str, Any],
    *,
    actor: str,
    reason: str,
    cause: Cause,
    expected: Revision | None = None,
    request: HttpRequest | None = None,
) -> Revision:
    """Make `body` the dashboard's current revision, and its title and tags those of the body.

    The body of the current revision adds nothing: that revision is returned. With `expected`, raises
    StaleRevisionError when another one is current; raises InvalidDocumentError for a body that is no dashboard or
    cannot be kept. `dashboard` has the new values afterwards. `request` adds to the audit entry from where it came.
    """
    body = registered_form(body, dashboard.uid)
    text = bodies.canonical(body)
    with transaction.atomic():
        row = _locked(dashboard)
        if expected is not None and row.current is not None and row.current_id != expected.pk:
            raise StaleRevisionError(row.current)
        before = row.current
        if before is not None and before.stored_id == bodies.digest_of_text(text):
            dashboard.current = before
            return before
        parsed = read_dashboard(body)
        revision = _added(row, _stored(text), actor, reason, cause)
        dashboard.current = revision
        dashboard.title = parsed.title.strip()[:5000] or dashboard.uid
        dashboard.tags = [tag[:50] for tag in parsed.tags]
        dashboard.save(update_fields=["current", "title", "tags", "updated_at"])
        _audit(dashboard, before, revision, actor, request)
    return revision


def keep(
    dashboard: Dashboard, body: Mapping[str, Any], *, actor: str, reason: str, cause: Cause = Cause.FOUND
) -> Revision:
    """Put `body` into the history without making it current: an edit that was found in a Grafana.

    The body of the current or of the newest revision adds nothing: that revision is returned. Raises
    InvalidDocumentError.
    """
    body = registered_form(body, dashboard.uid)
    with transaction.atomic():
        row = _locked(dashboard)
        stored = store(body)
        newest = row.revisions.first()
        for known in (row.current, newest):
            if known is not None and known.stored_id == stored.pk:
                return known
        revision = _added(row, stored, actor, reason, cause)
        after = {"kept": revision.number, "digest": revision.stored_id, "cause": cause.value}
        audit.record(AuditEntry.Action.ADD, actor=actor, obj=dashboard, after=after, reason=reason)
    return revision


def restore(
    dashboard: Dashboard, revision: Revision, *, actor: str, reason: str, request: HttpRequest | None = None
) -> Revision:
    """Make an earlier revision's body current again, as a new revision; a retired dashboard comes back.

    Raises ValueError for a revision of another dashboard.
    """
    if revision.dashboard_id != dashboard.pk:
        raise ValueError(f"{revision} is one of another dashboard")
    with transaction.atomic():
        bring_back(dashboard, actor=actor, reason=reason, request=request)
        reason = reason or f"revision {revision.number} again"
        return record(dashboard, revision.body, actor=actor, reason=reason, cause=Cause.RESTORE, request=request)


def retire(dashboard: Dashboard, *, actor: str, reason: str, request: HttpRequest | None = None) -> None:
    """Take the dashboard out of every list. Its history stays, and it can be restored; its uid stays taken."""
    _set_retired(dashboard, timezone.now(), actor, reason, request)


def bring_back(dashboard: Dashboard, *, actor: str, reason: str, request: HttpRequest | None = None) -> None:
    """Undo `retire`; the revision that was current is so again."""
    _set_retired(dashboard, None, actor, reason, request)


def store(body: Mapping[str, Any]) -> StoredBody:
    """Store a body under its digest, once. Raises InvalidDocumentError for what cannot be kept."""
    return _stored(bodies.canonical(body))


def digest_of(body: Mapping[str, Any]) -> str:
    """The digest that `store` gives this body. Raises InvalidDocumentError."""
    return bodies.digest_of(body)


def registered_form(body: Mapping[str, Any], uid: str) -> dict[str, Any]:
    """A body as the registry keeps it: under the dashboard's uid, without the numbers that a server gives."""
    return {**{key: value for key, value in body.items() if key not in ("id", "version")}, "uid": uid}


def _stored(text: str) -> StoredBody:
    row = StoredBody(digest=bodies.digest_of_text(text), text=text, size=len(text.encode()))
    StoredBody.objects.bulk_create([row], ignore_conflicts=True)
    return row


def _locked(dashboard: Dashboard) -> Dashboard:
    rows = Dashboard.objects.select_related("current").select_for_update(of=("self",))
    return rows.get(pk=dashboard.pk)


def _added(dashboard: Dashboard, stored: StoredBody, actor: str, reason: str, cause: Cause) -> Revision:
    last = dashboard.revisions.aggregate(last=Max("number"))["last"] or 0
    return Revision.objects.create(
        dashboard=dashboard,
        number=last + 1,
        stored=stored,
        actor=actor[:200],
        cause=cause,
        reason=reason.replace("\0", ""),
    )


def _audit(
    dashboard: Dashboard, before: Revision | None, after: Revision, actor: str, request: HttpRequest | None
) -> None:
    audit.record(
        AuditEntry.Action.CHANGE if before else AuditEntry.Action.ADD,
        actor=None if request is not None else actor,
        request=request,
        obj=dashboard,
        before={"revision": before.number, "digest": before.stored_id} if before else None,
        after={"revision": after.number, "digest": after.stored_id, "cause": after.cause},
        reason=after.reason,
    )


@transaction.atomic
def _set_retired(
    dashboard: Dashboard, at: datetime | None, actor: str, reason: str, request: HttpRequest | None
) -> None:
    before = _locked(dashboard).retired_at
    if (before is None) == (at is None):
        return
    dashboard.retired_at = at
    dashboard.save(update_fields=["retired_at", "updated_at"])
    audit.record(
        AuditEntry.Action.CHANGE if at is None else AuditEntry.Action.DELETE,
        actor=None if request is not None else actor,
        request=request,
        obj=dashboard,
        before={"retired_at": before},
        after={"retired_at": at},
        reason=reason,
    )
