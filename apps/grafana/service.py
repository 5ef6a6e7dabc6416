"""What people can do about dashboards in Grafanas, each a plain call: (rows, author) -> the runs, one per Grafana.

A row is a `Placement`. `placements_of` makes those that are not there yet. With `follow`, the fingerprints of the plans
that were shown (by the instance's name), nothing is done in a Grafana where anything has moved since.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from functools import partial
from typing import Literal

from django.db import transaction

from apps.accounts import audit
from apps.accounts.models import AuditEntry
from apps.dashboards import revisions
from apps.dashboards.author import Author
from apps.dashboards.models import Dashboard
from apps.grafana import placing, taking
from apps.grafana.answers import Hit, LiveDashboard
from apps.grafana.apply import Step
from apps.grafana.client import Client
from apps.grafana.connect import client_for
from apps.grafana.errors import GrafanaError
from apps.grafana.mapping import BlockedError, library_panels_used
from apps.grafana.models import GrafanaInstance, Placement, SyncRun, SyncStep
from apps.grafana.plan_file import Plan, Row
from apps.grafana.run import Report, recorded, run
from apps.grafana.run import preview as preview_of
from apps.grafana.selection import Wishes
from apps.grafana.verdict import Action, State
from apps.panels.document import InvalidDocumentError

Follow = Mapping[str, str] | None


class Deed(StrEnum):
    """What is wanted of some rows."""

    CHECK = "check"
    PUSH = "push"
    """Sync them now: policies hold, pauses do not."""
    PULL = "pull"
    """Take what was edited in Grafana as the new revision, also where it was changed here too."""
    REJECT = "reject"
    """Keep the edit in the history and write ours over it, whatever the policy."""
    PRUNE = "prune"
    """Delete in Grafana what is registered no more."""

    def wishes(self, rows: Iterable[Placement]) -> Wishes:
        """The same for one Grafana's rows."""
        return Wishes(
            dashboards=frozenset(row.dashboard_id for row in rows),
            force=self is Deed.REJECT,
            pull=self is Deed.PULL,
            prune=self is Deed.PRUNE,
        )


def placements_of(
    dashboards: Iterable[Dashboard], instances: Iterable[GrafanaInstance] | None = None
) -> list[Placement]:
    """The rows of these dashboards in all enabled instances (or those given), made where missing."""
    places = list(GrafanaInstance.objects.filter(enabled=True) if instances is None else instances)
    wanted = [(dashboard, instance) for dashboard in dashboards for instance in places]
    Placement.objects.bulk_create(
        [Placement(dashboard=dashboard, instance=instance) for dashboard, instance in wanted], ignore_conflicts=True
    )
    keys = {dashboard.pk for dashboard, _ in wanted}
    return list(Placement.objects.with_all().filter(dashboard__in=keys, instance__in=places))


def preview(rows: Iterable[Placement], deed: Deed) -> list[Plan]:
    """What that would do, one plan per Grafana; nothing is written. Raises GrafanaError, GuardError."""
    return [preview_of(instance, deed.wishes(own)).plan for instance, own in _by_instance(rows)]


def check(rows: Iterable[Placement], author: Author) -> list[SyncRun]:
    """Look how they stand; nothing is written in Grafana."""
    return _runs(rows, Deed.CHECK, author)


def push(rows: Iterable[Placement], author: Author, *, follow: Follow = None) -> list[SyncRun]:
    """Sync them now, as their policies say."""
    return _runs(rows, Deed.PUSH, author, follow)


def pull(rows: Iterable[Placement], author: Author, *, follow: Follow = None) -> list[SyncRun]:
    """Take the edits made in Grafana as new revisions; of a conflict theirs wins, and ours is in the history."""
    return _runs(rows, Deed.PULL, author, follow)


def adopt(rows: Iterable[Placement], author: Author, *, follow: Follow = None) -> list[SyncRun]:
    """`pull` for those that were only edited in Grafana; conflicts stay."""
    return _runs([row for row in rows if row.state != State.CONFLICT], Deed.PULL, author, follow)


def reject(rows: Iterable[Placement], author: Author, *, follow: Follow = None) -> list[SyncRun]:
    """Keep the edits in the history and write ours over them; conflicts stay."""
    return _runs([row for row in rows if row.state != State.CONFLICT], Deed.REJECT, author, follow)


def resolve(
    rows: Iterable[Placement], keep: Literal["ours", "theirs"], author: Author, *, follow: Follow = None
) -> list[SyncRun]:
    """End conflicts. The body that loses is in the history."""
    return _runs(rows, Deed.REJECT if keep == "ours" else Deed.PULL, author, follow)


def prune(rows: Iterable[Placement], author: Author, *, follow: Follow = None) -> list[SyncRun]:
    """Delete in Grafana those that are registered no more and that we created, after a copy, within the limit."""
    return _runs(rows, Deed.PRUNE, author, follow)


def restore(rows: Iterable[Placement], author: Author) -> list[SyncRun]:
    """Register retired dashboards again, and push them: with the uid, folder and permissions that they had there."""
    kept = list(rows)
    for dashboard in {row.dashboard_id: row.dashboard for row in kept}.values():
        revisions.bring_back(dashboard, actor=author.name, reason=author.reason, request=author.request)
    return _runs(kept, Deed.PUSH, author)


