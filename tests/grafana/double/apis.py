"""The newer API, as far as the portal asks it: discovery, one dashboard, the list with and without bodies."""

from __future__ import annotations

import base64
import json

from tests.grafana.double.asked import Answer, Asked
from tests.grafana.double.store import Dashboard, Json

GROUP = "dashboard.grafana.app"
CLASSIC = {"v0alpha1", "v1beta1", "v1"}


def group(asked: Asked) -> Answer:
    versions = [{"groupVersion": f"{GROUP}/{one}", "version": one} for one in asked.store.flavour.api_versions]
    return 200, {"kind": "APIGroup", "apiVersion": "v1", "name": GROUP, "versions": versions}


def one(asked: Asked, version: str, uid: str) -> Answer:
    found = asked.store.dashboards.get(uid)
    if found is None:
        return _status(404, "NotFound", f'dashboards.{GROUP} "{uid}" not found')
    return 200, _resource(found, version)


def create(asked: Asked, version: str) -> Answer:
    """As the web pages of Grafana 12 and later do: a dashboard stored in the version it was written in."""
    told = asked.body or {}
    uid = str(told.get("metadata", {}).get("name", ""))
    if uid in asked.store.dashboards:
        return _status(409, "AlreadyExists", f'dashboards.{GROUP} "{uid}" already exists')
    folder = told.get("metadata", {}).get("annotations", {}).get("grafana.app/folder", "")
    made = asked.store.put(uid, told.get("spec") or {}, folder, "", asked.by, schema=version)
    asked.changed_search()
    return 201, _resource(made, version)


def many(asked: Asked, version: str) -> Answer:
    every = sorted(asked.store.dashboards.values(), key=lambda found: found.uid)
    limit = int(asked.query.get("limit") or 0) or len(every)
    start = _offset(asked.query.get("continue", ""))
    shown, rest = every[start : start + limit], every[start + limit :]
    metadata: Json = {"resourceVersion": str(max((found.resource_version for found in every), default=0))}
    if rest:
        metadata["continue"] = base64.b64encode(json.dumps({"o": start + limit}).encode()).decode()
    if "PartialObjectMetadataList" in asked.headers.get("accept", ""):
        items = [{"kind": "PartialObjectMetadata", "metadata": _metadata(found)} for found in shown]
        return 200, {"kind": "PartialObjectMetadataList", "metadata": metadata, "items": items}
    return 200, {"kind": "DashboardList", "metadata": metadata, "items": [_resource(one, version) for one in shown]}


def _offset(token: str) -> int:
    return int(json.loads(base64.b64decode(token))["o"]) if token else 0


def _resource(found: Dashboard, version: str) -> Json:
    told: Json = {
        "kind": "Dashboard", "apiVersion": f"{GROUP}/{version}", "metadata": _metadata(found), "spec": found.body,
    }  # fmt: skip
    if found.schema != version:
        told["status"] = {"conversion": {"failed": False, "storedVersion": found.schema}}
    return told


def _metadata(found: Dashboard) -> Json:
    notes = {
        "grafana.app/createdBy": f"user:{found.created_by}", "grafana.app/folder": found.folder_uid,
        "grafana.app/message": found.message, **found.manager,
    }  # fmt: skip
    if found.version > 1:
        notes |= {"grafana.app/updatedBy": f"user:{found.updated_by}", "grafana.app/updatedTimestamp": found.updated}
    return {
        "name": found.uid, "namespace": "default", "resourceVersion": str(found.resource_version),
        "generation": found.version, "creationTimestamp": found.created,
        "annotations": {name: value for name, value in notes.items() if value},
    }  # fmt: skip


def _status(code: int, reason: str, message: str) -> Answer:
    return code, {"kind": "Status", "apiVersion": "v1", "status": "Failure", "message": message, "reason": reason,
                  "code": code}  # fmt: skip
