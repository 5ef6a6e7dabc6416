"""Dashboards that somebody uploads or pastes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from django.db import transaction

from apps.accounts.scope import TeamScope
from apps.dashboards.archive import archive_files, is_archive
from apps.dashboards.author import Author
from apps.dashboards.bodies import MAX_BYTES, UnreadableFileError
from apps.dashboards.folders import titles_of
from apps.dashboards.importing import Report, Terms, import_tree
from apps.dashboards.models import Cause, Dashboard, Folder
from apps.dashboards.tree import File, Team
from apps.panels.json_reader import Problem

PASTED: Final = "pasted text"


def add(values: Mapping[str, Any], scope: TeamScope, by: Author, *, only_check: bool = False) -> list[Report]:
    """Register what a form (`apps.dashboards.forms.AddForm`) has taken; a report for each file. With `only_check` the
    reports are the same, and nothing is stored."""
    file = values["file"]
    terms = Terms(
        kind=Dashboard.Origin.UPLOAD,
        cause=Cause.UPLOAD if file else Cause.PASTE,
        by=replace(by, reason=values["reason"]),
        above=_above(values["folder"]),
        inputs=values["inputs"],
        scope=scope,
        replace=values["replace"],
        team=Team(values["team_id"], values["team_name"]),
    )
    try:
        files = list(_files(file, values["text"]))
    except UnreadableFileError as error:
        return [Report(str(file.name) if file else PASTED, "refused", (Problem("", str(error)),))]
    prefix = f"{file.name}: " if file and len(files) > 1 else ""
    with transaction.atomic():
        reports = list(import_tree(files, terms, origin=lambda one: f"{prefix}{one.name}"))
        if only_check:
            transaction.set_rollback(True)
    if not reports:
        return [Report(str(file.name), "refused", (Problem("", "The archive holds no .json file"),))]
    return reports


def _files(file: Any, text: str) -> Iterable[File]:
    if not file:
        return [File((PASTED,), lambda: text.encode(errors="surrogatepass"))]
    if is_archive(file):
        return archive_files(file)

    def read() -> bytes:
        file.seek(0)
        data: bytes = file.read(MAX_BYTES + 1)
        return data

    return [File((str(file.name),), read)]


def _above(folder: Folder | None) -> tuple[str, ...]:
    return titles_of(folder.pk, Folder.objects.in_bulk()) if folder else ()
