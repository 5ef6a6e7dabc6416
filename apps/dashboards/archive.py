"""Reads a zip archive that somebody uploads. Nothing is unpacked to a disk, and what it claims of itself is not
believed: every limit is on what is really read."""

from __future__ import annotations

import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import IO, Final

from apps.dashboards.bodies import MAX_BYTES, UnreadableFileError
from apps.dashboards.tree import File, matters

MAX_UPLOAD: Final = 20 * 1024 * 1024
"""The largest file that can be uploaded, in bytes."""
MAX_ENTRIES: Final = 2000
"""The most entries that an archive may have, directories and other files among them."""
MAX_DIRECTORY: Final = 1024 * 1024
"""The largest list of entries, in bytes."""
MAX_TOTAL: Final = 100 * 1024 * 1024
"""The most bytes that are unpacked from one archive."""

_END: Final = b"PK\x05\x06"
_END_SIZE: Final = 22
_LARGE_LOCATOR: Final = b"PK\x06\x07"
_MAX_COMMENT: Final = 65_535
_METHODS: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})


def is_archive(data: IO[bytes]) -> bool:
    """Whether a file begins as zip archives do."""
    data.seek(0)
    return data.read(4) in (b"PK\x03\x04", _END)


def archive_files(data: IO[bytes]) -> Iterator[File]:
    """The files of an archive that matter; what is wrong with one is raised when it is read.

    Raises UnreadableFileError for an archive that cannot be read at all or has too many entries.
    """
    _check_directory(data)
    try:
        archive = zipfile.ZipFile(data)
    except (zipfile.BadZipFile, ValueError, OSError, NotImplementedError) as error:
        raise UnreadableFileError(f"the file is no zip archive: {error}") from error
    budget = [MAX_TOTAL]
    for entry in archive.infolist():
        path = tuple(entry.filename.split("/"))
        if not entry.is_dir() and matters(path):
            yield File(path, _reader(archive, entry, budget))


def _check_directory(data: IO[bytes]) -> None:
    # zipfile reads the whole list of entries when it opens an archive, so its size is judged before.
    data.seek(0, 2)
    size = data.tell()
    if size > MAX_UPLOAD:
        raise UnreadableFileError(f"the file is larger than {MAX_UPLOAD // 1024 // 1024} MB")
    reach = min(size, _MAX_COMMENT + _END_SIZE + 20)
    data.seek(size - reach)
    tail = data.read(reach)
    end = tail.rfind(_END)
    if end < 0 or len(tail) - end < _END_SIZE:
        raise UnreadableFileError("the file is no zip archive: its end is missing")
    entries = int.from_bytes(tail[end + 10 : end + 12], "little")
    directory = int.from_bytes(tail[end + 12 : end + 16], "little")
    large = end >= 20 and tail[end - 20 : end - 16] == _LARGE_LOCATOR
    if large or entries > MAX_ENTRIES or directory > MAX_DIRECTORY:
        raise UnreadableFileError(f"the archive has more than {MAX_ENTRIES:,} entries")


def _reader(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, budget: list[int]) -> Callable[[], bytes]:
    def read() -> bytes:
        if refusal := _refusal(entry):
            raise UnreadableFileError(refusal)
        try:
            with archive.open(entry) as file:
                data = file.read(MAX_BYTES + 1)
        except (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError) as error:
            raise UnreadableFileError(f"the archive is damaged here: {error}") from error
        budget[0] -= len(data)
        if budget[0] < 0:
            raise UnreadableFileError(f"the archive unpacks to more than {MAX_TOTAL // 1024 // 1024} MB")
        return data

    return read


def _refusal(entry: zipfile.ZipInfo) -> str:
    parts = entry.filename.split("/")
    if "\\" in entry.filename or not all(parts) or ".." in parts or "." in parts:
        return "its place leads out of the archive"
    if stat.S_IFMT(entry.external_attr >> 16) not in (0, stat.S_IFREG):
        return "it is a link or a device, not a file"
    if entry.flag_bits & 1:
        return "it is encrypted"
    if entry.compress_type not in _METHODS:
        return "its compression is another than zip's usual one"
    return ""