@transaction.atomic
def release(rows: Iterable[Placement], author: Author) -> None:
    """Leave them to Grafana: they are neither read nor written any more, and nothing is deleted."""
    _set_released(rows, True, author)


@transaction.atomic
def take_back(rows: Iterable[Placement], author: Author) -> None:
    """Undo `release`. What was edited meanwhile is found as such by the next sync."""
    _set_released(rows, False, author)


def take_over(rows: Iterable[Placement], author: Author) -> list[SyncRun]:
    """Make dashboards ours that are registered here and were made in Grafana by somebody else.

    What is there goes into the history and becomes the base; nothing is written. The next push writes ours.
    """

    done = []
    for instance, own in _by_instance(rows):

        def work(report: Report, client: Client, own: list[Placement] = own) -> None:
            for row in own:
                _one(report, client, row.dashboard.uid, partial(_taken_over, row, author), row.dashboard)
            report.run.total = len(own)

        done.append(recorded(instance, work, author=author, cause=SyncRun.Cause.ADMIN, what="take over").run)
        _runs(own, Deed.CHECK, author)
    return done


def _taken_over(row: Placement, author: Author, live: LiveDashboard) -> None:
    taking.keep_edit(row, live, f"taken over by {author.name}")
    placing.set_base(
        row,
        sent=placing.stored(live.uid, live.body),
        key="",
        to_folder=live.folder_uid,
        live=live,
        version=live.version,
        revision=None,
    )
    placing.save([row])


def found(instance: GrafanaInstance) -> list[Hit]:
    """The dashboards of a Grafana that nobody registered. Raises GrafanaError."""
    with client_for(instance) as client:
        hits = client.search()
    known = set(Dashboard.objects.filter(uid__in=[hit.uid for hit in hits]).values_list("uid", flat=True))
    return [hit for hit in hits if hit.uid not in known]


def register(
    instance: GrafanaInstance,
    uids: Iterable[str],
    author: Author,
    *,
    cause: SyncRun.Cause = SyncRun.Cause.ADMIN,
) -> Report:
    """Register dashboards that somebody made in a Grafana, in the folders they have there; nothing is written."""
    wanted = list(uids)

    def work(report: Report, client: Client) -> None:
        def take(live: LiveDashboard) -> None:
            taking.register_library_panels(instance, library_panels_used(live.body), client)
            taking.register(instance, live, client, author)

        for uid in wanted:
            _one(report, client, uid, take, None)
        report.run.total = len(wanted)

    return recorded(instance, work, author=author, cause=cause, what="register")


def _one(
    report: Report,
    client: Client,
    uid: str,
    take: Callable[[LiveDashboard], None],
    dashboard: Dashboard | None,
) -> None:
    """Take one dashboard as it is in Grafana; what goes wrong is a step of the run, and the others go on."""
    title = dashboard.title if dashboard else uid
    status = None
    try:
        live = client.dashboard(uid)
        title = str(live.body.get("title") or title)
        if live.from_file:
            raise BlockedError("It comes from a file of Grafana's, which would win over whatever is saved.")
        resource = client.resource(uid)
        if resource is not None and (resource.manager or resource.new_schema):
            raise BlockedError(f"It is {resource.manager or 'stored in schema 2'} in Grafana, and not ours to write.")
        with transaction.atomic():
            take(live)
    except (GrafanaError, BlockedError, InvalidDocumentError) as problem:
        outcome, words = SyncStep.Outcome.FAILED, str(problem)
        status = problem.status if isinstance(problem, GrafanaError) else None
    else:
        outcome, words = SyncStep.Outcome.DONE, ""
    row = Row("dashboard", uid, title, State.FOREIGN.value, Action.LEARN.value)
    report.add(Step(row, outcome, words, status, dashboard=dashboard))


def _runs(rows: Iterable[Placement], deed: Deed, author: Author, follow: Follow = None) -> list[SyncRun]:
    return [
        run(
            instance,
            deed.wishes(own),
            author=author,
            cause=SyncRun.Cause.ADMIN,
            what=deed.value,
            only_check=deed is Deed.CHECK,
            follow=None if follow is None else follow.get(instance.name, ""),
        ).run
        for instance, own in _by_instance(rows)
    ]


def _by_instance(rows: Iterable[Placement]) -> list[tuple[GrafanaInstance, list[Placement]]]:
    found: dict[int, tuple[GrafanaInstance, list[Placement]]] = {}
    for row in rows:
        found.setdefault(row.instance_id, (row.instance, []))[1].append(row)
    return list(found.values())


def _set_released(rows: Iterable[Placement], released: bool, author: Author) -> None:
    for row in rows:
        if row.released is not released:
            row.released = released
            row.state = (State.RELEASED if released else State.UNKNOWN).value
            row.save(update_fields=["released", "state"])
            audit.record(
                AuditEntry.Action.CHANGE,
                obj=row,
                before={"released": not released},
                after={"released": released},
                **author.audited(),
            )
