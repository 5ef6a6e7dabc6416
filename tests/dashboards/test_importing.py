"""Dashboard files come into the registry whole, once, under the portal's data source."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command

from apps.accounts.models import AuditEntry
from apps.accounts.scope import EVERYTHING, NOTHING, TeamScope
from apps.dashboards.bodies import UnreadableFileError
from apps.dashboards.folders import minted
from apps.dashboards.importing import Terms, import_dashboard, read_file
from apps.dashboards.models import Dashboard, Folder
from apps.dashboards.source import SOURCE_TYPE, SOURCE_UID, UnresolvedInputError
from apps.panels.document import InvalidDocumentError

pytestmark = pytest.mark.django_db

OURS = {"type": SOURCE_TYPE, "uid": SOURCE_UID}


def document(**fields: Any) -> dict[str, Any]:
    panel = {
        "id": 1,
        "type": "stat",
        "title": "Rows",
        "datasource": {"type": "postgres", "uid": "abc"},
        "targets": [{"refId": "A", "rawSql": "SELECT 1", "datasource": {"type": "postgres", "uid": "xyz"}}],
    }
    return {"uid": "one", "title": "One", "schemaVersion": 41, "panels": [panel], "tags": ["lab"], **fields}


def test_it_is_stored_without_the_numbers_of_a_server_and_with_our_source() -> None:
    done = import_dashboard(document(id=7, version=12))
    stored = Dashboard.objects.get(uid="one")
    assert done.outcome == "added"
    assert (stored.title, stored.tags, stored.folder, stored.enabled) == ("One", ["lab"], None, True)
    assert not {"id", "version"} & stored.body.keys()
    assert stored.body["panels"][0]["datasource"] == OURS
    assert stored.body["panels"][0]["targets"][0]["datasource"] == OURS


def test_importing_again_changes_only_what_differs() -> None:
    import_dashboard(document())
    assert import_dashboard(document()).outcome == "unchanged"
    Dashboard.objects.update(enabled=False, team_name="kept")
    assert import_dashboard(document(title="Two")).outcome == "changed"
    stored = Dashboard.objects.get()
    assert (stored.title, stored.enabled, stored.team_name) == ("Two", False, "kept")
    kinds = AuditEntry.objects.filter(kind="dashboards.dashboard").values_list("action", flat=True)
    assert sorted(kinds) == ["add", "change"]


def test_inputs_of_an_export_are_filled_in() -> None:
    export = document(
        __inputs=[
            {"name": "DS_LAB", "type": "datasource", "pluginId": "postgres"},
            {"name": "VAR_LIMIT", "type": "constant", "value": "10"},
        ],
        __requires=[],
    )
    export["panels"][0]["datasource"] = {"type": "postgres", "uid": "${DS_LAB}"}
    export["panels"][0]["targets"] = [{"rawSql": "SELECT ${VAR_LIMIT}", "refId": "A", "datasource": "${DS_LAB}"}]
    body = import_dashboard(export).dashboard.body
    assert body["panels"][0]["datasource"] == OURS
    assert body["panels"][0]["targets"][0] == {"rawSql": "SELECT 10", "refId": "A", "datasource": OURS}
    assert not {"__inputs", "__requires"} & body.keys()


def test_an_input_that_nobody_can_fill_is_asked_for_by_name() -> None:
    export = document(__inputs=[{"name": "DS_M", "type": "datasource", "pluginId": "prometheus", "label": "Metrics"}])
    with pytest.raises(UnresolvedInputError, match=r"DS_M \(Metrics\)"):
        import_dashboard(export)
    assert import_dashboard(export, Terms(inputs={"DS_M": "m"})).outcome == "added"


def test_a_library_panel_that_the_export_carries_takes_its_place() -> None:
    model = {"type": "table", "title": "Shared", "targets": [{"refId": "A", "rawSql": "SELECT 2"}]}
    export = document(__elements={"lib": {"uid": "lib", "kind": 1, "model": model}})
    export["panels"] = [{"id": 4, "gridPos": {"x": 0, "y": 0, "w": 6, "h": 5}, "libraryPanel": {"uid": "lib"}}]
    (panel,) = import_dashboard(export).dashboard.body["panels"]
    assert (panel["id"], panel["type"], panel["gridPos"]["w"], panel["datasource"]) == (4, "table", 6, OURS)


def test_sources_that_are_no_database_stay_and_others_are_named() -> None:
    body = document(
        annotations={"list": [{"name": "Built in", "datasource": {"type": "grafana", "uid": "-- Grafana --"}}]},
        templating={
            "list": [
                {"name": "host", "type": "query", "query": "SELECT 1", "datasource": "Old name"},
                {"name": "source", "type": "datasource", "query": "postgres"},
            ]
        },
    )
    body["panels"] += [
        {"id": 2, "type": "stat", "datasource": {"uid": "${source}"}, "targets": []},
        {"id": 3, "type": "stat", "datasource": {"type": "prometheus", "uid": "p"}, "targets": [{"expr": "up"}]},
        {"id": 4, "type": "stat", "datasource": {"uid": "-- Mixed --"}, "targets": []},
    ]
    done = import_dashboard(body)
    stored = done.dashboard.body
    assert [panel["datasource"] for panel in stored["panels"][1:]] == [
        {"uid": "${source}"},
        {"type": "prometheus", "uid": "p"},
        {"uid": "-- Mixed --"},
    ]
    assert stored["annotations"]["list"][0]["datasource"]["uid"] == "-- Grafana --"
    assert stored["templating"]["list"][0]["datasource"] == OURS
    assert [problem.path for problem in done.problems] == ["panels[2].datasource"]


def test_directories_become_folders_and_one_bad_file_stops_no_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    deep = tmp_path / "lab" / "deep"
    deep.mkdir(parents=True)
    (tmp_path / "a.json").write_text("{not json")
    (tmp_path / "b.json").write_text(json.dumps(document()))
    (deep / "c.json").write_text(json.dumps({"dashboard": document(uid="two", title="Two")}))
    (deep / "d.json").write_text(json.dumps(document(uid="one", title="A thief of names")))
    with pytest.raises(SystemExit) as stopped:
        call_command("import_dashboards", str(tmp_path), "--folder", "Top")
    assert stopped.value.code == 1
    told = capsys.readouterr()
    assert "a.json: the file is no JSON" in told.err
    assert "d.json" in told.err
    assert told.out.endswith("2 dashboards stored, 2 failed.\n")
    assert Dashboard.objects.get(uid="one").title == "One"
    folder = Dashboard.objects.get(uid="two").folder
    assert folder is not None
    assert folder.parent is not None
    assert [folder.title, folder.parent.title] == ["deep", "lab"]
    assert Folder.objects.get(title="Top").parent is None
    call_command("import_dashboards", str(tmp_path / "b.json"), "--folder", "Top", verbosity=0)
    assert Folder.objects.count() == 3


def test_a_document_without_a_uid_finds_itself_again() -> None:
    body = document(title="Räume: ü & more")
    del body["uid"]
    first = import_dashboard(body, folders=("x",))
    assert first.dashboard.uid == minted("Räume: ü & more", "x")
    assert len(first.dashboard.uid) <= 40
    assert import_dashboard(body, folders=("x",)).outcome == "unchanged"


@pytest.mark.parametrize("text", ['{"a": NaN}', "", "[" * 100_000, "\xff"])
def test_a_file_that_is_no_json_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(UnreadableFileError):
        read_file(path)


@pytest.mark.parametrize("body", [[], "text", {"title": "No panels"}, {"elements": {}, "layout": {}}])
def test_a_document_that_is_no_dashboard_is_refused(body: object) -> None:
    with pytest.raises(InvalidDocumentError):
        import_dashboard(body)
    assert not Dashboard.objects.exists()


def test_a_zero_character_is_refused_before_the_database_does() -> None:
    with pytest.raises(InvalidDocumentError, match="zero character"):
        import_dashboard(document(description="a\0b"))


def test_a_number_that_is_not_finite_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text('{"title": "t", "schemaVersion": 1e999, "panels": []}')
    with pytest.raises(InvalidDocumentError, match="not finite"):
        import_dashboard(read_file(path))


def test_a_teams_dashboard_is_for_that_team() -> None:
    import_dashboard(document())
    import_dashboard(document(uid="two", title="Two"))
    team = "7fdeb4bb-3639-4ec3-959f-b54769a219ce"
    Dashboard.objects.filter(uid="two").update(team_id=team)
    mine = TeamScope(team_ids=frozenset({Dashboard.objects.get(uid="two").team_id}))  # type: ignore[arg-type]
    other = TeamScope(team_ids=frozenset({uuid.uuid4()}))
    titles = [
        [each.title for each in Dashboard.objects.visible_to(scope)] for scope in (EVERYTHING, mine, other, NOTHING)
    ]
    assert titles == [["One", "Two"], ["One", "Two"], ["One"], []]


def test_a_folders_team_limits_what_lies_in_it_however_deep() -> None:
    row = import_dashboard(document(), folders=("Lab", "Racks", "North")).dashboard
    team, other = uuid.uuid4(), uuid.uuid4()
    Folder.objects.filter(title="Lab").update(team_id=team)
    scopes = (EVERYTHING, TeamScope(team_ids=frozenset({team})), TeamScope(team_ids=frozenset({other})))
    assert [Dashboard.objects.visible_to(scope).exists() for scope in scopes] == [True, True, False]
    Dashboard.objects.filter(pk=row.pk).update(team_id=other)
    both = TeamScope(team_ids=frozenset({team, other}))
    assert [Dashboard.objects.visible_to(scope).exists() for scope in (*scopes, both)] == [True, False, False, True]
