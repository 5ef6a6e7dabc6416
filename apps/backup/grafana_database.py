"""The SQLite database of the portal's own Grafana: copied while Grafana writes, put back while it does not run."""

from __future__ import annotations

import fcntl
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from apps.grafana import run_state


class InUseError(Exception):
    """Grafana runs on the database."""


def path() -> Path:
    """Where Grafana keeps it."""
    return run_state.folder() / "data" / "grafana.db"


def copy_to(target: Path) -> bool:
    """A consistent copy, by SQLite's own online backup. False where there is none. Raises sqlite3.Error."""
    if not path().is_file():
        return False
    with (
        closing(sqlite3.connect(f"{path().as_uri()}?mode=ro", uri=True, timeout=30)) as source,
        closing(sqlite3.connect(target)) as copy,
    ):
        source.backup(copy)
        # A file of its own: the copy would otherwise want its write-ahead log beside it.
        copy.execute("PRAGMA journal_mode = DELETE")
    target.chmod(0o600)
    return True


def check(database: Path) -> None:
    """Raise sqlite3.DatabaseError when the file is not a whole SQLite database."""
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
        (said,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    if said != "ok":
        raise sqlite3.DatabaseError(said)


@contextmanager
def held() -> Iterator[None]:
    """Nobody starts Grafana on it within the block. Raises InUseError and OSError."""
    folder = run_state.folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "run.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise InUseError from None
        yield


def put_back(source: Path) -> None:
    """Put the file in Grafana's place; within `held` only. Raises OSError."""
    target = path()
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = target.with_name(".grafana.db.new")
    new.write_bytes(source.read_bytes())
    new.chmod(0o600)
    for left in ("grafana.db-wal", "grafana.db-shm"):
        # They belong to the database that goes: SQLite would play them into the one that comes.
        with suppress(FileNotFoundError):
            (target.parent / left).unlink()
    new.replace(target)
