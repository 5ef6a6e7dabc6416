"""What of the double no real Grafana shows to the contract suite: edits behind the client, a search that lags."""

from __future__ import annotations

import contextlib

import pytest
import requests

from apps.grafana.client import Client
from apps.grafana.errors import Forbidden, NameExists, NotFound, VersionMismatch
from tests.grafana.conftest import client_of
from tests.grafana.double import V9, V13, Double
from tests.grafana.double.server import TOKEN
from tests.grafana.double.store import Store

BODY = {"uid": "a", "title": "A", "panels": []}


def test_an_edit_in_grafana_is_seen_and_not_overwritten(client: Client, double: Double) -> None:
    client.save_dashboard(BODY, folder_uid="", version=None)
    assert double.edit("a", by="anna", title="hers") == 2
    live = client.dashboard("a")
    assert (live.version, live.updated_by, live.body["title"]) == (2, "anna", "hers")
    with pytest.raises(VersionMismatch):
        client.save_dashboard(BODY, folder_uid="", version=1)
    assert client.dashboard("a").body["title"] == "hers"


def test_a_search_that_lags_catches_up(client: Client, double: Double) -> None:
    double.search_lags = True
    client.save_dashboard(BODY, folder_uid="", version=None)
    assert client.search() == []
    assert client.dashboard("a").version == 1
    double.store.settle()
    assert [hit.uid for hit in client.search()] == ["a"]
    client.delete_dashboard("a")
    assert [hit.uid for hit in client.search()] == ["a"]
    with pytest.raises(NotFound):
        client.dashboard("a")


def test_organisations_are_apart(client: Client, double: Double) -> None:
    double.stores[2] = Store(double.flavour, "Second")
    client.save_dashboard(BODY, folder_uid="", version=None)
    second = client_of(double.url, org_id=2)
    assert second.organisation().name == "Second"
    assert second.search() == []
    with pytest.raises(NotFound):
        second.dashboard("a")
    with pytest.raises(Forbidden):
        client_of(double.url, org_id=3).organisation()


def test_below_a_path() -> None:
    with contextlib.closing(Double(path="/grafana")) as below:
        assert client_of(below.url).organisation().id == 1


def test_grafana_13_refuses_schema_2_by_the_older_api() -> None:
    """The client does so before; others may not."""
    body = {"dashboard": {"uid": "n", "title": "n", "elements": {}}}
    with contextlib.closing(Double(V13)) as new:
        told = requests.post(
            f"{new.url}/api/dashboards/db", json=body, headers={"Authorization": f"Bearer {TOKEN}"}, timeout=5
        )
        assert (told.status_code, "v2 format" in told.json()["message"]) == (400, True)


def test_grafana_9_has_one_name_for_one_thing_at_the_root() -> None:
    with contextlib.closing(Double(V9)) as old:
        client = client_of(old.url)
        client.create_folder("f", "Name")
        with pytest.raises(NameExists):
            client.save_dashboard({**BODY, "title": "name"}, folder_uid="", version=None)
        client.save_dashboard({**BODY, "title": "name"}, folder_uid="f", version=None)
        client.save_dashboard({**BODY, "uid": "b", "title": "other"}, folder_uid="", version=None)
        with pytest.raises(NameExists):
            client.create_folder("g", "Other")


def test_grafana_9_counts_a_save_of_the_same_body() -> None:
    with contextlib.closing(Double(V9)) as old:
        client = client_of(old.url)
        client.save_dashboard(BODY, folder_uid="", version=None)
        assert client.save_dashboard(BODY, folder_uid="", version=1).version == 2
