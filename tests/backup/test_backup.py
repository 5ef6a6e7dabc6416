"""There and back: what `backup` writes, `restore` brings back, and nothing else gets in."""

from __future__ import annotations

import io
import json
import sqlite3
import tarfile
from collections.abc import Iterator
from contextlib import closing
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connections
from pytest_django import Settings

from apps.accounts.models import AuditEntry, User
from apps.accounts.roles import Role
from apps.backup import grafana_database, tables
from apps.dashboards.models import Dashboard, Revision
from apps.grafana import run_state
from apps.health import processes
from apps.health.findings import State
from apps.mirror.models import Team
from tests.people import make_person

pytestmark = pytest.mark.django_db(databases=["default", "source"], transaction=True)


@pytest.fixture(autouse=True)
def place(settings: Settings, tmp_path: Path) -> Settings:
    settings.DATA_DIR, settings.STATE_DIR = tmp_path / "data", tmp_path / "data" / "processes"
    settings.DATA_DIR.mkdir()
    (settings.DATA_DIR / "secrets.env").write_text("SECRET_KEY=c4nary-made\n")
    return settings


@pytest.fixture
def grafana() -> Iterator[sqlite3.Connection]:
    """Grafana's database with a writer at work: its last row stands in the write-ahead log alone."""
    grafana_database.path().parent.mkdir(parents=True)
    with closing(sqlite3.connect(grafana_database.path())) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("CREATE TABLE dashboard (title TEXT)")
        connection.execute("INSERT INTO dashboard VALUES ('first'), ('last')")
        connection.commit()
        connection.execute("BEGIN")
        connection.execute("INSERT INTO dashboard VALUES ('not committed')")
        yield connection


def rows(alias: str, folder: Path) -> dict[str, bytes]:
    """All rows of all tables, as they are written."""
    tables.dump(alias, folder)
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def backup(target: Path, *options: str) -> str:
    said = StringIO()
    call_command("backup", str(target), *options, stdout=said)
    return said.getvalue()


def restore(source: Path, *options: str) -> str:
    said = StringIO()
    call_command("restore", str(source), *options, stdout=said)
    return said.getvalue()


def content(source: Path) -> dict[str, bytes]:
    with tarfile.open(source) as tar:
        return {member.name: tar.extractfile(member).read() for member in tar}  # type: ignore[union-attr]


