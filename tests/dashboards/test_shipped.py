"""The dashboards that come with the portal are registered when it starts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.conf import settings

from apps.dashboards.folders import folder_of
from apps.dashboards.importing import import_dashboard
from apps.dashboards.models import Cause, Dashboard
from apps.dashboards.reading import document_of
from apps.dashboards.revisions import bring_back, record, retire
from apps.dashboards.shipped import register_shipped
from apps.panels.lint import lint

pytestmark = pytest.mark.django_db

SHIPPED = settings.ROOT / "grafana_config" / "dashboards"


def test_they_are_registered_once_and_nothing_is_wrong_with_them() -> None:
    assert {done.outcome for done in register_shipped(SHIPPED)} == {"added"}
    assert {done.outcome for done in register_shipped(SHIPPED)} == {"unchanged"}
    stored = Dashboard.objects.values_list("title", flat=True)
    assert list(stored) == ["VirtualPyTest - System Health", "VirtualPyTest - System Overview"]
    for row in Dashboard.objects.all():
        assert [str(finding) for finding in lint(document_of(row)) if finding.severity == "error"] == []


def test_a_newer_version_replaces_the_older_one_and_nothing_else(tmp_path: Path) -> None:
    body = {"uid": "one", "title": "Old", "panels": [], "schemaVersion": 41}
    file = tmp_path / "one.json"
    file.write_text(json.dumps(body))
    register_shipped(tmp_path)
    file.write_text(json.dumps({**body, "title": "New"}))
    assert [done.outcome for done in register_shipped(tmp_path)] == ["changed"]
    import_dashboard({**body, "title": "Theirs"}, origin="/somewhere/one.json")
    assert register_shipped(tmp_path) == []
    assert Dashboard.objects.get().title == "Theirs"


def test_what_somebody_edited_moved_or_retired_stays_so(tmp_path: Path) -> None:
    file = tmp_path / "one.json"
    body = {"uid": "one", "title": "Old", "panels": [], "schemaVersion": 41}
    file.write_text(json.dumps(body))
    (done,) = register_shipped(tmp_path)
    Dashboard.objects.update(folder=folder_of(("Mine",)))
    file.write_text(json.dumps({**body, "title": "New"}))
    register_shipped(tmp_path)
    moved = Dashboard.objects.get()
    assert (moved.title, str(moved.folder)) == ("New", "Mine")
    retire(moved, actor="alice", reason="")
    assert register_shipped(tmp_path) == []
    bring_back(moved, actor="alice", reason="")
    record(moved, {**body, "title": "Mine"}, actor="alice", reason="", cause=Cause.EDIT)
    assert register_shipped(tmp_path) == []
    assert done.dashboard.pk == moved.pk
