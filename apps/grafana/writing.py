"""Writes one dashboard and reads it back, in a thread that touches no database."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from apps.grafana.answers import Grant, LiveDashboard, Version
from apps.grafana.canonical import same
from apps.grafana.client import Client
from apps.grafana.errors import GrafanaError, NotFound, VersionMismatch
from apps.panels.json_reader import JsonObject

NEWEST_VERSIONS = 20


@dataclass(frozen=True)
class Write:
    """A dashboard as it shall be. `version` is the one that it replaces, None for a new one; `token` goes into the
    message, by which the write is found again. `grants` are set afterwards when it comes back after a deletion."""

    uid: str
    body: dict[str, Any]
    folder_uid: str
    version: int | None
    token: str
    reason: str
    grants: tuple[Grant, ...] = ()


@dataclass(frozen=True)
class Written:
    """What came of it: the version it made and what was read afterwards, or why not. `theirs` is what was there
    instead when somebody else had changed it meanwhile."""

    version: int = 0
    live: LiveDashboard | None = None
    error: GrafanaError | None = None
    theirs: LiveDashboard | None = None
    milliseconds: int = 0
    notes: tuple[str, ...] = field(default=())


def write(client: Client, job: Write) -> Written:
    """Never repeats a write blindly: when no answer came, Grafana's versions tell whether it arrived."""
    began = time.monotonic()
    try:
        version = _arrive(client, job)
    except VersionMismatch as error:
        return Written(error=error, theirs=_there(client, job.uid), milliseconds=_since(began))
    except GrafanaError as error:
        return Written(error=error, milliseconds=_since(began))
    notes = []
    try:
        live = client.dashboard(job.uid)
        if job.grants:
            client.set_dashboard_permissions(job.uid, job.grants)
    except GrafanaError as error:
        return Written(version, error=error, milliseconds=_since(began))
    if live.version != version:
        notes.append("Somebody saved it again at once.")
    return Written(version, live, milliseconds=_since(began), notes=tuple(notes))


def delete(client: Client, uid: str) -> Written:
    """Delete a dashboard; one that is gone already is no error."""
    began = time.monotonic()
    try:
        client.delete_dashboard(uid)
    except NotFound:
        pass
    except GrafanaError as error:
        return Written(error=error, milliseconds=_since(began))
    return Written(milliseconds=_since(began))


def _arrive(client: Client, job: Write) -> int:
    try:
        return _save(client, job)
    except GrafanaError as error:
        if not error.uncertain:
            raise
    arrived = _arrived(client, job)
    if arrived is not None:
        return arrived
    try:
        # The known version guards this second one: it is refused when the first arrives late after all.
        return _save(client, job)
    except VersionMismatch:
        arrived = _arrived(client, job)
        if arrived is None:
            raise
        return arrived


def _save(client: Client, job: Write) -> int:
    message = f"vptmonitor {job.token}: {job.reason}" if job.reason else f"vptmonitor {job.token}"
    return client.save_dashboard(job.body, folder_uid=job.folder_uid, version=job.version, message=message).version


def _arrived(client: Client, job: Write) -> int | None:
    try:
        versions = client.versions(job.uid, limit=NEWEST_VERSIONS)
        known = version_of(job.token, versions)
        if known is None and job.version is None and is_first(job.body, job.folder_uid, client.dashboard(job.uid)):
            known = 1
    except NotFound:
        return None
    return known


def version_of(token: str, versions: Sequence[Version]) -> int | None:
    """The version whose message has this token."""
    return next((one.version for one in versions if token in one.message), None)


def is_first(body: JsonObject, folder_uid: str, live: LiveDashboard) -> bool:
    """Whether what is there is the first version of `body`: Grafana 12 forgets the message of first versions."""
    return live.version == 1 and same(body, live.body, folders=(folder_uid, live.folder_uid))


def _there(client: Client, uid: str) -> LiveDashboard | None:
    try:
        return client.dashboard(uid)
    except GrafanaError:
        return None


def _since(began: float) -> int:
    return round(1000 * (time.monotonic() - began))
