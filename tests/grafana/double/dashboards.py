"""The older API's dashboards: read, save, delete, versions, permissions, stars, search."""

from __future__ import annotations

import re
import uuid
from typing import Any

from tests.grafana.double.asked import Answer, Asked, refused
from tests.grafana.double.store import Dashboard, Json, Store, Written, slug

VERSION_MISMATCH = "The dashboard has been changed by someone else"
NEW_SCHEMA = (
    "dashboard appears to be in v2 format. Please use the /apis/dashboard.grafana.app/v2 API OR convert the dashboard"
    " to v1 format"
)


def read(asked: Asked, uid: str) -> Answer:
    found = asked.store.dashboards.get(uid)
    if found is None:
        return refused(404, "Dashboard not found")
    return 200, {"meta": _meta(asked.store, found), "dashboard": _body(found)}


def save(asked: Asked) -> Answer:
    """In the order in which Grafana checks."""
    store, told = asked.store, asked.body
    if not isinstance(told, dict) or "dashboard" not in told:
        return refused(400, "bad request data")
    body = told["dashboard"] if isinstance(told["dashboard"], dict) else {}
    if store.flavour.refuses_new_schema and "elements" in body:
        return refused(400, NEW_SCHEMA)
    title, uid, message = str(body.get("title") or "").strip(), str(body.get("uid") or "").strip(), told.get("message")
    wrong = _invalid(title, uid, str(message or ""), unified=store.flavour.unified)
    if wrong:
        return wrong
    folder_uid = str(told.get("folderUid") or "")
    if folder_uid and folder_uid not in store.folders:
        return refused(400, "folder not found")
    if not store.flavour.unified and uid in store.folders:
        return refused(400, "Dashboard cannot be changed to a folder")
    existing, overwrite = store.dashboards.get(uid), told.get("overwrite") is True
    if existing is not None and body.get("version", 0) != existing.version and not overwrite:
        return refused(412, VERSION_MISMATCH, "version-mismatch")
    if not store.flavour.unified and not folder_uid and title.lower() in _folder_titles(store):
        return refused(400, "Dashboard name cannot be the same as folder", "name-match")
    namesake = _namesake(store, uid, title, folder_uid)
    if namesake is not None:
        if not overwrite:
            return refused(412, "A dashboard with the same name in the folder already exists", "name-exists")
        uid = namesake.uid
    if existing is not None and existing.locked:
        return refused(400, "Cannot save provisioned dashboard")
    uid = uid or str(uuid.uuid4())
    done = store.put(uid, body, folder_uid, str(message or ""), asked.by, schema="v0alpha1")
    asked.changed_search()
    answer = {
        "id": done.id, "slug": slug(done.title), "status": "success", "uid": done.uid, "url": _url(done),
        "version": done.version,
    }  # fmt: skip
    return 200, answer | ({"folderUid": done.folder_uid} if store.flavour.unified else {})


def delete(asked: Asked, uid: str) -> Answer:
    found = asked.store.dashboards.get(uid)
    if found is None:
        return refused(404, "Dashboard not found")
    if found.file:
        return refused(400, "provisioned dashboard cannot be deleted")
    del asked.store.dashboards[uid]
    asked.changed_search()
    told = {"title": found.title, "message": f"Dashboard {found.title} deleted"}
    return 200, told | ({"uid": uid} if asked.store.flavour.unified else {"id": found.id})


def versions(asked: Asked, uid: str) -> Answer:
    found = asked.store.dashboards.get(uid)
    if found is None:
        return refused(404, "Dashboard not found")
    limit = int(asked.query.get("limit") or 0) or 1000
    listed = [_version(asked.store, found, written) for written in reversed(found.history)][:limit]
    return 200, {"continueToken": "", "versions": listed} if asked.store.flavour.unified else listed


def permissions(asked: Asked, uid: str) -> Answer:
    found = asked.store.dashboards.get(uid)
    if found is None:
        return refused(404, "Dashboard not found")
    if asked.method == "GET":
        shown = [shown_grant(grant, asked.store, uid, found.title, is_folder=False) for grant in found.grants]
        return 200, shown
    return set_grants(asked, found, "Dashboard permissions updated")


def set_grants(asked: Asked, of: Any, done: str) -> Answer:
    """Replaces the list. A level that Grafana does not know is taken and makes no grant."""
    items = (asked.body or {}).get("items") or []
    if any(item.get("role") not in {None, "Viewer", "Editor", "Admin"} for item in items):
        return refused(400, "bad request data")
    of.grants = []
    for item in items:
        team = item.get("teamId") or 0
        if team and team not in asked.store.teams:
            return refused(500, "Failed to create permission")
        if item.get("permission") in {1, 2, 4}:
            of.grants.append({**item, "team": asked.store.teams.get(team, "")})
    return 200, {"message": done}


