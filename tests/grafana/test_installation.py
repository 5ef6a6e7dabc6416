"""Which Grafana is run, and how."""

from __future__ import annotations

from pathlib import Path

import pytest
from pytest_django import Settings

from apps.grafana import installation
from apps.grafana.installation import BadHomeError, find

from .fake_home import make_home


@pytest.fixture(autouse=True)
def nothing_installed(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    settings.DATA_DIR, settings.GRAFANA_HOME = tmp_path / "data", ""
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    monkeypatch.setattr(installation, "PACKAGED", tmp_path / "packaged")
    return settings


def test_there_may_be_none() -> None:
    assert find() is None


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("grafana", ["server", "--homepath", "HOME", "--config", "INI"]),
        ("grafana-server", ["--homepath", "HOME", "--config", "INI"]),
    ],
)
def test_the_home_that_is_named_is_run(
    nothing_installed: Settings, tmp_path: Path, program: str, words: list[str]
) -> None:
    home = make_home(tmp_path / "home", program=program)
    make_home(tmp_path / "packaged")
    nothing_installed.GRAFANA_HOME = str(home)
    found = find()
    assert found is not None
    assert found.found_by == "GRAFANA_HOME"
    expected = [str(home / "bin" / program), *words]
    assert found.command(Path("INI")) == [str(home) if word == "HOME" else word for word in expected]
    assert str(found.version()) == "12.4.2"


def test_the_version_may_stand_in_a_file(nothing_installed: Settings, tmp_path: Path) -> None:
    home = make_home(tmp_path / "home")
    (home / "VERSION").write_text("9.3.2\n")
    nothing_installed.GRAFANA_HOME = str(home)
    found = find()
    assert found is not None
    assert str(found.version()) == "9.3.2"
    (home / "VERSION").unlink()
    (home / "bin" / "grafana").write_text("#!/bin/sh\nexit 3\n")
    assert found.version() is None


def test_a_home_that_is_none_is_told(nothing_installed: Settings, tmp_path: Path) -> None:
    nothing_installed.GRAFANA_HOME = str(tmp_path)
    with pytest.raises(BadHomeError, match=r"GRAFANA_HOME: there is no Grafana at .*conf/defaults.ini"):
        find()


def test_what_was_fetched_goes_before_path_and_that_before_a_package(
    nothing_installed: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_home(tmp_path / "packaged")
    found = find()
    assert found is not None
    assert found.found_by == "its package"
    on_path = make_home(tmp_path / "prefix")
    link = tmp_path / "links" / "grafana"
    link.parent.mkdir()
    link.symlink_to(on_path / "bin" / "grafana")
    monkeypatch.setenv("PATH", str(link.parent))
    found = find()
    assert found is not None
    assert (found.found_by, found.home) == ("PATH", on_path)
    for name in ("9.3.16", "10.4.1", "12.4.2-pre", "12.4.2", ".new-13.0.0", "notes"):
        make_home(tmp_path / "data" / "grafana" / "releases" / name)
    found = find()
    assert found is not None
    assert (found.found_by, found.home.name) == ("manage.py install_grafana", "12.4.2")


def test_a_program_of_path_may_have_its_home_elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_home(tmp_path / "packaged")
    make_home(tmp_path / "usr", program="grafana-server")
    (tmp_path / "usr" / "conf" / "defaults.ini").unlink()
    monkeypatch.setenv("PATH", str(tmp_path / "usr" / "bin"))
    found = find()
    assert found is not None
    assert (found.home, found.program.name) == (tmp_path / "packaged", "grafana-server")
    assert found.administration(Path("INI"))[0].endswith("/usr/bin/grafana-cli")
