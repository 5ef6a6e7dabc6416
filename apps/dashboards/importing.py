"""Brings dashboard documents into the registry."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from django.db import transaction

from apps.accounts import audit
from apps.accounts.models import AuditEntry
from apps.dashboards.models import UID, Dashboard, Folder
from apps.dashboards.source import mapped, resolved
from apps.panels.document import InvalidDocumentError, classic_body, read_dashboard
from apps.panels.json_reader import Problem

MAX_BYTES: Final = 5 * 1024 * 1024
"""The largest document that is read."""


class UnreadableFileError(ValueError):
    """The file holds no JSON document."""


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
    if path.stat().st_size > MAX_BYTES:
        raise UnreadableFileError(f"the file is larger than {MAX_BYTES // 1024 // 1024} MB")
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"), parse_constant=_no_number)
    except UnicodeDecodeError as error:
        raise UnreadableFileError("the file is not UTF-8 text") from error
    except (ValueError, RecursionError) as error:
        raise UnreadableFileError(f"the file is no JSON: {error}") from error


@transaction.atomic
def import_dashboard(
    document: object,
    *,
    folders: Sequence[str] = (),
    origin: str = "",
    inputs: Mapping[str, str] | None = None,
    reason: str = "",
) -> Imported:
    """Store a document under its uid, in the folder of these titles (made where missing).

    A dashboard that is there keeps its team and whether it is enabled. A document without a uid gets one made from its
    folder and title, so that importing it again finds it. Raises InvalidDocumentError, UnresolvedInputError.
    """
    uid = uid_of(document, folders)
    body, warnings = mapped(resolved(classic_body(document), inputs))
    for key in ("id", "version"):
        body.pop(key, None)
    body["uid"] = uid
    parsed = read_dashboard(body)
    try:
        text = json.dumps(body, allow_nan=False)
    except ValueError:
        raise InvalidDocumentError([Problem("", "The document holds a number that is not finite")]) from None
    if "\\u0000" in text:
        raise InvalidDocumentError([Problem("", "The document holds a zero character, which no database keeps")])
    folder = folder_of(folders)
    fields = {
        "title": parsed.title or uid,
        "folder": folder,
        "tags": [tag[:50] for tag in parsed.tags],
        "body": body,
        "origin": origin,
    }
    dashboard = Dashboard.objects.select_for_update().filter(uid=uid).first()
    problems = (*parsed.problems, *warnings)
    if dashboard is None:
        dashboard = Dashboard.objects.create(uid=uid, **fields)
        _record(dashboard, AuditEntry.Action.ADD, reason)
        return Imported(dashboard, "added", problems)
    changed = [name for name, value in fields.items() if getattr(dashboard, name) != value]
    if not changed:
        return Imported(dashboard, "unchanged", problems)
    for name in changed:
        setattr(dashboard, name, fields[name])
    dashboard.save(update_fields=[*changed, "updated_at"])
    _record(dashboard, AuditEntry.Action.CHANGE, reason)
    return Imported(dashboard, "changed", problems)


def uid_of(document: object, folders: Sequence[str] = ()) -> str:
    """The uid that a document is stored under: its own where it has a valid one. Raises InvalidDocumentError."""
    body = classic_body(document)
    uid, title = body.get("uid"), body.get("title")
    return uid if isinstance(uid, str) and re.match(UID.regex, uid) else minted(str(title or ""), *folders)


def folder_of(titles: Sequence[str]) -> Folder | None:
    """The folder that these titles lead to from the top, made where missing; None for the top itself."""
    folder: Folder | None = None
    for depth, title in enumerate(titles, 1):
        folder, _ = Folder.objects.get_or_create(
            parent=folder, title=title, defaults={"uid": minted(title, *titles[: depth - 1])}
        )
    return folder


def minted(title: str, *above: str) -> str:
    """A uid that the same title under the same folders always gets: readable, and unlike others by a digest."""
    word = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:27].rstrip("-") or "untitled"
    digest = hashlib.sha256("\0".join((*above, title)).encode()).hexdigest()[:12]
    return f"{word}-{digest}"


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no number of JSON")


def _record(dashboard: Dashboard, action: AuditEntry.Action, reason: str) -> None:
    audit.record(action, obj=dashboard, reason=reason)
