"""Bring back what `backup` wrote."""

from __future__ import annotations

import sqlite3
import tempfile
from pathlib import Path
from typing import Any

import psycopg2
from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error as DatabaseProblem
from django.db import transaction

from apps.accounts import audit
from apps.accounts.models import AuditEntry
from apps.backup import archive, configured, grafana_database, tables
from apps.backup.archive import BadArchiveError, Manifest
from apps.health import processes
from apps.health.masking import error_text


class Command(BaseCommand):
    """The whole archive is checked before anything changes; each database changes whole or not at all."""

    help = (
        "Replace the portal's own state by that of an archive that `backup` wrote. The portal must not run. Where "
        "there is something to overwrite, --force is wanted. People sign in again afterwards."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--force", action="store_true", help="overwrite what is there")
        parser.add_argument(
            "--with-secrets",
            action="store_true",
            help="also secrets.env, where the archive holds it; the old one is kept",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if running := [row.name for row in processes.read() if row.says not in {"gone", "stopped"}]:
            raise CommandError(f"the portal runs ({', '.join(running)}); stop it first")
        settings.DATA_DIR.mkdir(mode=0o711, parents=True, exist_ok=True)
        try:
            with (
                grafana_database.held(),
                tempfile.TemporaryDirectory(dir=settings.DATA_DIR, prefix=".restore-") as place,
            ):
                folder = Path(place)
                manifest = archive.read(options["file"], folder)
                self._prepare(manifest)
                self._check(manifest, folder, options)
                self._replace(manifest, folder, options)
        except grafana_database.InUseError:
            raise CommandError("the portal's Grafana runs; stop the portal first") from None
        except BadArchiveError as error:
            raise CommandError(f"{options['file']}: {error}") from None
        except (psycopg2.Error, DatabaseProblem, sqlite3.Error) as error:
            raise CommandError(f"a database refused, and keeps what it had: {error_text(error)}") from None
        except OSError as error:
            raise CommandError(f"{error.strerror}: {error.filename}") from None
        self._say(manifest, options)

    def _prepare(self, manifest: Manifest) -> None:
        for alias in manifest.columns:
            if alias == "source" and settings.SOURCE_ACCESS != "own":
                raise BadArchiveError("it holds rows of the source, and the portal does not own the source here")
            if tables.is_behind(alias):
                call_command("migrate", database=alias, verbosity=0, interactive=False)

    def _check(self, manifest: Manifest, folder: Path, options: dict[str, Any]) -> None:
        for alias, theirs in manifest.migrations.items():
            mine = set(tables.applied(alias))
            if unknown := sorted(set(theirs) - mine):
                raise BadArchiveError(
                    f"it was made by a newer portal, {manifest.version}: {unknown[0]} is not known here"
                )
            if lacking := sorted(mine - set(theirs)):
                raise BadArchiveError(
                    f"it was made by an older portal, {manifest.version}: {lacking[0]} is missing; restore it with that"
                    " version, and then update"
                )
        for alias, columns in manifest.columns.items():
            known = {model._meta.db_table: tables.columns_of(model) for model in tables.models_of(alias)}
            for table, names in columns.items():
                if (
                    sorted(known.get(table, [])) != sorted(names)
                    or f"tables/{alias}/{table}.copy" not in manifest.files
                ):
                    raise BadArchiveError(f"its table {table} is not the one of this portal")
        has_grafana = "grafana.db" in manifest.files
        if has_grafana:
            grafana_database.check(folder / "grafana.db")
        if not options["force"]:
            if any(tables.has_rows(alias) for alias in manifest.columns):
                raise CommandError("there are people or rows here already; --force overwrites them")
            if has_grafana and grafana_database.path().exists():
                raise CommandError("Grafana has a database here already; --force overwrites it")

    def _replace(self, manifest: Manifest, folder: Path, options: dict[str, Any]) -> None:
        if "source" in manifest.columns:
            tables.load("source", folder / "tables" / "source", manifest.columns["source"])
        with transaction.atomic(using="default"):
            tables.load("default", folder / "tables" / "default", manifest.columns["default"])
            label = f"{options['file'].name} of {manifest.made_at}"
            audit.record(AuditEntry.Action.COMMAND, kind="restore", label=label)
        if "grafana.db" in manifest.files:
            grafana_database.put_back(folder / "grafana.db")
        if options["with_secrets"] and "secrets.env" in manifest.files:
            kept = settings.DATA_DIR / "secrets.env"
            if kept.exists():
                kept.replace(kept.with_name("secrets.env.before-restore"))
            new = folder / "secrets.env"
            new.chmod(0o600)
            new.replace(kept)

    def _say(self, manifest: Manifest, options: dict[str, Any]) -> None:
        self.stdout.write(
            f"Restored {sum(manifest.rows.values()):,} rows of {len(manifest.rows)} tables, as of {manifest.made_at}."
        )
        if not (options["with_secrets"] and "secrets.env" in manifest.files):
            for name in configured.others(manifest.fingerprints, manifest.made_at):
                self.stdout.write(
                    f"{name} is another one than then: what was signed or sealed with it cannot be read. Give the old"
                    " one, or enter those secrets anew."
                )
        here = configured.variables()
        for name in sorted(set(manifest.configuration) | set(here)):
            then, now = manifest.configuration.get(name), here.get(name)
            if then != now:
                self.stdout.write(f"{name} was {then or 'not given'} and is {now or 'not given'}.")
