"""`manage.py simulate`: keep the demo lab alive until told to stop."""

from __future__ import annotations

import logging
import signal
import threading
from random import Random
from typing import Any, Final

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, close_old_connections
from django.utils import timezone

from apps.mirror.demo.load import DemoRefusedError, require_own_source
from apps.mirror.demo.presence import loaded_lab
from apps.mirror.demo.simulate import Simulator

logger = logging.getLogger(__name__)

SECONDS: Final = 1.0
LONGEST_WAIT: Final = 30.0


class Command(BaseCommand):
    help = "Keep the demo lab alive: pings, scripts, campaigns, alerts, as the platform's hosts write them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--speed", type=float, default=1.0, help="how much faster than in a real lab (default 1)")
        parser.add_argument("--seed", type=int, help="let chance repeat itself")
        parser.add_argument("--once", action="store_true", help="one step, then stop")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            require_own_source()
            simulator = Simulator(timezone.now, Random(options["seed"]), speed=options["speed"])  # noqa: S311
        except (DemoRefusedError, ValueError) as error:
            raise CommandError(str(error)) from error
        if loaded_lab() is None:
            raise CommandError("There is no demo lab to keep alive. Load one: manage.py load_demo")
        if options["once"]:
            rows = simulator.step()
            self.stdout.write(f"{rows:,} rows written.")
            return
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        run(simulator, stop)


def run(simulator: Simulator, stop: threading.Event) -> None:
    """Step every second until `stop`; while the database is away, try again after ever longer waits (30 s at most)."""
    wait = SECONDS
    while not stop.wait(wait):
        close_old_connections()
        try:
            simulator.step()
        except DatabaseError as error:
            wait = min(LONGEST_WAIT, wait * 2)
            logger.warning("the demo lab waits %.0f s for its database: %s", wait, str(error).partition("\n")[0])
        else:
            wait = SECONDS
