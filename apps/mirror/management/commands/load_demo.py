"""`manage.py load_demo`: fill an empty source database of our own with a believable lab."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from apps.mirror.demo.lab import Lab
from apps.mirror.demo.load import DAYS, DemoRefusedError, Loaded, load


class Command(BaseCommand):
    help = "Load demo rows: the same seed and the same end give the same rows."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--days", type=int, default=DAYS, help=f"how far back the rows go (default {DAYS})")
        parser.add_argument("--devices", type=int, default=24, help="number of devices, three at a host (default 24)")
        parser.add_argument("--teams", type=int, default=2, help="number of teams (default 2)")
        parser.add_argument("--seed", type=int, default=1, help="another seed, another lab (default 1)")
        parser.add_argument("--executions", type=int, help="exactly so many rows of execution_results")
        parser.add_argument("--until", type=_moment, help="the end of the rows, ISO 8601 (default: this minute)")
        parser.add_argument("--replace", action="store_true", help="put them in place of demo rows that are there")

    def handle(self, *args: Any, **options: Any) -> None:
        began = time.perf_counter()
        until = options["until"] or timezone.now().astimezone(UTC).replace(second=0, microsecond=0)
        talks = options["verbosity"] > 1 or (options["verbosity"] > 0 and self.stdout.isatty())
        try:
            lab = Lab(options["teams"], options["devices"], options["seed"])
            done = load(
                lab,
                days=options["days"],
                until=until,
                executions=options["executions"],
                replace=options["replace"],
                report=self._say if talks else lambda _: None,
            )
        except (DemoRefusedError, ValueError) as error:
            raise CommandError(str(error)) from error
        if options["verbosity"] > 0:
            total = sum(loaded.rows for loaded in done)
            self.stdout.write(f"Demo lab loaded: {total:,} rows in {time.perf_counter() - began:.1f} s.")

    def _say(self, loaded: Loaded) -> None:
        speed = f"{loaded.rows / loaded.seconds:>9,.0f}/s" if loaded.rows >= 1000 else ""
        self.stdout.write(f"  {loaded.table:<24}{loaded.rows:>9,} rows {loaded.seconds:>6.2f} s {speed}".rstrip())


def _moment(text: str) -> datetime:
    """An ISO 8601 time; without a zone it is UTC."""
    at = datetime.fromisoformat(text)
    return (at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)).replace(second=0, microsecond=0)
