"""What a sync would do, from what the registry wants and what a Grafana has now. Nothing is written, there or here.

A `Draft` holds what applying needs; its `Plan` is what people read, and what can be saved and compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final

from django.utils import timezone

from apps.dashboards.models import StoredBody
from apps.grafana import folder_plan, library_plan, placing
from apps.grafana.answers import LiveDashboard, Resource
from apps.grafana.canonical import digest, same, unnumbered
from apps.grafana.client import Client
from apps.grafana.errors import GrafanaError, NotFound, Unauthorised
from apps.grafana.folder_plan import FolderItem
from apps.grafana.library_plan import LibraryItem
from apps.grafana.mapping import BlockedError, for_instance, library_panels_used, sources_used
from apps.grafana.models import GrafanaInstance, Placement
from apps.grafana.plan_file import Plan, Row
from apps.grafana.reading import Question, Reading, read_all, resource_versions
from apps.grafana.selection import Wishes, folders_of, selected
from apps.grafana.verdict import Action, Circumstances, Digests, State, Verdict, judge

Told = Callable[[int, int], None]
"""Is told how many dashboards of how many have been read."""

FILE: Final = "a file of Grafana's"
SCHEMA_2: Final = "schema 2, which writing it this way would damage"
READ_AGAIN: Final = timedelta(hours=24)
"""A body is read at least so often, whatever its resource version says."""
NEWEST_VERSIONS: Final = 20
BATCH: Final = 200
"""Bodies that are held at a time."""


@dataclass
class Item:
    """A dashboard of a draft. `live` has its body only where it is not the base; `key` says what the registry wants."""

    placement: Placement
    key: str
    reading: Reading = field(default_factory=Reading)
    digests: Digests = field(default_factory=lambda: Digests(None, None, None, None))
    verdict: Verdict = field(default_factory=lambda: Verdict(State.UNKNOWN))
    manager: str = ""
    blocked: str = ""
    resource: Resource | None = None
    skipped: bool = False
    relearn: bool = False
    settled: bool = False

    @property
    def uid(self) -> str:
        return self.placement.dashboard.uid

    @property
    def retired(self) -> bool:
        return self.placement.dashboard.retired_at is not None

    @property
    def live(self) -> LiveDashboard | None:
        return self.reading.live

    @property
    def desired_body(self) -> dict[str, Any]:
        """The body that this Grafana shall have. Raises BlockedError."""
        return for_instance(self.placement.dashboard.body, self.placement.instance.datasources)

    def row(self) -> Row:
        """The line of a plan."""
        live, error, edited = self.live, self.reading.error, self.verdict.state in (State.DRIFTED, State.CONFLICT)
        return Row(
            kind="dashboard",
            uid=self.uid,
            title=self.placement.dashboard.title,
            state=self.verdict.state.value,
            action=self.verdict.action.value,
            words=words_of(self),
            live_version=live.version if live else self.placement.live_version if self.skipped else 0,
            live_digest=self.digests.live or "",
            desired_digest=self.digests.desired or "",
            edited_by=live.updated_by if live and edited else "",
            edited_at=live.updated.isoformat() if live and live.updated and edited else "",
            status=error.status if error else None,
        )


@dataclass
class Draft:
    """A plan with all that applying it needs."""

    instance: GrafanaInstance
    wishes: Wishes
    items: list[Item]
    folders: list[FolderItem]
    library: list[LibraryItem]

    @property
    def plan(self) -> Plan:
        """As it stands now."""
        rows = [row for one in self.folders for row in one.rows()]
        rows += [one.row() for one in self.library]
        rows += [item.row() for item in self.items]
        return Plan.of(self.instance, rows)


def make(
    instance: GrafanaInstance, client: Client, wishes: Wishes, *, concurrency: int = 4, told: Told | None = None
) -> Draft:
    """Read what is there and judge each row. Raises SelectionError, and GrafanaError when nothing can be asked."""
    items = [Item(placement, placing.sent_key(placement)) for placement in selected(instance, wishes)]
    if not items:
        return Draft(instance, wishes, [], [], [])
    listed = resource_versions(client)
    _read(client, items, listed, wishes, concurrency, told)
    for item in items:
        _settle(client, item)
    for item in with_bodies([item for item in items if not item.skipped]):
        _judge(item, wishes)
    folders = folder_plan.make(instance, client, folders_of(item.placement for item in items), concurrency=concurrency)
    library = library_plan.make(instance, client)
    _block(client, items, wishes, {one.panel.uid for one in library})
    return Draft(instance, wishes, items, folders, library)


def words_of(item: Item) -> str:
    """Why it stands so, and what that leads to, for people."""
    live, state = item.live, item.verdict.state
    if item.reading.error is not None:
        return item.reading.error.text
    if state is State.FOREIGN:
        return f"Grafana has it from {item.manager or 'somebody else'}; it is not written."
    if state is State.BLOCKED:
        return item.blocked
    if state in (State.DRIFTED, State.CONFLICT) and live is not None:
        when = f" at {live.updated:%Y-%m-%d %H:%M} UTC" if live.updated else ""
        moved = "moved" if live.folder_uid != item.placement.base_folder_uid else "edited"
        return f"{live.updated_by or 'Somebody'} {moved} it in Grafana{when}."
    # What is ahead says all by its state and what is done about it.
    return "" if state in (State.IN_SYNC, State.AHEAD) else state.words


def _read(
    client: Client,
    items: list[Item],
    listed: dict[str, Resource],
    wishes: Wishes,
    concurrency: int,
    told: Told | None,
) -> None:
    now = timezone.now()
    asked: dict[str, Item] = {}
    for item in items:
        item.resource = listed.get(item.uid)
        _same_rules(item)
        if not wishes.full and _unmoved(item, now):
            item.skipped = True
            item.verdict = Verdict(State.IN_SYNC)
            placement = item.placement
            item.digests = Digests(
                placement.sent_digest, placement.sent_digest, placement.base_digest, placement.base_digest
            )
        else:
            asked[item.uid] = item
    total, done = len(items), len(items) - len(asked)
    questions = [_question(item) for item in asked.values()]
    for question, reading in read_all(client, questions, concurrency=concurrency):
        asked[question.uid].reading = reading
        done += 1
        if told is not None:
            told(done, total)


def _question(item: Item) -> Question:
    placement = item.placement
    return Question(
        item.uid,
        # With a write that may have arrived, or something else to compare with, the body is wanted.
        expected="" if placement.intent else placement.base_digest,
        without_ids=frozenset(placement.without_ids),
        values=placement.policy.counts_values,
    )


def _unmoved(item: Item, now: datetime) -> bool:
    """Whether the list of `/apis` says already that nothing changed, there or here."""
    placement, resource = item.placement, item.resource
    return (
        resource is not None
        and not item.retired
        and not item.settled
        and placement.state == State.IN_SYNC.value
        and not placement.intent
        and placement.sent_key == item.key
        and placement.resource_version == resource.resource_version != ""
        and placement.base_folder_uid == resource.folder_uid
        and not resource.manager
        and placement.read_at is not None
        and now - placement.read_at < READ_AGAIN
    )


def _same_rules(item: Item) -> None:
    """Digests made by other rules, or under a policy that counts other things, are made anew from the bodies."""
    placement = item.placement
    if not placement.base_id or placement.sent_key.partition(":")[0] == item.key.partition(":")[0]:
        return
    values = placement.policy.counts_values
    if placement.sent is not None and placement.base is not None:
        folder = placement.sent_key.rpartition(":")[2]
        placement.sent_digest = digest(
            placement.sent.document, folder_uid=folder, without_ids=placement.without_ids, values=values
        )
        placement.base_digest = digest(
            placement.base.document,
            folder_uid=placement.base_folder_uid,
            without_ids=placement.without_ids,
            values=values,
        )
        prefix = item.key.partition(":")[0]
        placement.sent_key = f"{prefix}:{placement.sent_key.partition(':')[2]}"
        item.settled = True


def _settle(client: Client, item: Item) -> None:
    """A write of which nobody knows whether it arrived: look for its token in Grafana's versions."""
    placement, live = item.placement, item.live
    if not placement.intent or item.reading.error is not None:
        return
    versions = []
    if live is not None and live.version != placement.intent_version:
        try:
            versions = client.versions(item.uid, limit=NEWEST_VERSIONS)
        except GrafanaError as error:
            if type(error) is Unauthorised:
                raise
            item.reading = Reading(error=error, milliseconds=item.reading.milliseconds)
            return
    placing.settle(placement, live, versions)
    item.settled = True
    if live is not None:
        made = digest(
            live.body,
            folder_uid=live.folder_uid,
            without_ids=placement.without_ids,
            values=placement.policy.counts_values,
        )
        item.reading = Reading(live, made, milliseconds=item.reading.milliseconds)


