"""The history of a dashboard: every change once, whole, and for good."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import DatabaseError, connection

from apps.accounts.models import AuditEntry
from apps.accounts.scope import EVERYTHING
from apps.dashboards.folders import FolderError, folder_of
from apps.dashboards.importing import import_dashboard
from apps.dashboards.models import Cause, Dashboard, Folder, Revision, StoredBody
from apps.dashboards.revisions import (
    StaleRevisionError,
    digest_of,
    keep,
    record,
    restore,
    retire,
    store,
)
from apps.panels.document import InvalidDocumentError

pytestmark = pytest.mark.django_db


def document(**fields: Any) -> dict[str, Any]:
    return {"uid": "one", "title": "One", "schemaVersion": 41, "panels": [], "tags": ["lab"], **fields}


def edited(dashboard: Dashboard, **fields: Any) -> Revision:
    return record(dashboard, document(**fields), actor="alice", reason="because", cause=Cause.EDIT)


@pytest.fixture
def dashboard(db: None) -> Dashboard:
    return import_dashboard(document()).dashboard


def test_a_change_is_a_revision_and_brings_title_and_tags_along(dashboard: Dashboard) -> None:
    revision = edited(dashboard, title="Two", tags=["x"], id=9, version=3)
    stored = Dashboard.objects.get()
    assert (stored.current, stored.title, stored.tags) == (revision, "Two", ["x"])
    assert stored.body == document(title="Two", tags=["x"])
    assert (revision.number, revision.actor, revision.reason, revision.cause) == (2, "alice", "because", "edit")
    entry = AuditEntry.objects.first()
    assert entry is not None
    assert (entry.actor, entry.object_id, entry.reason) == ("alice", str(dashboard.pk), "because")
    assert entry.after == {"revision": 2, "digest": revision.stored_id, "cause": "edit"}


def test_the_same_body_adds_nothing_however_it_is_written(dashboard: Dashboard) -> None:
    first = dashboard.current
    assert edited(dashboard, version=7) == first
    turned = dict(reversed(document().items()))
    assert record(dashboard, turned, actor="alice", reason="", cause=Cause.EDIT) == first
    assert Revision.objects.count() == AuditEntry.objects.filter(kind="dashboards.dashboard").count() == 1


def test_identical_bodies_are_stored_once(dashboard: Dashboard) -> None:
    edited(dashboard, title="Two")
    edited(dashboard)
    assert (Revision.objects.count(), StoredBody.objects.count()) == (3, 2)
    body = document()
    assert store(body).pk == store(body).pk == digest_of(body) == Revision.objects.earliest("number").stored_id
    assert digest_of({"a": 8}) != digest_of({"a": 8.0})


def test_an_edit_that_was_found_is_kept_once_and_changes_nothing(dashboard: Dashboard) -> None:
    found = keep(dashboard, document(title="Theirs", version=5), actor="eve in Grafana", reason="drift")
    again = keep(dashboard, document(title="Theirs", version=6), actor="eve in Grafana", reason="drift")
    assert found == again
    assert (found.number, found.cause) == (2, "found")
    assert keep(dashboard, document(), actor="eve", reason="").number == 1
    stored = Dashboard.objects.get()
    assert stored.current is not None
    assert (stored.current.number, stored.title) == (1, "One")
    assert edited(dashboard, title="Three").number == 3


def test_restoring_adds_the_old_body_again_and_brings_a_retired_dashboard_back(dashboard: Dashboard) -> None:
    first = dashboard.current
    assert first is not None
    edited(dashboard, title="Two")
    retire(dashboard, actor="alice", reason="no longer needed")
    assert not Dashboard.objects.visible_to(EVERYTHING).exists()
    revision = restore(dashboard, first, actor="bob", reason="")
    assert (revision.number, revision.cause, revision.reason) == (3, "restore", "revision 1 again")
    stored = Dashboard.objects.visible_to(EVERYTHING).get()
    assert (stored.title, stored.retired_at, stored.current) == ("One", None, revision)
    actions = AuditEntry.objects.filter(kind="dashboards.dashboard").order_by("id").values_list("action", flat=True)
    assert list(actions) == ["add", "change", "delete", "change", "change"]
    other = import_dashboard(document(uid="two")).dashboard
    with pytest.raises(ValueError, match="another dashboard"):
        restore(other, first, actor="bob", reason="")


def test_importing_a_retired_dashboard_brings_it_back(dashboard: Dashboard) -> None:
    retire(dashboard, actor="alice", reason="")
    assert import_dashboard(document()).outcome == "changed"
    assert Dashboard.objects.get().retired_at is None
    assert Revision.objects.count() == 1


def test_who_saves_over_anothers_change_is_told(dashboard: Dashboard) -> None:
    first = dashboard.current
    edited(dashboard, title="Hers")
    with pytest.raises(StaleRevisionError, match="alice saved revision 2 meanwhile") as refused:
        record(dashboard, document(title="His"), actor="bob", reason="", cause=Cause.EDIT, expected=first)
    assert refused.value.current.body["title"] == "Hers"
    assert Dashboard.objects.get().title == "Hers"


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE dashboards_storedbody SET text = ''",
        "UPDATE dashboards_revision SET reason = 'another'",
        "DELETE FROM dashboards_revision",
        "DELETE FROM dashboards_storedbody",
    ],
)
def test_the_history_only_grows(dashboard: Dashboard, sql: str) -> None:
    with pytest.raises(DatabaseError, match="only grows"), connection.cursor() as cursor:
        cursor.execute(sql)


@pytest.mark.parametrize(
    ("fields", "path", "why"),
    [
        ({"title": "a\0b"}, "title", "zero character"),
        ({"a": {"b": ["\ud800"]}}, "a.b[0]", "surrogate"),
        ({"n": 10**400}, "n", "larger than any"),
        ({"n": float("inf")}, "n", "not finite"),
        ({"panels": 3}, "panels", "list of panels"),
        ({"many": [0] * 200_001}, "", "more than 200,000 values"),
        ({"text": "x" * 6_000_000}, "", "larger than 5 MB"),
    ],
)
def test_what_cannot_be_kept_is_refused_by_its_path(
    dashboard: Dashboard, fields: dict[str, Any], path: str, why: str
) -> None:
    with pytest.raises(InvalidDocumentError, match=why) as refused:
        edited(dashboard, **fields)
    assert refused.value.problems[0].path == path
    assert Revision.objects.count() == 1


def test_what_is_nested_without_end_is_refused(dashboard: Dashboard) -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(InvalidDocumentError, match="nested deeper"):
        digest_of({"deep": deep})


def test_folders_keep_their_uid_and_make_no_circle(db: None) -> None:
    inner = folder_of(("Lab", "Racks"))
    assert inner is not None
    assert inner.parent is not None
    outer, uid = inner.parent, inner.parent.uid
    outer.title = "Laboratory"
    outer.save()
    assert Folder.objects.get(title="Laboratory").uid == uid
    again = folder_of(("Lab",))
    assert again is not None
    assert again.uid != uid
    outer.parent = inner
    with pytest.raises(Exception, match="cannot lie in itself"):
        outer.full_clean()
    deep = folder_of(("a", "b", "c", "d"))
    assert deep is not None
    with pytest.raises(FolderError, match="4 deep"):
        folder_of(("a", "b", "c", "d", "e"))
    top = Folder.objects.get(title="a")
    top.parent = again
    with pytest.raises(Exception, match="at most 4 deep"):
        top.full_clean()


@pytest.mark.django_db(transaction=True)
def test_two_who_save_at_once_make_two_revisions() -> None:
    dashboard = import_dashboard(document()).dashboard
    failed: list[BaseException] = []

    def save(title: str) -> None:
        try:
            for number in range(5):
                edited(Dashboard.objects.get(), title=f"{title} {number}")
        except BaseException as error:
            failed.append(error)
        finally:
            connection.close()

    threads = [threading.Thread(target=save, args=(name,)) for name in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert list(dashboard.revisions.order_by("number").values_list("number", flat=True)) == list(range(1, 12))
