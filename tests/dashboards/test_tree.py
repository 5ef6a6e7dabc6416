"""The registry as files: what is written is read back, byte for byte, and nothing else is touched."""

from __future__ import annotations

import io
import json
import os
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from apps.accounts.models import AuditEntry
from apps.dashboards.bodies import file_text
from apps.dashboards.exporting import export_registry
from apps.dashboards.folders import folder_of
from apps.dashboards.importing import import_dashboard
from apps.dashboards.models import Dashboard, Folder
from apps.dashboards.revisions import retire

pytestmark = pytest.mark.django_db

TITLES = [
    ("Lab",), ("Lab", "Racks / North"), ("Lab", "empty"), ("..",), (".hidden",), ("a%2Fb",), ("ends with dot.",),
    ("lab",), ("Lab", "ü" * 150), ("Lab", "ü" * 151), ("CON:*?",), ("Lab", "one.json"), ("\\", "x\ny"),
]  # fmt: skip


def body(uid: str, **fields: Any) -> dict[str, Any]:
    return {"uid": uid, "title": f"Title {uid}", "schemaVersion": 41, "panels": [], **fields}


def tree(place: Path) -> dict[str, bytes]:
    return {str(path.relative_to(place)): path.read_bytes() for path in sorted(place.rglob("*")) if path.is_file()}


def registry() -> list[Any]:
    folders = Folder.objects.order_by("uid").values_list("uid", "title", "parent__uid", "team_id", "team_name")
    names = ("uid", "title", "folder__uid", "current__stored_id", "enabled", "policy", "paused", "team_id", "team_name")
    return [*folders, *Dashboard.objects.order_by("uid").values_list(*names)]


def test_what_is_exported_is_imported_again_byte_for_byte(tmp_path: Path) -> None:
    team = uuid.uuid4()
    for number, titles in enumerate(TITLES):
        folder_of(titles)
        if titles[-1] != "empty":
            import_dashboard(body(f"board-{number}", z=1, a={"ü": 8.0}), folders=titles)
    import_dashboard(body("top", title=" / "))
    import_dashboard(body("ABC"))
    import_dashboard(body("abc"))
    import_dashboard(body("one"), folders=("Lab",))
    Folder.objects.filter(title="Lab").update(title="Renamed", team_id=team, team_name="Team A")
    Dashboard.objects.filter(uid="abc").update(policy="locked", enabled=False, paused=True, team_id=team)
    before = registry()
    done = export_registry(tmp_path / "out")
    first = tree(tmp_path / "out")
    assert (done.dashboards, done.folders) == (Dashboard.objects.count(), Folder.objects.count())
    assert first["top.json"].decode() == file_text(body("top", title=" / "))
    assert {"ABC.json", "abc~.json", "Renamed/Racks %2F North/board-1.json"} <= first.keys()
    assert not any(".." in name.split("/") for name in first)

    # As empty as another portal: nothing deletes a registration, but another uid makes it another one.
    for row in Dashboard.objects.all():
        Dashboard.objects.filter(pk=row.pk).update(uid=uuid.uuid4().hex, retired_at=timezone.now(), folder=None)
    for _ in range(2):
        Folder.objects.filter(children=None).delete()
    assert not Folder.objects.exists()
    call_command("import_dashboards", str(tmp_path / "out"), verbosity=0)
    retired = set(Dashboard.objects.exclude(retired_at=None).values_list("uid", flat=True))
    assert [row for row in registry() if row[0] not in retired] == before
    export_registry(tmp_path / "again")
    assert tree(tmp_path / "again") == first


def test_exporting_again_writes_what_changed_and_removes_what_is_gone(tmp_path: Path) -> None:
    kept = import_dashboard(body("kept")).dashboard
    gone = import_dashboard(body("gone"), folders=("Deep", "Deeper")).dashboard
    export_registry(tmp_path)
    (tmp_path / "README.md").write_text("mine")
    stamp = (tmp_path / "kept.json").stat().st_mtime_ns
    retire(gone, actor="alice", reason="")
    Folder.objects.filter(title="Deeper").update(title="Deepest")
    done = export_registry(tmp_path)
    assert (done.dashboards, done.folders, done.removed) == (1, 2, 2)
    assert set(tree(tmp_path)) == {
        ".registry", "Deep/.registry", "Deep/Deepest/.registry", "kept.json", "README.md",
    }  # fmt: skip
    assert (tmp_path / "kept.json").stat().st_mtime_ns == stamp
    assert kept.current is not None


def test_a_file_that_no_export_wrote_is_never_overwritten(tmp_path: Path) -> None:
    import_dashboard(body("one"))
    (tmp_path / "one.json").write_text("mine")
    with pytest.raises(CommandError, match=r"one\.json is there, and no export wrote it"):
        call_command("export_dashboards", str(tmp_path))
    assert tree(tmp_path) == {"one.json": b"mine"}
    (tmp_path / ".registry").write_text("[]")
    with pytest.raises(CommandError, match=r"\.registry: it holds no object"):
        call_command("export_dashboards", str(tmp_path))


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ("{", "no JSON"),
        ('{"uid": "a/b"}', "uid: 1 to 40"),
        ('{"title": 3}', "title: this is a text"),
        ('{"title": "a\\u0000b", "uid": "x"}', "title: The document holds a zero character"),
        ('{"team_id": "x"}', "team_id: 'x' is no id"),
        ('{"dashboards": {"a.json": {"policy": "lose"}}}', "a.json: policy: this is one of enforce"),
        ('{"dashboards": {"a.json": {"enabled": "no"}}}', "a.json: enabled: this is true or false"),
        ('{"dashboards": []}', "no object of objects"),
    ],
)
def test_settings_that_are_wrong_are_named_and_stop_nothing(
    tmp_path: Path, settings: str, why: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / ".registry").write_text(settings)
    (tmp_path / "a.json").write_text(json.dumps(body("a")))
    with pytest.raises(SystemExit):
        call_command("import_dashboards", str(tmp_path))
    assert why in capsys.readouterr().err
    assert Dashboard.objects.get().uid == "a"


def test_a_folder_that_moved_is_moved_and_the_trail_says_so(tmp_path: Path) -> None:
    import_dashboard(body("one"), folders=("Old",))
    export_registry(tmp_path)
    settings = json.loads((tmp_path / "Old" / ".registry").read_text())
    (tmp_path / "Old" / ".registry").write_text(json.dumps({**settings, "title": "New"}))
    call_command("import_dashboards", str(tmp_path), "--folder", "Above", "--reason", "tidied", verbosity=0)
    folder = Folder.objects.get(title="New")
    assert str(folder.parent) == "Above"
    assert Dashboard.objects.get().folder == folder
    assert not Folder.objects.filter(title="Old").exists()
    entry = AuditEntry.objects.filter(kind="dashboards.folder", action="change").get()
    assert (entry.actor, entry.reason, entry.after["title"]) == (  # type: ignore[index]
        "import_dashboards", "tidied", "New",
    )  # fmt: skip


def test_a_name_on_the_disk_that_is_no_text_is_refused_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = tmp_path / os.fsdecode(b"odd\xff")
    odd.mkdir()
    (odd / "a.json").write_text(json.dumps(body("a")))
    (tmp_path / os.fsdecode(b"b\xff.json")).write_text(json.dumps(body("b")))
    with pytest.raises(SystemExit):
        call_command("import_dashboards", str(tmp_path), stderr=io.StringIO())
    assert "1 dashboard stored, 1 failed." in capsys.readouterr().out
    assert Dashboard.objects.get().origin.endswith("b?.json")