def rewritten(source: Path, target: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(target, "w:gz") as tar:
        for name, body in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(body)
            tar.addfile(info, io.BytesIO(body))
    return target


def changed_manifest(source: Path, target: Path, **changes: Any) -> Path:
    files = content(source)
    files["manifest.json"] = json.dumps({**json.loads(files["manifest.json"]), **changes}).encode()
    return rewritten(source, target, files)


def some_state(tmp_path: Path) -> None:
    make_person("ann", Role.ADMIN)
    (tmp_path / "one.json").write_text(
        json.dumps({"uid": "one", "title": "A\ttitle\nof 'two' lines \\ é 😀", "panels": []})
    )
    call_command("import_dashboards", str(tmp_path / "one.json"), verbosity=0, stdout=StringIO())
    AuditEntry.objects.create(actor="ann", action="change", kind="x", before={"a": None}, after={"a": "\\N"})


def test_there_and_back(tmp_path: Path, grafana: sqlite3.Connection) -> None:
    some_state(tmp_path)
    said = backup(tmp_path / "b.tar.gz")
    assert "with Grafana's database" in said
    assert (tmp_path / "b.tar.gz").stat().st_mode & 0o777 == 0o600
    before = rows("default", tmp_path / "before")
    # The backup itself is told of, after what it holds.
    AuditEntry.objects.filter(kind="backup").get()
    User.objects.all().delete()
    Dashboard.objects.update(title="spoiled")
    grafana.rollback()
    grafana.execute("DROP TABLE dashboard")
    grafana.commit()
    grafana.close()
    said = restore(tmp_path / "b.tar.gz", "--force")
    assert "Restored" in said
    after = rows("default", tmp_path / "after")
    last = AuditEntry.objects.latest("pk")
    assert (last.action, last.kind) == ("command", "restore")
    audit = "accounts_auditentry.copy"
    assert after.pop(audit).startswith(before.pop(audit).rpartition(b"\n")[0].rpartition(b"\n")[0])
    assert after == before
    with closing(sqlite3.connect(grafana_database.path())) as connection:
        assert connection.execute("SELECT title FROM dashboard").fetchall() == [("first",), ("last",)]
    # New rows get new numbers, and history is kept by its rules again.
    assert make_person("bob", Role.VIEWER).pk > User.objects.get(username="ann").pk
    assert Revision.objects.exists()
    with connections["default"].cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_trigger WHERE NOT tgisinternal AND tgenabled = 'O'")
        (enabled,) = cursor.fetchone()
    assert enabled >= 3


def test_into_a_portal_that_was_never_used(tmp_path: Path) -> None:
    some_state(tmp_path)
    backup(tmp_path / "b.tar.gz")
    call_command("flush", interactive=False, verbosity=0)
    assert not User.objects.exists()
    restore(tmp_path / "b.tar.gz")
    assert User.objects.get().username == "ann"


def test_the_rows_of_a_source_of_our_own(tmp_path: Path) -> None:
    team = Team.objects.create(name="lab", tenant_id="00000000-0000-0000-0000-000000000001")
    backup(tmp_path / "b.tar.gz", "--source")
    Team.objects.all().delete()
    make_person("ann", Role.VIEWER)
    with pytest.raises(CommandError, match="--force"):
        restore(tmp_path / "b.tar.gz")
    restore(tmp_path / "b.tar.gz", "--force")
    assert Team.objects.get().pk == team.pk


def test_a_source_of_somebody_else_is_none_of_ours(settings: Settings, tmp_path: Path) -> None:
    backup(tmp_path / "b.tar.gz", "--source")
    settings.SOURCE_ACCESS = "read"
    with pytest.raises(CommandError, match="does not own the source"):
        backup(tmp_path / "c.tar.gz", "--source")
    with pytest.raises(CommandError, match="does not own the source here"):
        restore(tmp_path / "b.tar.gz", "--force")


def test_no_secret_is_in_it_unless_asked_for(settings: Settings, tmp_path: Path) -> None:
    settings.SECRET_KEY, settings.GRAFANA_SECRET_KEY = "c4nary-secret", "c4nary-grafana"
    backup(tmp_path / "b.tar.gz")
    whole = b"".join(content(tmp_path / "b.tar.gz").values())
    assert b"c4nary" not in whole
    assert b"django_session" not in whole
    backup(tmp_path / "s.tar.gz", "--with-secrets")
    assert content(tmp_path / "s.tar.gz")["secrets.env"] == b"SECRET_KEY=c4nary-made\n"
    settings.SECRET_KEY = "another"
    (settings.DATA_DIR / "secrets.env").write_text("SECRET_KEY=new\n")
    said = restore(tmp_path / "b.tar.gz", "--force")
    assert "SECRET_KEY is another one than then" in said
    assert "GRAFANA_SECRET_KEY" not in said
    assert (settings.DATA_DIR / "secrets.env").read_text() == "SECRET_KEY=new\n"
    restore(tmp_path / "s.tar.gz", "--force", "--with-secrets")
    assert (settings.DATA_DIR / "secrets.env").read_text() == "SECRET_KEY=c4nary-made\n"
    assert (settings.DATA_DIR / "secrets.env").stat().st_mode & 0o777 == 0o600
    assert (settings.DATA_DIR / "secrets.env.before-restore").read_text() == "SECRET_KEY=new\n"


def test_nothing_is_overwritten_without_a_word(tmp_path: Path, grafana: sqlite3.Connection) -> None:
    backup(tmp_path / "b.tar.gz")
    with pytest.raises(CommandError, match="exists already"):
        backup(tmp_path / "b.tar.gz")
    backup(tmp_path / "b.tar.gz", "--force")
    grafana.close()
    with pytest.raises(CommandError, match="Grafana has a database here already"):
        restore(tmp_path / "b.tar.gz")
    make_person("ann", Role.VIEWER)
    with pytest.raises(CommandError, match="people or rows here already"):
        restore(tmp_path / "b.tar.gz")
    assert User.objects.get().username == "ann"
    assert [path.name for path in tmp_path.glob(".*")] == []


def test_a_running_portal_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backup(tmp_path / "b.tar.gz")
    with grafana_database.held(), pytest.raises(CommandError, match="Grafana runs"):
        restore(tmp_path / "b.tar.gz", "--force")
    row = processes.ProcessRow("web", "running", State.OK, 1, 1, None, 0, "", None, None)
    monkeypatch.setattr(processes, "read", lambda: [row])
    with pytest.raises(CommandError, match=r"the portal runs \(web\); stop it first"):
        restore(tmp_path / "b.tar.gz", "--force")


# Archives that are not what `backup` writes ---------------------------------------------------------------------------


@pytest.fixture
def good(tmp_path: Path) -> Path:
    some_state(tmp_path)
    backup(tmp_path / "good.tar.gz")
    return tmp_path / "good.tar.gz"


def refused(source: Path, message: str) -> None:
    with pytest.raises(CommandError, match=message):
        restore(source, "--force")
    assert User.objects.get().username == "ann"
    assert not list(run_state.folder().parent.glob(".restore-*"))


def test_another_layout_is_refused(good: Path, tmp_path: Path) -> None:
    refused(changed_manifest(good, tmp_path / "x", format=2), "layout 2, and this portal reads layout 1")
    migrations = json.loads(content(good)["manifest.json"])["migrations"]
    newer = {"default": [*migrations["default"], "dashboards.9999_future"]}
    refused(changed_manifest(good, tmp_path / "x", migrations=newer), "newer portal.*9999_future")
    older = {"default": migrations["default"][1:]}
    refused(changed_manifest(good, tmp_path / "x", migrations=older), "older portal.*with that version")
    refused(
        changed_manifest(good, tmp_path / "x", columns={"default": {"accounts_user": ["id"]}}), "not the one of this"
    )
    refused(changed_manifest(good, tmp_path / "x", more=1), "not one of this layout")


def test_a_damaged_archive_changes_nothing(good: Path, tmp_path: Path) -> None:
    files = content(good)
    name = "tables/default/accounts_user.copy"
    refused(rewritten(good, tmp_path / "x", {**files, name: files[name].replace(b"ann", b"eve")}), "is damaged")
    refused(rewritten(good, tmp_path / "x", {key: files[key] for key in files if key != name}), "is missing")
    whole = good.read_bytes()
    (tmp_path / "x").write_bytes(whole[: len(whole) // 2])
    refused(tmp_path / "x", r"cannot be read as a backup|is missing")
    (tmp_path / "x").write_bytes(b"no archive")
    refused(tmp_path / "x", "cannot be read as a backup")
    refused(rewritten(good, tmp_path / "x", {"else": b""}), "no manifest")
    refused(rewritten(good, tmp_path / "x", {"manifest.json": b"{"}), "cannot be read")
    refused(tmp_path / "nothing", "No such file")


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "tables/default/../../evil", "tables/other/x.copy", "evil"])
def test_what_does_not_belong_into_a_backup_is_refused(good: Path, tmp_path: Path, name: str) -> None:
    files = content(good)
    manifest = json.loads(files["manifest.json"])
    manifest["files"][name] = {"size": 1, "sha256": "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"}
    refused(
        rewritten(good, tmp_path / "x", {**files, "manifest.json": json.dumps(manifest).encode(), name: b"x"}),
        "does not belong",
    )
    assert not list(tmp_path.rglob("evil"))


def test_a_row_that_does_not_fit_leaves_everything_as_it_was(good: Path, tmp_path: Path) -> None:
    import hashlib

    files = content(good)
    name = "tables/default/accounts_user.copy"
    body = files[name].replace(b"\tann\t", b"\t" + b"n" * 200 + b"\t")
    manifest = json.loads(files["manifest.json"])
    manifest["files"][name] = {"size": len(body), "sha256": hashlib.sha256(body).hexdigest()}
    files |= {"manifest.json": json.dumps(manifest).encode(), name: body}
    refused(rewritten(good, tmp_path / "x", files), "a database refused, and keeps what it had")
