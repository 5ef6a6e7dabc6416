"""The server itself, its data sources, library panels, and the newer API."""

from __future__ import annotations

from typing import Any

import pytest

from apps.grafana.answers import Grant
from apps.grafana.errors import Forbidden, GrafanaError, Invalid, NameExists, NotFound, Unauthorised, VersionMismatch
from apps.grafana.transport import Credentials
from tests.grafana.conftest import client_of
from tests.grafana.contract.conftest import Place

MODEL = {"type": "stat", "title": "shared", "description": "", "options": {"a": 1}}


def test_health_needs_no_account(place: Place) -> None:
    health = client_of(place.url, Credentials("wrong")).health()
    assert health.ok
    assert health.version.split(".")[0].isdigit()


def test_an_account_that_is_none(place: Place) -> None:
    # Under a name of its own: Grafana locks an account out after five wrong passwords.
    for wrong in (Credentials("wrong", place.uid("nobody")), Credentials("glsa_wrong")):
        with pytest.raises(Unauthorised) as refused:
            client_of(place.url, wrong).organisation()
        assert (refused.value.status, type(refused.value)) == (401, Unauthorised)


def test_the_organisation(place: Place) -> None:
    assert place.client.organisation().id == 1
    with pytest.raises((Forbidden, Unauthorised)):
        client_of(place.url, place.credentials, org_id=4711).organisation()


def test_what_the_account_may_do(place: Place) -> None:
    may = place.client.permissions()
    assert {"dashboards:create", "dashboards:write", "folders:create", "folders:write"} <= set(may)


def test_plugins_that_are_there(place: Place) -> None:
    plugins = {plugin.id: plugin for plugin in place.client.plugins()}
    assert plugins["stat"].type == "panel"
    assert any(plugin.type == "datasource" for plugin in plugins.values())


def test_data_sources(place: Place) -> None:
    uid, name = place.uid("ds"), f"Contract {place.mark}"
    status, _ = place.raw(
        "POST", "/api/datasources",
        {"uid": uid, "name": name, "type": "grafana-postgresql-datasource", "access": "proxy", "url": "localhost:1"},
    )  # fmt: skip
    assert status == 200
    place.afterwards(lambda: place.raw("DELETE", f"/api/datasources/uid/{uid}"))
    found = place.client.data_source(uid)
    assert (found.uid, found.name, found.read_only) == (uid, name, False)
    assert "postgres" in found.type
    assert found in place.client.data_sources()
    with pytest.raises(NotFound):
        place.client.data_source(place.uid("nowhere"))


# Library panels -------------------------------------------------------------------------------------------------------


def library_panel(place: Place, name: str = "lib") -> str:
    made = place.client.create_library_panel(place.uid(name), f"{name} {place.mark}", MODEL, folder_uid=place.folder)
    place.afterwards(lambda: place.client.delete_library_panel(made.uid))
    return made.uid


def test_a_library_panel_can_be_read_and_changed(place: Place) -> None:
    uid = library_panel(place)
    found = place.client.library_panel(uid)
    assert (found.uid, found.name, found.folder_uid, found.version) == (uid, f"lib {place.mark}", place.folder, 1)
    assert found.model == MODEL
    changed = place.client.update_library_panel(
        uid, "renamed", {**MODEL, "title": "new"}, folder_uid=place.folder, version=1
    )
    assert (changed.name, changed.version, changed.model["title"]) == ("renamed", 2, "new")
    with pytest.raises(VersionMismatch):
        place.client.update_library_panel(uid, "late", MODEL, folder_uid=place.folder, version=1)
    assert place.client.library_panel(uid).name == "renamed"


def test_library_panels_that_are_taken_or_missing(place: Place) -> None:
    uid = library_panel(place)
    with pytest.raises((Invalid, NameExists)):
        place.client.create_library_panel(uid, "other", MODEL, folder_uid=place.folder)
    with pytest.raises(NotFound):
        place.client.library_panel(place.uid("nowhere"))
    with pytest.raises((NotFound, Forbidden)):
        place.client.delete_library_panel(place.uid("nowhere"))


def test_two_library_panels_of_one_name(place: Place) -> None:
    library_panel(place)
    other = place.uid("other")
    if place.unified:
        place.client.create_library_panel(other, f"lib {place.mark}", MODEL, folder_uid=place.folder)
        place.client.delete_library_panel(other)
        return
    with pytest.raises((Invalid, NameExists)):
        place.client.create_library_panel(other, f"lib {place.mark}", MODEL, folder_uid=place.folder)


def test_library_panels_are_listed_in_pages(place: Place) -> None:
    uids = {library_panel(place, f"lib{number}") for number in range(3)}
    listed = place.client.library_panels(page_size=2)
    assert uids <= {one.uid for one in listed}
    assert len({one.uid for one in listed}) == len(listed)


