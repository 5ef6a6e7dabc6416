"""The pages that change dashboards: who may, what is stored, what is refused and why, and that nothing is lost."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from apps.accounts.models import AuditEntry, TeamMembership, User
from apps.dashboards.bodies import file_text
from apps.dashboards.folders import folder_of
from apps.dashboards.importing import import_dashboard
from apps.dashboards.models import Dashboard, Draft, Folder, Revision
from apps.dashboards.revisions import retire
from apps.mirror.models import Team
from apps.panels import reader, run
from tests.pages import content_of
from tests.people import TEAM_A, TEAM_B, signed_in

pytestmark = pytest.mark.django_db(databases=["default", "source"])


def document(**fields: Any) -> dict[str, Any]:
    sql = {"refId": "A", "rawSql": "SELECT 1 AS one", "format": "table"}
    panel = {"id": 1, "type": "stat", "title": "Runs", "gridPos": {"x": 0, "y": 0, "w": 12, "h": 8}, "targets": [sql]}
    return {"uid": "one", "title": "One", "schemaVersion": 41, "panels": [panel], **fields}


@pytest.fixture(autouse=True)
def _nothing_kept() -> Iterator[None]:
    """No answer or connection of the panel engine goes from one test to the next."""
    run.answers.clear()
    yield
    run.answers.clear()
    run.pool.close()
    reader.forget()


@pytest.fixture
def dashboard(db: None) -> Dashboard:
    return import_dashboard(document()).dashboard


def upload(name: str, content: bytes, **fields: Any) -> dict[str, Any]:
    return {"file": SimpleUploadedFile(name, content), "text": "", "do": "add", **fields}


def zipped(**files: object) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/") + ".json", json.dumps(content))
    return data.getvalue()


DRAWN = "/api/v1/dashboards/one/draft/panels/1/data"
PAGES = (
    "/dashboards/add/", "/dashboards/retired/", "/dashboards/one/edit/", "/dashboards/one/clone/",
    "/dashboards/one/retire/", "/dashboards/one/revisions/1/restore/", "/dashboards/one/draft/",
)  # fmt: skip


def test_only_administrators_change_and_strangers_see_nothing(
    dashboard: Dashboard, admin: User, alice: User, bob: User, charlie: User
) -> None:
    Dashboard.objects.update(team_id=TEAM_A)
    for path in PAGES:
        for person in (alice, bob):
            assert signed_in(person).get(path).status_code == 403, path
            assert signed_in(person).post(path, {"text": "{}"}).status_code == 403, path
    reading = ("/dashboards/one/history/", "/dashboards/one/compare/", "/dashboards/one/revisions/1/")
    for path in (*reading, "/dashboards/one/revisions/1/json/"):
        assert signed_in(bob).get(path).status_code == 200, path
        assert signed_in(charlie).get(path).status_code == 404, path
    assert "/dashboards/one/edit/" not in signed_in(bob).get("/dashboards/one/history/").text
    for path in PAGES[:-1]:
        assert signed_in(admin).get(path).status_code == 200, path


def test_an_administrator_of_one_team_touches_no_others(dashboard: Dashboard, admin: User) -> None:
    Dashboard.objects.update(team_id=TEAM_B)
    User.objects.filter(pk=admin.pk).update(all_teams=False)
    client = signed_in(User.objects.get(pk=admin.pk))
    for path in PAGES[2:]:
        assert client.get(path).status_code == 404, path
    answer = client.post("/dashboards/add/", upload("one.json", json.dumps(document()).encode(), replace="on"))
    assert "belongs to a dashboard of another team" in answer.text
    assert Revision.objects.count() == 1


def test_an_archive_opens_no_folder_of_another_team(dashboard: Dashboard, admin: User) -> None:
    folder = folder_of(("Theirs", "Inside"))
    assert folder is not None
    Folder.objects.filter(title="Theirs").update(team_id=TEAM_B)
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("x/.registry", json.dumps({"title": "Mine", "uid": folder.uid, "dashboards": {}}))
    client = signed_in(admin)
    answer = client.post("/dashboards/add/", upload("a.zip", data.getvalue()))
    assert "is registered already, elsewhere or for another team" in answer.text
    User.objects.filter(pk=admin.pk).update(all_teams=False)
    TeamMembership.objects.create(user=admin, team_id=TEAM_A)
    client = signed_in(User.objects.get(pk=admin.pk))
    answer = client.post("/dashboards/add/", upload("a.zip", data.getvalue(), replace="on"))
    assert "belongs to another team" in answer.text
    assert "Inside" not in client.get("/dashboards/add/").text
    folder.refresh_from_db()
    assert (folder.title, str(folder.parent)) == ("Inside", "Theirs")


def test_a_file_is_added_and_a_taken_uid_is_refused_by_the_name_of_its_owner(admin: User) -> None:
    folder = folder_of(("Lab",))
    assert folder is not None
    client = signed_in(admin)
    content = json.dumps(document()).encode()
    answer = client.post("/dashboards/add/", upload("one.json", content, folder=folder.pk, reason="the first"))
    assert "1 added, 0 changed, 0 refused." in answer.text
    row = Dashboard.objects.get()
    assert (row.folder, row.origin_kind, row.origin) == (folder, "upload", "one.json")
    assert row.current is not None
    assert (row.current.actor, row.current.reason, row.current.cause) == ("admin", "the first", "upload")
    entry = AuditEntry.objects.filter(kind="dashboards.dashboard").get()
    assert (entry.actor, entry.actor_id, entry.address) == ("admin", admin.pk, "127.0.0.1")

    changed = json.dumps(document(title="Two")).encode()
    answer = client.post("/dashboards/add/", upload("one.json", changed))
    assert "The uid one belongs to “One” in Lab." in answer.text
    assert Revision.objects.count() == 1
    answer = client.post("/dashboards/add/", upload("one.json", changed, replace="on", folder=folder.pk))
    assert "0 added, 1 changed, 0 refused." in answer.text
    assert Dashboard.objects.get().title == "Two"


def test_what_is_new_belongs_to_the_team_that_was_chosen(admin: User, alice: User, charlie: User, team_a: Team) -> None:
    client = signed_in(admin)
    content = json.dumps(document())
    client.post("/dashboards/add/", {"text": content, "team_id": str(TEAM_A), "do": "add"})
    row = Dashboard.objects.get()
    assert (row.team_id, row.team_name, row.origin) == (TEAM_A, "Team A", "pasted text")
    assert signed_in(alice).get("/d/one/").status_code == 200
    assert signed_in(charlie).get("/d/one/").status_code == 404
    client.post("/dashboards/add/", {"text": json.dumps(document(title="Two")), "replace": "on", "do": "add"})
    assert Dashboard.objects.get().team_id == TEAM_A


def test_an_archive_is_reported_file_by_file_and_can_be_checked_without_storing(admin: User) -> None:
    content = zipped(
        Lab__one=document(), two=document(uid="two", title="Two", panels=3), three=document(uid="three", title="One")
    )
    client = signed_in(admin)
    answer = client.post("/dashboards/add/", upload("all.zip", content, do="check"))
    assert "Checked, and nothing stored: 2 would be added, 0 changed, 1 refused." in answer.text
    assert (
        Dashboard.objects.count(),
        Folder.objects.count(),
        AuditEntry.objects.filter(kind__startswith="dashboards").count(),
    ) == (0, 0, 0)
    answer = client.post("/dashboards/add/", upload("all.zip", content))
    assert "2 added, 0 changed, 1 refused." in answer.text
    assert "<code>panels</code>" in answer.text
    assert "A dashboard has a list of panels here" in answer.text
    assert Dashboard.objects.get(uid="one").origin == "all.zip: Lab/one.json"
    again = upload("one.json", json.dumps(document(uid="four", title="One")).encode())
    assert "The folder has another dashboard of this title (three)" in client.post("/dashboards/add/", again).text


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({}, "Choose a file, or paste a dashboard: one of the two."),
        ({"text": "   "}, "Choose a file, or paste"),
        ({"text": "{"}, "the file is no JSON"),
        ({"text": "[" * 100_000}, "nested deeper than 100"),
        ({"text": json.dumps({"title": "a\ud800", "panels": []})}, "half a character"),
        ({"text": "{}", "inputs": "nonsense"}, "is not written as NAME=VALUE"),
        ({"text": "{}", "folder": "999"}, "Select a valid choice"),
        ({"text": "{}", "folder": "x' OR 1=1"}, "Select a valid choice"),
    ],
)
def test_what_is_pasted_wrongly_is_named(admin: User, fields: dict[str, str], why: str) -> None:
    answer = signed_in(admin).post("/dashboards/add/", {"do": "add", **fields})
    assert answer.status_code == 200
    assert why in answer.text
    assert not Dashboard.objects.exists()


def test_what_is_too_large_is_refused_and_not_read(admin: User) -> None:
    client = signed_in(admin)
    answer = client.post("/dashboards/add/", upload("big.json", b" " * (50 * 1024 * 1024)))
    assert "The file is larger than 20 MB." in answer.text
    assert client.post("/dashboards/add/", {"text": "x" * (11 * 1024 * 1024)}).status_code in (400, 413)
    assert "The archive holds no .json file" in client.post("/dashboards/add/", upload("a.zip", zipped())).text


def test_saving_makes_a_revision_with_its_reason(dashboard: Dashboard, admin: User) -> None:
    client = signed_in(admin)
    opened = client.get("/dashboards/one/edit/")
    assert file_text(dashboard.body)[:20] in opened.text.replace("&quot;", '"')
    fields = {"text": json.dumps(document(title="Better")), "base": "1", "do": "save"}
    without = client.post("/dashboards/one/edit/", fields)
    assert "Say in some words why" in without.text
    assert Revision.objects.count() == 1
    saved = client.post("/dashboards/one/edit/", {**fields, "reason": "clearer"}, follow=True)
    assert "Saved as revision 2." in saved.text
    revision = Revision.objects.latest("number")
    assert (revision.actor, revision.reason, revision.cause, revision.body["title"]) == (
        "admin", "clearer", "edit", "Better",
    )  # fmt: skip
    assert not Draft.objects.exists()
    same = client.post("/dashboards/one/edit/", {**fields, "base": "2", "reason": "again"}, follow=True)
    assert "Nothing differed" in same.text
    assert Revision.objects.count() == 2


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{", "the file is no JSON"),
        ("[]", "The document is a list, not an object"),
        (json.dumps(document(uid="other")), "The uid stays one"),
        (json.dumps(document(panels={})), "A dashboard has a list of panels here"),
        ("[" * 200_000, "nested deeper"),
    ],
)
def test_what_is_no_dashboard_is_not_saved_and_stays_in_the_form(
    dashboard: Dashboard, admin: User, text: str, why: str
) -> None:
    answer = signed_in(admin).post("/dashboards/one/edit/", {"text": text, "base": "1", "reason": "x", "do": "save"})
    assert answer.status_code == 200
    assert why in answer.text
    assert "Nothing was saved" in answer.text
    assert text[:60].replace('"', "&quot;") in answer.text
    assert Revision.objects.count() == 1


def test_who_saves_over_anothers_change_sees_both_and_loses_nothing(dashboard: Dashboard, admin: User) -> None:
    client = signed_in(admin)
    theirs, mine = document(title="Theirs"), document(title="Mine", tags=["x"])
    save = {"base": "1", "reason": "because", "do": "save"}
    client.post("/dashboards/one/edit/", {**save, "text": json.dumps(theirs)})
    answer = client.post("/dashboards/one/edit/", {**save, "text": json.dumps(mine)})
    assert answer.status_code == 409
    for told in (
        "saved revision 2 while you were writing", "title &#x27;One&#x27; → &#x27;Theirs&#x27;",
        "title &#x27;Theirs&#x27; → &#x27;Mine&#x27;", "Save mine over it", "Mine", 'name="base" value="2"',
    ):  # fmt: skip
        assert told in " ".join(answer.text.split()), told
    assert Dashboard.objects.get().title == "Theirs"
    client.post("/dashboards/one/edit/", {**save, "base": "2", "text": json.dumps(mine)})
    assert [one.body["title"] for one in Revision.objects.order_by("number")] == ["One", "Theirs", "Mine"]


def test_the_draft_is_judged_kept_and_drawn_for_its_author_alone(
    dashboard: Dashboard, admin: User, alice: User
) -> None:
    client = signed_in(admin)
    broken = document()
    broken["panels"][0]["targets"][0]["rawSql"] = "SELECT one FROM no_such_table"
    answer = client.post("/dashboards/one/draft/", {"text": json.dumps(broken)})
    assert "The database has no table no_such_table" in answer.text
    assert "panels[0].targets[0].rawSql" in answer.text
    assert "query A changed" in answer.text
    drawn = client.get("/dashboards/one/draft/")
    assert 'data-api="/api/v1/dashboards/one/draft/panels/"' in drawn.text
    data = client.get(f"{DRAWN}?as=view", headers={"accept": "application/json"}).json()
    assert data["error"]["text"] == 'relation "no_such_table" does not exist'
    assert "<td" not in client.post("/dashboards/one/draft/", {"text": "{"}).text
    assert Draft.objects.count() == 1
    assert signed_in(alice).get(DRAWN).status_code == 403
    other = User.objects.create_superuser("root", password="made for a test")
    assert signed_in(other).get(DRAWN, headers={"accept": "application/json"}).status_code == 404
    assert Revision.objects.count() == 1


def test_what_was_left_unsaved_is_offered_again(dashboard: Dashboard, admin: User) -> None:
    client = signed_in(admin)
    client.post("/dashboards/one/draft/", {"text": json.dumps(document(title="Half done"))})
    assert "You left something unsaved here." in client.get("/dashboards/one/edit/").text
    again = client.get("/dashboards/one/edit/?draft").text
    assert "Half done" in again
    assert "You left something unsaved" not in again
    client.post("/dashboards/one/draft/", {"text": json.dumps(document())})
    assert "You left something unsaved" not in client.get("/dashboards/one/edit/").text


def test_the_history_tells_compares_and_restores(dashboard: Dashboard, admin: User) -> None:
    client = signed_in(admin)
    save = {"base": "1", "reason": "a <b>bold</b> word", "do": "save"}
    client.post("/dashboards/one/edit/", {**save, "text": json.dumps(document(title="Two"))})
    history = client.get("/dashboards/one/history/").text
    assert "Revision 2 is current, by admin, edited here." in history
    assert "a &lt;b&gt;bold&lt;/b&gt; word" in history
    compared = client.get("/dashboards/one/compare/?from=1&to=2").text
    for told in ("One thing differs.", "title &#x27;One&#x27; → &#x27;Two&#x27;", "<ins>Two</ins>", "<del>One</del>"):
        assert told in compared
    assert "Their bodies are the same." in client.get("/dashboards/one/compare/?from=1&to=1").text
    assert client.get("/dashboards/one/compare/?from=1&to=77").status_code == 404
    asked = client.get("/dashboards/one/revisions/1/restore/").text
    assert "Restore revision 1 of Two?" in asked
    assert Revision.objects.count() == 2
    client.post("/dashboards/one/revisions/1/restore/", {"reason": "better before"})
    assert [one.cause for one in Revision.objects.order_by("number")] == ["import", "edit", "restore"]
    download = client.get("/dashboards/one/revisions/1/json/")
    assert download.content.decode() == file_text(dashboard.body)
    assert 'filename="one-1.json"' in download.headers["Content-Disposition"]
    listed = client.get("/dashboards/one/history/?cause=edit&format=csv")
    assert content_of(listed).count("\n") == 2


def test_a_retired_dashboard_is_gone_and_comes_back(dashboard: Dashboard, admin: User, bob: User) -> None:
    client = signed_in(admin)
    answer = client.post("/dashboards/one/retire/", {"reason": "replaced"}, follow=True)
    assert "One is retired." in answer.text
    assert client.get("/d/one/").status_code == 404
    assert signed_in(bob).get("/dashboards/one/history/").status_code == 404
    assert "/dashboards/one/history/" in client.get("/dashboards/retired/").text
    history = client.get("/dashboards/one/history/").text
    assert "It is retired." in history
    assert "/dashboards/one/revisions/1/restore/" in history
    client.post("/dashboards/one/revisions/1/restore/", {})
    assert client.get("/d/one/").status_code == 200
    assert Revision.objects.count() == 1


def test_a_clone_has_its_own_uid_and_the_team_of_its_original(dashboard: Dashboard, admin: User) -> None:
    Dashboard.objects.update(team_id=TEAM_A, policy="locked")
    client = signed_in(admin)
    answer = client.post("/dashboards/one/clone/", {"title": "Second", "uid": "one"})
    assert "The uid one belongs to “One”." in answer.text
    assert "A uid has 1 to 40" in client.post("/dashboards/one/clone/", {"title": "x", "uid": "a b"}).text
    retire(dashboard, actor="x", reason="")
    assert "restore that one instead" in client.post("/dashboards/one/clone/", {"title": "x", "uid": "one"}).text
    answer = client.post("/dashboards/one/clone/", {"title": "Second", "uid": "", "reason": "to try"}, follow=True)
    assert answer.status_code == 200
    made = Dashboard.objects.exclude(uid="one").get()
    assert (made.title, made.team_id, made.origin_kind, made.origin) == (
        "Second", TEAM_A, "cloned", "one, revision 1",
    )  # fmt: skip
    assert (made.body["title"], made.body["uid"]) == ("Second", made.uid)
