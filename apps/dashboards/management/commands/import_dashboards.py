"""`manage.py import_dashboards`: store dashboard files in the registry."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.dashboards.bodies import UnreadableFileError
from apps.dashboards.folders import FolderError
from apps.dashboards.importing import files_of, import_dashboard, read_file, uid_of
from apps.dashboards.source import UnresolvedInputError
from apps.panels.document import InvalidDocumentError


class Command(BaseCommand):
    """Exit code 1 when a file could not be stored; the others are stored all the same."""

    help = (
        "Store dashboard files (classic Grafana JSON). Directories become folders, data sources become the portal's."
        " Importing a file again changes the dashboard that it made."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("places", nargs="+", type=Path, metavar="DIR|FILE")
        parser.add_argument("--folder", default="", help="put everything into this folder; a/b is b inside a")
        parser.add_argument(
            "--input", action="append", default=[], metavar="NAME=VALUE", help="a value that an export asks for"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        above = tuple(part for part in options["folder"].split("/") if part)
        inputs = {}
        for text in options["input"]:
            name, separator, value = text.partition("=")
            if not separator:
                raise CommandError(f"--input {text}: write it as NAME=VALUE")
            inputs[name] = value
        stored = failed = 0
        seen: dict[str, Path] = {}
        for place in options["places"]:
            if not place.exists():
                self.stderr.write(f"{place}: there is no such file or directory")
                failed += 1
                continue
            for path, folders in files_of(place):
                titles = (*above, *folders)
                try:
                    document = read_file(path)
                    uid = uid_of(document, titles)
                    if uid in seen:
                        raise UnreadableFileError(f"{seen[uid]} has the same uid, {uid}")
                    done = import_dashboard(document, folders=titles, origin=str(path), inputs=inputs)
                except (InvalidDocumentError, UnresolvedInputError, UnreadableFileError, FolderError, OSError) as error:
                    self.stderr.write(f"{path}: {error}")
                    failed += 1
                    continue
                seen[uid] = path
                stored += 1
                if options["verbosity"] > 1 or done.outcome != "unchanged":
                    self.stdout.write(f"{done.outcome:<10}{uid:<42}{done.dashboard.title}")
                for problem in done.problems:
                    self.stdout.write(f"  {problem.severity}: {problem}")
        if options["verbosity"] > 0:
            self.stdout.write(f"{stored} dashboard{'s' if stored != 1 else ''} stored, {failed} failed.")
        if failed:
            raise SystemExit(1)