def _judge(item: Item, wishes: Wishes) -> None:
    placement, live = item.placement, item.live
    item.manager = _manager(item)
    desired = None if item.retired else _desired_digest(item)
    there = item.reading.digest or None
    if live is not None and there != placement.base_digest and _only_rewritten(placement, live):
        item.relearn, there = True, placement.base_digest
    sent, base = placement.sent_digest or None, placement.base_digest or None
    if None not in (desired, base) and live is not None and live.body and desired != sent and there != base:
        folders = (placing.folder_uid(placement.dashboard), live.folder_uid)
        try:
            if same(item.desired_body, live.body, folders=folders, values=placement.policy.counts_values):
                desired = there
        except BlockedError:
            pass
    item.digests = Digests(desired, sent if base else None, base, there)
    item.verdict = judge(item.digests, _circumstances(item, wishes))
    if live is not None and item.verdict.state is State.FOREIGN:
        item.reading = replace(item.reading, live=replace(live, body={}))


def _circumstances(item: Item, wishes: Wishes) -> Circumstances:
    placement = item.placement
    return Circumstances(
        policy=placement.policy,
        answered=item.reading.error is None,
        manager=item.manager,
        blocked=item.blocked,
        futile=placement.futile,
        ours=placement.created_by_us,
        force=wishes.force,
        pull=wishes.pull,
        prune=wishes.prune,
    )


