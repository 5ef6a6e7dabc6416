"""Files of dashboards in folders, on a disk or in an archive, and what stands beside them.

A directory is a folder, a `.json` file a dashboard. A file named `.registry` says what they cannot: the folder's title
as it is written, its uid and team, and of each dashboard whether it is enabled, its policy and team. It is JSON; its
name keeps it from whoever takes every `.json` for a dashboard. Hidden files and directories are left out otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from apps.dashboards.bodies import MAX_BYTES, UnreadableFileError, judge, parsed
from apps.dashboards.models import UID, Dashboard
from apps.panels.document import InvalidDocumentError

SETTINGS_NAME: Final = ".registry"


@dataclass(frozen=True)
class File:
    """A file of a tree: its place from the tree's top, and its bytes. `read` raises UnreadableFileError, OSError."""

    path: tuple[str, ...]
    read: Callable[[], bytes]

    @property
    def name(self) -> str:
        """The place as people write it."""
        return "/".join(self.path)


@dataclass(frozen=True)
class Team:
    """A team of the platform, or none."""

    id: UUID | None = None
    name: str = ""


EVERYBODY: Final = Team()


@dataclass(frozen=True)
class Settings:
    """What a `.registry` file says of its directory: `title` and `uid` are empty at the top of a tree."""

    title: str = ""
    uid: str = ""
    team: Team = EVERYBODY
    dashboards: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def files_of(place: Path) -> Iterator[File]:
    """The files of a directory and below that matter, or the one file."""
    if place.is_file():
        yield File((place.name,), _reader(place))
        return
    for path in sorted(place.rglob("*")):
        inside = path.relative_to(place).parts
        if matters(inside) and path.is_file():
            yield File(inside, _reader(path))


def matters(path: tuple[str, ...]) -> bool:
    """Whether a file is a dashboard, or says something of them."""
    *above, name = path
    if any(part.startswith(".") or part == "__MACOSX" for part in above):
        return False
    return name == SETTINGS_NAME or (name.lower().endswith(".json") and not name.startswith("."))


def titles_of(directory: tuple[str, ...], settings: Mapping[tuple[str, ...], Settings]) -> tuple[str, ...]:
    """The titles of a directory's folder and of those that it lies in. A directory whose settings name no title is the
    top of a tree, wherever it lies."""
    titles: list[str] = []
    for depth, name in enumerate(directory, 1):
        known = settings.get(directory[:depth])
        if known is None:
            titles.append(name)
        elif known.title:
            titles.append(known.title)
        else:
            titles = []
    return tuple(titles)


def read_settings(data: bytes) -> Settings:
    """The content of a `.registry` file. Raises UnreadableFileError, which names what is wrong."""
    found = parsed(data)
    if not isinstance(found, dict):
        raise UnreadableFileError("it holds no object")
    try:
        judge(found)
    except InvalidDocumentError as error:
        raise UnreadableFileError(str(error)) from None
    title, uid = _text(found, "title"), _text(found, "uid")
    if uid and not re.match(UID.regex, uid):
        raise UnreadableFileError(f"uid: {UID.message}")
    listed = found.get("dashboards", {})
    if not isinstance(listed, dict) or not all(isinstance(one, dict) for one in listed.values()):
        raise UnreadableFileError("dashboards: this is no object of objects")
    return Settings(title, uid, _team(found), {name: _registration(name, one) for name, one in listed.items()})


def settings_document(settings: Settings) -> dict[str, Any]:
    """What `read_settings` reads; what is as it is by default is left out."""
    document: dict[str, Any] = {"dashboards": {name: _written(one) for name, one in settings.dashboards.items()}}
    if settings.title:
        document |= {"title": settings.title, "uid": settings.uid}
    return document | _written({"team_id": settings.team.id, "team_name": settings.team.name})


REGISTRATION: Final = {"enabled": True, "policy": "", "paused": False, "team_id": None, "team_name": ""}
"""What is said of a dashboard, and what it is by default."""


def _written(values: Mapping[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in values.items() if value != REGISTRATION[name]}
    return {name: str(value) if isinstance(value, UUID) else value for name, value in kept.items()}


def _registration(name: str, found: Mapping[str, Any]) -> dict[str, Any]:
    team = _team(found)
    values = {**REGISTRATION, "team_id": team.id, "team_name": team.name, "policy": _text(found, "policy")}
    if values["policy"] not in ("", *Dashboard.Policy.values):
        raise UnreadableFileError(f"{name}: policy: this is one of {', '.join(Dashboard.Policy.values)}")
    for flag in ("enabled", "paused"):
        value = found.get(flag, REGISTRATION[flag])
        if not isinstance(value, bool):
            raise UnreadableFileError(f"{name}: {flag}: this is true or false")
        values[flag] = value
    return values


def _team(found: Mapping[str, Any]) -> Team:
    text = _text(found, "team_id")
    try:
        return Team(UUID(text) if text else None, _text(found, "team_name"))
    except ValueError:
        raise UnreadableFileError(f"team_id: {text!r} is no id of a team") from None


def _text(found: Mapping[str, Any], key: str) -> str:
    value = found.get(key, "")
    if not isinstance(value, str) or len(value) > 200:
        raise UnreadableFileError(f"{key}: this is a text of at most 200 characters")
    return value


def _reader(path: Path) -> Callable[[], bytes]:
    def read() -> bytes:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1)

    return read


def split(files: Iterable[File]) -> tuple[list[File], list[File]]:
    """The dashboards and the settings among them."""
    listed = list(files)
    return (
        [one for one in listed if one.path[-1] != SETTINGS_NAME],
        [one for one in listed if one.path[-1] == SETTINGS_NAME],
    )
