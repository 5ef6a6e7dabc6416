"""The one place where placements are written: what was seen, what is about to be sent, what came of it.

A write is noted before it is sent (`intend`) and after it was read back (`written`). Its token stands in the message of
Grafana's version too, so that after a kill in between the next run finds out whether it arrived (`settle`): nothing is
written twice and nothing is taken for somebody else's edit.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Final

from django.utils import timezone

from apps.dashboards import revisions
from apps.dashboards.models import Dashboard, Revision, StoredBody
from apps.grafana.answers import LiveDashboard, Version
from apps.grafana.canonical import RULES, digest, unnumbered
from apps.grafana.errors import GrafanaError
from apps.grafana.mapping import key_of as key_of_sources
from apps.grafana.models import Placement
from apps.grafana.verdict import Action, State
from apps.grafana.writing import is_first, version_of

SEEN: Final = (
    "state", "checked_at", "read_at", "live", "live_digest", "live_version", "live_folder_uid", "resource_version",
    "edited_by", "edited_at", "manager", "error", "error_status", "error_at", "futile", "sent_key",
)  # fmt: skip
"""What a check changes."""
INTENT: Final = (
    "intent", "intent_action", "intent_version", "intent_body", "intent_key", "intent_folder_uid", "intent_revision",
)  # fmt: skip
BASE: Final = (
    "sent", "sent_digest", "sent_key", "base", "base_digest", "base_version", "base_folder_uid", "base_saved_at",
    "without_ids", "revision", "pushed_at", "created_by_us", "futile", "pruned_at", "pruned_grants",
)  # fmt: skip
EVERYTHING: Final = tuple(dict.fromkeys((*SEEN, *INTENT, *BASE, "kept_version")))
BATCH: Final = 500
FEW: Final = 4
"""Up to so many rows are written faster one by one than by one statement for all."""


def sent_key(placement: Placement) -> str:
    """What the body that this Grafana shall have is made from: equal keys, equal bodies."""
    dashboard = placement.dashboard
    current = dashboard.current.stored_id if dashboard.current else ""
    folder = dashboard.folder.uid if dashboard.folder else ""
    values = "v" if placement.policy.counts_values else "-"
    return f"{RULES}{values}:{current}:{key_of_sources(placement.instance.datasources)}:{folder}"


def folder_uid(dashboard: Dashboard) -> str:
    """Of the folder that it is registered in; empty for the root."""
    return dashboard.folder.uid if dashboard.folder else ""


def stored(uid: str, body: dict[str, Any]) -> StoredBody:
    """Keep a body that a Grafana returned. Raises InvalidDocumentError."""
    return revisions.store(revisions.registered_form(body, uid))


def intend(placement: Placement, action: Action, *, body: StoredBody | None, version: int | None) -> str:
    """Note that a write is about to be sent, and return its token."""
    placement.intent = uuid.uuid4().hex[:16]
    placement.intent_action = action.value
    placement.intent_version = version
    placement.intent_body = body
    placement.intent_key = sent_key(placement)
    placement.intent_folder_uid = folder_uid(placement.dashboard)
    placement.intent_revision = placement.dashboard.current
    save([placement], INTENT)
    return placement.intent


def written(placement: Placement, live: LiveDashboard, *, version: int) -> None:
    """The intended write made `version`; `live` was read afterwards. Somebody's edit in between stays an edit."""
    body = placement.intent_body
    if body is None:
        raise ValueError("a write without a body was not intended")
    set_base(
        placement,
        sent=body,
        key=placement.intent_key,
        to_folder=placement.intent_folder_uid,
        live=live if live.version == version else None,
        version=version,
        revision=placement.intent_revision,
    )
    if placement.intent_version is None:
        placement.created_by_us = True
        placement.pruned_at, placement.pruned_grants = None, []
    placement.pushed_at = timezone.now()
    forget_intent(placement)


def set_base(
    placement: Placement,
    *,
    sent: StoredBody,
    key: str,
    to_folder: str,
    live: LiveDashboard | None,
    version: int,
    revision: Revision | None,
) -> None:
    """Note what both have: `sent` as we want it, and `live` as Grafana has it (None: as it was sent)."""
    values = placement.policy.counts_values
    document = sent.document
    places = unnumbered(document)
    fresh = digest(document, folder_uid=to_folder, without_ids=places, values=values)
    # The same body once more is a write with no net effect; the loop breaker counts those.
    same_again = placement.sent_digest == fresh and placement.intent != "" and bool(placement.base_id)
    placement.futile = placement.futile + 1 if same_again else 0
    placement.sent, placement.sent_digest, placement.sent_key = sent, fresh, key
    placement.without_ids = sorted(places)
    placement.revision = revision
    placement.base_version = version
    if live is None:
        placement.base, placement.base_folder_uid, placement.base_saved_at = sent, to_folder, None
        placement.base_digest = fresh
    else:
        learn(placement, live)


