"""One Grafana for a test, real or not, and a place in it that is emptied afterwards."""

from __future__ import annotations

import contextlib
import os
import uuid
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from pytest_socket import socket_allow_hosts

from apps.grafana.answers import Saved
from apps.grafana.client import Client
from apps.grafana.errors import NotFound
from apps.grafana.transport import Credentials, Patience
from tests.grafana.conftest import client_of
from tests.grafana.double import V9, V12, V13, Double
from tests.grafana.double.server import PASSWORD, USER

REAL = os.environ.get("GRAFANA_TEST_URL", "").rstrip("/")
ON_FILES = "contract-file"
"""The tag of dashboards that a real Grafana may have from files, to test with."""


class Place:
    """A Grafana with a folder of the test's own. `unified`: it is one of those with `/apis`, 12 and later."""

    def __init__(self, url: str, credentials: Credentials, double: Double | None) -> None:
        self.url = url
        self.double = double
        self.credentials = credentials
        self.client: Client = client_of(url, credentials, patience=Patience(tries=2))
        self.unified = bool(self.client.api_versions())
        self.mark = uuid.uuid4().hex[:8]
        self._endings: list[Callable[[], object]] = []
        self.folder = self.new_folder("place")

    def uid(self, name: str) -> str:
        """One that nobody else has."""
        return f"ct-{self.mark}-{name}"

    def new_folder(self, name: str, parent_uid: str = "") -> str:
        made = self.client.create_folder(self.uid(name), f"Contract {self.mark} {name}", parent_uid=parent_uid)
        self.afterwards(lambda: self.client.delete_folder(made.uid))
        return made.uid

    def body(self, name: str, **values: Any) -> dict[str, Any]:
        return {"uid": self.uid(name), "title": f"{name} {self.mark}", "schemaVersion": 39, "panels": [], **values}

    def save(
        self, name: str, version: int | None = None, *, folder_uid: str | None = None, message: str = "",
        overwrite: bool = False, **values: Any,
    ) -> Saved:  # fmt: skip
        """A dashboard in the test's folder."""
        folder = self.folder if folder_uid is None else folder_uid
        body = self.body(name, **values)
        if folder == "":
            self.afterwards(lambda: self.client.delete_dashboard(str(body["uid"])))
        return self.client.save_dashboard(
            body, folder_uid=folder, version=version, message=message, overwrite=overwrite
        )

    def raw(self, method: str, path: str, body: Any = None) -> tuple[int, Any]:
        """What the client has no method for; status and JSON."""
        headers = {} if self.credentials.user else {"Authorization": f"Bearer {self.credentials.secret}"}
        account = (self.credentials.user, self.credentials.secret) if self.credentials.user else None
        answer = requests.request(method, self.url + path, json=body, auth=account, headers=headers, timeout=30)
        try:
            return answer.status_code, answer.json()
        except ValueError:
            return answer.status_code, answer.text

    def afterwards(self, ending: Callable[[], object]) -> None:
        self._endings.append(ending)

    def close(self) -> None:
        for ending in reversed(self._endings):
            with contextlib.suppress(NotFound):
                ending()
        self.client.close()


@pytest.fixture(params=["real"] if REAL else [V9, V12, V13], ids=lambda one: getattr(one, "version", one))
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    if request.param == "real":
        socket_allow_hosts(["127.0.0.1", "::1", str(urlsplit(REAL).hostname)], allow_unix_socket=True)
        token, user = os.environ.get("GRAFANA_TEST_TOKEN", ""), os.environ.get("GRAFANA_TEST_USER", "admin")
        password = os.environ.get("GRAFANA_TEST_PASSWORD", "")
        made = Place(REAL, Credentials(token) if token else Credentials(password, user), None)
        yield made
        made.close()
        return
    double = Double(request.param)
    double.provision("file-locked", {"title": "Locked", "tags": [ON_FILES]}, allow_edits=False, file="a.json")
    double.provision("file-loose", {"title": "Loose", "tags": [ON_FILES]}, allow_edits=True, file="b.json")
    made = Place(double.url, Credentials(PASSWORD, USER), double)
    yield made
    made.close()
    # Whatever a test made is gone again: else it would litter a real one.
    left = [*double.store.dashboards, *double.store.folders, *double.store.panels, *double.store.teams]
    assert [*left, *double.store.data_sources] == ["file-locked", "file-loose"]
    double.close()
