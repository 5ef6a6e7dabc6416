"""What stands around dashboards: health, organisation, permissions, plugins, data sources, teams, library panels."""

from __future__ import annotations

import uuid

from tests.grafana.double.asked import Answer, Asked, denied, refused
from tests.grafana.double.store import Json, Panel, moment

PLUGINS = ("stat", "timeseries", "table", "gauge", "barchart", "piechart", "text", "heatmap", "state-timeline")
ACTIONS = (
    "dashboards:create", "dashboards:read", "dashboards:write", "dashboards:delete", "folders:create", "folders:read",
    "folders:write", "folders:delete", "folders.permissions:read", "folders.permissions:write", "datasources:read",
    "library.panels:create", "library.panels:read", "library.panels:write", "library.panels:delete", "teams:read",
)  # fmt: skip
CHANGED = "the library element has been changed by someone else"
MISSING = "library element could not be found"
TAKEN = "library element with that name or UID already exists"


def organisation(asked: Asked) -> Answer:
    return 200, {"id": int(asked.headers.get("x-grafana-org-id", "1")), "name": asked.store.name, "address": {}}


def account(asked: Asked) -> Answer:
    """What the caller may do."""
    del asked
    return 200, {action: ["*"] for action in ACTIONS}


def plugins(asked: Asked) -> Answer:
    del asked
    panels = [{"id": name, "name": name.title(), "type": "panel", "info": {"version": ""}} for name in PLUGINS]
    return 200, [
        *panels,
        {"id": "grafana-postgresql-datasource", "name": "PostgreSQL", "type": "datasource", "info": {}},
    ]


def data_sources(asked: Asked) -> Answer:
    return 200, asked.store.data_sources


def create_data_source(asked: Asked) -> Answer:
    told = asked.body or {}
    store = asked.store
    if any(one["name"] == told.get("name") or one["uid"] == told.get("uid") for one in store.data_sources):
        return refused(409, "data source with the same name already exists")
    made = {
        "id": len(store.data_sources) + 1, "uid": told.get("uid") or uuid.uuid4().hex[:14], "orgId": 1,
        "name": told.get("name"), "type": told.get("type"), "access": "proxy", "url": told.get("url", ""),
        "user": "", "database": "", "basicAuth": False, "isDefault": told.get("isDefault") is True, "jsonData": {},
        "readOnly": False,
    }  # fmt: skip
    store.data_sources.append(made)
    return 200, {"datasource": made, "id": made["id"], "message": "Datasource added", "name": made["name"]}


def data_source(asked: Asked, uid: str) -> Answer:
    found = next((one for one in asked.store.data_sources if one["uid"] == uid), None)
    if found is None:
        return refused(404, "Data source not found")
    if asked.method == "DELETE":
        asked.store.data_sources.remove(found)
        return 200, {"id": found["id"], "message": "Data source deleted"}
    return 200, found


def teams(asked: Asked) -> Answer:
    page, size = int(asked.query.get("page") or 1), int(asked.query.get("perpage") or 1000)
    every = [{"id": id_, "uid": f"team-{id_}", "orgId": 1, "name": name} for id_, name in asked.store.teams.items()]
    shown = every[(page - 1) * size : page * size]
    return 200, {"totalCount": len(every), "teams": shown, "page": page, "perPage": size}


def create_team(asked: Asked) -> Answer:
    name = str((asked.body or {}).get("name") or "")
    if name in asked.store.teams.values():
        return refused(409, "Team name taken")
    id_ = max(asked.store.teams, default=0) + 1
    asked.store.teams[id_] = name
    return 200, {"message": "Team created", "teamId": id_, "uid": f"team-{id_}"}


def delete_team(asked: Asked, id_: str) -> Answer:
    if asked.store.teams.pop(int(id_), None) is None:
        return refused(404, "Team not found")
    return 200, {"message": "Team deleted"}


# Library panels -------------------------------------------------------------------------------------------------------


def panels(asked: Asked) -> Answer:
    page, size = int(asked.query.get("page") or 1), int(asked.query.get("perPage") or 100)
    every = [_shown(asked, one) for one in sorted(asked.store.panels.values(), key=lambda one: one.name)]
    shown = every[(page - 1) * size : page * size]
    return 200, {"result": {"totalCount": len(every), "elements": shown, "page": page, "perPage": size}}


def panel(asked: Asked, uid: str) -> Answer:
    found = asked.store.panels.get(uid)
    return (200, {"result": _shown(asked, found)}) if found else refused(404, MISSING)


def create_panel(asked: Asked) -> Answer:
    store, told = asked.store, asked.body or {}
    uid, name, folder = str(told.get("uid") or uuid.uuid4()), str(told.get("name") or ""), told.get("folderUid") or ""
    if folder and folder not in store.folders:
        return refused(400, "failed to get folder")
    same_name = any(one.name == name and one.folder_uid == folder for one in store.panels.values())
    # Grafana 12 does not mind the name.
    if uid in store.panels or (same_name and not store.flavour.unified):
        return refused(400, TAKEN)
    store.panels[uid] = Panel(store.next_id(), uid, name, folder, _model(told, ""), 1, asked.by, moment())
    return 200, {"result": _shown(asked, store.panels[uid])}


def change_panel(asked: Asked, uid: str) -> Answer:
    store, told = asked.store, asked.body or {}
    found = store.panels.get(uid)
    if found is None:
        return refused(404, MISSING)
    if told.get("version") != found.version:
        return refused(412, CHANGED)
    found.name, found.folder_uid = str(told.get("name") or found.name), str(told.get("folderUid") or "")
    found.model, found.version = _model(told, str(found.model.get("type"))), found.version + 1
    found.by, found.at = asked.by, moment()
    return 200, {"result": _shown(asked, found)}


def delete_panel(asked: Asked, uid: str) -> Answer:
    """Grafana 12 deletes what is in use too."""
    store = asked.store
    if uid not in store.panels:
        return denied("library.panels:delete") if store.flavour.unified else refused(404, MISSING)
    if store.users_of(uid) and not store.flavour.unified:
        return refused(403, "the library element has connections")
    gone = store.panels.pop(uid)
    return 200, {"id": gone.id, "message": "Library element deleted"}


def panel_users(asked: Asked, uid: str) -> Answer:
    store = asked.store
    if uid not in store.panels:
        return denied("library.panels:read") if store.flavour.unified else refused(404, MISSING)
    shown = [
        {"id": one.id, "kind": 1, "elementId": store.panels[uid].id, "connectionId": one.id, "connectionUid": one.uid}
        for one in store.users_of(uid)
    ]
    return 200, {"result": shown}


def _model(told: Json, type_: str) -> Json:
    model = dict(told.get("model") or {})
    return {**model, "type": model.get("type", type_), "description": model.get("description", "")}


def _shown(asked: Asked, one: Panel) -> Json:
    folder = asked.store.folders.get(one.folder_uid)
    who = {"id": 1, "name": one.by, "avatarUrl": ""}
    meta = {
        "folderName": folder.title if folder else "", "folderUid": one.folder_uid,
        "connectedDashboards": len(asked.store.users_of(one.uid)), "created": one.at, "updated": one.at,
        "createdBy": who, "updatedBy": who,
    }  # fmt: skip
    return {
        "id": one.id, "orgId": 1, "folderId": 0, "folderUid": one.folder_uid, "uid": one.uid, "name": one.name,
        "kind": 1, "type": one.model.get("type", ""), "description": "", "model": one.model, "version": one.version,
        "meta": meta,
    }  # fmt: skip