def test_who_shows_a_library_panel(place: Place) -> None:
    uid = library_panel(place)
    assert place.client.library_panel_users(uid) == []
    panel = {"id": 1, "gridPos": {"x": 0, "y": 0, "w": 4, "h": 4}, "libraryPanel": {"uid": uid, "name": "lib"}}
    place.save("a", panels=[panel])
    place.afterwards(lambda: place.client.delete_dashboard(place.uid("a")))
    assert place.client.dashboard(place.uid("a")).body["panels"] == [panel]
    assert place.client.library_panel_users(uid) == [place.uid("a")]
    if not place.unified:
        with pytest.raises(Forbidden):
            place.client.delete_library_panel(uid)


# The newer API --------------------------------------------------------------------------------------------------------


def resource_version(place: Place, name: str) -> str:
    found = place.client.resource(place.uid(name))
    assert found is not None
    listed = {one.uid: one for one in place.client.resources(page_size=3)}
    assert listed[place.uid(name)].resource_version == found.resource_version
    return found.resource_version


def test_older_grafanas_have_none_of_it(place: Place) -> None:
    if place.unified:
        assert "v1beta1" in place.client.api_versions()
        return
    assert place.client.resource(place.uid("a")) is None
    assert list(place.client.resources()) == []


def test_a_resource_version_moves_with_saves_only(place: Place) -> None:
    if not place.unified:
        pytest.skip("there are no resource versions")
    other, uid = place.new_folder("other"), place.uid("a")
    place.save("a")
    known = resource_version(place, "a")
    place.raw("POST", f"/api/user/stars/dashboard/uid/{uid}")
    place.raw("DELETE", f"/api/user/stars/dashboard/uid/{uid}")
    place.client.set_dashboard_permissions(uid, [Grant(1, role="Viewer")])
    place.client.set_folder_permissions(place.folder, [Grant(1, role="Viewer"), Grant(2, role="Editor")])
    place.client.rename_folder(place.folder, f"Renamed {place.mark}", version=1)
    place.client.move_folder(place.folder, parent_uid=other)
    assert resource_version(place, "a") == known
    seen = {known}
    version = place.save("a", 1, tags=["changed"]).version
    seen.add(resource_version(place, "a"))
    version = place.save("a", version, tags=["changed"], folder_uid=other).version
    seen.add(resource_version(place, "a"))
    assert place.save("a", version, tags=["changed"], folder_uid=other, message="said why").version == version
    seen.add(resource_version(place, "a"))
    assert len(seen) == 4


def test_the_list_tells_of_each_dashboard(place: Place) -> None:
    if not place.unified:
        pytest.skip("there is no such list")
    for name in ("a", "b", "c", "d"):
        place.save(name)
    listed = {one.uid: one for one in place.client.resources(page_size=2)}
    for name in ("a", "b", "c", "d"):
        one = listed[place.uid(name)]
        assert (one.folder_uid, one.generation, one.manager) == (place.folder, 1, "")


def test_a_resource_that_is_missing(place: Place) -> None:
    if not place.unified:
        pytest.skip("there are no resources")
    with pytest.raises(NotFound):
        place.client.resource(place.uid("nowhere"))


def test_a_dashboard_in_schema_2_is_recognised(place: Place) -> None:
    if not place.unified:
        pytest.skip("there is no schema 2")
    settings = {"from": "now-6h", "to": "now", "autoRefresh": "", "autoRefreshIntervals": [], "hideTimepicker": False,
                "fiscalYearStartMonth": 0}  # fmt: skip
    spec: dict[str, Any] = {
        "title": f"new {place.mark}", "elements": {}, "layout": {"kind": "TabsLayout", "spec": {"tabs": []}},
        "annotations": [], "cursorSync": "Off", "links": [], "preload": False, "tags": [], "timeSettings": settings,
        "variables": [],
    }  # fmt: skip
    body = {
        "apiVersion": "dashboard.grafana.app/v2beta1", "kind": "Dashboard", "spec": spec,
        "metadata": {"name": place.uid("new"), "annotations": {"grafana.app/folder": place.folder}},
    }  # fmt: skip
    status, _ = place.raw("POST", "/apis/dashboard.grafana.app/v2beta1/namespaces/default/dashboards", body)
    assert status == 201
    place.save("old")
    new, old = place.client.resource(place.uid("new")), place.client.resource(place.uid("old"))
    assert new is not None
    assert old is not None
    assert (new.new_schema, new.folder_uid, old.new_schema) == (True, place.folder, False)
    assert not place.client.dashboard(place.uid("new")).api_version.startswith("v2")


def test_every_error_is_one_of_the_family(place: Place) -> None:
    with pytest.raises(GrafanaError):
        place.client.dashboard("")
