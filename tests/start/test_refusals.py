"""What cannot work is refused at the start: one clear line, and an exit code that is not 0."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.embedded.helpers import keepers
from tests.start.portal import ROOT, free_port, plain_environment


def refusal(folder: Path, **given: str) -> str:
    """The one line with which the start is refused."""
    data = Path(given.get("DATA_DIR", str(folder / "data")))
    environment = plain_environment(**{"DATA_DIR": str(data), "PORT": str(free_port()), "DEMO": "false", **given})
    done = subprocess.run(
        [sys.executable, "-m", "vptmonitor.start"], cwd=ROOT, env=environment, stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1, done.stderr
    assert done.stdout == ""
    [line] = done.stderr.splitlines()
    assert line.startswith("vptmonitor: ")
    assert keepers(data) == [], "no server was started in vain"
    return line


def test_a_taken_port(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        line = refusal(tmp_path, PORT=str(port))
    assert f"port {port} is taken" in line
    assert "make run PORT=" in line


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"PORT": "80a"}, "PORT"),
        ({"GRAFANA_ADMIN_PASSWORD": "admin123"}, "GRAFANA_ADMIN_PASSWORD"),
        ({"DATABASE_URL": "postgresql://u:a/b@host/db"}, "DATABASE_URL"),
        ({"TIME_ZONE": "Mars/Base"}, "TIME_ZONE"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_wrong_value_is_told_with_its_variable(tmp_path: Path, given: dict[str, str], word: str) -> None:
    line = refusal(tmp_path, **given)
    assert word in line
    assert "a/b" not in line
    assert "admin123" not in line


def test_a_broken_line_of_the_environment_file(tmp_path: Path) -> None:
    file = tmp_path / "broken.env"
    file.write_text("PORT=5109\nthis is no setting\n")
    assert "line 2 is not NAME=value" in refusal(tmp_path, ENV_FILE=str(file))


def test_a_database_that_is_not_there(tmp_path: Path) -> None:
    port = free_port()
    line = refusal(tmp_path, DATABASE_URL=f"postgresql://reader:a-secret@127.0.0.1:{port}/lab")
    assert "Connection refused" in line
    assert f"port {port}" in line
    assert "manage.py doctor" in line
    assert "a-secret" not in line


def test_a_data_directory_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    line = refusal(tmp_path)
    assert str(tmp_path / "data") in line
    assert "DATA_DIR" in line


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 8 MB; only root can make one."""
    place = tmp_path / "small"
    place.mkdir()
    if os.geteuid() != 0 or shutil.which("mount") is None:
        pytest.skip("only root can make a small file system")
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", place], capture_output=True, check=False)
    if made.returncode:
        pytest.skip("this root may not mount")
    yield place
    subprocess.run(["umount", place], check=True)


def test_a_full_disk(tmp_path: Path, small_disk: Path) -> None:
    line = refusal(tmp_path, DATA_DIR=str(small_disk / "data"))
    assert re.search(r"only \d+ MB are free", line)
    with contextlib.suppress(OSError), (small_disk / "filler").open("wb", buffering=0) as filler:
        while filler.write(b"x" * 65536):
            pass
    assert shutil.disk_usage(small_disk).free == 0
    assert "DATA_DIR" in refusal(tmp_path, DATA_DIR=str(small_disk / "other"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_directory_without_the_right_to_write(tmp_path: Path) -> None:
    place = tmp_path / "closed"
    place.mkdir(mode=0o500)
    assert "DATA_DIR" in refusal(tmp_path, DATA_DIR=str(place / "data"))


def test_an_old_python_is_named_before_anything_is_installed() -> None:
    stub = "import sys, runpy; sys.version_info = (3, 10, 14); sys.argv = ['vptmonitor/bootstrap.py']; "
    stub += "runpy.run_path('vptmonitor/bootstrap.py', run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", stub], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert "Python 3.11 or newer is needed, this is 3.10" in line
    assert "make PYTHON=" in line
