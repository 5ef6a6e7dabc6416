"""Folders: nesting, uids that are taken, moves, access lists."""

from __future__ import annotations

import pytest

from apps.grafana.answers import Grant
from apps.grafana.errors import GrafanaError, Invalid, NameExists, NotFound, ServerFault, VersionMismatch
from tests.grafana.contract.conftest import Place


def own(place: Place, uid: str) -> set[Grant]:
    return {grant for grant in place.client.folder_permissions(uid) if not grant.inherited}


def test_a_folder_can_be_read(place: Place) -> None:
    folder = place.client.folder(place.folder)
    assert (folder.uid, folder.title, folder.parent_uid) == (place.folder, f"Contract {place.mark} place", "")
    assert (folder.version, folder.managed_by) == (1, "")
    with pytest.raises(NotFound):
        place.client.folder(place.uid("nowhere"))


def test_all_folders_parents_first(place: Place) -> None:
    if not place.unified:
        place.new_folder("beside")
        assert {place.folder, place.uid("beside")} <= {one.uid for one in place.client.folders()}
        return
    inner = place.new_folder("inner", place.folder)
    innermost = place.new_folder("innermost", inner)
    place.new_folder("second", place.folder)
    folders = [one for one in place.client.folders() if one.uid.startswith(f"ct-{place.mark}")]
    parents = {one.uid: one.parent_uid for one in folders}
    assert parents == {place.folder: "", inner: place.folder, innermost: inner, place.uid("second"): place.folder}
    order = [one.uid for one in folders]
    assert order.index(place.folder) < order.index(inner) < order.index(innermost)


def test_a_uid_that_is_taken(place: Place) -> None:
    with pytest.raises(NameExists):
        place.client.create_folder(place.folder, f"Another {place.mark}")


def test_a_title_that_is_taken(place: Place) -> None:
    title = f"Contract {place.mark} place"
    if place.unified:
        made = place.client.create_folder(place.uid("twin"), title)
        place.afterwards(lambda: place.client.delete_folder(made.uid))
        assert made.title == title
        return
    with pytest.raises(NameExists):
        place.client.create_folder(place.uid("twin"), title)


def test_a_folder_without_a_title(place: Place) -> None:
    with pytest.raises(Invalid, match="title cannot be empty"):
        place.client.create_folder(place.uid("x"), "")


def test_a_rename_knows_the_version(place: Place) -> None:
    renamed = place.client.rename_folder(place.folder, f"Renamed {place.mark}", version=1)
    assert (renamed.uid, renamed.title, renamed.version) == (place.folder, f"Renamed {place.mark}", 2)
    with pytest.raises(VersionMismatch):
        place.client.rename_folder(place.folder, "late", version=1)
    assert place.client.folder(place.folder).title == f"Renamed {place.mark}"


def test_a_move_keeps_what_is_inside(place: Place) -> None:
    other = place.new_folder("other")
    if not place.unified:
        with pytest.raises(NotFound):
            place.client.move_folder(other, parent_uid=place.folder)
        return
    place.save("a", folder_uid=other)
    moved = place.client.move_folder(other, parent_uid=place.folder)
    assert moved.parent_uid == place.client.folder(other).parent_uid == place.folder
    assert place.client.dashboard(place.uid("a")).folder_uid == other
    assert place.client.move_folder(other, parent_uid="").parent_uid == ""


def test_moves_that_cannot_be(place: Place) -> None:
    if not place.unified:
        pytest.skip("there are no nested folders")
    inner = place.new_folder("inner", place.folder)
    for parent in (place.folder, inner):
        with pytest.raises((Invalid, ServerFault)):
            place.client.move_folder(place.folder, parent_uid=parent)
    with pytest.raises(GrafanaError):
        place.client.move_folder(inner, parent_uid=place.uid("nowhere"))
    assert place.client.folder(inner).parent_uid == place.folder
    assert place.client.folder(place.folder).parent_uid == ""


def test_a_folder_goes_with_all_that_is_in_it(place: Place) -> None:
    other = place.new_folder("other")
    place.save("a", folder_uid=other)
    place.client.delete_folder(other)
    with pytest.raises(NotFound):
        place.client.dashboard(place.uid("a"))
    with pytest.raises(NotFound):
        place.client.folder(other)
    with pytest.raises(NotFound):
        place.client.delete_folder(other)


def test_an_access_list_is_replaced_as_a_whole(place: Place) -> None:
    place.client.set_folder_permissions(place.folder, [Grant(1, role="Viewer"), Grant(2, role="Editor")])
    assert own(place, place.folder) == {Grant(1, role="Viewer"), Grant(2, role="Editor")}
    place.client.set_folder_permissions(place.folder, [Grant(4, role="Editor")])
    assert own(place, place.folder) == {Grant(4, role="Editor")}
    with pytest.raises(NotFound):
        place.client.folder_permissions(place.uid("nowhere"))


def test_a_level_that_is_none_is_not_even_sent(place: Place) -> None:
    """Grafana takes it, and makes no permission of it."""
    before = own(place, place.folder)
    with pytest.raises(ValueError, match="no level"):
        place.client.set_folder_permissions(place.folder, [Grant(3, role="Viewer")])
    assert own(place, place.folder) == before


def test_a_team_in_an_access_list(place: Place) -> None:
    name = f"Contract {place.mark}"
    status, made = place.raw("POST", "/api/teams", {"name": name})
    assert status == 200
    place.afterwards(lambda: place.raw("DELETE", f"/api/teams/{made['teamId']}"))
    assert made["teamId"] in {team.id for team in place.client.teams() if team.name == name}
    place.client.set_folder_permissions(place.folder, [Grant(2, team_id=made["teamId"])])
    assert own(place, place.folder) == {Grant(2, team_id=made["teamId"])}
    assert [grant.name for grant in place.client.folder_permissions(place.folder)] == [name]
