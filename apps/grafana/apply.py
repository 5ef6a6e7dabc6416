"""Does what a draft says: folders, their permissions, library panels, dashboards, and deletions at the end.

Requests run side by side in threads; all that is noted is noted here, before and after each write, so that a run that
is killed at any point leaves a state from which the next one goes on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Final

from django.db import transaction
from django.utils import timezone

from apps.dashboards.author import Author
from apps.dashboards.models import Dashboard, StoredBody
from apps.grafana import folder_plan, grants, library_plan, placing, taking
from apps.grafana.answers import Grant, LiveDashboard
from apps.grafana.canonical import digest
from apps.grafana.client import Client
from apps.grafana.errors import (
    Forbidden,
    GrafanaError,
    Invalid,
    NameExists,
    NotFound,
    Provisioned,
    Unauthorised,
    Unreachable,
    VersionMismatch,
)
from apps.grafana.mapping import BlockedError
from apps.grafana.models import Placement, SyncStep
from apps.grafana.plan import Draft, Item, with_bodies
from apps.grafana.plan_file import Row
from apps.grafana.reading import AWAY_AFTER, resource_versions
from apps.grafana.verdict import Action, Circumstances, Digests, State, judge
from apps.grafana.writing import Write, Written, delete, write
from apps.panels.document import InvalidDocumentError

Outcome = SyncStep.Outcome


@dataclass(frozen=True)
class Step:
    """What was done about a row, or why not."""

    row: Row
    outcome: SyncStep.Outcome
    words: str = ""
    status: int | None = None
    milliseconds: int = 0
    dashboard: Dashboard | None = None


_STATE_AFTER: Final[dict[type[GrafanaError], State]] = {
    Provisioned: State.FOREIGN,
    NameExists: State.BLOCKED,
    Invalid: State.BLOCKED,
    NotFound: State.BLOCKED,
    Forbidden: State.BLOCKED,
}


def note_seen(draft: Draft) -> None:
    """Write down how everything was found."""
    now = timezone.now()
    unchanged: list[int] = []
    read: list[int] = []
    changed, settled = [], []
    for item in draft.items:
        placement = item.placement
        before = _seen_values(item)
        if item.skipped:
            unchanged.append(placement.pk)
            continue
        _note(item, now)
        if item.settled or placement.pk is None or item.relearn:
            settled.append(placement)
        elif _seen_values(item) != before:
            changed.append(placement)
        else:
            read.append(placement.pk)
    placing.touch(unchanged, checked_at=now)
    placing.touch(read, checked_at=now, read_at=now)
    placing.save(changed, placing.SEEN)
    placing.save(settled)
    folder_plan.save(draft.folders)
    library_plan.save(draft.library)


def apply(draft: Draft, client: Client, author: Author, *, concurrency: int) -> Iterator[Step]:
    """Do it; each step as it is done. Raises Unauthorised, after which nothing more is sent."""
    lost = yield from _apply_folders(draft, client)
    yield from _apply_library(draft, client)
    local = [item for item in draft.items if item.verdict.action in (Action.ADOPT, Action.LEARN)]
    for item in local:
        yield _take(item, client, author)
    writing = [item for item in draft.items if item.verdict.action.writes and item.verdict.action is not Action.PRUNE]
    yield from _write(writing, lost, client, author, concurrency)
    _learn_resource_versions([item.placement for item in writing], client)
    for item in draft.items:
        if item.verdict.action is Action.PRUNE:
            yield _prune(item, client, author)
        elif item.verdict.action is Action.NONE and item.verdict.state is not State.IN_SYNC:
            yield _step(item, Outcome.FAILED if item.reading.error else Outcome.REPORTED, item.row().words)


def _apply_folders(draft: Draft, client: Client) -> Generator[Step, None, set[int]]:
    lost: set[int] = set()
    for one in draft.folders:
        rows = one.rows()
        error = one.error
        began = timezone.now()
        if one.folder.parent_id in lost:
            lost.add(one.folder.pk)
            yield Step(rows[0], Outcome.FAILED, "The folder that it lies in could not be made.")
            continue
        if error is None and rows[0].writes:
            try:
                folder_plan.apply(one, client)
            except GrafanaError as problem:
                error = one.error = problem
                _stop_if_refused(problem)
            else:
                yield Step(rows[0], Outcome.DONE, rows[0].words, milliseconds=_since(began))
            folder_plan.save([one])
        if error is not None:
            if one.live is None:
                lost.add(one.folder.pk)
            yield Step(rows[0], Outcome.FAILED, error.text, error.status, _since(began))
        elif one.grants is not None and one.grants.missing:
            try:
                grants.give(client, one.folder, one.grants)
            except GrafanaError as problem:
                _stop_if_refused(problem)
                yield Step(rows[1], Outcome.FAILED, problem.text, problem.status)
            else:
                yield Step(rows[1], Outcome.DONE, rows[1].words)
        elif one.grants is not None and one.grants.absent:
            yield Step(rows[1], Outcome.REPORTED, rows[1].words)
        elif not rows[0].writes and one.verdict.state is not State.IN_SYNC:
            yield Step(rows[0], Outcome.REPORTED, rows[0].words)
    return lost


def _apply_library(draft: Draft, client: Client) -> Iterator[Step]:
    for one in draft.library:
        row, began = one.row(), timezone.now()
        if one.error is not None:
            yield Step(row, Outcome.FAILED, one.error.text, one.error.status)
        elif row.writes:
            try:
                library_plan.apply(one, client)
            except (GrafanaError, BlockedError) as problem:
                status = problem.status if isinstance(problem, GrafanaError) else None
                _stop_if_refused(problem)
                yield Step(row, Outcome.FAILED, str(problem), status)
            else:
                library_plan.save([one])
                yield Step(row, Outcome.DONE, milliseconds=_since(began))
        elif one.verdict.state is not State.IN_SYNC:
            yield Step(row, Outcome.REPORTED, row.words)


def _write(items: list[Item], lost: set[int], client: Client, author: Author, concurrency: int) -> Iterator[Step]:
    waiting = deque(items)
    bodies = with_bodies(items)
    in_a_row = 0
    refused: Unauthorised | None = None
    with ThreadPoolExecutor(concurrency, thread_name_prefix="grafana") as pool:
        running: dict[Future[Written], tuple[Item, Write]] = {}
        while waiting or running:
            while waiting and len(running) < concurrency and refused is None and in_a_row < AWAY_AFTER:
                item = next(bodies)
                waiting.popleft()
                try:
                    job = _prepared(item, lost, author)
                except (BlockedError, InvalidDocumentError) as problem:
                    yield _failed(item, problem, State.BLOCKED)
                    continue
                running[pool.submit(write, client, job)] = (item, job)
            if not running:
                break
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                item, job = running.pop(future)
                came = future.result()
                if type(came.error) is Unauthorised:
                    refused = came.error
                in_a_row = in_a_row + 1 if isinstance(came.error, Unreachable) else 0
                yield _wrote(item, job, came)
    if refused is not None:
        raise refused
    for item in waiting:
        yield _step(item, Outcome.FAILED, "Grafana went away before this one's turn.")


def _learn_resource_versions(placements: list[Placement], client: Client) -> None:
    """By Grafana's list, of what was just written, so that the next run needs no bodies; best effort."""
    written = [placement for placement in placements if placement.state == State.IN_SYNC.value]
    try:
        listed = resource_versions(client) if written else {}
    except GrafanaError:
        return
    for placement in written:
        resource = listed.get(placement.dashboard.uid)
        # The generation is the version, so that a save in between shows.
        if (
            resource is not None
            and resource.generation == placement.base_version
            and resource.folder_uid == placement.base_folder_uid
            and not resource.manager
        ):
            placement.resource_version = resource.resource_version
    placing.save(written, ["resource_version"])


