"""`manage.py install_grafana`: from a server of this machine, with archives good and bad."""

from __future__ import annotations

import hashlib
import io
import random
import tarfile
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command
from pytest_django import Settings

from apps.grafana.installation import find
from apps.grafana.unpacking import UnsafeArchiveError, unpack

from .fake_home import make_home

Change = Callable[[tarfile.TarFile], None]
TOP = "grafana-12.4.2"


def archive(tmp_path: Path, change: Change | None = None, version: str = "12.4.2") -> bytes:
    """A release as it is published; `change` adds to it."""
    home = make_home(tmp_path / f"made-{version}-{len(list(tmp_path.iterdir()))}", version)
    (home / "VERSION").write_text(version)
    (home / "public").mkdir()
    (home / "public" / "large.js").write_bytes(random.Random(1).randbytes(1_000_000))
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        tar.add(home, TOP)
        if change:
            change(tar)
    return stream.getvalue()


class Server:
    """Gives `content` below any path, and its SHA-256 at `.sha256`. `cut` ends the first answers early, once each."""

    def __init__(self) -> None:
        self.content = b""
        self.sum: str | None = None
        self.cut: list[int] = []
        self.ranges: list[str | None] = []
        self.with_ranges = True
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                if self.path.endswith(".sha256"):
                    said = outer.sum if outer.sum is not None else hashlib.sha256(outer.content).hexdigest()
                    self._send(200, f"{said}  {TOP}.tar.gz\n".encode())
                    return
                asked = self.headers.get("Range")
                outer.ranges.append(asked)
                begin = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and outer.with_ranges else 0
                if begin >= len(outer.content):
                    self._send(416, b"")
                    return
                end = outer.cut.pop(0) if outer.cut else len(outer.content)
                headers = {"Content-Range": f"bytes {begin}-{len(outer.content) - 1}/{len(outer.content)}"}
                self._send(206 if begin else 200, outer.content[begin:], headers if begin else {}, end - begin)

            def _send(self, status: int, body: bytes, headers: dict[str, str] | None = None, sent: int = -1) -> None:
                self.send_response(status)
                for name, value in (headers or {}).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body if sent < 0 else body[:sent])
                self.close_connection = True

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/{TOP}.linux-amd64.tar.gz"
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    one = Server()
    one.content = archive(tmp_path)
    yield one
    one.close()


@pytest.fixture(autouse=True)
def releases(settings: Settings, tmp_path: Path) -> Path:
    settings.DATA_DIR, settings.GRAFANA_HOME = tmp_path / "data", ""
    return tmp_path / "data" / "grafana" / "releases"


def install(server: Server, *options: str, version: str = "12.4.2") -> str:
    said = StringIO()
    call_command("install_grafana", f"--version={version}", f"--url={server.url}", *options, stdout=said)
    return said.getvalue()


def test_a_release_is_fetched_checked_and_found(server: Server, releases: Path) -> None:
    said = install(server)
    assert "The SHA-256 is right" in said
    assert "Start the portal again" in said
    found = find()
    assert found is not None
    assert (found.home, str(found.version())) == (releases / "12.4.2", "12.4.2")
    assert (releases / "12.4.2" / "bin" / "grafana").stat().st_mode & 0o777 == 0o755
    assert (releases / "12.4.2" / "public" / "large.js").stat().st_mode & 0o777 == 0o644
    assert sorted(path.name for path in releases.iterdir()) == [".lock", "12.4.2"]
    assert list((releases.parent / "downloads").iterdir()) == []
    assert "installed already" in install(server)
    assert len(server.ranges) == 1


def test_a_broken_attempt_is_resumed(server: Server, releases: Path) -> None:
    server.cut = [500_000]
    with pytest.raises(CommandError, match="the next attempt goes on there"):
        install(server)
    assert find() is None
    (part,) = (releases.parent / "downloads").iterdir()
    kept = part.stat().st_size
    assert 0 < kept <= 500_000
    install(server)
    assert server.ranges == [None, f"bytes={kept}-"]
    assert find() is not None


def test_a_server_without_ranges_is_asked_for_everything(server: Server, releases: Path) -> None:
    server.cut, server.with_ranges = [500_000], False
    with pytest.raises(CommandError):
        install(server)
    install(server)
    assert find() is not None


def test_old_bytes_that_do_not_fit_are_fetched_anew(server: Server, releases: Path) -> None:
    (releases.parent / "downloads").mkdir(parents=True)
    part = releases.parent / "downloads" / f"{TOP}.linux-amd64.tar.gz.part"
    part.write_bytes(b"x" * 1000)
    install(server)
    assert server.ranges == ["bytes=1000-", None]
    part.write_bytes(b"x" * (len(server.content) + 10))
    install(server, "--force")
    assert find() is not None


def test_what_is_not_what_was_published_is_thrown_away(server: Server, releases: Path) -> None:
    with pytest.raises(CommandError, match="not what was published"):
        install(server, f"--sha256={'0' * 64}")
    server.sum = "f" * 64
    with pytest.raises(CommandError, match="not what was published"):
        install(server)
    server.sum = "no sum"
    with pytest.raises(CommandError, match="holds no SHA-256"):
        install(server)
    assert find() is None
    assert list((releases.parent / "downloads").iterdir()) == []
    install(server, f"--sha256={hashlib.sha256(server.content).hexdigest().upper()}")


