"""A dashboard made from another one."""

from __future__ import annotations

import re
import uuid

from django.db import transaction

from apps.accounts.scope import TeamScope
from apps.dashboards.author import Author
from apps.dashboards.folders import minted
from apps.dashboards.importing import TakenError, taken_by
from apps.dashboards.models import UID, Cause, Dashboard, Folder, Revision
from apps.dashboards.revisions import record


@transaction.atomic
def clone(
    revision: Revision, *, title: str, folder: Folder | None, uid: str, scope: TeamScope, by: Author
) -> Dashboard:
    """Register a revision's body under another title and uid; without a uid one is made. The clone belongs to the team
    of the original.

    Raises TakenError when the uid is another dashboard's or none that Grafana takes.
    """
    original = revision.dashboard
    uid = uid or minted(title, uuid.uuid4().hex)
    if not re.match(UID.regex, uid):
        raise TakenError(f"A uid has {UID.message}")
    if taken := taken_by(uid, scope):
        raise TakenError(taken)
    made = Dashboard.objects.create(
        uid=uid,
        title=title,
        folder=folder,
        origin_kind=Dashboard.Origin.CLONED,
        origin=f"{original.uid}, revision {revision.number}",
        policy=original.policy,
        team_id=original.team_id,
        team_name=original.team_name,
    )
    body = {**revision.body, "title": title}
    record(made, body, actor=by.name, reason=by.reason, cause=Cause.CLONE, request=by.request)
    return made
