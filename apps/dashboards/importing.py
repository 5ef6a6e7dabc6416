"""Brings dashboard documents into the registry: one, or a tree of files."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from django.db import transaction

from apps.accounts import audit
from apps.accounts.models import AuditEntry
from apps.accounts.scope import EVERYTHING, TeamScope
from apps.dashboards.author import ANYBODY, Author
from apps.dashboards.bodies import MAX_BYTES, UnreadableFileError, judge, parsed
from apps.dashboards.folders import FolderError, folder_of, minted, settle_folder
from apps.dashboards.models import UID, Cause, Dashboard
from apps.dashboards.revisions import bring_back, record, registered_form
from apps.dashboards.source import UnresolvedInputError, mapped, resolved
from apps.dashboards.tree import EVERYBODY, File, Settings, Team, read_settings, split, titles_of
from apps.panels.document import InvalidDocumentError, classic_body, read_dashboard
from apps.panels.json_reader import Problem


class TakenError(ValueError):
    """The uid is another dashboard's."""


Outcome = Literal["added", "changed", "unchanged"]
REFUSALS: Final = (
    InvalidDocumentError, UnresolvedInputError, UnreadableFileError, FolderError, TakenError, OSError,
)  # fmt: skip
"""What is wrong with one file, and stops no other."""


@dataclass(frozen=True)
class Imported:
    """A dashboard that was stored, what that changed, and what reading it met."""

    dashboard: Dashboard
    outcome: Outcome
    problems: tuple[Problem, ...]


@dataclass(frozen=True)
class Report:
    """What became of a file. A refused one has no dashboard; its problems say why."""

    name: str
    outcome: Outcome | Literal["refused"]
    problems: tuple[Problem, ...] = ()
    dashboard: Dashboard | None = None


@dataclass(frozen=True)
class Terms:
    """How documents are taken: `above` are the titles of the folder that they go into, `inputs` the values that exports
    ask for, `team` is whose a new registration is where no settings say so; `scope` says whose dashboards may be
    changed, and `replace` whether any that is registered may."""

    kind: Dashboard.Origin = Dashboard.Origin.FILE
    cause: Cause = Cause.IMPORT
    by: Author = ANYBODY
    above: tuple[str, ...] = ()
    inputs: Mapping[str, str] | None = None
    team: Team = EVERYBODY
    scope: TeamScope = EVERYTHING
    replace: bool = True


def read_file(path: Path) -> object:
    """The decoded document of a file. Raises UnreadableFileError, OSError."""
    with path.open("rb") as file:
        return parsed(file.read(MAX_BYTES + 1))


def import_tree(
    files: Iterable[File], terms: Terms, *, origin: Callable[[File], str] = lambda file: file.name
) -> Iterator[Report]:
    """Import every file of a tree, with what the settings beside them say; one that is refused stops no other.

    `origin` says where a file came from.
    """
    dashboards, others = split(files)
    settings: dict[tuple[str, ...], Settings] = {}
    for file in others:
        try:
            settings[file.path[:-1]] = read_settings(file.read())
        except (UnreadableFileError, OSError) as error:
            yield _refused(file, error)
    for place in sorted(settings):
        try:
            _folder_of_settings(place, settings, terms)
        except FolderError as error:
            yield Report("/".join(place), "refused", (Problem("", str(error)),))
    seen: dict[str, str] = {}
    for file in dashboards:
        directory = file.path[:-1]
        beside = settings.get(directory)
        registration = beside.dashboards.get(file.path[-1]) if beside else None
        titles = (*terms.above, *titles_of(directory, settings))
        try:
            document = parsed(file.read())
            uid = uid_of(document, titles)
            if uid in seen:
                raise TakenError(f"{seen[uid]} has the same uid, {uid}")
            done = import_dashboard(document, terms, folders=titles, origin=origin(file), registration=registration)
        except REFUSALS as error:
            yield _refused(file, error)
            continue
        seen[uid] = file.name
        yield Report(file.name, done.outcome, done.problems, done.dashboard)