def _desired_digest(item: Item) -> str:
    placement = item.placement
    if placement.base_id and placement.sent_key == item.key:
        return placement.sent_digest
    try:
        body = item.desired_body
    except BlockedError as error:
        item.blocked = str(error)
        return item.key  # unlike every digest
    return digest(
        body,
        folder_uid=placing.folder_uid(placement.dashboard),
        without_ids=unnumbered(body),
        values=placement.policy.counts_values,
    )


def _only_rewritten(placement: Placement, live: LiveDashboard) -> bool:
    """Whether nobody saved since our write: then a body that differs is Grafana's new way of writing the same, as after
    an upgrade."""
    return (
        bool(placement.base_id)
        and live.version == placement.base_version
        and live.updated is not None
        and live.updated == placement.base_saved_at
        and live.folder_uid == placement.base_folder_uid
    )


def _manager(item: Item) -> str:
    """Whose the dashboard is in Grafana when it is somebody else's; empty when it is nobody's or ours."""
    live, resource = item.live, item.resource
    if live is not None and live.from_file:
        return FILE
    if live is not None and resource is not None and resource.manager:
        return {"repo": "a repository (Git Sync)", "classic-file-provisioning": FILE}.get(
            resource.manager, f"{resource.manager} {resource.manager_id}".strip()
        )
    return ""


def with_bodies(items: Sequence[Item]) -> Iterator[Item]:
    """The items, those whose body will be looked at with that body at hand, some at a time."""
    for start in range(0, len(items), BATCH):
        batch = items[start : start + BATCH]
        revisions = [item.placement.dashboard.current for item in batch if item.placement.sent_key != item.key]
        found = StoredBody.objects.in_bulk([revision.stored_id for revision in revisions if revision is not None])
        for item in batch:
            current = item.placement.dashboard.current
            if current is not None and current.stored_id in found:
                current.stored = found[current.stored_id]
            yield item
            if current is not None:
                current._state.fields_cache.pop("stored", None)


def _block(client: Client, items: list[Item], wishes: Wishes, library: set[str]) -> None:
    """What would be written and cannot be: without a data source there, say, or since it is stored in schema 2."""
    for item in items:
        touched = item.verdict.action.writes or item.verdict.action is Action.ADOPT
        if touched and item.live is not None and item.resource is not None and _in_schema_2(client, item.uid):
            item.manager = SCHEMA_2
            item.verdict = judge(item.digests, _circumstances(item, wishes))
    writing = [item for item in items if item.verdict.action.writes and item.verdict.action is not Action.PRUNE]
    if not writing:
        return
    sources = {name for source in client.data_sources() for name in (source.uid, source.name)}
    panels: dict[str, bool] = dict.fromkeys(library, True)
    for item in with_bodies(writing):
        try:
            body = item.desired_body
        except BlockedError:
            continue
        if absent := sorted(sources_used(body) - sources):
            names = ", ".join(absent)
            item.blocked = f"Grafana has no data source {names}; say in the instance which one is meant."
        elif lost := sorted(uid for uid in library_panels_used(body) if not _has_panel(client, uid, panels)):
            item.blocked = f"Grafana has no library panel {', '.join(lost)}, and none is registered."
        if item.blocked:
            item.verdict = judge(item.digests, _circumstances(item, wishes))


def _has_panel(client: Client, uid: str, known: dict[str, bool]) -> bool:
    if uid not in known:
        try:
            known[uid] = bool(client.library_panel(uid).uid)
        except NotFound:
            known[uid] = False
    return known[uid]


def _in_schema_2(client: Client, uid: str) -> bool:
    """Only the newer API tells, and only of one at a time."""
    try:
        resource = client.resource(uid)
    except NotFound:
        return False
    return resource is not None and resource.new_schema
