"""Archives that lie, burst or wander are refused at once, within a little memory; honest ones are read."""

from __future__ import annotations

import io
import json
import stat
import struct
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

from apps.dashboards.archive import archive_files, is_archive
from apps.dashboards.bodies import MAX_BYTES, UnreadableFileError
from apps.dashboards.importing import Terms, import_tree
from apps.dashboards.models import Dashboard

pytestmark = pytest.mark.django_db

DOCUMENT = json.dumps({"uid": "one", "title": "One", "schemaVersion": 41, "panels": []})


def archive(*entries: tuple[str | zipfile.ZipInfo, str | bytes], method: int = zipfile.ZIP_DEFLATED) -> io.BytesIO:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", method) as file:
        for name, content in entries:
            file.writestr(name, content, compress_type=method)
    return data


def reports(data: io.BytesIO) -> dict[str, str]:
    """What became of each file; of refused ones why."""
    found = import_tree(archive_files(data), Terms())
    return {one.name: "; ".join(map(str, one.problems)) if one.outcome == "refused" else one.outcome for one in found}


def test_files_in_folders_are_imported_and_the_rest_is_left_out() -> None:
    data = archive(
        ("top/lab/one.json", DOCUMENT), ("top/README.md", "x"), ("__MACOSX/top/._one.json", "x"), (".git/x.json", "x"),
        ("top/lab/broken.json", "{"),
    )  # fmt: skip
    assert is_archive(data)
    assert reports(data).keys() == {"top/lab/one.json", "top/lab/broken.json"}
    row = Dashboard.objects.get()
    assert row.folder is not None
    assert [str(row.folder.parent), str(row.folder)] == ["top", "lab"]


def test_a_name_that_leads_out_a_link_and_a_secret_are_refused_alone() -> None:
    link = zipfile.ZipInfo("link.json")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    data = archive(
        ("../../etc/one.json", DOCUMENT), ("/etc/one.json", DOCUMENT), ("a\\..\\b.json", DOCUMENT),
        (link, "/etc/passwd"), ("a/./b.json", DOCUMENT), ("fine.json", DOCUMENT),
    )  # fmt: skip
    found = reports(data)
    assert found.pop("fine.json") == "added"
    assert found.pop("link.json") == "it is a link or a device, not a file"
    assert set(found.values()) == {"its place leads out of the archive"}


def test_what_is_encrypted_or_packed_otherwise_is_refused() -> None:
    assert reports(archive(("a.json", DOCUMENT), method=zipfile.ZIP_LZMA))["a.json"].startswith("its compression")
    data = bytearray(archive(("a.json", DOCUMENT)).getvalue())
    data[data.rfind(b"PK\x01\x02") + 8] |= 1
    assert reports(io.BytesIO(bytes(data)))["a.json"] == "it is encrypted"


def large(number: int, size: int) -> io.BytesIO:
    return archive(*((f"{index}.json", b" " * size) for index in range(number)))


def many() -> io.BytesIO:
    return archive(*((f"{index}.json", b"") for index in range(3000)), method=zipfile.ZIP_STORED)


def liar() -> io.BytesIO:
    """An archive whose end says that it has few entries in a short list, while zipfile would believe another record."""
    data = many().getvalue()
    end = data.rfind(b"PK\x05\x06")
    size, offset = struct.unpack("<LL", data[end + 12 : end + 20])
    record = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 3000, 3000, size, offset)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, end, 1)
    return io.BytesIO(data[:end] + record + locator + struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, 1, 1, 50, 0, 0))


@pytest.mark.parametrize(
    ("make", "why"),
    [
        (many, "more than 2,000 entries"),
        (liar, "more than 2,000 entries"),
        (lambda: io.BytesIO(b"PK\x03\x04" + b"x" * 100), "its end is missing"),
        (lambda: io.BytesIO(b"x" * (21 * 1024 * 1024)), "larger than 20 MB"),
        (lambda: io.BytesIO(many().getvalue()[:-10]), "zip archive"),
    ],
)
def test_an_archive_that_cannot_be_read_is_refused_whole(make: Callable[[], io.BytesIO], why: str) -> None:
    data = make()
    with pytest.raises(UnreadableFileError, match=why):
        list(archive_files(data))


def test_a_bomb_is_refused_quickly_and_within_a_little_memory() -> None:
    data = large(60, MAX_BYTES + 1000)
    began = time.perf_counter()
    tracemalloc.start()
    found = reports(data)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(found) == 60
    assert found["0.json"] == "the file is larger than 5 MB"
    assert found["59.json"] == "the archive unpacks to more than 100 MB"
    assert peak < 40 * 1024 * 1024
    assert time.perf_counter() - began < 10


def deep() -> str:
    return '{"title": "t", "panels": ' + "[" * 100_000 + "]" * 100_000 + "}"


def wide() -> str:
    return json.dumps({"title": "t", "panels": [], "x": {str(number): 0 for number in range(300_000)}})


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (deep, "nested deeper than 100 values"),
        (wide, "more than 200,000 values"),
        (lambda: '{"title": "t", "panels": [], "n": ' + "9" * 4000 + "}", "n: This number is larger"),
        (lambda: '{"title": "t", "panels": [], "n": ' + "9" * 100_000 + "}", "no JSON"),
        (lambda: '{"title": "t", "panels": [], "n": 1e999}', "n: The document holds a number that is not finite"),
        (lambda: '{"title": "a\\u0000b", "panels": []}', "title: The document holds a zero character"),
        (lambda: '{"title": "a\\ud800b", "panels": []}', "title: The document holds half a character"),
        (lambda: '{"title": "t", "panels": [], "time": {"\\udfff": 1}}', "time: The document holds half a character"),
        (lambda: '{"dashboard": ' * 900 + "{}" + "}" * 900, "nested deeper than 100 values"),
        (lambda: '{"title": "t", "panels": {"a": 1}}', "panels: A dashboard has a list of panels here"),
        (lambda: '{"title": "t", "panels": [' + ",".join(["{}"] * 1001) + "]}", "at most 1000 panels"),
    ],
)
def test_a_hostile_document_is_refused_by_its_path(content: Callable[[], str], why: str) -> None:
    found = reports(archive(("a.json", content())))
    assert why in found["a.json"]
    assert not Dashboard.objects.exists()


def test_numbers_and_shapes_that_no_author_wrote_break_no_reading() -> None:
    strange: dict[str, Any] = {
        "uid": "x" * 500, "title": "t" * 9000, "tags": ["t" * 300, 4], "schemaVersion": -(10**9), "panels": [
            {"id": 2**62, "gridPos": {"x": -1e300, "y": 2**62, "w": 1e18, "h": -4}, "type": ["x"], "targets": "none"},
            {"id": "1e3", "panels": [[]], "type": "row", "collapsed": "yes"}, 7,
        ],
    }  # fmt: skip
    assert reports(archive(("a.json", json.dumps(strange)))) == {"a.json": "added"}
    row = Dashboard.objects.get()
    assert (len(row.title), row.tags) == (5000, ["t" * 50])
