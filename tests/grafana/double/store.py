"""What an organisation of the double holds, and how Grafana writes it down."""

from __future__ import annotations

import copy
import itertools
import re
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from tests.grafana.double.flavour import Flavour

Json = dict[str, Any]

NUMBERED = ("id", "uid", "version")
"""Keys of a body that the server sets itself."""
LEAST_REFRESH = "5s"
TOO_FAST = re.compile(r"(\d+ms|[0-4]s)")


@dataclass
class Written:
    """A saved state of a dashboard."""

    version: int
    body: Json
    message: str
    by: str
    at: str


@dataclass
class Dashboard:
    id: int
    uid: str
    body: Json
    folder_uid: str
    version: int
    message: str
    resource_version: int
    created: str
    created_by: str
    updated: str
    updated_by: str
    schema: str = "v0alpha1"
    manager: Json = field(default_factory=dict)
    file: str = ""
    locked: bool = False
    history: list[Written] = field(default_factory=list)
    grants: list[Json] = field(default_factory=list)
    starred: bool = False

    @property
    def title(self) -> str:
        return str(self.body.get("title", ""))


@dataclass
class Folder:
    id: int
    uid: str
    title: str
    parent_uid: str
    version: int
    created: str
    created_by: str
    updated_by: str = "Anonymous"
    manager: str = ""
    grants: list[Json] = field(default_factory=list)


@dataclass
class Panel:
    """A library panel."""

    id: int
    uid: str
    name: str
    folder_uid: str
    model: Json
    version: int
    by: str
    at: str


class Store:
    """One organisation."""

    def __init__(self, flavour: Flavour, name: str) -> None:
        self.flavour = flavour
        self.name = name
        self.dashboards: dict[str, Dashboard] = {}
        self.folders: dict[str, Folder] = {}
        self.panels: dict[str, Panel] = {}
        self.teams: dict[int, str] = {}
        self.data_sources: list[Json] = []
        self.found: dict[str, Dashboard] = {}
        """What the search knows; the same object as `dashboards` unless the search lags."""
        self._ids = itertools.count(98_000_000_000_000, 4096)
        self._resource_versions = itertools.count(int(time.time() * 1_000_000))

    def next_id(self) -> int:
        return next(self._ids)

    def settle(self) -> None:
        """Let the search catch up."""
        self.found = dict(self.dashboards)

    def put(
        self, uid: str, body: Json, folder_uid: str, message: str, by: str, *, schema: str = "v0alpha1"
    ) -> Dashboard:
        """Write a body, without any check, as the server numbers it."""
        now = moment()
        spec = self.rewritten(body)
        old = self.dashboards.get(uid)
        if old is None:
            # Grafana 12 names nobody as the one who changed a dashboard that nobody has changed.
            first_by = "Anonymous" if self.flavour.unified else by
            made = Dashboard(
                self.next_id(), uid, spec, folder_uid, 1, message, next(self._resource_versions),
                now, first_by, now, first_by, schema,
            )  # fmt: skip
            made.grants = default_grants(by) if not folder_uid else default_grants(by)[:1]
            made.history.append(Written(1, spec, message, by, now))
            self.dashboards[uid] = made
            return made
        same = spec == old.body and folder_uid == old.folder_uid
        old.body, old.folder_uid, old.message, old.schema = spec, folder_uid, message, schema
        old.resource_version = next(self._resource_versions)
        old.version += not (self.flavour.unified and same)
        if not (self.flavour.unified and same):
            old.updated, old.updated_by = now, by
            old.created_by = by if old.created_by == "Anonymous" else old.created_by
        old.history.append(Written(old.version, spec, message, by, now))
        return old

    def rewritten(self, body: Json) -> Json:
        """The body as it comes back."""
        spec: Json = {name: value for name, value in copy.deepcopy(body).items() if name not in NUMBERED}
        if isinstance(spec.get("title"), str):
            spec["title"] = spec["title"].strip()
        if TOO_FAST.fullmatch(str(spec.get("refresh", ""))):
            spec["refresh"] = LEAST_REFRESH
        return as_go(spec) if self.flavour.unified else spec

    def make_folder(self, uid: str, title: str, parent_uid: str, by: str) -> Folder:
        made = Folder(self.next_id(), uid, title, parent_uid, 1, moment(), by)
        made.grants = default_grants(by) if not parent_uid else default_grants(by)[:1]
        self.folders[uid] = made
        return made

    def below(self, uid: str) -> set[str]:
        """A folder and all folders in it, at any depth."""
        found = {uid}
        while more := {folder.uid for folder in self.folders.values() if folder.parent_uid in found} - found:
            found |= more
        return found

    def users_of(self, panel_uid: str) -> list[Dashboard]:
        """The dashboards that show a library panel."""
        return [
            one
            for one in self.dashboards.values()
            if any(
                isinstance(panel, dict) and (panel.get("libraryPanel") or {}).get("uid") == panel_uid
                for panel in one.body.get("panels") or ()
            )
        ]


def default_grants(by: str) -> list[Json]:
    """The access list of what `by` has just made at the root; in a folder only the first line."""
    return [
        {"userId": 1, "userLogin": by, "permission": 4},
        {"role": "Editor", "permission": 2},
        {"role": "Viewer", "permission": 1},
    ]


def as_go(value: Any) -> Any:
    """Numbers as they are after they were doubles in Go, and keys in order."""
    if isinstance(value, dict):
        return {name: as_go(value[name]) for name in sorted(value)}
    if isinstance(value, list):
        return [as_go(one) for one in value]
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    double = float(value)
    return int(double) if double == int(double) and abs(double) < 1e21 else double


def moment() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def slug(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
