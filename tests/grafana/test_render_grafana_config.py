"""`manage.py render_grafana_config`."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from vptmonitor.database_url import from_url

from .expansion import read_ini, read_yaml


@pytest.fixture(autouse=True)
def place(settings: Settings, tmp_path: Path) -> Settings:
    settings.DATA_DIR = tmp_path / "data"
    settings.GRAFANA_READER_ADDRESS = from_url("postgresql://reader:p@db.example.org/lab?sslmode=verify-full")
    return settings


def render(folder: Path) -> str:
    said, errors = StringIO(), StringIO()
    call_command("render_grafana_config", str(folder), stdout=said, stderr=errors)
    assert errors.getvalue() == ""
    return said.getvalue().strip()


def test_it_writes_and_says_where(place: Settings, tmp_path: Path) -> None:
    place.GRAFANA_DATABASE_ADDRESS = from_url("postgresql://graf:q@db.example.org:6000/grafana")
    path = render(tmp_path / "config")
    assert path == str(tmp_path / "config" / "grafana.ini")
    found = read_ini(Path(path), {})
    assert found["paths"]["data"] == str(tmp_path / "data" / "grafana" / "data")
    assert (found["database"]["host"], found["database"]["ssl_mode"]) == ("db.example.org:6000", "require")
    (source,) = read_yaml(tmp_path / "config/provisioning/datasources/supabase.yml", {})["datasources"]
    assert (source["user"], source["jsonData"]["sslmode"]) == ("reader", "verify-full")


def test_what_cannot_be_written_is_told(place: Settings, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(CommandError, match="cannot write"):
        render(tmp_path / "file" / "config")
    place.GRAFANA_ADMIN_PASSWORD = "c4nary "
    with pytest.raises(CommandError, match="GRAFANA_ADMIN_PASSWORD: Grafana drops white space") as caught:
        render(tmp_path / "config")
    assert "c4nary" not in str(caught.value)
