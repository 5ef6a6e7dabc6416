"""`manage.py check_dashboards`: run every panel and variable of the registered dashboards."""

from __future__ import annotations

import logging
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from apps.accounts.scope import EVERYTHING
from apps.dashboards.checking import Line, Report, catalogue_for, check
from apps.dashboards.models import Dashboard
from apps.panels import run
from apps.panels.errors import PanelError
from apps.panels.opening import Asked, Viewer
from apps.panels.run import Who

VIEWER: Final = Viewer(Who("check_dashboards", EVERYTHING))


class Command(BaseCommand):
    """Exit code 1 when a panel or a variable fails, or when the source cannot be asked."""

    help = (
        "Run every panel and variable of the dashboards against the source, and read their queries for what will go"
        " wrong. Exit code 1 when one fails."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("uids", nargs="*", metavar="UID", help="these dashboards alone")
        parser.add_argument("--from", dest="from_", default="", help="the start of the range, else the dashboard's")
        parser.add_argument("--to", default="", help="the end of the range, else the dashboard's")

    def handle(self, *args: Any, **options: Any) -> None:
        rows = Dashboard.objects.visible_to(EVERYTHING).select_related("current")
        if options["uids"]:
            rows = rows.filter(uid__in=options["uids"])
            if unknown := sorted(set(options["uids"]) - set(rows.values_list("uid", flat=True))):
                raise CommandError(f"there is no such dashboard: {', '.join(unknown)}")
        # What it would say is printed below.
        logging.getLogger(run.__name__).setLevel(logging.ERROR)
        asked = Asked(options["from_"], options["to"])
        try:
            catalogue = catalogue_for(VIEWER)
        except PanelError as error:
            raise CommandError(f"{error.text} {error.fix}") from None
        reports = []
        for row in rows:
            report = check(row, asked, VIEWER, now=timezone.now(), catalogue=catalogue)
            reports.append(report)
            self._tell(report, quiet=options["verbosity"] == 0)
        failed = sum(report.failed for report in reports)
        checked = sum(len(report.lines) for report in reports)
        self.stdout.write(f"{len(reports)} dashboards, {checked} panels and variables, {failed} failed.")
        if failed:
            raise SystemExit(1)

    def _tell(self, report: Report, *, quiet: bool) -> None:
        lines = [line for line in report.lines if line.verdict == "failed"] if quiet else report.lines
        if quiet and not lines:
            return
        panels = [line for line in report.lines if line.what == "panel"]
        drawn = sum(line.verdict == "ok" for line in panels)
        empty = sum(line.verdict == "no data" for line in panels)
        self.stdout.write(
            f"{report.dashboard.title} ({report.dashboard.uid}): {drawn} of {len(panels)} panels ok, {empty} no data"
        )
        for line in lines:
            self.stdout.write(f"  {_row(line)}")
            if line.text:
                self.stdout.write(f"{'':<12}{line.text}")
        for problem in () if quiet else report.findings:
            self.stdout.write(f"  {problem.severity:<9} {problem}")


def _row(line: Line) -> str:
    took = f"{line.ms:8.0f} ms" if line.what == "panel" else f"{'':11}"
    return f"{line.verdict:<9} {line.what:<9} {line.name[:50]:<50} {line.rows:7} rows {took}".rstrip()