def learn(placement: Placement, live: LiveDashboard) -> None:
    """What Grafana has now is what it had after our write, in its own way of writing: the new base."""
    placement.base = stored(live.uid, live.body)
    placement.base_digest = digest(
        live.body,
        folder_uid=live.folder_uid,
        without_ids=placement.without_ids,
        values=placement.policy.counts_values,
    )
    placement.base_version = live.version
    placement.base_folder_uid = live.folder_uid
    placement.base_saved_at = live.updated
    in_sync(placement, live)


def in_sync(placement: Placement, live: LiveDashboard) -> None:
    """Grafana has the base."""
    placement.state = State.IN_SYNC.value
    placement.live = None
    placement.live_digest, placement.live_version = placement.base_digest, live.version
    placement.live_folder_uid = live.folder_uid
    placement.edited_by, placement.edited_at = live.updated_by[:200], live.updated
    placement.error, placement.error_status, placement.error_at, placement.manager = "", None, None, ""
    placement.checked_at = placement.read_at = timezone.now()
    placement.resource_version = ""


def settle(placement: Placement, live: LiveDashboard | None, versions: Sequence[Version]) -> None:
    """Find out what became of a write whose outcome was never noted, and note it (unsaved).

    `versions` are Grafana's newest. The token in a message says that the write arrived. Grafana 12 forgets the message
    of a first version: that one is known by what it holds.
    """
    arrived = version_of(placement.intent, versions)
    if arrived is None and live is not None and placement.intent_version is None and placement.intent_body is not None:
        arrived = 1 if is_first(placement.intent_body.document, placement.intent_folder_uid, live) else None
    if live is None:
        if placement.intent_action == Action.PRUNE.value:
            gone(placement)
    elif arrived is not None and placement.intent_body is not None:
        written(placement, live, version=arrived)
    forget_intent(placement)


def gone(placement: Placement) -> None:
    """We deleted it there: the bodies stay for a restore, the base does not."""
    placement.pruned_at = timezone.now()
    placement.state = State.RETIRED.value
    placement.base, placement.base_digest, placement.base_version = None, "", 0
    placement.base_saved_at = None
    placement.live_digest, placement.live_version, placement.resource_version = "", 0, ""


def forget_intent(placement: Placement) -> None:
    """Nothing is under way."""
    placement.intent = placement.intent_action = placement.intent_key = placement.intent_folder_uid = ""
    placement.intent_version = placement.intent_body = placement.intent_revision = None


def seen(placement: Placement, state: State, live: LiveDashboard | None, made: str, now: datetime) -> None:
    """Note how it was found (unsaved); `made` is the digest of what is there."""
    placement.state = state.value
    placement.checked_at = placement.read_at = now
    placement.manager = placement.error = ""
    placement.error_status = placement.error_at = None
    placement.live_digest = made
    if state is State.IN_SYNC:
        placement.futile = 0
    if live is None:
        placement.live, placement.live_version, placement.live_folder_uid = None, 0, ""
        return
    placement.live_version, placement.live_folder_uid = live.version, live.folder_uid
    placement.edited_by, placement.edited_at = live.updated_by[:200], live.updated


def failed(placement: Placement, error: Exception, state: State | None = None) -> None:
    """Note what went wrong (unsaved), in words without secrets; a state only where the error tells one."""
    placement.error = str(error)[:2000]
    placement.error_status = error.status if isinstance(error, GrafanaError) else None
    placement.error_at = timezone.now()
    if state is not None:
        placement.state = state.value


def save(placements: Iterable[Placement], fields: Sequence[str] = EVERYTHING) -> None:
    """Write many; those that are new are made."""
    rows = list(placements)
    known = [row for row in rows if row.pk is not None]
    Placement.objects.bulk_create([row for row in rows if row.pk is None], batch_size=BATCH)
    if len(known) > FEW:
        Placement.objects.bulk_update(known, fields, batch_size=BATCH)
    else:
        for row in known:
            row.save(update_fields=fields)


def touch(keys: Sequence[int], **times: datetime) -> None:
    """Note times for many that are otherwise as they were."""
    for start in range(0, len(keys), 10 * BATCH):
        Placement.objects.filter(pk__in=keys[start : start + 10 * BATCH]).update(**times)