def _prepared(item: Item, lost: set[int], author: Author) -> Write:
    """Keep what would be written over, and note what is about to be sent. Raises BlockedError, InvalidDocumentError."""
    placement, live, action = item.placement, item.live, item.verdict.action
    dashboard = placement.dashboard
    if dashboard.folder_id in lost:
        raise BlockedError("The folder that it lies in is not there and could not be made.")
    body = item.desired_body
    with transaction.atomic():
        if action is Action.RESTORE and live is not None and placement.kept_version != live.version:
            taking.keep_edit(placement, live, f"found by {author.name}, before ours was written again")
            placement.kept_version = live.version
            placement.save(update_fields=["kept_version"])
        version = None if action is Action.CREATE or live is None else live.version
        token = placing.intend(placement, action, body=placing.stored(dashboard.uid, body), version=version)
    return Write(
        uid=dashboard.uid,
        body=body,
        folder_uid=placing.folder_uid(dashboard),
        version=version,
        token=token,
        reason=author.reason,
        grants=tuple(Grant(**grant) for grant in placement.pruned_grants) if action is Action.CREATE else (),
    )


def _wrote(item: Item, job: Write, came: Written) -> Step:
    """Note what came of a write."""
    placement, error = item.placement, came.error
    if error is None and came.live is not None:
        before = item.row()
        placing.written(placement, came.live, version=came.version)
        placing.save([placement])
        return Step(before, Outcome.DONE, " ".join((before.words, *came.notes)).strip(),
                    milliseconds=came.milliseconds, dashboard=placement.dashboard)  # fmt: skip
    if error is None:
        raise AssertionError("a write either fails or is read back")
    if came.version or error.uncertain:
        # The intention stays: the next run finds out what became of it.
        return _failed(item, error, State.UNKNOWN, came.milliseconds)
    placing.forget_intent(placement)
    if isinstance(error, VersionMismatch):
        return _refused(item, job, came)
    return _failed(item, error, _STATE_AFTER.get(type(error), State.UNKNOWN), came.milliseconds)


