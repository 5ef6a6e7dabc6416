"""The archive: a .tar.gz with a manifest, which names every file in it with its size and SHA-256.

manifest.json                the first member
tables/<alias>/<table>.copy  rows, as PostgreSQL's COPY writes them
grafana.db                   the SQLite database of the portal's own Grafana
secrets.env                  the secrets that the portal made for itself, only when asked for
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import tarfile
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

FORMAT: Final = 1
"""Of the archive itself. Another number is refused: nobody guesses what a newer portal means."""
MANIFEST: Final = "manifest.json"
LARGEST_MANIFEST: Final = 4 * 1024 * 1024
_NAME: Final = re.compile(r"tables/(default|source)/[a-z0-9_]{1,63}\.copy|grafana\.db|secrets\.env")


class BadArchiveError(Exception):
    """The archive cannot be used; the text is a sentence that says why."""


@dataclass(frozen=True)
class Entry:
    """A file of the archive."""

    size: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """What the archive holds and what it was made from. `migrations` and `columns` are by alias: the names of all that
    were applied, and each table's columns in the order of its rows. `configuration` has the variables that were given
    and are no secret; `fingerprints` tell whether two secrets are the same, and nothing else about them."""

    made_at: str
    version: str
    migrations: dict[str, list[str]]
    columns: dict[str, dict[str, list[str]]]
    rows: dict[str, int]
    configuration: dict[str, str]
    fingerprints: dict[str, str]
    files: dict[str, Entry] = field(default_factory=dict)
    format: int = FORMAT


def write(target: Path, content: Path, manifest: Manifest) -> Manifest:
    """Write the files below `content` to `target` in one step, mode 0600, and return the manifest with their sums.

    Raises OSError.
    """
    files = {
        path.relative_to(content).as_posix(): Entry(path.stat().st_size, _sum(path))
        for path in sorted(content.rglob("*"))
        if path.is_file()
    }
    whole = Manifest(**{**_plain(manifest), "files": files})
    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    new = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            with tarfile.open(fileobj=file, mode="w:gz", compresslevel=6) as tar:
                said = content / MANIFEST
                said.write_text(json.dumps(asdict(whole), indent=1, ensure_ascii=False, sort_keys=True))
                for member in (MANIFEST, *files):
                    tar.add(content / member, member, recursive=False, filter=_nobodys)
            file.flush()
            os.fsync(file.fileno())
        new.replace(target)
    finally:
        new.unlink(missing_ok=True)
    return whole


def read(source: Path, folder: Path) -> Manifest:
    """Unpack the archive into `folder`, which must be empty, after every file was held against the manifest.

    Raises BadArchiveError for anything that `write` would not have written, and OSError.
    """
    try:
        with tarfile.open(source, "r:gz") as tar:
            members = iter(tar)
            manifest = _manifest(tar, next(members, None))
            for member in members:
                entry = manifest.files.get(member.name)
                if entry is None or not member.isreg() or member.size != entry.size or not _NAME.fullmatch(member.name):
                    raise BadArchiveError(f"{member.name!r} does not belong into a backup")
                stream = tar.extractfile(member)
                path = folder / member.name
                path.parent.mkdir(parents=True, exist_ok=True)
                digest = hashlib.sha256()
                # "x": a second member of the same name is no backup of ours either.
                with path.open("xb") as file:
                    while stream is not None and (piece := stream.read(1024 * 1024)):
                        digest.update(piece)
                        file.write(piece)
                if digest.hexdigest() != entry.sha256:
                    raise BadArchiveError(f"{member.name} is damaged: its SHA-256 is another one")
    except FileExistsError as error:
        raise BadArchiveError(f"{Path(error.filename or '').name} is in the archive twice") from None
    except (tarfile.TarError, EOFError, UnicodeDecodeError) as error:
        raise BadArchiveError(f"it cannot be read as a backup: {error}") from None
    if missing := sorted(name for name in manifest.files if not (folder / name).is_file()):
        raise BadArchiveError(f"{missing[0]} is missing")
    return manifest


def _manifest(tar: tarfile.TarFile, first: tarfile.TarInfo | None) -> Manifest:
    stream = tar.extractfile(first) if first is not None and first.name == MANIFEST and first.isreg() else None
    if first is None or stream is None or first.size > LARGEST_MANIFEST:
        raise BadArchiveError("it is no backup of the portal: no manifest")
    try:
        said = json.loads(stream.read())
        number = said.get("format")
    except (ValueError, AttributeError):
        raise BadArchiveError("its manifest cannot be read") from None
    if number != FORMAT:
        raise BadArchiveError(
            f"it has layout {number!r}, and this portal reads layout {FORMAT}: use the portal that made it"
        )
    try:
        files = {name: Entry(**entry) for name, entry in said.pop("files").items()}
        return Manifest(**said, files=files)
    except (TypeError, KeyError, AttributeError):
        raise BadArchiveError("its manifest is not one of this layout") from None


def _nobodys(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o600
    return member


def _plain(manifest: Manifest) -> dict[str, Any]:
    return {name: getattr(manifest, name) for name in manifest.__dataclass_fields__}


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
