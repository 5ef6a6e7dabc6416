"""`manage.py clear_demo`: take the demo rows out of the source database, and only these."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.mirror.demo.clear import clear
from apps.mirror.demo.load import DemoRefusedError, require_own_source


class Command(BaseCommand):
    help = "Delete the demo rows: all that belongs to demo teams and demo hosts."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            require_own_source()
        except DemoRefusedError as error:
            raise CommandError(str(error)) from error
        if not options["yes"] and input("Delete all demo rows? [y/N] ").strip().lower() not in {"y", "yes"}:
            raise CommandError("Nothing was deleted.")
        gone = clear()
        if options["verbosity"] > 0:
            self.stdout.write(f"{sum(gone.values()):,} demo rows deleted from {len(gone)} tables.")