def shown_grant(grant: Json, store: Store, uid: str, title: str, *, is_folder: bool) -> Json:
    level = int(grant["permission"])
    shown = {
        "userId": grant.get("userId", 0), "userLogin": grant.get("userLogin", ""), "teamId": grant.get("teamId", 0),
        "team": grant.get("team", ""), "permission": level,
        "permissionName": {1: "View", 2: "Edit", 4: "Admin"}[level], "uid": uid, "title": title,
        "isFolder": is_folder, "inherited": False,
    }  # fmt: skip
    return shown | ({"role": grant["role"]} if grant.get("role") else {})


def star(asked: Asked, uid: str) -> Answer:
    found = asked.store.dashboards.get(uid)
    if found is None:
        return refused(404, "Dashboard not found")
    found.starred = asked.method == "POST"
    return 200, {"message": "Dashboard starred!" if found.starred else "Dashboard unstarred"}


def search(asked: Asked) -> Answer:
    query, store = asked.query, asked.store
    limit = int(query.get("limit") or 1000)
    if limit > 5000:
        return refused(422, "Limit is above maximum allowed (5000), use page parameter to access hits beyond limit")
    hits: list[Json] = []
    if query.get("type") != "dash-db":
        hits += [
            {"uid": one.uid, "title": one.title, "type": "dash-folder", "tags": [], "folderUid": one.parent_uid}
            for one in store.folders.values()
        ]
    if query.get("type") != "dash-folder":
        hits += [_hit(store, one) for one in store.found.values()]
    if query.get("tag"):
        hits = [hit for hit in hits if query["tag"] in hit["tags"]]
    hits.sort(key=lambda hit: str(hit["title"]).lower())
    start = (max(1, int(query.get("page") or 1)) - 1) * limit
    return 200, hits[start : start + limit]


def _invalid(title: str, uid: str, message: str, *, unified: bool) -> Answer | None:
    if not title:
        return refused(400, "Dashboard title cannot be empty", "empty-name")
    if unified and len(title) > 5000:
        return refused(400, "Dashboard title cannot contain more than 5 000 characters", "title-too-long")
    if unified and len(message) > 500:
        return refused(400, "message too long, max 500 characters")
    if not re.fullmatch(r"[A-Za-z0-9_-]*", uid):
        return refused(400, "uid contains illegal characters")
    if len(uid) > 40:
        return refused(400, "uid too long, max 40 characters")
    return None


def _folder_titles(store: Store) -> set[str]:
    return {one.title.lower() for one in store.folders.values()}


def _namesake(store: Store, uid: str, title: str, folder_uid: str) -> Dashboard | None:
    """Another dashboard of that title in that folder, where Grafana minds."""
    if store.flavour.unified:
        return None
    return next(
        (
            one
            for one in store.dashboards.values()
            if one.uid != uid and one.folder_uid == folder_uid and one.title.lower() == title.lower()
        ),
        None,
    )


def _body(found: Dashboard) -> Json:
    return {**found.body, "id": found.id, "uid": found.uid, "version": found.version}


def _meta(store: Store, found: Dashboard) -> Json:
    folder = store.folders.get(found.folder_uid)
    meta = {
        "type": "db", "canSave": True, "canEdit": True, "canAdmin": True, "canStar": True, "canDelete": True,
        "slug": slug(found.title), "url": _url(found), "expires": "0001-01-01T00:00:00Z", "created": found.created,
        "updated": found.updated, "updatedBy": found.updated_by, "createdBy": found.created_by,
        "version": found.version, "hasAcl": False, "isFolder": False, "folderId": folder.id if folder else 0,
        "folderUid": found.folder_uid, "folderTitle": folder.title if folder else "General",
        "provisioned": found.locked, "provisionedExternalId": found.file,
    }  # fmt: skip
    if store.flavour.unified:
        meta["apiVersion"] = "v0alpha1"
    if found.starred:
        meta["isStarred"] = True
    return meta


def _version(store: Store, found: Dashboard, written: Written) -> Json:
    first = written.version == 1 and store.flavour.unified
    told = {
        "id": written.version, "dashboardId": found.id, "uid": found.uid, "parentVersion": written.version - 1,
        "restoredFrom": 0, "version": written.version, "created": written.at, "createdBy": written.by,
        "message": "Initial save" if first else written.message,
    }  # fmt: skip
    return told | ({"data": written.body} if store.flavour.unified else {})


def _hit(store: Store, one: Dashboard) -> Json:
    folder = store.folders.get(one.folder_uid)
    hit = {
        "id": one.id, "uid": one.uid, "title": one.title, "uri": f"db/{slug(one.title)}", "url": _url(one),
        "type": "dash-db", "tags": one.body.get("tags") or [], "isStarred": one.starred, "sortMeta": 0,
    }  # fmt: skip
    return hit | ({"folderUid": folder.uid, "folderTitle": folder.title} if folder else {})


def _url(found: Dashboard) -> str:
    return f"/d/{found.uid}/{slug(found.title)}"
