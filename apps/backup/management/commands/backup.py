"""Write what the portal keeps into one file."""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg2
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error as DatabaseProblem

from apps.accounts import audit
from apps.accounts.models import AuditEntry
from apps.backup import archive, configured, grafana_database, tables
from apps.health.masking import error_text


class Command(BaseCommand):
    """Works while the portal runs: rows as of one moment, and Grafana's database by SQLite's own backup."""

    help = (
        "Write the registry with all revisions, people, audit and the rest of the portal's own state, the SQLite "
        "database of its Grafana and its configuration into one archive. VirtualPyTest's own rows are no part of "
        "it, unless --source is given. The archive holds password hashes: keep it as you keep the database."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path, help="such as vptmonitor-2026-11-26.tar.gz")
        parser.add_argument("--force", action="store_true", help="replace the file if it is there")
        parser.add_argument("--source", action="store_true", help="also the rows of a source that the portal owns")
        parser.add_argument(
            "--with-secrets", action="store_true", help="also secrets.env: SECRET_KEY and what else the portal made"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        target: Path = options["file"].absolute()
        if target.exists() and not options["force"]:
            raise CommandError(f"{target} exists already; --force replaces it")
        if options["source"] and settings.SOURCE_ACCESS != "own":
            raise CommandError("--source: the portal does not own the source; back it up where it lives")
        try:
            # Beside the target: there is room for the archive, and rows do not lie in a folder that all can read.
            with tempfile.TemporaryDirectory(prefix=".vptmonitor-backup-", dir=target.parent) as place:
                manifest = self._collect(Path(place), options)
                manifest = archive.write(target, Path(place), manifest)
        except (psycopg2.Error, DatabaseProblem, sqlite3.Error) as error:
            raise CommandError(f"a database did not give its rows: {error_text(error)}") from None
        except OSError as error:
            raise CommandError(f"cannot write {error.filename or target}: {error.strerror}") from None
        audit.record(AuditEntry.Action.COMMAND, kind="backup", label=target.name)
        self.stdout.write(
            f"{target}: {sum(manifest.rows.values()):,} rows of {len(manifest.rows)} tables,"
            f" {'with' if 'grafana.db' in manifest.files else 'without'} Grafana's database,"
            f" {target.stat().st_size / 2**20:.1f} MB"
        )
        if settings.GRAFANA_DATABASE_ADDRESS:
            self.stdout.write("Grafana's own database is at GRAFANA_DATABASE_URL: back it up there.")

    def _collect(self, folder: Path, options: dict[str, Any]) -> archive.Manifest:
        made_at = datetime.now(UTC).isoformat(timespec="seconds")
        aliases = ["default", *(["source"] if options["source"] else [])]
        columns = {alias: tables.dump(alias, folder / "tables" / alias) for alias in aliases}
        if settings.GRAFANA_DATABASE_ADDRESS is None:
            grafana_database.copy_to(folder / "grafana.db")
        secrets = settings.DATA_DIR / "secrets.env"
        if options["with_secrets"] and secrets.is_file():
            shutil.copyfile(secrets, folder / "secrets.env")
        return archive.Manifest(
            made_at=made_at,
            version=settings.VERSION,
            migrations={alias: tables.applied(alias) for alias in aliases},
            columns=columns,
            rows={
                f"{alias}/{table}": _lines(folder / "tables" / alias / f"{table}.copy")
                for alias, found in columns.items()
                for table in found
            },
            configuration=configured.variables(),
            fingerprints=configured.fingerprints(made_at),
        )


def _lines(path: Path) -> int:
    """Rows of a file: COPY writes a line for each, and line breaks within values as \\n."""
    with path.open("rb") as file:
        return sum(piece.count(b"\n") for piece in iter(lambda: file.read(1024 * 1024), b""))
