"""Library panels in a Grafana: made before the dashboards that show them, never written over an edit, never deleted."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from django.utils import timezone

from apps.grafana import answers
from apps.grafana.canonical import digest
from apps.grafana.client import Client
from apps.grafana.errors import GrafanaError, NameExists, NotFound, Unauthorised
from apps.grafana.mapping import for_instance
from apps.grafana.models import GrafanaInstance, LibraryPanel, LibraryPlacement
from apps.grafana.plan_file import Row
from apps.grafana.verdict import Action, Circumstances, Digests, Policy, State, Verdict, judge


@dataclass
class LibraryItem:
    """A library panel of a draft."""

    placement: LibraryPlacement
    live: answers.LibraryPanel | None = None
    error: GrafanaError | None = None
    verdict: Verdict = field(default_factory=lambda: Verdict(State.UNKNOWN))

    @property
    def panel(self) -> LibraryPanel:
        return self.placement.panel

    @property
    def folder_uid(self) -> str:
        return self.panel.folder.uid if self.panel.folder else ""

    @property
    def body(self) -> answers.Json:
        """The panel as this Grafana shall have it."""
        return for_instance(self.panel.model, self.placement.instance.datasources)

    @property
    def desired(self) -> str:
        return _digest(self.panel.name, self.folder_uid, self.body)

    def row(self) -> Row:
        """The line of a plan."""
        if self.error is not None:
            words = self.error.text
        elif self.verdict.state in (State.DRIFTED, State.CONFLICT) and self.live is not None:
            words = f"{self.live.updated_by or 'Somebody'} edited it there; it is reported, not written over."
        else:
            words = ""
        return Row(
            kind="library",
            uid=self.panel.uid,
            title=self.panel.name,
            state=self.verdict.state.value,
            action=self.verdict.action.value,
            words=words,
            live_version=self.live.version if self.live else 0,
            live_digest=_live(self.live) or "",
            desired_digest=self.desired,
            status=self.error.status if self.error else None,
        )


def make(instance: GrafanaInstance, client: Client) -> list[LibraryItem]:
    """All that are registered, as they are in Grafana. Raises Unauthorised."""
    known = {row.panel_id: row for row in LibraryPlacement.objects.filter(instance=instance)}
    items = []
    for panel in LibraryPanel.objects.select_related("folder"):
        placement = known.get(panel.pk) or LibraryPlacement(instance=instance)
        placement.panel, placement.instance = panel, instance
        item = LibraryItem(placement)
        items.append(item)
        try:
            item.live = client.library_panel(panel.uid)
        except NotFound:
            item.live = None
        except GrafanaError as error:
            if type(error) is Unauthorised:
                raise
            item.error = error
            continue
        item.verdict = _judged(item)
    return items


def apply(item: LibraryItem, client: Client) -> None:
    """Do what the verdict says, and note it. Raises GrafanaError."""
    placement, panel = item.placement, item.panel
    if item.verdict.action is Action.NONE:
        return
    if item.verdict.action is Action.CREATE:
        placement.sent_digest = item.desired  # noted before, so that after a kill it is known to be ours
        placement.save()
        try:
            client.create_library_panel(panel.uid, panel.name, item.body, folder_uid=item.folder_uid)
        except NameExists:
            client.library_panel(panel.uid)  # raises NotFound when only the name is taken
        placement.created_by_us = True
    elif item.verdict.action is Action.UPDATE and item.live is not None:
        version = item.live.version
        client.update_library_panel(panel.uid, panel.name, item.body, folder_uid=item.folder_uid, version=version)
    item.live = client.library_panel(panel.uid)
    placement.sent_digest, placement.base_digest = item.desired, _live(item.live) or ""
    item.verdict = Verdict(State.IN_SYNC)


def save(items: Iterable[LibraryItem]) -> None:
    """Note how they were found, or are now."""
    for item in items:
        item.placement.state = item.verdict.state.value
        item.placement.error = item.error.text if item.error else ""
        item.placement.checked_at = timezone.now()
        item.placement.save()


def _judged(item: LibraryItem) -> Verdict:
    placement, there = item.placement, _live(item.live)
    if not placement.base_digest:
        if there is not None and placement.sent_digest == there:
            return Verdict(State.IN_SYNC, Action.LEARN)
        return judge(Digests(item.desired, None, None, there), Circumstances())
    digests = Digests(item.desired, placement.sent_digest, placement.base_digest, there)
    return judge(digests, Circumstances(policy=Policy.OBSERVE))


def live_digest(live: answers.LibraryPanel) -> str:
    """Of what Grafana has."""
    return _digest(live.name, live.folder_uid, live.model)


def _live(live: answers.LibraryPanel | None) -> str | None:
    return None if live is None else live_digest(live)


def _digest(name: str, folder_uid: str, model: answers.Json) -> str:
    return digest({"name": name, "model": {key: value for key, value in model.items() if key != "libraryPanel"}},
                  folder_uid=folder_uid)  # fmt: skip
