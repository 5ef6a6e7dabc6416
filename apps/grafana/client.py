"""What the portal asks of a Grafana, 9.3 to 13: one method for each question, typed answers, errors of `errors`.

A client is one Grafana, one organisation and one account. Threads may share it. It decides nothing: a caller that gets
`uncertain` reads before it writes again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, Self, TypeVar

from apps.grafana import answers
from apps.grafana.answers import (
    DataSource,
    Grant,
    Health,
    Hit,
    Json,
    LibraryPanel,
    LiveDashboard,
    LiveFolder,
    Organisation,
    Plugin,
    Resource,
    Saved,
    Team,
    Version,
)
from apps.grafana.errors import Invalid, NameExists, NotFound, NotGrafana, VersionMismatch
from apps.grafana.transport import Tally, Transport, segment

T = TypeVar("T")

DASHBOARD_GROUP: Final = "dashboard.grafana.app"
PREFERRED: Final = ("v1", "v1beta1", "v1alpha1", "v0alpha1")
"""Versions of `/apis` whose dashboards are classic JSON, the best first."""
MOST_PAGES: Final = 1000
"""Pages of a list after which a Grafana that never ends is given up."""
SEARCH_PAGE: Final = 1000
METADATA_ONLY: Final = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1, application/json"


class Client:
    """Use it as a context manager, or `close` it."""

    def __init__(self, transport: Transport, *, org_id: int = 1) -> None:
        self._transport = transport
        self._namespace = "default" if org_id == 1 else f"org-{org_id}"
        self._api_versions: tuple[str, ...] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._transport.close()

    @property
    def tally(self) -> Tally:
        """Requests and bytes so far."""
        return self._transport.tally

    # The server --------------------------------------------------------------------------------------------------

    def health(self) -> Health:
        """Needs no credentials. Grafana answers 503, hence ServerFault, when its own database fails."""
        return answers.health(self._get("/api/health", "Asking Grafana how it is"))

    def organisation(self) -> Organisation:
        """The one that all other requests are about."""
        return answers.organisation(self._get("/api/org", "Reading the organisation"))

    def permissions(self) -> dict[str, list[str]]:
        """What the account may do: scopes by action."""
        told = answers.mapping(self._get("/api/access-control/user/permissions", "Reading the account's permissions"))
        return {action: [str(scope) for scope in scopes or ()] for action, scopes in told.items()}

    def plugins(self) -> list[Plugin]:
        """All that are installed, those that come with Grafana too."""
        return self._all(answers.plugin, self._get("/api/plugins", "Reading the plugins", {"embedded": 0}))

    def data_sources(self) -> list[DataSource]:
        return self._all(answers.data_source, self._get("/api/datasources", "Reading the data sources"))

    def data_source(self, uid: str) -> DataSource:
        """Raises NotFound."""
        doing = f"Reading data source {uid}"
        return answers.data_source(self._get(f"/api/datasources/uid/{segment(uid)}", doing))

    def teams(self) -> list[Team]:
        found: list[Team] = []
        for page in range(1, MOST_PAGES):
            told = answers.mapping(
                self._get("/api/teams/search", "Reading the teams", {"perpage": SEARCH_PAGE, "page": page})
            )
            got = self._all(answers.team, told.get("teams") or [])
            found += got
            if len(got) < SEARCH_PAGE:
                break
        return found

    # Dashboards ---------------------------------------------------------------------------------------------------

    def search(self, *, tag: str = "", page_size: int = SEARCH_PAGE) -> list[Hit]:
        """All dashboards that the account may see, in pages until a short one. It may lag behind writes."""
        found: dict[str, Hit] = {}
        for page in range(1, MOST_PAGES):
            query: dict[str, str | int] = {"type": "dash-db", "limit": page_size, "page": page}
            if tag:
                query["tag"] = tag
            got = self._all(answers.hit, self._get("/api/search", "Listing the dashboards", query))
            # A dashboard that moves between two pages comes twice.
            found.update({hit.uid: hit for hit in got})
            if len(got) < page_size:
                break
        return list(found.values())

    def dashboard(self, uid: str) -> LiveDashboard:
        """Raises NotFound."""
        answer = self._get(f"/api/dashboards/uid/{segment(uid)}", f"Reading dashboard {uid}")
        return answers.dashboard(uid, answer)

    def save_dashboard(
        self,
        body: Mapping[str, Any],
        *,
        folder_uid: str,
        version: int | None,
        message: str = "",
        overwrite: bool = False,
    ) -> Saved:
        """Create (`version` None) or change the dashboard with the uid of `body`; `folder_uid` empty is the root.

        Raises VersionMismatch when `version` is not Grafana's, or when there is one although None was given.
        `overwrite` puts that guard out of action. The body's own `id` and `version` do not count. A body in schema 2 is
        Invalid; whether the stored one is, `resource` tells.
        """
        doing = f"Saving dashboard {body.get('uid')}"
        if "elements" in body and "panels" not in body:
            # Grafana 12 takes it, and makes an empty dashboard of it.
            raise Invalid(f"{doing}: it is written in schema 2, which this API does not know.")
        # Not even an `id` of null: Grafana 12 would make a version of nothing at the next save.
        model = {name: value for name, value in body.items() if name not in {"id", "version"}}
        if version is not None:
            model["version"] = version
        payload = {"dashboard": model, "folderUid": folder_uid, "message": message[:500], "overwrite": overwrite}
        return answers.saved(self._send("POST", "/api/dashboards/db", doing, payload))

    def delete_dashboard(self, uid: str) -> None:
        """Raises NotFound, Provisioned."""
        self._send("DELETE", f"/api/dashboards/uid/{segment(uid)}", f"Deleting dashboard {uid}")

    def versions(self, uid: str, *, limit: int = 100) -> list[Version]:
        """The newest first."""
        path = f"/api/dashboards/uid/{segment(uid)}/versions"
        return answers.versions(self._get(path, f"Reading the versions of {uid}", {"limit": limit}))

    def dashboard_permissions(self, uid: str) -> list[Grant]:
        path = f"/api/dashboards/uid/{segment(uid)}/permissions"
        return self._all(answers.grant, self._get(path, f"Reading the permissions of dashboard {uid}"))

    def set_dashboard_permissions(self, uid: str, grants: Iterable[Grant]) -> None:
        """Replaces all that are not inherited."""
        path = f"/api/dashboards/uid/{segment(uid)}/permissions"
        self._send("POST", path, f"Setting the permissions of dashboard {uid}", _items(grants))

    # Folders ------------------------------------------------------------------------------------------------------

    def folders(self) -> list[LiveFolder]:
        """All, parents before their children. Grafanas that know no nesting have them all at the top."""
        found: dict[str, LiveFolder] = {}
        waiting = [""]
        while waiting:
            parent = waiting.pop(0)
            told = self._children(parent)
            fresh = [child for child in told if child.uid not in found]
            if told and not fresh:
                break  # this Grafana does not know what a parent is, and answered as before
            for child in fresh:
                found[child.uid] = child if child.parent_uid else replace(child, parent_uid=parent)
                waiting.append(child.uid)
        return list(found.values())

    def folder(self, uid: str) -> LiveFolder:
        """Raises NotFound."""
        return answers.folder(self._get(f"/api/folders/{segment(uid)}", f"Reading folder {uid}"))

    def create_folder(self, uid: str, title: str, *, parent_uid: str = "") -> LiveFolder:
        """Raises NameExists when the uid is taken (for Grafana 9, the title too)."""
        payload = {"uid": uid, "title": title, **({"parentUid": parent_uid} if parent_uid else {})}
        doing = f"Creating folder {uid}"
        try:
            return answers.folder(self._send("POST", "/api/folders", doing, payload))
        except VersionMismatch as error:
            # What Grafana 12 says of a uid that is taken.
            raise NameExists(f"{doing}: the uid is taken.", status=error.status, sentence=error.sentence) from None

    def rename_folder(self, uid: str, title: str, *, version: int) -> LiveFolder:
        """Raises VersionMismatch when `version` is not Grafana's."""
        payload = {"title": title, "version": version, "overwrite": False}
        return answers.folder(self._send("PUT", f"/api/folders/{segment(uid)}", f"Renaming folder {uid}", payload))

    def move_folder(self, uid: str, *, parent_uid: str) -> LiveFolder:
        """Raises NotFound, also where Grafana knows no nested folders."""
        path = f"/api/folders/{segment(uid)}/move"
        return answers.folder(self._send("POST", path, f"Moving folder {uid}", {"parentUid": parent_uid}))

    def delete_folder(self, uid: str) -> None:
        """Deletes all that is in it too."""
        self._send("DELETE", f"/api/folders/{segment(uid)}", f"Deleting folder {uid}")

    def folder_permissions(self, uid: str) -> list[Grant]:
        path = f"/api/folders/{segment(uid)}/permissions"
        return self._all(answers.grant, self._get(path, f"Reading the permissions of folder {uid}"))

    def set_folder_permissions(self, uid: str, grants: Iterable[Grant]) -> None:
        """Replaces all that are not inherited."""
        path = f"/api/folders/{segment(uid)}/permissions"
        self._send("POST", path, f"Setting the permissions of folder {uid}", _items(grants))

    # Library panels -----------------------------------------------------------------------------------------------

    def library_panels(self, *, page_size: int = 100) -> list[LibraryPanel]:
        found: list[LibraryPanel] = []
        for page in range(1, MOST_PAGES):
            query: dict[str, str | int] = {"kind": 1, "perPage": page_size, "page": page}
            told = answers.mapping(_result(self._get("/api/library-elements", "Listing the library panels", query)))
            got = self._all(answers.library_panel, told.get("elements") or [])
            found += got
            if (len(got) < page_size and len(found) >= answers.number(told, "totalCount")) or not got:
                break
        return found

    def library_panel(self, uid: str) -> LibraryPanel:
        """Raises NotFound."""
        answer = self._get(f"/api/library-elements/{segment(uid)}", f"Reading library panel {uid}")
        return answers.library_panel(_result(answer))

    def create_library_panel(self, uid: str, name: str, model: Json, *, folder_uid: str) -> LibraryPanel:
        payload = {"uid": uid, "name": name, "model": model, "kind": 1, "folderUid": folder_uid}
        answer = self._send("POST", "/api/library-elements", f"Creating library panel {uid}", payload)
        return answers.library_panel(_result(answer))

    def update_library_panel(self, uid: str, name: str, model: Json, *, folder_uid: str, version: int) -> LibraryPanel:
        """Raises VersionMismatch when `version` is not Grafana's."""
        payload = {"name": name, "model": model, "kind": 1, "folderUid": folder_uid, "version": version}
        answer = self._send("PATCH", f"/api/library-elements/{segment(uid)}", f"Saving library panel {uid}", payload)
        return answers.library_panel(_result(answer))

    def delete_library_panel(self, uid: str) -> None:
        """Grafana 12 deletes it although dashboards show it: ask `library_panel_users` first.

        Raises NotFound; Forbidden for one that is missing in Grafana 12, and for one in use in Grafana 9.
        """
        self._send("DELETE", f"/api/library-elements/{segment(uid)}", f"Deleting library panel {uid}")

    def library_panel_users(self, uid: str) -> list[str]:
        """The uids of the dashboards that show it, as far as the account may see them."""
        path = f"/api/library-elements/{segment(uid)}/connections/"
        found = answers.sequence(_result(self._get(path, f"Reading who uses library panel {uid}")))
        return [uid for uid in (answers.text(answers.mapping(one), "connectionUid") for one in found) if uid]

    # The newer API ------------------------------------------------------------------------------------------------

    def api_versions(self) -> tuple[str, ...]:
        """The versions of dashboards that `/apis` has; none for Grafanas without it. Asked once.

        Raises GrafanaError for any other answer than 404: who cannot be asked may not be taken for old.
        """
        if self._api_versions is None:
            try:
                told = answers.mapping(self._get(f"/apis/{DASHBOARD_GROUP}", "Asking for the newer API"))
            except NotFound:
                self._api_versions = ()
            else:
                listed = [answers.mapping(one) for one in answers.sequence(told.get("versions") or [])]
                self._api_versions = tuple(answers.text(one, "version") for one in listed)
        return self._api_versions

    def resource(self, uid: str) -> Resource | None:
        """A dashboard as `/apis` has it; None without that API. Raises NotFound."""
        root = self._resources_path()
        if root is None:
            return None
        return answers.resource(self._get(f"{root}/{segment(uid)}", f"Reading dashboard {uid} by the newer API"))

    def resources(self, *, page_size: int = 500) -> Iterator[Resource]:
        """All dashboards as `/apis` has them, without bodies where Grafana can leave them out; none without it."""
        root = self._resources_path()
        if root is None:
            return
        token = ""
        for _ in range(MOST_PAGES):
            query: dict[str, str | int] = {"limit": page_size}
            if token:
                query["continue"] = token
            told = answers.mapping(
                self._transport.ask(
                    "GET", root, doing="Listing the dashboards by the newer API", query=query, accept=METADATA_ONLY
                )
            )
            yield from self._all(answers.resource, told.get("items") or [])
            token = answers.text(answers.mapping(told.get("metadata") or {}), "continue")
            if not token:
                return
        raise NotGrafana("The list of dashboards does not end.")

    def _resources_path(self) -> str | None:
        known = self.api_versions()
        best = next((version for version in PREFERRED if version in known), None)
        return best and f"/apis/{DASHBOARD_GROUP}/{best}/namespaces/{self._namespace}/dashboards"

    # How ----------------------------------------------------------------------------------------------------------

    def _children(self, parent: str) -> list[LiveFolder]:
        found: list[LiveFolder] = []
        for page in range(1, MOST_PAGES):
            query: dict[str, str | int] = {"limit": SEARCH_PAGE, "page": page}
            if parent:
                query["parentUid"] = parent
            got = self._all(answers.folder, self._get("/api/folders", "Listing the folders", query))
            found += got
            if len(got) < SEARCH_PAGE:
                break
        return found

    def _get(self, path: str, doing: str, query: Mapping[str, str | int] | None = None) -> Any:
        return self._transport.ask("GET", path, doing=doing, query=query)

    def _send(self, method: str, path: str, doing: str, body: Any = None) -> Any:
        return self._transport.ask(method, path, doing=doing, body=body)

    @staticmethod
    def _all(read: Callable[[Any], T], found: Any) -> list[T]:
        return [read(one) for one in answers.sequence(found)]


def _result(answer: Any) -> Any:
    return answers.mapping(answer).get("result")


def _items(grants: Iterable[Grant]) -> Json:
    items: Sequence[Json] = [grant.payload() for grant in grants if not grant.inherited]
    return {"items": items}
