"""Brings dashboard documents into the registry."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from django.db import transaction
from django.http import HttpRequest

from apps.accounts import audit
from apps.accounts.models import AuditEntry
from apps.dashboards.bodies import MAX_BYTES, parsed
from apps.dashboards.folders import folder_of, minted
from apps.dashboards.models import UID, Cause, Dashboard
from apps.dashboards.revisions import bring_back, record, registered_form
from apps.dashboards.source import mapped, resolved
from apps.panels.document import classic_body, read_dashboard
from apps.panels.json_reader import Problem

IMPORTER: Final = "import_dashboards"
"""Who it was, where nobody signed in."""


@dataclass(frozen=True)
class Imported:
    """A dashboard that was stored, what that changed, and what reading it met."""

    dashboard: Dashboard
    outcome: Literal["added", "changed", "unchanged"]
    problems: tuple[Problem, ...]


def files_of(place: Path) -> Iterator[tuple[Path, tuple[str, ...]]]:
    """The JSON files of a directory and below (or the one file), each with the titles of its folders, outermost first.

    Hidden files and directories are left out.
    """
    if place.is_file():
        yield place, ()
        return
    for path in sorted(place.rglob("*.json")):
        inside = path.relative_to(place).parts
        if not any(part.startswith(".") for part in inside):
            yield path, inside[:-1]


def read_file(path: Path) -> object:
    """The decoded document of a file. Raises UnreadableFileError, OSError."""
    with path.open("rb") as file:
        return parsed(file.read(MAX_BYTES + 1))


@transaction.atomic
def import_dashboard(
    document: object,
    *,
    folders: Sequence[str] | None = (),
    origin: str = "",
    kind: Dashboard.Origin = Dashboard.Origin.FILE,
    cause: Cause = Cause.IMPORT,
    inputs: Mapping[str, str] | None = None,
    actor: str = IMPORTER,
    reason: str = "",
    request: HttpRequest | None = None,
) -> Imported:
    """Store a document under its uid, in the folder of these titles (made where missing); with None it stays where it
    lies.

    A dashboard that is there keeps its team, policy and whether it is enabled; a retired one comes back. A document
    without a uid gets one made from its folder and title, so that importing it again finds it. Raises
    InvalidDocumentError, UnresolvedInputError, FolderError.
    """
    uid = uid_of(document, folders or ())
    body, warnings = mapped(resolved(classic_body(document), inputs))
    body = registered_form(body, uid)
    read = read_dashboard(body)
    problems = (*read.problems, *warnings)
    fields: dict[str, Any] = {"origin_kind": kind, "origin": origin[:500]}
    if folders is not None:
        fields["folder"] = folder_of(folders)
    dashboard = Dashboard.objects.select_for_update(of=("self",)).select_related("folder").filter(uid=uid).first()
    if dashboard is None:
        dashboard = Dashboard.objects.create(uid=uid, title=read.title[:5000] or uid, **fields)
        record(dashboard, body, actor=actor, reason=reason, cause=cause, request=request)
        return Imported(dashboard, "added", problems)
    before = dashboard.current_id
    changed = [name for name, value in fields.items() if getattr(dashboard, name) != value]
    was_retired = dashboard.retired_at is not None
    if was_retired:
        bring_back(dashboard, actor=actor, reason=reason, request=request)
    if changed:
        _settle(dashboard, fields, actor=actor, reason=reason, request=request)
    record(dashboard, body, actor=actor, reason=reason, cause=cause, request=request)
    same = not changed and not was_retired and dashboard.current_id == before
    return Imported(dashboard, "unchanged" if same else "changed", problems)


def uid_of(document: object, folders: Sequence[str] = ()) -> str:
    """The uid that a document is stored under: its own where it has a valid one. Raises InvalidDocumentError."""
    body = classic_body(document)
    uid, title = body.get("uid"), body.get("title")
    return uid if isinstance(uid, str) and re.match(UID.regex, uid) else minted(str(title or ""), *folders)


def _settle(
    dashboard: Dashboard, fields: Mapping[str, object], *, actor: str, reason: str, request: HttpRequest | None
) -> None:
    """Give the registration these values."""
    before = audit.snapshot(dashboard)
    for name, value in fields.items():
        setattr(dashboard, name, value)
    dashboard.save(update_fields=[*fields, "updated_at"])
    audit.record(
        AuditEntry.Action.CHANGE,
        actor=None if request is not None else actor,
        request=request,
        obj=dashboard,
        before=before,
        after=audit.snapshot(dashboard),
        reason=reason,
    )