@pytest.mark.parametrize("url", ["http://dl.grafana.com/x.tar.gz", "ftp://127.0.0.1/x.tar.gz", "file:///etc/passwd"])
def test_only_tls_or_this_machine_is_asked(url: str) -> None:
    with pytest.raises(CommandError, match="is no https"):
        call_command("install_grafana", "--version=12.4.2", f"--url={url}")


@pytest.mark.parametrize("version", ["12", "latest", "12.4.2/../..", "8.5.0", "12.4.2 "])
def test_a_version_is_whole_and_not_too_old(server: Server, version: str) -> None:
    with pytest.raises(CommandError, match=r"whole version|too old"):
        install(server, version=version)
    assert server.ranges == []


def test_another_version_or_no_grafana_at_all_is_refused(server: Server, tmp_path: Path, releases: Path) -> None:
    with pytest.raises(CommandError, match=r"holds Grafana 12\.4\.2 and not 13\.0\.1"):
        install(server, version="13.0.1")
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        tar.add(tmp_path / "data", TOP, recursive=False)
    server.content = stream.getvalue()
    with pytest.raises(CommandError, match="holds no Grafana"):
        install(server)
    server.content = b"no archive at all"
    with pytest.raises(CommandError, match="cannot be read as an archive"):
        install(server)
    assert [path.name for path in releases.iterdir()] == [".lock"]


def test_a_release_is_replaced_only_when_told_and_in_one_step(server: Server, tmp_path: Path, releases: Path) -> None:
    install(server)
    (releases / "12.4.2" / "mark").touch()
    assert "installed already" in install(server)
    assert (releases / "12.4.2" / "mark").exists()
    (releases / ".new-left").mkdir()
    install(server, "--force")
    assert not (releases / "12.4.2" / "mark").exists()
    assert sorted(path.name for path in releases.iterdir()) == [".lock", "12.4.2"]


# Archives that are no releases ----------------------------------------------------------------------------------------


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "", size: int = 0) -> Change:
    def add(tar: tarfile.TarFile) -> None:
        info = tarfile.TarInfo(name)
        info.type, info.linkname, info.size = kind, link, size
        tar.addfile(info, io.BytesIO(b"x" * size) if kind == tarfile.REGTYPE else None)

    return add


def unpacked(tmp_path: Path, change: Change | None) -> Path:
    (tmp_path / "bad.tar.gz").write_bytes(archive(tmp_path, change))
    folder = tmp_path / "in" / "side"
    folder.mkdir(parents=True)
    unpack(tmp_path / "bad.tar.gz", folder)
    return folder


@pytest.mark.parametrize(
    "change",
    [
        member("/etc/evil"), member("../evil"), member(f"{TOP}/../../evil"), member(f"{TOP}/a/../../../evil"),
        member(f"{TOP}/..\\evil"), member(f"{TOP}/x", tarfile.CHRTYPE), member(f"{TOP}/x", tarfile.FIFOTYPE),
        member(f"{TOP}/x", tarfile.SYMTYPE, "/etc/passwd"), member(f"{TOP}/x", tarfile.SYMTYPE, "../../../etc/passwd"),
        member(f"{TOP}/x", tarfile.SYMTYPE, "public"), member(f"{TOP}/x", tarfile.LNKTYPE, "/etc/passwd"),
        member(f"{TOP}/x", tarfile.LNKTYPE, f"{TOP}/../../secret"), member(f"{TOP}/VERSION", size=3),
    ],
)  # fmt: skip
def test_nothing_leads_out_of_the_folder(tmp_path: Path, change: Change) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "secret").write_text("c4nary")
    work = tmp_path / "work"
    work.mkdir()
    with pytest.raises(UnsafeArchiveError):
        unpacked(work, change)
    assert not list(tmp_path.rglob("evil"))
    assert not [path for path in tmp_path.rglob("*") if path.is_symlink()]


def test_a_link_within_becomes_a_copy(tmp_path: Path) -> None:
    def links(tar: tarfile.TarFile) -> None:
        member(f"{TOP}/bin/grafana-server", tarfile.SYMTYPE, "grafana")(tar)
        member(f"{TOP}/public/again.js", tarfile.LNKTYPE, f"{TOP}/public/large.js")(tar)

    folder = unpacked(tmp_path, links)
    assert not (folder / "bin" / "grafana-server").is_symlink()
    assert (folder / "bin" / "grafana-server").read_bytes() == (folder / "bin" / "grafana").read_bytes()
    assert (folder / "public" / "again.js").read_bytes() == (folder / "public" / "large.js").read_bytes()


def test_an_archive_has_its_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("apps.grafana.unpacking.LARGEST", 1000)
    with pytest.raises(UnsafeArchiveError, match="unpacks to more"):
        unpacked(tmp_path, None)
