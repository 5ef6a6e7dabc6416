"""Dashboards: who may overwrite whom, what comes back, what a move keeps."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from apps.grafana.answers import Grant
from apps.grafana.errors import Invalid, NameExists, NotFound, Provisioned, VersionMismatch
from tests.grafana.contract.conftest import ON_FILES, Place

PANEL = {
    "id": 1, "type": "stat", "title": "<b>Zäh & rund</b>", "datasource": {"type": "postgres", "uid": "vpt-pg"},
    "gridPos": {"x": 0, "y": 0, "w": 4, "h": 4}, "unknownToAll": {"deep": [None, {"x": None}]},
    "targets": [{"refId": "A", "rawSql": "SELECT 1 < 2 AND '\u2028' <> ''"}], "thresholds": [{"value": None}],
    "small": 1e-07, "large": 1e21, "half": -5.5,
}  # fmt: skip


def content(place: Place, name: str) -> dict[str, Any]:
    """The body that is there, without what the server numbers."""
    body = place.client.dashboard(place.uid(name)).body
    return {key: value for key, value in body.items() if key not in {"id", "version"}}


def test_what_is_saved_can_be_read(place: Place) -> None:
    saved = place.save("a", panels=[PANEL], message="first")
    assert (saved.uid, saved.version) == (place.uid("a"), 1)
    assert saved.url.startswith(f"/d/{saved.uid}/")
    live = place.client.dashboard(saved.uid)
    assert (live.uid, live.version, live.folder_uid) == (saved.uid, 1, place.folder)
    assert live.url == saved.url
    assert live.created is not None
    assert live.updated is not None
    assert (live.can_save, live.starred, live.from_file) == (True, False, False)
    assert content(place, "a") == place.body("a", panels=[PANEL])


@pytest.mark.parametrize("version", [None, 0, 1, 3])
def test_another_version_than_the_known_one_is_refused(version: int | None, place: Place) -> None:
    place.save("a")
    place.save("a", 1, tags=["second"])
    with pytest.raises(VersionMismatch) as refused:
        place.save("a", version, tags=["third"])
    assert refused.value.status == 412
    assert content(place, "a")["tags"] == ["second"]


def test_another_version_is_refused_even_for_the_same_body(place: Place) -> None:
    place.save("a")
    place.save("a", 1, tags=["second"])
    with pytest.raises(VersionMismatch):
        place.save("a", 1, tags=["second"])


def test_overwrite_does_not_look_at_the_version(place: Place) -> None:
    place.save("a")
    place.save("a", 1, tags=["second"])
    assert place.save("a", 1, tags=["third"], overwrite=True).version == 3
    assert content(place, "a")["tags"] == ["third"]


def test_a_save_of_the_same_body(place: Place) -> None:
    place.save("a", panels=[PANEL])
    again = place.save("a", 1, panels=[PANEL])
    assert again.version == (1 if place.unified else 2)


def test_what_came_back_can_be_sent_again(place: Place) -> None:
    """Whatever the server did to it, it does nothing more."""
    place.save("a", panels=[PANEL])
    returned = place.client.dashboard(place.uid("a"))
    place.client.save_dashboard(returned.body, folder_uid=place.folder, version=1)
    again = place.client.dashboard(place.uid("a"))
    ours = {key: value for key, value in returned.body.items() if key not in {"id", "version"}}
    assert content(place, "a") == ours
    assert again.version == (1 if place.unified else 2)


def test_a_new_uid_with_a_version_is_created(place: Place) -> None:
    assert place.save("a", 7).version == 1


@pytest.mark.parametrize("schema", [*range(16, 42, 5), 42])
def test_old_schemas_come_back_as_they_were(schema: int, place: Place) -> None:
    values: dict[str, Any] = {
        "schemaVersion": schema, "panels": [{**PANEL, "type": "graph", "datasource": "vpt"}], "refresh": "30s",
        "templating": {"list": [{"name": "v", "type": "query", "current": {}}]}, "annotations": {"list": []},
    }  # fmt: skip
    place.save("a", **copy.deepcopy(values))
    assert content(place, "a") == place.body("a", **values)


def test_what_a_server_rewrites(place: Place) -> None:
    place.save("a", refresh="1s", title="  around  ", panels=[{"id": 1, "w": 8.0}])
    got = content(place, "a")
    assert (got["refresh"], got["title"], got["panels"]) == ("5s", "around", [{"id": 1, "w": 8}])


def test_a_dashboard_can_go_to_the_root_and_back(place: Place) -> None:
    place.save("a", folder_uid="")
    assert place.client.dashboard(place.uid("a")).folder_uid == ""
    place.save("a", 1)
    assert place.client.dashboard(place.uid("a")).folder_uid == place.folder


def test_who_leaves_the_folder_out_moves_it_to_the_root(place: Place) -> None:
    place.save("a")
    place.afterwards(lambda: place.client.delete_dashboard(place.uid("a")))
    status, _ = place.raw("POST", "/api/dashboards/db", {"dashboard": {**place.body("a"), "version": 1}})
    assert status == 200
    assert place.client.dashboard(place.uid("a")).folder_uid == ""


def test_a_move_keeps_star_permissions_and_history(place: Place) -> None:
    other, uid = place.new_folder("other"), place.uid("a")
    place.save("a")
    place.save("a", 1, tags=["second"])
    place.raw("POST", f"/api/user/stars/dashboard/uid/{uid}")
    place.afterwards(lambda: place.raw("DELETE", f"/api/user/stars/dashboard/uid/{uid}"))
    starred = place.client.dashboard(uid).starred
    assert starred is bool(place.credentials.user)  # a service account has no stars
    place.client.set_dashboard_permissions(uid, [Grant(2, role="Viewer")])
    place.save("a", 2, folder_uid=other, tags=["second"])
    live = place.client.dashboard(uid)
    assert (live.folder_uid, live.version, live.starred) == (other, 3, starred)
    own = [grant for grant in place.client.dashboard_permissions(uid) if not grant.inherited]
    assert own == [Grant(2, role="Viewer")]
    assert [version.version for version in place.client.versions(uid)] == [3, 2, 1]


def test_versions_tell_who_and_why(place: Place) -> None:
    place.save("a", message="why it began")
    place.save("a", 1, tags=["second"], message="why it changed")
    newest, *_, first = place.client.versions(place.uid("a"))
    assert (newest.version, newest.message, first.version) == (2, "why it changed", 1)
    assert newest.created is not None
    assert newest.created_by == place.client.dashboard(place.uid("a")).updated_by != ""
    assert len(place.client.versions(place.uid("a"), limit=1)) == 1


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"title": ""}, "title cannot be empty"),
        ({"title": "   "}, "title cannot be empty"),
        ({"uid": "a b"}, "uid contains illegal characters"),
        ({"uid": "a" * 41}, "uid too long, max 40 characters"),
    ],
)
def test_a_body_that_cannot_be_is_refused_in_words(values: dict[str, Any], sentence: str, place: Place) -> None:
    with pytest.raises(Invalid, match=sentence) as refused:
        place.save("a", **values)
    assert refused.value.status == 400


def test_a_folder_that_is_not_there_is_refused(place: Place) -> None:
    with pytest.raises(Invalid, match=r"(?i)folder not found"):
        place.save("a", folder_uid=place.uid("nowhere"))


def test_a_body_in_schema_2_is_not_even_sent(place: Place) -> None:
    body = {"uid": place.uid("a"), "title": "new", "elements": {}, "layout": {"kind": "GridLayout"}}
    before = place.client.tally.requests
    with pytest.raises(Invalid, match="schema 2"):
        place.client.save_dashboard(body, folder_uid=place.folder, version=None)
    assert place.client.tally.requests == before


def test_two_of_one_title_in_one_folder(place: Place) -> None:
    place.save("a", title="the same")
    if place.unified:
        assert place.save("b", title="the same").version == 1
        return
    with pytest.raises(NameExists):
        place.save("b", title="the same")


def test_deleted_is_gone(place: Place) -> None:
    place.save("a")
    place.client.delete_dashboard(place.uid("a"))
    with pytest.raises(NotFound):
        place.client.dashboard(place.uid("a"))
    with pytest.raises(NotFound):
        place.client.delete_dashboard(place.uid("a"))
    with pytest.raises(NotFound):
        place.client.versions(place.uid("a"))
    assert place.save("a").version == 1


def test_the_search_lists_all_in_pages(place: Place) -> None:
    names = [f"d{number}" for number in range(5)]
    for name in names:
        place.save(name, tags=[place.mark])
    hits = place.client.search(tag=place.mark, page_size=2)
    assert {hit.uid for hit in hits} == {place.uid(name) for name in names}
    assert {hit.folder_uid for hit in hits} == {place.folder}
    assert {hit.tags for hit in hits} == {(place.mark,)}
    assert {hit.uid for hit in hits} <= {hit.uid for hit in place.client.search()}


def test_pages_of_the_search_have_a_limit(place: Place) -> None:
    with pytest.raises(Invalid, match="5000"):
        place.client.search(page_size=5001)


def test_dashboards_from_files_are_recognised(place: Place) -> None:
    found = {hit.uid: place.client.dashboard(hit.uid) for hit in place.client.search(tag=ON_FILES)}
    if not found:
        pytest.skip(f"this Grafana has no dashboards from files with the tag {ON_FILES}")
    assert all(live.from_file for live in found.values())
    for uid, live in found.items():
        with pytest.raises(Provisioned):
            place.client.delete_dashboard(uid)
        if live.provisioned:
            with pytest.raises(Provisioned):
                place.client.save_dashboard(live.body, folder_uid=live.folder_uid, version=live.version)
        resource = place.client.resource(uid)
        assert (resource.manager if resource else "") == ("classic-file-provisioning" if place.unified else "")
