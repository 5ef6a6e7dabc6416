"""Folders: found or made by their titles, and told by the path of their titles."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Mapping, Sequence
from uuid import UUID

from django.core.exceptions import ValidationError

from apps.accounts import audit
from apps.accounts.models import AuditEntry
from apps.accounts.scope import TeamScope
from apps.dashboards.author import ANYBODY, Author
from apps.dashboards.bodies import SURROGATE
from apps.dashboards.models import DEEPEST, Folder


class FolderError(ValueError):
    """There can be no such folder."""


def folder_of(titles: Sequence[str], *, by: Author = ANYBODY) -> Folder | None:
    """The folder that these titles lead to from the top, made where missing; None for the top itself.

    Raises FolderError when they are too many or one is no title.
    """
    _check(titles)
    folder: Folder | None = None
    for depth, title in enumerate(titles, 1):
        found = Folder.objects.filter(parent=folder, title=title).first()
        folder = found or _made(folder, title, minted(title, *titles[: depth - 1]), by)
    return folder


def settle_folder(
    titles: Sequence[str],
    *,
    uid: str,
    team_id: UUID | None,
    team_name: str,
    by: Author,
    scope: TeamScope,
    replace: bool,
) -> Folder:
    """The folder of these titles, with this uid where it is new, and this team.

    A folder that has the uid already is moved and renamed to this place, unless another one lies there. Raises
    FolderError, also for a change of a folder that `scope` may not see, or of any without `replace`.
    """
    *above, title = titles
    _check(titles)
    parent = folder_of(above, by=by)
    folder = Folder.objects.filter(parent=parent, title=title).first() or Folder.objects.filter(uid=uid).first()
    new = folder is None
    if folder is None:
        folder = _made(parent, title, uid or minted(title, *above), by)
    before = audit.snapshot(folder)
    folder.parent, folder.title, folder.team_id, folder.team_name = parent, title, team_id, team_name
    after = audit.snapshot(folder)
    if after != before:
        if not Folder.objects.of_teams(scope).filter(pk=folder.pk).exists():
            raise FolderError(f"the folder of the uid {folder.uid} belongs to another team")
        if not replace and not new:
            raise FolderError(f"the folder {title} ({folder.uid}) is registered already, elsewhere or for another team")
        try:
            folder.full_clean()
        except ValidationError as error:
            raise FolderError(" ".join(error.messages)) from None
        folder.save()
        audit.record(AuditEntry.Action.CHANGE, **by.audited(), obj=folder, before=before, after=after)
    return folder


def _check(titles: Sequence[str]) -> None:
    for title in titles:
        if not title.strip() or len(title) > 200 or "\0" in title or SURROGATE.search(title):
            raise FolderError("a folder's title has 1 to 200 characters, all of them text")
    if len(titles) > DEEPEST:
        raise FolderError(f"folders lie in each other at most {DEEPEST} deep: {' / '.join(titles)}")


def _made(parent: Folder | None, title: str, uid: str, by: Author) -> Folder:
    # Another process may make it at this very moment.
    folder, made = Folder.objects.get_or_create(parent=parent, title=title, defaults={"uid": unused(uid)})
    if made:
        audit.record(AuditEntry.Action.ADD, **by.audited(), obj=folder, after=audit.snapshot(folder))
    return folder


def unused(uid: str) -> str:
    """`uid`, or another one when a folder has it already, as one does that was renamed."""
    return f"{uid[:27]}-{uuid.uuid4().hex[:12]}" if Folder.objects.filter(uid=uid).exists() else uid


def titles_of(folder_id: int | None, folders: Mapping[int, Folder]) -> tuple[str, ...]:
    """The titles of a folder and of those that it lies in, outermost first; none for the top. `folders` has them all by
    primary key (`Folder.objects.in_bulk()`)."""
    titles: list[str] = []
    while folder_id is not None and folder_id in folders and len(titles) < DEEPEST:
        titles.append(folders[folder_id].title)
        folder_id = folders[folder_id].parent_id
    return tuple(reversed(titles))


def minted(title: str, *above: str) -> str:
    """A uid that the same title under the same folders always gets: readable, and unlike others by a digest."""
    word = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:27].rstrip("-") or "untitled"
    digest = hashlib.sha256("\0".join((*above, title)).encode()).hexdigest()[:12]
    return f"{word}-{digest}"
