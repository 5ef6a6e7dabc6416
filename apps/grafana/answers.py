"""What a Grafana answers, as values. Each is made from JSON of versions 9.3 to 13; what a version lacks is empty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from apps.grafana.errors import NotGrafana

Json = dict[str, Any]

GENERAL: Final = "general"
"""The uid that some answers give the root, which is the empty uid elsewhere."""

LEVELS: Final = (1, 2, 4)


@dataclass(frozen=True)
class Health:
    """`/api/health`. The version is empty where Grafana hides it from visitors."""

    version: str
    database: str
    commit: str

    @property
    def ok(self) -> bool:
        return self.database == "ok"


@dataclass(frozen=True)
class Organisation:
    id: int
    name: str


@dataclass(frozen=True)
class DataSource:
    uid: str
    name: str
    type: str
    is_default: bool
    read_only: bool


@dataclass(frozen=True)
class Plugin:
    id: str
    name: str
    type: str
    version: str


@dataclass(frozen=True)
class Hit:
    """A dashboard as the search shows it. After a write the search may lag behind: read by uid to be sure."""

    uid: str
    title: str
    folder_uid: str
    tags: tuple[str, ...]


@dataclass(frozen=True)
class LiveDashboard:
    """A dashboard as Grafana has it now. `body` still holds what Grafana numbers (`id`, `version`).

    `folder_uid` is empty at the root. `api_version` is what Grafana 12 and later say it was read as; it does not show
    that a dashboard is stored in schema 2, see `Resource.new_schema`. In 12 `updated_by` is `Anonymous` until the
    second save.
    """

    uid: str
    body: Json
    version: int
    folder_uid: str
    folder_title: str
    created: datetime | None
    created_by: str
    updated: datetime | None
    updated_by: str
    provisioned: bool
    provisioned_external_id: str
    api_version: str
    can_save: bool
    starred: bool
    url: str

    @property
    def from_file(self) -> bool:
        """Whether Grafana reads it from a file, which wins over what is saved, whatever may be edited meanwhile."""
        return self.provisioned or bool(self.provisioned_external_id)


@dataclass(frozen=True)
class Saved:
    """The answer to a write of a dashboard. `url` is a path."""

    uid: str
    version: int
    url: str


@dataclass(frozen=True)
class Version:
    version: int
    created: datetime | None
    created_by: str
    message: str
    restored_from: int


@dataclass(frozen=True)
class LiveFolder:
    """`parent_uid` is empty at the top; `managed_by` is not, for one that a repository (Git Sync) or a tool owns.

    Lists tell no version (0); a folder that was read by itself has one.
    """

    uid: str
    title: str
    parent_uid: str
    managed_by: str
    version: int = 0


@dataclass(frozen=True)
class Grant:
    """One line of an access list: a role, a team or a user, and 1 view, 2 edit, 4 admin (0: a level unknown here)."""

    permission: int
    role: str = ""
    team_id: int = 0
    user_id: int = 0
    name: str = field(default="", compare=False)
    inherited: bool = field(default=False, compare=False)

    def payload(self) -> Json:
        """As Grafana takes it. Raises ValueError for another level, of which it would make no permission at all."""
        if self.permission not in LEVELS:
            raise ValueError(f"{self.permission} is no level of access.")
        who: Json = {"role": self.role} if self.role else {}
        if self.team_id:
            who = {"teamId": self.team_id}
        if self.user_id:
            who = {"userId": self.user_id}
        return {**who, "permission": self.permission}


@dataclass(frozen=True)
class Team:
    id: int
    uid: str
    name: str


@dataclass(frozen=True)
class LibraryPanel:
    uid: str
    name: str
    folder_uid: str
    version: int
    model: Json
    connections: int
    updated: datetime | None
    updated_by: str


@dataclass(frozen=True)
class Resource:
    """What `/apis` tells of a dashboard: its resource version (opaque) and who manages it.

    `manager` is the kind (`repo`, `terraform`, `kubectl`, `plugin`, `classic-file-provisioning` …), empty where nobody
    claims it. `stored_version` is the API version it was written in where Grafana converted it, else empty.
    """

    uid: str
    resource_version: str
    generation: int
    folder_uid: str
    manager: str
    manager_id: str
    source_path: str
    stored_version: str

    @property
    def new_schema(self) -> bool:
        """Whether it is stored in schema 2, so that writing it by the older API would lose tabs, conditions, grids.

        Known of a resource that was read by itself, not of those in a list.
        """
        return self.stored_version.startswith("v2")


def health(answer: Any) -> Health:
    told = mapping(answer)
    if "database" not in told:
        raise NotGrafana("What answers there is no Grafana: it tells nothing of its database.")
    return Health(text(told, "version"), text(told, "database"), text(told, "commit"))


def organisation(answer: Any) -> Organisation:
    told = mapping(answer)
    return Organisation(number(told, "id"), text(told, "name"))


def data_source(answer: Any) -> DataSource:
    told = mapping(answer)
    return DataSource(
        uid=text(told, "uid"),
        name=text(told, "name"),
        type=text(told, "type"),
        is_default=told.get("isDefault") is True,
        read_only=told.get("readOnly") is True,
    )


def plugin(answer: Any) -> Plugin:
    told = mapping(answer)
    version = text(mapping(told.get("info") or {}), "version")
    return Plugin(text(told, "id"), text(told, "name"), text(told, "type"), version)


def hit(answer: Any) -> Hit:
    told = mapping(answer)
    tags = told.get("tags")
    return Hit(
        uid=text(told, "uid"),
        title=text(told, "title"),
        folder_uid=root_is_empty(text(told, "folderUid")),
        tags=tuple(str(tag) for tag in tags) if isinstance(tags, list) else (),
    )


def dashboard(uid: str, answer: Any) -> LiveDashboard:
    told = mapping(answer)
    body, meta = mapping(told.get("dashboard")), mapping(told.get("meta"))
    return LiveDashboard(
        uid=text(body, "uid") or uid,
        body=body,
        version=number(meta, "version") or number(body, "version"),
        folder_uid=root_is_empty(text(meta, "folderUid")),
        folder_title=text(meta, "folderTitle"),
        created=moment(meta, "created"),
        created_by=text(meta, "createdBy"),
        updated=moment(meta, "updated"),
        updated_by=text(meta, "updatedBy"),
        provisioned=meta.get("provisioned") is True,
        provisioned_external_id=text(meta, "provisionedExternalId"),
        api_version=text(meta, "apiVersion"),
        can_save=meta.get("canSave") is True,
        starred=meta.get("isStarred") is True,
        url=text(meta, "url"),
    )


def saved(answer: Any) -> Saved:
    told = mapping(answer)
    if not text(told, "uid"):
        raise NotGrafana("Grafana took the dashboard and does not say under which uid.", uncertain=True)
    return Saved(text(told, "uid"), number(told, "version"), text(told, "url"))


def versions(answer: Any) -> list[Version]:
    """Grafana 9.3 answers a list, 11.6 and later an object that holds it."""
    found = answer if isinstance(answer, list) else mapping(answer).get("versions")
    return [
        Version(
            version=number(told, "version"),
            created=moment(told, "created"),
            created_by=text(told, "createdBy"),
            message=text(told, "message"),
            restored_from=number(told, "restoredFrom"),
        )
        for told in map(mapping, sequence(found))
    ]


def folder(answer: Any) -> LiveFolder:
    told = mapping(answer)
    return LiveFolder(
        uid=text(told, "uid"),
        title=text(told, "title"),
        parent_uid=root_is_empty(text(told, "parentUid")),
        managed_by=text(told, "managedBy"),
        version=number(told, "version"),
    )


def grant(answer: Any) -> Grant:
    told = mapping(answer)
    role, team, user = text(told, "role"), text(told, "team"), text(told, "userLogin")
    return Grant(
        permission=number(told, "permission"),
        role=role,
        team_id=number(told, "teamId"),
        user_id=number(told, "userId"),
        name=role or team or user,
        inherited=told.get("inherited") is True,
    )


def team(answer: Any) -> Team:
    told = mapping(answer)
    return Team(number(told, "id"), text(told, "uid"), text(told, "name"))


def library_panel(answer: Any) -> LibraryPanel:
    told = mapping(answer)
    meta = mapping(told.get("meta") or {})
    return LibraryPanel(
        uid=text(told, "uid"),
        name=text(told, "name"),
        folder_uid=root_is_empty(text(told, "folderUid") or text(meta, "folderUid")),
        version=number(told, "version"),
        model=mapping(told.get("model") or {}),
        connections=number(meta, "connectedDashboards"),
        updated=moment(meta, "updated"),
        updated_by=text(mapping(meta.get("updatedBy") or {}), "name"),
    )


def resource(answer: Any) -> Resource:
    told = mapping(answer)
    metadata = mapping(told.get("metadata"))
    notes = mapping(metadata.get("annotations") or {})
    conversion = mapping(mapping(told.get("status") or {}).get("conversion") or {})
    return Resource(
        uid=text(metadata, "name"),
        resource_version=text(metadata, "resourceVersion"),
        generation=number(metadata, "generation"),
        folder_uid=root_is_empty(text(notes, "grafana.app/folder")),
        manager=text(notes, "grafana.app/managedBy"),
        manager_id=text(notes, "grafana.app/managerId"),
        source_path=text(notes, "grafana.app/sourcePath"),
        stored_version=text(conversion, "storedVersion"),
    )


def root_is_empty(uid: str) -> str:
    """Some answers call the root `general`."""
    return "" if uid == GENERAL else uid


def mapping(value: Any) -> Json:
    """Raises NotGrafana where an object was expected and something else came."""
    if not isinstance(value, dict):
        raise NotGrafana(f"The answer is not what Grafana says: {type(value).__name__} where an object was expected.")
    return value


def sequence(value: Any) -> Sequence[Any]:
    """Raises NotGrafana where a list was expected and something else came."""
    if not isinstance(value, list):
        raise NotGrafana(f"The answer is not what Grafana says: {type(value).__name__} where a list was expected.")
    return value


def text(told: Mapping[str, Any], name: str) -> str:
    value = told.get(name)
    return value if isinstance(value, str) else ""


def number(told: Mapping[str, Any], name: str) -> int:
    value = told.get(name)
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0


def moment(told: Mapping[str, Any], name: str) -> datetime | None:
    """A time with its zone; None for none, and for the year 1 by which Go says none."""
    try:
        found = datetime.fromisoformat(text(told, name))
    except ValueError:
        return None
    return found if found.tzinfo is not None and found.year > 1 else None
