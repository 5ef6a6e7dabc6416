"""What runs."""

from __future__ import annotations

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.utils import timezone
from django.utils.timesince import timesince

from apps.health import processes
from apps.health.processes import ProcessRow

HEADINGS = ("PROCESS", "STATE", "PID", "SUPERVISOR", "RESTARTS", "SINCE", "LAST EXIT")


class Command(BaseCommand):
    """Prints what the supervisors last said; asks no database."""

    help = "Show the portal's processes: state, process ids, restarts, last exit. Exit code 0 whatever they do."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--format", choices=("text", "json"), default="text")

    def handle(self, *args: Any, **options: Any) -> None:
        rows = processes.read()
        if options["format"] == "json":
            self.stdout.write(json.dumps([row.as_dict() for row in rows], indent=2))
            return
        if not rows:
            self.stdout.write("Nothing was started here yet: `make run` starts the portal.")
            return
        lines = [HEADINGS, *map(cells, rows)]
        widths = [max(len(line[column]) for line in lines) for column in range(len(HEADINGS))]
        for line in lines:
            self.stdout.write("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def cells(row: ProcessRow) -> tuple[str, ...]:
    """A process as a line of the table; `-` where there is nothing to tell."""
    now = timezone.now()
    ended = f"{row.last_exit}, {timesince(row.last_exit_at, now)} ago" if row.last_exit_at else row.last_exit
    return (
        row.name,
        row.says,
        str(row.pid or "-"),
        "-" if row.says == "gone" else str(row.supervisor_pid),
        str(row.restarts),
        timesince(row.started_at, now) if row.started_at else "-",
        (ended or "-").replace("\xa0", " "),
    )
