"""Takes what a Grafana has into the registry: edits, and dashboards that somebody else made there."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db import transaction

from apps.dashboards import revisions
from apps.dashboards.author import Author
from apps.dashboards.models import Cause, Dashboard, Folder, Revision
from apps.grafana import placing
from apps.grafana.answers import LiveDashboard, LiveFolder
from apps.grafana.client import Client
from apps.grafana.errors import NotFound
from apps.grafana.library_plan import live_digest
from apps.grafana.mapping import BlockedError, for_instance, from_instance
from apps.grafana.models import FolderPlacement, GrafanaInstance, LibraryPanel, LibraryPlacement, Placement
from apps.grafana.verdict import State


def keep_edit(placement: Placement, live: LiveDashboard, reason: str) -> Revision:
    """Put what somebody saved there into the history, by their name. Raises InvalidDocumentError."""
    body = from_instance(live.body, placement.instance.datasources)
    return revisions.keep(placement.dashboard, body, actor=_author(live), reason=reason, cause=Cause.FOUND)


def adopt(placement: Placement, live: LiveDashboard, client: Client, author: Author) -> Revision:
    """Make what Grafana has the current revision, and its folder the dashboard's.

    Raises InvalidDocumentError, GrafanaError, BlockedError.
    """
    dashboard = placement.dashboard
    if live.folder_uid != placing.folder_uid(dashboard):
        dashboard.folder = folder_of(client, placement.instance, live.folder_uid)
        dashboard.save(update_fields=["folder", "updated_at"])
    body = from_instance(live.body, placement.instance.datasources)
    said = f"adopted by {author.name}" + (f": {author.reason}" if author.reason else "")
    return revisions.record(dashboard, body, actor=_author(live), reason=said, cause=Cause.ADOPT)


def now_the_same(placement: Placement, live: LiveDashboard) -> None:
    """What the registry wants and what Grafana has are the same: both are the base from now on (unsaved).

    Raises BlockedError.
    """
    body = for_instance(placement.dashboard.body, placement.instance.datasources)
    placing.set_base(
        placement,
        sent=placing.stored(placement.dashboard.uid, body),
        key=placing.sent_key(placement),
        to_folder=placing.folder_uid(placement.dashboard),
        live=live,
        version=live.version,
        revision=placement.dashboard.current,
    )


@transaction.atomic
def register(instance: GrafanaInstance, live: LiveDashboard, client: Client, author: Author) -> Placement:
    """Register a dashboard that somebody made in Grafana, as it is there; nothing is written there, and it is never
    deleted. Raises InvalidDocumentError, GrafanaError, BlockedError when the uid is registered already."""
    if Dashboard.objects.filter(uid=live.uid).exists():
        raise BlockedError(f"The uid {live.uid} is registered already.")
    folder = folder_of(client, instance, live.folder_uid)
    title = str(live.body.get("title") or live.uid)[:5000]
    dashboard = Dashboard.objects.create(
        uid=live.uid, title=title, folder=folder, origin_kind=Dashboard.Origin.ADOPTED, origin=instance.name[:500]
    )
    body = from_instance(live.body, instance.datasources)
    revisions.record(dashboard, body, actor=author.name, reason=author.reason, cause=Cause.ADOPT)
    placement = Placement(instance=instance, dashboard=dashboard)
    now_the_same(placement, live)
    placement.save()
    return placement


def register_library_panels(instance: GrafanaInstance, uids: set[str], client: Client) -> None:
    """Register the library panels that dashboards from there show, so that they can go to other Grafanas."""
    for uid in sorted(uids - set(LibraryPanel.objects.filter(uid__in=uids).values_list("uid", flat=True))):
        live = client.library_panel(uid)
        with transaction.atomic():
            folder = folder_of(client, instance, live.folder_uid)
            panel = LibraryPanel.objects.create(
                uid=uid, name=live.name, folder=folder, model=from_instance(live.model, instance.datasources)
            )
            made = live_digest(live)
            LibraryPlacement.objects.create(
                panel=panel, instance=instance, sent_digest=made, base_digest=made, state=State.IN_SYNC.value
            )


def folder_of(client: Client, instance: GrafanaInstance, uid: str) -> Folder | None:
    """The registered folder of this uid, made with those above it from what Grafana says; None for the root."""
    if not uid:
        return None
    found = Folder.objects.filter(uid=uid).first()
    if found is not None:
        return found
    try:
        live = client.folder(uid)
    except NotFound:
        raise BlockedError(f"Grafana does not show the folder {uid}.") from None
    parent = folder_of(client, instance, live.parent_uid)
    same = Folder.objects.filter(parent=parent, title=live.title).first()
    if same is not None:
        raise BlockedError(f"The folder {live.title} is registered under the uid {same.uid}, and there it is {uid}.")
    folder = Folder(uid=uid, title=live.title[:200], parent=parent)
    try:
        folder.full_clean()
    except ValidationError as error:
        raise BlockedError(f"The folder {live.title} cannot be registered: {'; '.join(error.messages)}") from None
    folder.save()
    _found(folder, instance, live)
    return folder


def _found(folder: Folder, instance: GrafanaInstance, live: LiveFolder) -> None:
    place = f"{live.parent_uid}/{live.title}"
    FolderPlacement.objects.create(folder=folder, instance=instance, sent=place, base=place, state=State.IN_SYNC.value)


def _author(live: LiveDashboard) -> str:
    return f"{live.updated_by or 'somebody'} in Grafana"
