"""A Grafana that tests sync with: the double, or a real one where GRAFANA_TEST_URL names it."""

from __future__ import annotations

import os
import uuid
from contextlib import suppress
from typing import Any

from apps.dashboards.author import Author
from apps.dashboards.importing import import_dashboard
from apps.dashboards.models import Dashboard
from apps.dashboards.source import SOURCE_TYPE, SOURCE_UID
from apps.grafana import address
from apps.grafana.answers import LiveDashboard
from apps.grafana.client import Client
from apps.grafana.errors import NameExists, NotFound
from apps.grafana.models import GrafanaInstance, Placement, SyncRun
from apps.grafana.run import Report, run
from apps.grafana.selection import Wishes
from apps.grafana.transport import Credentials, Transport
from tests.grafana.double import Double
from tests.grafana.double.server import PASSWORD, USER

REAL = os.environ.get("GRAFANA_TEST_URL", "").rstrip("/")
VARIABLE = "GRAFANA_PASSWORD_SYNC_TEST"
AUTHOR = Author("tester", "a test")


class Site:
    """The Grafana, somebody who works in its pages, and the portal's row of it. Uids are the test's own."""

    def __init__(self, double: Double | None) -> None:
        self.double = double
        self.url = double.url if double else REAL
        self.user = USER if double else os.environ.get("GRAFANA_TEST_USER", "admin")
        self.password = PASSWORD if double else os.environ["GRAFANA_TEST_PASSWORD"]
        self.mark = uuid.uuid4().hex[:8]
        transport = Transport(
            address.parse(self.url), Credentials(self.password, self.user), org_id=1, private=True, concurrency=8
        )
        self.somebody = Client(transport)
        self.folders: list[str] = []
        self.dashboards: list[str] = []
        try:
            self.add_source(SOURCE_UID)
        except NameExists:  # a real one keeps it from the test before
            if double is not None:
                raise

    def uid(self, name: str) -> str:
        """Of a dashboard or folder of this test."""
        return f"{name}-{self.mark}"

    def add_source(self, uid: str) -> None:
        """Grafana gets a data source."""
        told = {"uid": uid, "name": uid, "type": SOURCE_TYPE, "access": "proxy", "url": "localhost:5432"}
        self.somebody._send("POST", "/api/datasources", "Adding a data source", told)

    def instance(self, **fields: Any) -> GrafanaInstance:
        """The portal's row of it."""
        given = {
            "name": f"lab {self.mark}", "address": self.url, "private_network": True, "account": "basic",
            "user_name": self.user, "variable": VARIABLE, "policy": "enforce",
        }  # fmt: skip
        return GrafanaInstance.objects.create(**{**given, **fields})

    def live(self, name: str) -> LiveDashboard:
        """What it has now."""
        return self.somebody.dashboard(self.uid(name))

    def has(self, name: str) -> bool:
        try:
            return bool(self.live(name))
        except NotFound:
            return False

    def edit(self, name: str, *, folder_uid: str | None = None, **changes: Any) -> int:
        """Somebody saves it in Grafana's own pages; the new version."""
        live = self.live(name)
        body = {**live.body, **changes}
        folder = live.folder_uid if folder_uid is None else folder_uid
        return self.somebody.save_dashboard(body, folder_uid=folder, version=live.version).version

    def make(self, name: str, *, folder_uid: str = "", **fields: Any) -> None:
        """Somebody makes one there."""
        self.dashboards.append(self.uid(name))
        body = dashboard_body(self.uid(name), **fields)
        self.somebody.save_dashboard(body, folder_uid=folder_uid, version=None)

    def delete(self, name: str) -> None:
        self.somebody.delete_dashboard(self.uid(name))

    def versions(self, name: str) -> int:
        """How many versions were made of it."""
        return self.live(name).version

    def clean(self) -> None:
        """Take away what the test made, from a real one."""
        if self.double is None:
            for uid in self.dashboards:
                with suppress(NotFound):
                    self.somebody.delete_dashboard(uid)
            for uid in reversed(self.folders):
                with suppress(NotFound):
                    self.somebody.delete_folder(uid)
        self.somebody.close()

    def register(self, name: str, *, folders: tuple[str, ...] = (), **fields: Any) -> Dashboard:
        """The registry gets a dashboard, or a new revision of it. Its folders' titles get this test's mark."""
        uid = self.uid(name)
        self.dashboards.append(uid)
        titles = tuple(f"{title} {self.mark}" for title in folders)
        given = {key: value for key, value in fields.items() if key in ("policy", "team_id", "team_name", "paused")}
        body = dashboard_body(uid, **{key: value for key, value in fields.items() if key not in given})
        dashboard = import_dashboard(body, folders=titles).dashboard
        for key, value in given.items():
            setattr(dashboard, key, value)
        dashboard.save()
        folder = dashboard.folder
        while folder is not None:
            if folder.uid not in self.folders:
                self.folders.insert(0, folder.uid)
            folder = folder.parent
        return dashboard


def dashboard_body(uid: str, **fields: Any) -> dict[str, Any]:
    """A small dashboard with a panel, a row with one inside, and a variable."""
    source = {"type": SOURCE_TYPE, "uid": SOURCE_UID}

    def panel(number: int, title: str) -> dict[str, Any]:
        target = {"refId": "A", "rawSql": "SELECT 1", "format": "table", "datasource": source}
        place = {"x": 0, "y": 8 * number, "w": 12, "h": 8}
        return {
            "id": number, "type": "stat", "title": title, "gridPos": place, "datasource": source, "targets": [target],
            "fieldConfig": {"defaults": {"min": 8, "thresholds": {"mode": "absolute", "steps": [{"color": "green"}]}}},
        }  # fmt: skip

    row = {
        "id": 2, "type": "row", "title": "More", "collapsed": True, "gridPos": {"x": 0, "y": 9, "w": 24, "h": 1},
        "panels": [panel(3, "Inside")],
    }  # fmt: skip
    variable = {"name": "host", "type": "textbox", "query": "a", "current": {"text": "a", "value": "a"}}
    made: dict[str, Any] = {
        "uid": uid, "title": f"Dashboard {uid}", "schemaVersion": 39, "tags": ["lab"],
        "panels": [panel(1, "Runs"), row], "time": {"from": "now-6h", "to": "now"},
        "templating": {"list": [variable]},
    }  # fmt: skip
    return {**made, **fields}


def sync(instance: GrafanaInstance, **wishes: Any) -> Report:
    """One run, as the command makes it."""
    options: dict[str, Any] = {
        key: wishes.pop(key) for key in ("only_check", "follow", "author", "concurrency") if key in wishes
    }
    given: dict[str, Any] = {"author": AUTHOR, "cause": SyncRun.Cause.COMMAND, "concurrency": 4, **options}
    return run(instance, Wishes(**wishes), **given)


def placement(instance: GrafanaInstance, dashboard: Dashboard) -> Placement:
    """The row of both, as the database has it."""
    return Placement.objects.with_all().get(instance=instance, dashboard=dashboard)
