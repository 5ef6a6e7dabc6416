"""Folders: found or made by their titles, and told by the path of their titles."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Mapping, Sequence

from apps.dashboards.models import DEEPEST, Folder


class FolderError(ValueError):
    """There can be no such folder."""


def folder_of(titles: Sequence[str]) -> Folder | None:
    """The folder that these titles lead to from the top, made where missing; None for the top itself.

    Raises FolderError when they are too many or one is no title.
    """
    if len(titles) > DEEPEST:
        raise FolderError(f"folders lie in each other at most {DEEPEST} deep: {' / '.join(titles)}")
    folder: Folder | None = None
    for depth, title in enumerate(titles, 1):
        if not title.strip() or len(title) > 200 or "\0" in title:
            raise FolderError("a folder's title has 1 to 200 characters")
        found = Folder.objects.filter(parent=folder, title=title).first()
        folder = found or Folder.objects.create(
            parent=folder, title=title, uid=unused(minted(title, *titles[: depth - 1]))
        )
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