@transaction.atomic
def import_dashboard(
    document: object,
    terms: Terms = Terms(),
    *,
    folders: Sequence[str] | None = (),
    origin: str = "",
    registration: Mapping[str, Any] | None = None,
) -> Imported:
    """Store a document under its uid, in the folder of these titles (made where missing); with None it stays where it
    lies.

    A dashboard that is there keeps its team, policy and whether it is enabled, unless `registration` says them; a
    retired one comes back. A document without a uid gets one made from its folder and title, so that importing it again
    finds it. Raises InvalidDocumentError, UnresolvedInputError, FolderError, TakenError.
    """
    by = terms.by
    uid = uid_of(document, folders or ())
    body, warnings = prepared(document, uid, terms.inputs)
    read = read_dashboard(body)
    dashboard = Dashboard.objects.select_for_update(of=("self",)).select_related("folder").filter(uid=uid).first()
    if dashboard is not None:
        _check_may_replace(dashboard, terms)
    # A file's name may have bytes that are no text.
    origin = origin.encode(errors="replace").decode()[:500]
    fields: dict[str, Any] = {"origin_kind": terms.kind, "origin": origin, **(registration or {})}
    if folders is not None:
        fields["folder"] = folder_of(folders, by=by)
    made = dashboard is None
    if dashboard is None:
        # Another process may make it at this very moment.
        team = {"team_id": terms.team.id, "team_name": terms.team.name}
        start = {"title": read.title[:5000] or uid, **team, **fields}
        dashboard, made = Dashboard.objects.get_or_create(uid=uid, defaults=start)
    if made:
        record(dashboard, body, actor=by.name, reason=by.reason, cause=terms.cause, request=by.request)
        return Imported(dashboard, "added", (*read.problems, *warnings, *doubled(dashboard)))
    before = dashboard.current_id, dashboard.retired_at
    settled = _settle(dashboard, fields, by)
    bring_back(dashboard, actor=by.name, reason=by.reason, request=by.request)
    record(dashboard, body, actor=by.name, reason=by.reason, cause=terms.cause, request=by.request)
    changed = settled or before != (dashboard.current_id, dashboard.retired_at)
    problems = (*read.problems, *warnings, *doubled(dashboard))
    return Imported(dashboard, "changed" if changed else "unchanged", problems)


def prepared(
    document: object, uid: str, inputs: Mapping[str, str] | None = None
) -> tuple[dict[str, Any], list[Problem]]:
    """The body that the registry keeps of a document under this uid, and warnings about its data sources.

    Raises InvalidDocumentError, UnresolvedInputError.
    """
    body, warnings = mapped(resolved(classic_body(document), inputs))
    return registered_form(body, uid), warnings


def uid_of(document: object, folders: Sequence[str] = ()) -> str:
    """The uid that a document is stored under: its own where it has a valid one. Raises InvalidDocumentError."""
    if isinstance(document, dict):
        judge(document)
    body = classic_body(document)
    uid, title = body.get("uid"), body.get("title")
    return uid if isinstance(uid, str) and re.match(UID.regex, uid) else minted(str(title or ""), *folders)


def taken_by(uid: str, scope: TeamScope) -> str:
    """A sentence that names the dashboard that has this uid; empty when it is free."""
    row = Dashboard.objects.select_related("folder").filter(uid=uid).first()
    if row is None:
        return ""
    if not Dashboard.objects.of_teams(scope).filter(pk=row.pk).exists():
        return f"The uid {uid} belongs to a dashboard of another team."
    place = f" in {row.folder}" if row.folder else ""
    retired = ", which is retired: restore that one instead" if row.retired_at else ""
    return f"The uid {uid} belongs to “{row.title}”{place}{retired}."


def doubled(dashboard: Dashboard) -> list[Problem]:
    """A warning where another dashboard of the folder has the same title: Grafana 12 takes both, older ones refuse."""
    rows = Dashboard.objects.registered().filter(folder=dashboard.folder_id, title=dashboard.title)
    other = rows.exclude(pk=dashboard.pk).first()
    if other is None:
        return []
    text = f"The folder has another dashboard of this title ({other.uid}); Grafana before 12 refuses that"
    return [Problem("title", text, "warning")]


def _check_may_replace(dashboard: Dashboard, terms: Terms) -> None:
    hidden = not Dashboard.objects.of_teams(terms.scope).filter(pk=dashboard.pk).exists()
    if hidden or not terms.replace:
        raise TakenError(taken_by(dashboard.uid, terms.scope))


def _folder_of_settings(directory: tuple[str, ...], settings: Mapping[tuple[str, ...], Settings], terms: Terms) -> None:
    own = settings[directory]
    if own.title:
        titles = (*terms.above, *titles_of(directory, settings))
        settle_folder(
            titles, uid=own.uid, team_id=own.team.id, team_name=own.team.name, by=terms.by, scope=terms.scope,
            replace=terms.replace,
        )  # fmt: skip


def _settle(dashboard: Dashboard, fields: Mapping[str, object], by: Author) -> bool:
    """Give the registration these values; whether that changed any."""
    before = audit.snapshot(dashboard)
    for name, value in fields.items():
        setattr(dashboard, name, value)
    after = audit.snapshot(dashboard)
    if after != before:
        dashboard.save(update_fields=[*fields, "updated_at"])
        audit.record(AuditEntry.Action.CHANGE, **by.audited(), obj=dashboard, before=before, after=after)
    return after != before


def _refused(file: File, error: Exception) -> Report:
    problems = error.problems if isinstance(error, InvalidDocumentError) else (Problem("", str(error)),)
    return Report(file.name, "refused", problems)