def _refused(item: Item, job: Write, came: Written) -> Step:
    """Somebody saved it between our reading and our writing: theirs stands, and all three bodies are kept."""
    placement, theirs = item.placement, came.theirs
    if theirs is None or came.error is None:
        return _failed(item, came.error or NotFound("It was deleted meanwhile."), State.UNKNOWN, came.milliseconds)
    made = digest(
        theirs.body,
        folder_uid=theirs.folder_uid,
        without_ids=placement.without_ids,
        values=placement.policy.counts_values,
    )
    item.reading = replace(item.reading, live=theirs, digest=made)
    item.digests = Digests(item.digests.desired, item.digests.sent, item.digests.base, made)
    # No policy decides here: whoever edits while we write shall see it before anything is written over.
    item.verdict = replace(judge(item.digests, Circumstances()), action=Action.NONE)
    placing.seen(placement, item.verdict.state, theirs, made, timezone.now())
    placement.live = _kept(theirs)
    placing.failed(placement, came.error)
    placing.save([placement])
    return _step(item, Outcome.FAILED, came.error.text, came.error.status, came.milliseconds)


def _take(item: Item, client: Client, author: Author) -> Step:
    """Make what Grafana has ours (ADOPT), or note that both are the same already (LEARN)."""
    began, row = timezone.now(), item.row()
    live = item.live
    if live is None:
        raise AssertionError("only what is there can be taken")
    try:
        with transaction.atomic():
            if item.verdict.action is Action.ADOPT:
                taking.adopt(item.placement, live, client, author)
            taking.now_the_same(item.placement, live)
            placing.save([item.placement])
    except (InvalidDocumentError, BlockedError, GrafanaError) as problem:
        item.placement.refresh_from_db()
        return _failed(item, problem)
    return Step(row, Outcome.DONE, row.words, milliseconds=_since(began), dashboard=item.placement.dashboard)


def _prune(item: Item, client: Client, author: Author) -> Step:
    """Keep a copy and its permissions, then delete it in Grafana."""
    placement, live, row = item.placement, item.live, item.row()
    if live is None:
        raise AssertionError("only what is there can be deleted")
    try:
        given = [grant for grant in client.dashboard_permissions(item.uid) if not grant.inherited]
        with transaction.atomic():
            if live.body:
                taking.keep_edit(placement, live, f"found by {author.name}, before it was deleted there")
            placement.pruned_grants = [asdict(grant) for grant in given]
            placement.live = placement.base
            placing.intend(placement, Action.PRUNE, body=None, version=live.version)
            placing.save([placement])
    except (GrafanaError, InvalidDocumentError) as problem:
        _stop_if_refused(problem)
        return _failed(item, problem)
    came = delete(client, item.uid)
    if came.error is not None:
        if not came.error.uncertain:
            placing.forget_intent(placement)
        _stop_if_refused(came.error)
        return _failed(item, came.error, milliseconds=came.milliseconds)
    placing.forget_intent(placement)
    placing.gone(placement)
    placing.save([placement])
    return Step(row, Outcome.DONE, "deleted in Grafana; a copy is kept", milliseconds=came.milliseconds,
                dashboard=placement.dashboard)  # fmt: skip


def _failed(item: Item, error: GrafanaError | ValueError, state: State | None = None, milliseconds: int = 0) -> Step:
    placing.failed(item.placement, error, state)
    placing.save([item.placement])
    row = item.row()
    if state is not None:
        row = replace(row, state=state.value)
    status = error.status if isinstance(error, GrafanaError) else None
    return Step(row, Outcome.FAILED, str(error), status, milliseconds, item.placement.dashboard)


def _step(item: Item, outcome: SyncStep.Outcome, words: str, status: int | None = None, milliseconds: int = 0) -> Step:
    error = item.reading.error
    status = error.status if error is not None and status is None else status
    return Step(item.row(), outcome, words, status, milliseconds or item.reading.milliseconds, item.placement.dashboard)


def _note(item: Item, now: datetime) -> None:
    placement, live = item.placement, item.live
    if item.reading.error is not None:
        placing.failed(placement, item.reading.error, State.UNKNOWN)
        placement.checked_at = now
        return
    if item.relearn and live is not None:
        placing.learn(placement, live)
    placing.seen(placement, item.verdict.state, live, item.digests.live or "", now)
    placement.manager = item.manager
    moved = item.verdict.state in (State.DRIFTED, State.CONFLICT, State.FLAPPING)
    placement.live = _kept(live) if moved and live is not None and live.body else None
    if item.verdict.state is State.BLOCKED:
        placing.failed(placement, BlockedError(item.blocked))
    if item.verdict.state is State.IN_SYNC and item.digests.desired == placement.sent_digest:
        placement.sent_key = item.key
    trusted = item.verdict.state is State.IN_SYNC and item.resource is not None
    placement.resource_version = item.resource.resource_version if trusted and item.resource else ""


def _kept(live: LiveDashboard) -> StoredBody | None:
    try:
        return placing.stored(live.uid, live.body)
    except InvalidDocumentError:
        return None


def _seen_values(item: Item) -> list[object]:
    placement = item.placement
    return [
        placement.live_id if name == "live" else getattr(placement, name)
        for name in placing.SEEN
        if name not in ("checked_at", "read_at")
    ]


def _stop_if_refused(problem: Exception) -> None:
    if type(problem) is Unauthorised:
        raise problem


def _since(began: datetime) -> int:
    return round(1000 * (timezone.now() - began).total_seconds())
