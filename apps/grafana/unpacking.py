"""Unpack somebody's archive into a new folder: files and folders alone, inside it, with limits.

Nothing of the archive but names and contents counts: no owner, no time, no mode beyond "may be run". A link becomes a
copy of the file in the archive that it names.
"""

from __future__ import annotations

import os
import shutil
import tarfile
from pathlib import Path, PurePosixPath
from typing import IO, Final

LARGEST: Final = 4 * 1024 * 1024 * 1024
MOST: Final = 200_000
"""Bytes and members that an archive may unpack to; a release of Grafana has about 700 MB in 15,000."""


class UnsafeArchiveError(Exception):
    """The archive is not one that a release would be; the text says which member, and why."""


def unpack(archive: Path, folder: Path) -> None:
    """Unpack the .tar.gz into `folder`, which must be new and empty, less the first part of each name.

    What was written stays when this fails. Raises UnsafeArchiveError and OSError.
    """
    links: list[tuple[Path, str, str]] = []
    size = count = 0
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for member in tar:
                count += 1
                size += member.size
                if count > MOST or size > LARGEST:
                    raise UnsafeArchiveError(f"the archive unpacks to more than {MOST} files or {LARGEST // 2**30} GB")
                name = _inside(member.name, member.name)
                if name is None:
                    continue
                target = folder / name
                if member.isdir():
                    target.mkdir(mode=0o755, parents=True, exist_ok=True)
                elif member.isreg() and not member.issparse():
                    content = tar.extractfile(member)
                    if content is not None:
                        _write(target, content, bool(member.mode & 0o111))
                elif member.issym() or member.islnk():
                    base = str(PurePosixPath(member.name).parent) if member.issym() else ""
                    links.append((target, f"{base}/{member.linkname}" if base else member.linkname, member.name))
                else:
                    raise UnsafeArchiveError(f"{member.name} is neither file nor folder")
    except (tarfile.TarError, EOFError) as error:
        raise UnsafeArchiveError(f"it cannot be read as an archive: {error}") from None
    for target, pointed, member_name in links:
        _copy(folder, target, pointed, member_name)


def _inside(name: str, member: str) -> PurePosixPath | None:
    """The name less its first part, with `.` and `..` worked out; None for that first part itself.

    Raises UnsafeArchiveError for what is absolute or leads out.
    """
    if name.startswith("/") or "\\" in name or "\0" in name:
        raise UnsafeArchiveError(f"{member!r} leads out of the archive")
    parts: list[str] = []
    for part in PurePosixPath(name).parts:
        if part == "..":
            # Out of a folder is fine for a link; out of the archive's own top is not.
            if len(parts) < 2 or name == member:
                raise UnsafeArchiveError(f"{member!r} leads out of the archive")
            parts.pop()
        elif part != ".":
            parts.append(part)
    return PurePosixPath(*parts[1:]) if len(parts) > 1 else None


def _write(target: Path, content: IO[bytes], may_run: bool) -> None:
    target.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
    # O_EXCL: a second member of the same name replaces nothing.
    try:
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o755 if may_run else 0o644)
    except FileExistsError:
        raise UnsafeArchiveError(f"{target.name} is in the archive twice") from None
    with os.fdopen(descriptor, "wb") as file:
        shutil.copyfileobj(content, file, 1024 * 1024)


def _copy(folder: Path, target: Path, pointed: str, member: str) -> None:
    name = _inside(pointed, member)
    source = folder / name if name is not None else folder
    if not source.is_file():
        raise UnsafeArchiveError(f"{member!r} is a link to no file of the archive")
    with source.open("rb") as content:
        _write(target, content, os.access(source, os.X_OK))
