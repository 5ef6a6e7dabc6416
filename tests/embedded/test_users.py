"""As whom the server runs: ordinary people, root, root in a container with few capabilities."""

from __future__ import annotations

import ctypes
import os
import pwd
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.embedded.helpers import ask, holding, live_state, stop_quietly
from vptmonitor.embedded import EmbeddedCluster

pytestmark = [
    pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else"),
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="capabilities exist on Linux only"),
]

# What Docker leaves to root by default (no CAP_DAC_READ_SEARCH, no CAP_SYS_PTRACE, no CAP_SYS_ADMIN).
DOCKER = {0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 27, 29, 31}
PR_CAPBSET_DROP = 24
CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 1, 2


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that everybody can reach, unlike pytest's own."""
    place = Path(tempfile.mkdtemp(prefix="embedded-", dir="/tmp"))
    place.chmod(0o755)
    yield place
    stop_quietly(place / "clone" / ".data" / "postgres")
    shutil.rmtree(place)


def limited_to(capabilities: set[int]) -> Callable[[], None]:
    """For a child of root: no other capability, as in a container."""
    libc = ctypes.CDLL(None)

    def drop() -> None:
        for capability in range(64):
            if capability not in capabilities:
                libc.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0)

    return drop


def effective_capabilities(pid: int) -> set[int]:
    text = Path(f"/proc/{pid}/status").read_text()
    bits = int(next(line.split()[1] for line in text.splitlines() if line.startswith("CapEff:")), 16)
    return {number for number in range(64) if bits >> number & 1}


def owner_of(pid: int) -> int:
    return int(next(x for x in Path(f"/proc/{pid}/status").read_text().splitlines() if x.startswith("Uid:")).split()[1])


def modes_above(path: Path) -> dict[Path, tuple[int, int, int]]:
    return {folder: (stat.S_IMODE(s.st_mode), s.st_uid, s.st_gid) for folder in path.parents if (s := folder.stat())}


def test_an_ordinary_user_runs_the_server_as_itself(open_folder: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    place = open_folder / "clone"
    place.mkdir()
    os.chown(place, nobody.pw_uid, nobody.pw_gid)
    data = place / ".data" / "postgres"
    with holding(data, user=nobody.pw_uid, group=nobody.pw_gid, extra_groups=[]) as holder:
        assert "error" not in holder.answer()
        assert owner_of(live_state(data).server_pid) == nobody.pw_uid
        assert stat.S_IMODE(data.parent.stat().st_mode) == 0o700
    stop_quietly(data)


def test_a_user_without_a_name_is_told_what_to_do(open_folder: Path) -> None:
    place = open_folder / "clone"
    place.mkdir()
    os.chown(place, 54321, 54321)
    with holding(place / ".data" / "postgres", user=54321, group=54321, extra_groups=[]) as holder:
        assert "54321 has no name in /etc/passwd" in holder.answer()["error"]


def test_root_needs_no_capability_where_the_folders_are_open(open_folder: Path) -> None:
    data = open_folder / "clone" / ".data" / "postgres"
    data.parent.parent.mkdir(mode=0o755)
    before = modes_above(data.parent)
    with holding(data) as holder:
        assert "error" not in holder.answer()
        found = live_state(data)
        for pid in (found.keeper_pid, found.server_pid):
            assert owner_of(pid) != 0
            assert effective_capabilities(pid) == set()
    assert modes_above(data.parent) == before


@pytest.mark.parametrize(
    ("allowed", "kept"), [(set(range(64)), CAP_DAC_READ_SEARCH), (DOCKER, CAP_DAC_OVERRIDE)], ids=["all", "docker"]
)
def test_root_below_a_closed_folder_opens_none(open_folder: Path, allowed: set[int], kept: int) -> None:
    open_folder.chmod(0o700)
    data = open_folder / "clone" / ".data" / "postgres"
    data.parent.mkdir(parents=True, mode=0o700)
    before = modes_above(data)
    with holding(data, preexec_fn=limited_to(allowed)) as holder:
        assert "error" not in holder.answer()
        found = live_state(data)
        for pid in (found.keeper_pid, found.server_pid):
            assert owner_of(pid) != 0
            assert effective_capabilities(pid) == {kept}
        assert ask(EmbeddedCluster(data), "SELECT 1") == 1
    assert modes_above(data) == before


def test_root_that_cannot_become_somebody_else_is_told(open_folder: Path) -> None:
    data = open_folder / "clone" / ".data" / "postgres"
    with holding(data, preexec_fn=limited_to(set())) as holder:
        error = holder.answer()["error"]
    assert "does not run as root" in error
    assert "ordinary user" in error


def test_data_that_a_copy_gave_to_root_is_taken_over(open_folder: Path) -> None:
    first = open_folder / "first" / "postgres"
    cluster = EmbeddedCluster(first, durable=False)
    cluster.ensure_database("kept")
    cluster.stop()
    data = open_folder / "clone" / ".data" / "postgres"
    shutil.copytree(first, data)
    assert data.stat().st_uid == 0
    copy = EmbeddedCluster(data, durable=False)
    assert ask(copy, "SELECT current_database()", "kept") == "kept"
    copy.stop()
