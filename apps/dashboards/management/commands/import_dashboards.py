"""`manage.py import_dashboards`: store dashboard files in the registry."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.dashboards.author import ANYBODY
from apps.dashboards.importing import Report, Terms, import_tree
from apps.dashboards.tree import File, files_of


class Command(BaseCommand):
    """Exit code 1 when a file could not be stored; the others are stored all the same."""

    help = (
        "Store dashboard files (classic Grafana JSON). Directories become folders, data sources become the portal's."
        " Importing a file again makes a new revision of the dashboard that it made, where it differs. Reads back what"
        " export_dashboards wrote, with folders, teams and policies."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("places", nargs="+", type=Path, metavar="DIR|FILE")
        parser.add_argument("--folder", default="", help="put everything into this folder; a/b is b inside a")
        parser.add_argument("--reason", default="", help="why, for the history")
        parser.add_argument(
            "--input", action="append", default=[], metavar="NAME=VALUE", help="a value that an export asks for"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        terms = Terms(
            by=replace(ANYBODY, reason=options["reason"]),
            above=tuple(part for part in options["folder"].split("/") if part),
            inputs=dict(_value(text) for text in options["input"]),
        )
        stored = failed = 0
        for place in options["places"]:
            if not place.exists():
                self.stderr.write(f"{place}: there is no such file or directory")
                failed += 1
                continue
            at = _place_in(place)
            for report in import_tree(files_of(place), terms, origin=at):
                self._tell(report, at(report), chatty=options["verbosity"] > 1)
                failed += report.outcome == "refused"
                stored += report.outcome != "refused"
        if options["verbosity"] > 0:
            self.stdout.write(f"{stored} dashboard{'s' if stored != 1 else ''} stored, {failed} failed.")
        if failed:
            raise SystemExit(1)

    def _tell(self, report: Report, where: str, *, chatty: bool) -> None:
        if report.dashboard is None:
            self.stderr.write(f"{where}: {'; '.join(map(str, report.problems))}")
            return
        if chatty or report.outcome != "unchanged":
            self.stdout.write(f"{report.outcome:<10}{report.dashboard.uid:<42}{report.dashboard.title}")
        for problem in report.problems:
            self.stdout.write(f"  {problem.severity}: {problem}")


def _value(text: str) -> tuple[str, str]:
    name, separator, value = text.partition("=")
    if not separator:
        raise CommandError(f"--input {text}: write it as NAME=VALUE")
    return name, value


def _place_in(place: Path) -> Callable[[File | Report], str]:
    return lambda file: str(place if place.is_file() else place / file.name)
