"""The older API's folders: nested since 11, with other words for a uid that is taken in 9.3."""

from __future__ import annotations

import re
import uuid

from tests.grafana.double.asked import Answer, Asked, refused
from tests.grafana.double.dashboards import set_grants, shown_grant
from tests.grafana.double.store import Folder, Json, Store, slug

CHANGED = "the folder has been changed by someone else"


def listed(asked: Asked) -> Answer:
    """One level. Grafana 9.3 has one only, and does not look at `parentUid`."""
    store = asked.store
    parent = asked.query.get("parentUid", "") if store.flavour.unified else ""
    if parent and parent not in store.folders:
        return refused(404, "folder not found", "not-found")
    found = sorted((one for one in store.folders.values() if one.parent_uid == parent), key=lambda one: one.title)
    limit, page = int(asked.query.get("limit") or 1000), int(asked.query.get("page") or 1)
    shown = []
    for one in found[(page - 1) * limit : page * limit]:
        hit: Json = {"id": one.id, "uid": one.uid, "title": one.title}
        hit |= {"parentUid": one.parent_uid} if one.parent_uid else {}
        hit |= {"managedBy": one.manager} if one.manager else {}
        shown.append(hit)
    return 200, shown


def read(asked: Asked, uid: str) -> Answer:
    found = asked.store.folders.get(uid)
    return (200, _shown(asked.store, found)) if found else refused(404, "folder not found", "not-found")


def create(asked: Asked) -> Answer:
    store, told = asked.store, asked.body or {}
    uid, title = str(told.get("uid") or "") or uuid.uuid4().hex[:14], str(told.get("title") or "").strip()
    parent = str(told.get("parentUid") or "") if store.flavour.unified else ""
    if not title:
        return refused(400, "folder title cannot be empty")
    if not re.fullmatch(r"[A-Za-z0-9_-]+", uid):
        if store.flavour.unified:
            return refused(422, f'Folder.folder.grafana.app "{uid}" is invalid: metadata.name')
        return refused(400, "uid contains illegal characters")
    taken = uid in store.folders or (not store.flavour.unified and uid in store.dashboards)
    if taken and store.flavour.unified:
        return refused(412, CHANGED)
    if taken:
        return refused(409, "a folder/dashboard with the same uid already exists")
    at_the_root = [one.title.lower() for one in store.folders.values()]
    at_the_root += [one.title.lower() for one in store.dashboards.values() if not one.folder_uid]
    if not store.flavour.unified and title.lower() in at_the_root:
        return refused(409, "a folder or dashboard in the general folder with the same name already exists")
    return 200, _shown(store, store.make_folder(uid, title, parent, asked.by))


def rename(asked: Asked, uid: str) -> Answer:
    store, told = asked.store, asked.body or {}
    found = store.folders.get(uid)
    if found is None:
        return refused(404, "folder not found", "not-found")
    if told.get("version") != found.version and told.get("overwrite") is not True:
        if store.flavour.unified:
            return refused(412, "The dashboard has been changed by someone else")
        return refused(412, CHANGED, "version-mismatch")
    found.title, found.version, found.updated_by = str(told.get("title") or found.title), found.version + 1, asked.by
    return 200, _shown(store, found)


def move(asked: Asked, uid: str) -> Answer:
    store, parent = asked.store, str((asked.body or {}).get("parentUid") or "")
    if not store.flavour.unified:
        return refused(404, "Not found")
    found = store.folders.get(uid)
    if found is None or (parent and parent not in store.folders):
        return refused(404, "folder not found", "not-found")
    if parent in store.below(uid):
        said = "cannot move folder under its own descendant, this would create a circular reference"
        return refused(500, said)
    found.parent_uid, found.version, found.updated_by = parent, found.version + 1, asked.by
    return 200, _shown(store, found)


def delete(asked: Asked, uid: str) -> Answer:
    """With all that is in it."""
    store = asked.store
    if uid not in store.folders:
        if store.flavour.unified:
            return refused(404, f'folders.folder.grafana.app "{uid}" not found')
        return refused(404, "folder not found", "not-found")
    gone = store.below(uid)
    store.folders = {name: one for name, one in store.folders.items() if name not in gone}
    store.dashboards = {name: one for name, one in store.dashboards.items() if one.folder_uid not in gone}
    store.panels = {name: one for name, one in store.panels.items() if one.folder_uid not in gone}
    asked.changed_search()
    return 200, {"message": "Folder deleted"}


def permissions(asked: Asked, uid: str) -> Answer:
    found = asked.store.folders.get(uid)
    if found is None:
        return refused(404, "folder not found", "not-found")
    if asked.method == "GET":
        return 200, [shown_grant(grant, asked.store, uid, found.title, is_folder=True) for grant in found.grants]
    return set_grants(asked, found, "Folder permissions updated")


def _shown(store: Store, found: Folder, *, with_parents: bool = True) -> Json:
    told: Json = {
        "id": found.id, "uid": found.uid, "orgId": 1, "title": found.title,
        "url": f"/dashboards/f/{found.uid}/{slug(found.title)}", "hasAcl": False, "canSave": True, "canEdit": True,
        "canAdmin": True, "canDelete": True, "createdBy": found.created_by, "created": found.created,
        "updatedBy": found.updated_by, "updated": found.created, "version": found.version,
    }  # fmt: skip
    if found.parent_uid:
        told["parentUid"] = found.parent_uid
        parent = store.folders.get(found.parent_uid)
        if with_parents and parent:
            told["parents"] = [_shown(store, parent, with_parents=False)]
    return told | ({"managedBy": found.manager} if found.manager else {})
