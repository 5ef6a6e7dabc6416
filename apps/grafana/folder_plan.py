"""Folders in a Grafana: made before what lies in them, renamed and moved in place under the uid that they keep.

A folder that we did not make is used as it is. None is ever deleted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.utils import timezone

from apps.dashboards.models import Folder
from apps.grafana import grants
from apps.grafana.answers import LiveFolder
from apps.grafana.client import Client
from apps.grafana.errors import GrafanaError, NameExists, NotFound, Unauthorised
from apps.grafana.grants import Grants
from apps.grafana.models import FolderPlacement, GrafanaInstance
from apps.grafana.plan_file import Row
from apps.grafana.reading import side_by_side
from apps.grafana.verdict import Action, Circumstances, Digests, Policy, State, Verdict, judge


@dataclass
class FolderItem:
    """A folder of a draft, and its permissions where any are declared."""

    placement: FolderPlacement
    live: LiveFolder | None = None
    error: GrafanaError | None = None
    verdict: Verdict = field(default_factory=lambda: Verdict(State.UNKNOWN))
    grants: Grants | None = None

    @property
    def folder(self) -> Folder:
        return self.placement.folder

    @property
    def parent_uid(self) -> str:
        return self.folder.parent.uid if self.folder.parent else ""

    @property
    def desired(self) -> str:
        return f"{self.parent_uid}/{self.folder.title}"

    def rows(self) -> list[Row]:
        """The lines of a plan: the folder, and its permissions where any are declared."""
        live = _place(self.live) if self.live else ""
        row = Row(
            kind="folder",
            uid=self.folder.uid,
            title=self.folder.title,
            state=self.verdict.state.value,
            action=self.verdict.action.value,
            words=self._words(),
            live_digest=live,
            desired_digest=self.desired,
            status=self.error.status if self.error else None,
        )
        return [row] if self.grants is None else [row, self.grants.row(self.folder)]

    def _words(self) -> str:
        if self.error is not None:
            return self.error.text
        if self.verdict.state is State.FOREIGN:
            return "Somebody else made this folder; it is used as it is."
        if self.live is not None and self.verdict.state in (State.DRIFTED, State.CONFLICT):
            return f"It is called {self.live.title} there, in {self.live.parent_uid or 'the root'}."
        return ""


def make(instance: GrafanaInstance, client: Client, folders: Iterable[Folder], *, concurrency: int) -> list[FolderItem]:
    """The folders, in the order given (parents first), as they are in Grafana. Raises Unauthorised."""
    known = {row.folder_id: row for row in FolderPlacement.objects.filter(instance=instance)}
    items = []
    for folder in folders:
        placement = known.get(folder.pk) or FolderPlacement(instance=instance)
        placement.folder, placement.instance = folder, instance
        items.append(FolderItem(placement))

    def read(item: FolderItem) -> LiveFolder | GrafanaError | None:
        try:
            return client.folder(item.folder.uid)
        except NotFound:
            return None
        except GrafanaError as error:
            return error

    for item, found in side_by_side(read, items, concurrency=concurrency):
        if type(found) is Unauthorised:
            raise found
        if isinstance(found, GrafanaError):
            item.error = found
            continue
        item.live = found
        item.verdict = _judged(item, Policy(instance.policy))
    declared = grants.declared(item.folder for item in items)
    if declared:
        teams = grants.teams_of(client, declared)
        for item in items:
            if item.error is None and item.folder.pk in declared:
                item.grants = grants.compare(
                    client, item.folder, declared[item.folder.pk], teams, new=item.live is None
                )
    return items


def apply(item: FolderItem, client: Client) -> None:
    """Do what the verdict says, and note it. Raises GrafanaError."""
    placement = item.placement
    if item.verdict.action is Action.NONE:
        return
    if item.verdict.action is Action.CREATE:
        placement.sent = item.desired  # noted before, so that after a kill it is known to be ours
        placement.save()
        try:
            item.live = client.create_folder(item.folder.uid, item.folder.title, parent_uid=item.parent_uid)
        except NameExists:
            item.live = _there(client, item.folder.uid)
            if item.live is None:
                raise
        placement.created_by_us = True
    elif item.verdict.action in (Action.UPDATE, Action.RESTORE):
        live = item.live or client.folder(item.folder.uid)
        if live.title != item.folder.title:
            version = live.version or client.folder(live.uid).version
            live = client.rename_folder(live.uid, item.folder.title, version=version)
        if live.parent_uid != item.parent_uid:
            client.move_folder(live.uid, parent_uid=item.parent_uid)
        item.live = client.folder(item.folder.uid)
    elif item.verdict.action is Action.LEARN and not placement.base:
        placement.created_by_us = True
    if item.live is not None:
        placement.sent, placement.base = item.desired, _place(item.live)
    item.verdict = Verdict(State.IN_SYNC)


def save(items: Iterable[FolderItem]) -> None:
    """Note how the folders were found, or are now."""
    for item in items:
        placement = item.placement
        placement.state = item.verdict.state.value
        placement.error = item.error.text if item.error else ""
        placement.checked_at = timezone.now()
        placement.save()


def _judged(item: FolderItem, policy: Policy) -> Verdict:
    placement, live = item.placement, item.live
    there = _place(live) if live else None
    if live and placement.sent and not placement.base and not live.managed_by and there == placement.sent:
        # We made it and were killed before we could note it.
        return Verdict(State.IN_SYNC, Action.LEARN)
    digests = Digests(item.desired, placement.sent or None, placement.base or None, there)
    if not placement.base:
        digests = Digests(item.desired, None, None, there)
    # A folder's name is not adopted by itself: other dashboards and instances depend on it.
    kept = Policy.OBSERVE if policy is Policy.ADOPT else policy
    return judge(digests, Circumstances(policy=kept, manager=live.managed_by if live else ""))


def _there(client: Client, uid: str) -> LiveFolder | None:
    try:
        return client.folder(uid)
    except NotFound:
        return None


def _place(live: LiveFolder) -> str:
    return f"{live.parent_uid}/{live.title}"
