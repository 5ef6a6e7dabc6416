"""The dashboards that come with the portal are registered when it starts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from django.conf import settings

from apps.dashboards.importing import import_dashboard
from apps.dashboards.models import Dashboard
from apps.dashboards.reading import document_of
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
