"""`manage.py doctor` and `manage.py processes`: what they print, and with which exit code they end."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from pytest_django import Settings

from vptmonitor import process_state
from vptmonitor.database_url import from_url
from vptmonitor.process_state import LastExit

from .conftest import Away, Given
from .test_checks import a_process

CANARIES = {
    "SECRET_KEY": "c4nary-secret-key",
    "GRAFANA_ADMIN_PASSWORD": "c4nary-admin-password",
    "GRAFANA_SECRET_KEY": "c4nary-grafana-key",
    "METRICS_TOKEN": "c4nary-token",
    "REDIS_PASSWORD": "c4nary-redis-password",
    "SUPABASE_ANON_KEY": "c4nary-anon-key",
}


def doctor(*arguments: str) -> tuple[int, str]:
    out = StringIO()
    try:
        call_command("doctor", *arguments, stdout=out, no_color=True)
    except SystemExit as end:
        return int(end.code or 0), out.getvalue()
    return 0, out.getvalue()


@pytest.fixture
def canaries(settings: Settings) -> None:
    for name, value in CANARIES.items():
        setattr(settings, name, value)


@pytest.mark.django_db(databases=["default", "source"])
class TestDoctor:
    def test_all_well_is_0(self) -> None:
        code, text = doctor()
        assert code == 0, text
        assert "failing" not in text

    def test_a_warning_is_3(self, settings: Settings) -> None:
        settings.ALLOWED_HOSTS = ["portal.example.org"]
        code, text = doctor()
        assert code == 3
        assert "-> Set PUBLIC_URL" in text

    def test_a_failure_is_1(self, away: Away, settings: Settings) -> None:
        settings.ALLOWED_HOSTS = ["portal.example.org"]
        away("source")
        code, text = doctor()
        assert code == 1
        assert "failing  Source database: Nothing listens at the address." in text

    def test_json_holds_the_same(self, settings: Settings) -> None:
        settings.ALLOWED_HOSTS = ["portal.example.org"]
        code, text = doctor("--format", "json")
        document = json.loads(text)
        assert (code, document["state"]) == (3, "warning")
        findings = {finding["name"]: finding for finding in document["findings"]}
        assert findings["public_address"]["state"] == "warning"
        assert findings["portal_database"]["details"]["version"]

    @pytest.mark.usefixtures("canaries")
    @pytest.mark.parametrize("form", ["text", "json"])
    def test_no_secret_is_printed(self, given: Given, away: Away, settings: Settings, form: str) -> None:
        password = given("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}").password
        settings.PORTAL_ADDRESS = from_url("postgresql://me:c4nary%2Fportal@localhost/x")
        settings.SOURCE_READER_ADDRESS = from_url("postgresql://me:c4nary-reader@127.0.0.1:1/x")
        away("default")
        _, text = doctor("--format", form)
        assert "127.0.0.1:1/x" in text
        assert "c4nary" not in text
        assert password not in text

    def test_a_session_that_is_really_read_only_is_shown(self, given: Given) -> None:
        given("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
        _, text = doctor()
        assert "default_transaction_read_only = on" in text
        assert "statement_timeout = 30000" in text


class TestProcesses:
    @pytest.fixture(autouse=True)
    def _states(self, settings: Settings, tmp_path: Path) -> None:
        settings.STATE_DIR = tmp_path
        ended = LastExit(None, 9, None, datetime.now(UTC), 5.2)
        process_state.write(tmp_path, a_process(restarts=2, last_exit=ended, child_pid=4711))
        process_state.write(tmp_path, a_process(name="worker", supervisor_birth="another", child_pid=4712))

    def printed(self, *arguments: str) -> str:
        out = StringIO()
        call_command("processes", *arguments, stdout=out)
        return out.getvalue()

    def test_the_table(self) -> None:
        heading, web, worker = self.printed().splitlines()
        assert heading.split()[:3] == ["PROCESS", "STATE", "PID"]
        assert web.split()[:3] == ["web", "running", "4711"]
        assert "signal 9 after 5.2 s, 0 minutes ago" in web
        assert worker.split()[:4] == ["worker", "gone", "-", "-"]

    def test_json(self) -> None:
        rows: list[dict[str, Any]] = json.loads(self.printed("--format", "json"))
        assert [(row["name"], row["state"], row["pid"], row["restarts"]) for row in rows] == [
            ("web", "running", 4711, 2),
            ("worker", "gone", None, 0),
        ]
        assert rows[0]["last_exit"] == "signal 9 after 5.2 s"

    def test_where_nothing_was_started(self, settings: Settings, tmp_path: Path) -> None:
        settings.STATE_DIR = tmp_path / "empty"
        assert "make run" in self.printed()
        assert json.loads(self.printed("--format", "json")) == []
