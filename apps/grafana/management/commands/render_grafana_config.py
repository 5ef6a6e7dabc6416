"""Write what a Grafana of the portal's own is told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg2
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import Error as DatabaseProblem

from apps.grafana.configuration import UnfitValueError
from apps.grafana.rendering import from_settings, render


class Command(BaseCommand):
    """Renders into a folder, by default the one that the process `grafana` uses."""

    help = "Write grafana.ini and its data source from the portal's settings: modes 0600, renewed at each start."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("folder", type=Path, help="a folder for nothing else; made when absent")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            configuration, trouble = from_settings()
            path = render(configuration, options["folder"])
        except UnfitValueError as error:
            raise CommandError(str(error)) from None
        except OSError as error:
            raise CommandError(f"cannot write {error.filename}: {error.strerror}") from None
        except (psycopg2.Error, DatabaseProblem) as error:
            raise CommandError(f"the source is away ({type(error).__name__}): `manage.py doctor` tells more") from None
        if trouble:
            self.stderr.write(trouble)
        self.stdout.write(f"{path}")
