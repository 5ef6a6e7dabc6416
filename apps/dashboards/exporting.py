"""Writes the registry as a folder tree that a version control keeps well, and that `importing` reads back.

One file a dashboard, named by its uid and so the same after a change of its title; keys sorted; a directory a folder,
with its title as far as file systems take it, and the rest in its settings file. Exporting again changes only the files
whose dashboards changed, and removes what an earlier export wrote and this one does not.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from apps.dashboards.bodies import UnreadableFileError, file_text
from apps.dashboards.models import Dashboard, Folder
from apps.dashboards.tree import REGISTRATION, SETTINGS_NAME, Settings, Team, read_settings, settings_document

LONGEST_NAME: Final = 100
"""Bytes of a directory's name before it is cut."""
_UNSAFE: Final = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|%]|^[. ]|[. ]$')


class ExportError(RuntimeError):
    """The tree cannot be written here."""


@dataclass(frozen=True)
class Exported:
    """How many dashboards and folders a tree has, and how many files that changed."""

    dashboards: int
    folders: int
    written: int
    removed: int


def export_registry(place: Path) -> Exported:
    """Write all that is registered, and not retired, below `place`. Raises ExportError, OSError.

    A file there that no export wrote is never overwritten.
    """
    known = set(_known(place))
    wanted: dict[Path, str] = {}
    counts = [0, 0]
    for directory, settings, rows in _directories():
        counts[0] += len(rows)
        counts[1] += bool(settings.title)
        wanted[place.joinpath(*directory, SETTINGS_NAME)] = file_text(settings_document(settings))
        for name, row in rows:
            wanted[place.joinpath(*directory, name)] = file_text(row.body)
    same = {path for path, text in wanted.items() if path.is_file() and path.read_bytes() == text.encode()}
    if strange := [path for path in wanted if path not in known and path not in same and path.exists()]:
        raise ExportError(f"{strange[0]} is there, and no export wrote it; name another directory")
    for path, text in wanted.items():
        if path not in same:
            _write(path, text)
    gone = [path for path in known - wanted.keys() if path.is_file()]
    for path in gone:
        path.unlink()
        _remove_empty(path.parent, place)
    return Exported(counts[0], counts[1], len(wanted) - len(same), len(gone))


def _directories() -> Iterator[tuple[tuple[str, ...], Settings, list[tuple[str, Dashboard]]]]:
    """Each directory's place, what its settings file says, and its dashboards by their files' names; the top first."""
    folders: dict[int | None, list[Folder]] = {}
    for each in Folder.objects.order_by("uid"):
        folders.setdefault(each.parent_id, []).append(each)
    rows: dict[int | None, list[Dashboard]] = {}
    for row in Dashboard.objects.registered().exclude(current=None).select_related("current").order_by("uid"):
        rows.setdefault(row.folder_id, []).append(row)
    waiting: list[tuple[Folder | None, tuple[str, ...]]] = [(None, ())]
    while waiting:
        folder, place = waiting.pop()
        key = folder.pk if folder else None
        named = list(_named(rows.get(key, [])))
        listed = {name: {field: getattr(row, field) for field in REGISTRATION} for name, row in named}
        if folder is None:
            settings = Settings(dashboards=listed)
        else:
            settings = Settings(folder.title, folder.uid, Team(folder.team_id, folder.team_name), listed)
        yield place, settings, named
        taken = {name.casefold() for name, _ in named}
        waiting += [(child, (*place, _directory_name(child, taken))) for child in folders.get(key, [])]


def _named(rows: Iterable[Dashboard]) -> Iterator[tuple[str, Dashboard]]:
    taken: set[str] = set()
    for row in rows:
        # Some file systems take Abc.json and abc.json for one.
        name = row.uid
        while name.casefold() in taken:
            name += "~"
        taken.add(name.casefold())
        yield f"{name}.json", row


def _directory_name(folder: Folder, taken: set[str]) -> str:
    title = unicodedata.normalize("NFC", folder.title)
    name = _UNSAFE.sub(lambda match: "".join(f"%{byte:02X}" for byte in match[0].encode()), title)
    if len(name.encode()) > LONGEST_NAME:
        name = name.encode()[:LONGEST_NAME].decode(errors="ignore") + "~"
    if name.endswith("~") or name.casefold() in taken:
        name += folder.uid
    taken.add(name.casefold())
    return name


def _known(place: Path) -> Iterator[Path]:
    """The files that an earlier export wrote, by what its settings files say."""
    for path in place.rglob(SETTINGS_NAME):
        try:
            settings = read_settings(path.read_bytes())
        except UnreadableFileError as error:
            raise ExportError(f"{path}: {error}; name another directory, or remove that file") from None
        yield path
        yield from (path.parent / name for name in settings.dashboards if Path(name).name == name)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    # Written beside and moved, so that a full disk leaves the old file whole.
    beside = path.with_name(f".{path.name}.part")
    beside.write_bytes(text.encode())
    beside.replace(path)


def _remove_empty(directory: Path, top: Path) -> None:
    while directory != top and not any(directory.iterdir()):
        directory.rmdir()
        directory = directory.parent
