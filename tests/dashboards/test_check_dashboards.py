"""`manage.py check_dashboards` says of every panel and variable whether it works."""

from __future__ import annotations

from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from apps.dashboards.models import Dashboard
from tests.dashboards.conftest import Register, panel, query_variable

pytestmark = pytest.mark.django_db(databases=["default", "source"])


def check(*arguments: str) -> tuple[str, int]:
    """What the command prints, and its exit code."""
    said = StringIO()
    try:
        call_command("check_dashboards", *arguments, stdout=said)
    except SystemExit as end:
        return said.getvalue(), int(str(end.code))
    return said.getvalue(), 0


def test_every_panel_and_variable_has_its_line(register: Register) -> None:
    register(
        panel(1, "SELECT '$host' AS h FROM generate_series(1, 3)"),
        panel(2, "SELECT 1 WHERE false"),
        variables=(query_variable("host", "VALUES ('rack-1'), ('rack-2')"),),
    )
    said, code = check()
    lines = [line.split() for line in said.splitlines()]
    assert code == 0
    assert said.startswith("Lab (lab): 1 of 2 panels ok, 1 no data\n")
    assert lines[1][:5] == ["ok", "variable", "host", "2", "rows"]
    assert lines[2][:6] == ["ok", "panel", "1", "Panel", "1", "3"]
    assert lines[3][:4] == ["no", "data", "panel", "2"]
    assert lines[-1] == ["1", "dashboards,", "3", "panels", "and", "variables,", "0", "failed."]


def test_one_that_fails_says_why_and_the_command_exits_with_1(register: Register) -> None:
    register(
        panel(1, "SELECT nothing"), panel(2, "SELECT 1"), panel(3, "SELECT '$host'"),
        variables=(query_variable("host", "SELECT broken"),),
    )  # fmt: skip
    said, code = check()
    assert code == 1
    assert said.startswith("Lab (lab): 1 of 3 panels ok, 0 no data\n")
    assert 'column "nothing" does not exist (query A, character 8)' in said
    assert 'The variable host has no values. column "broken" does not exist' in said
    assert "3 failed." in said


def test_it_reads_the_queries_too(register: Register) -> None:
    register(panel(1, "SELECT * FROM alerts, nowhere"), panel(2, "SELECT 1", type="hologram"))
    said, _ = check()
    assert "panels[0].targets[0].rawSql: The database has no table nowhere" in said
    assert "has no table alerts" not in said
    assert "has no time filter" in said
    assert "The panel type hologram is unknown" in said


def test_a_panel_that_cannot_be_drawn_fails_alone(register: Register, monkeypatch: pytest.MonkeyPatch) -> None:
    register(panel(1, "SELECT 1"), panel(2, "SELECT 1"))
    calls = iter([ValueError("no")])

    def once(*_: object, **__: object) -> object:
        for error in calls:
            raise error
        from apps.panels.view.model import Text

        return Text("drawn")

    monkeypatch.setattr("apps.dashboards.checking.view_of", once)
    said, code = check()
    assert (code, said.splitlines()[0]) == (1, "Lab (lab): 1 of 2 panels ok, 0 no data")
    assert "It cannot be drawn: ValueError." in said


def test_the_range_can_be_another_and_dashboards_can_be_named(register: Register) -> None:
    register(panel(1, "SELECT 1 WHERE $__timeFrom()::timestamptz < '2001-01-01'"))
    assert "1 of 1 panels ok" in check("lab", "--from", "2000-01-01", "--to", "2000-01-02")[0]
    assert "0 of 1 panels ok, 1 no data" in check("lab")[0]
    with pytest.raises(CommandError, match="no such dashboard: other"):
        check("lab", "other")
    Dashboard.objects.update(enabled=False)
    assert check()[0] == "0 dashboards, 0 panels and variables, 0 failed.\n"


def test_quietly_it_prints_what_fails(register: Register) -> None:
    register(panel(1, "SELECT 1 AS n"), panel(2, "SELECT nothing"))
    said, _ = check("--verbosity", "0")
    assert "Panel 1" not in said
    assert "Panel 2" in said
