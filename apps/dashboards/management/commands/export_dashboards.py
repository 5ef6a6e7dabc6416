"""`manage.py export_dashboards`: write the registry as files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.dashboards.exporting import ExportError, export_registry


class Command(BaseCommand):
    help = (
        "Write every registered dashboard as a file below a directory, folders as directories: for version control, or"
        " for another portal's import_dashboards. Exporting again changes only the files of dashboards that changed,"
        " and removes those of dashboards that are gone. Files that no export wrote are never touched."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("place", type=Path, metavar="DIR")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            done = export_registry(options["place"])
        except ExportError as error:
            raise CommandError(str(error)) from None
        except OSError as error:
            raise CommandError(f"{error.filename}: {error.strerror}") from None
        self.stdout.write(
            f"{done.dashboards} dashboards in {done.folders} folders:"
            f" {done.written} files written, {done.removed} removed."
        )
