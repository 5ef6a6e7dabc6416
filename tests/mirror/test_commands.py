"""`check_source` tells how a database differs, `migrate` keeps its hands off one that is not ours."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import OperationalError, connections

from apps.mirror.shape import SOURCE, forget
from tests.mirror import installation
from tests.mirror.reduced import like_an_installation

pytestmark = pytest.mark.django_db(databases=["default", "source"])


def check_source(*arguments: str) -> tuple[int, str]:
    """The exit code and what was printed, to both streams."""
    output = StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("check_source", *arguments, stdout=output, stderr=output)
    return int(str(ended.value.code)), output.getvalue()


def test_a_database_of_our_own_does_not_differ() -> None:
    assert check_source() == (0, "Nothing differs.\n")


def test_everything_that_an_installation_lacks_is_listed_with_a_verdict() -> None:
    with like_an_installation():
        code, output = check_source()
    assert code == 3
    for table in installation.MISSING_TABLES:
        assert f"missing table    {table}\n" in output
    for table, column in installation.MISSING_COLUMNS:
        assert f"missing column   {table}.{column}\n" in output
    assert output.splitlines()[-1].startswith("7 differences.")
    forget()


def test_machines_get_the_same_as_json() -> None:
    with connections[SOURCE].cursor() as cursor, like_an_installation():
        cursor.execute("ALTER TABLE device ADD COLUMN rack text, ADD COLUMN shelf integer NOT NULL")
        cursor.execute("ALTER TABLE device ALTER COLUMN model TYPE varchar(20)")
        cursor.execute("DROP INDEX vpt_script_results_latest")
        code, output = check_source("--format", "json")
    found: dict[str, Any] = json.loads(output)
    assert code == 3
    assert found["same"] is False
    assert found["missing_tables"] == ["campaigns", "controllers"]
    assert found["missing_columns"]["device"] == ["status"]
    assert found["extra_columns"] == {"device": ["rack", "shelf"]}
    assert found["required_columns"] == {"device": ["shelf"]}
    assert found["types"] == [
        {"table": "device", "column": "model", "expected": "text", "found": "character varying(20)"}
    ]
    assert [index["name"] for index in found["missing_indexes"]] == ["vpt_script_results_latest"]
    assert "CREATE INDEX CONCURRENTLY" in found["missing_indexes"][0]["statement"]


def test_a_missing_index_is_advice_and_no_difference() -> None:
    with connections[SOURCE].cursor() as cursor:
        cursor.execute("DROP INDEX vpt_alerts_latest")
        code, output = check_source()
    assert code == 0
    assert 'CREATE INDEX CONCURRENTLY "vpt_alerts_latest" ON "alerts" ("start_time" DESC, "id" DESC);' in output
    assert output.splitlines()[-1] == "Nothing differs."


@pytest.mark.parametrize("arguments", [(), ("--format", "json")])
def test_a_database_that_cannot_be_asked_has_an_exit_code_of_its_own(
    arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse() -> None:
        raise OperationalError("connection refused\n\tIs the server running?")

    monkeypatch.setattr(connections[SOURCE], "ensure_connection", refuse)
    code, output = check_source(*arguments)
    assert code == 1
    assert "connection refused" in output
    assert "Is the server" not in output


@pytest.mark.parametrize("access", ["read", "write"])
def test_migrate_does_not_touch_a_database_that_is_not_ours(access: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "SOURCE_ACCESS", access)
    with connections[SOURCE].cursor() as cursor:
        cursor.execute("DROP TABLE django_migrations")
        with pytest.raises(CommandError, match=f"SOURCE_ACCESS={access}"):
            call_command("migrate", database=SOURCE, verbosity=0)
        cursor.execute("SELECT to_regclass('django_migrations')")
        assert cursor.fetchone() == (None,)


def test_migrate_says_where_the_mirror_lives() -> None:
    with pytest.raises(CommandError, match="--database source"):
        call_command("migrate", "mirror", verbosity=0)
    with pytest.raises(CommandError, match="does not live on the source"):
        call_command("migrate", "auth", database=SOURCE, verbosity=0)


def test_migrating_twice_changes_nothing() -> None:
    output = StringIO()
    call_command("migrate", database=SOURCE, stdout=output)
    call_command("migrate", stdout=output)
    assert output.getvalue().count("No migrations to apply.") == 2
