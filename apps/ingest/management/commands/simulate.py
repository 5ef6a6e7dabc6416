"""`manage.py simulate`: keep the demo lab alive until told to stop."""

from __future__ import annotations

import logging
import os
import signal
import threading
from random import Random
from typing import Any, Final

import requests
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError, close_old_connections
from django.utils import timezone

from apps.ingest.client import Sender
from apps.ingest.lab import RemoteLife
from apps.mirror.demo.lab import Lab
from apps.mirror.demo.load import DemoRefusedError, require_own_source
from apps.mirror.demo.presence import loaded_lab
from apps.mirror.demo.simulate import Simulator

logger = logging.getLogger(__name__)

SECONDS: Final = 1.0
LONGEST_WAIT: Final = 30.0


class Command(BaseCommand):
    help = (
        "Keep the demo lab alive: pings, scripts, campaigns, alerts, as the platform's hosts write them; into the"
        " tables, or with --via-api through the API of a portal that has the same lab loaded."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--speed", type=float, default=1.0, help="how much faster than in a real lab (default 1)")
        parser.add_argument("--seed", type=int, help="let chance repeat itself")
        parser.add_argument("--once", action="store_true", help="one step, then stop")
        parser.add_argument("--via-api", metavar="URL", help="write through the API of the portal at this address")
        parser.add_argument(
            "--token-env", metavar="NAME", default="VPT_TOKEN",
            help="the environment variable that holds the token, with the scope ingest (default VPT_TOKEN)",
        )  # fmt: skip
        parser.add_argument("--teams", type=int, default=2, help="with --via-api: teams of the loaded lab (default 2)")
        parser.add_argument("--devices", type=int, default=24, help="with --via-api: its devices (default 24)")

    def handle(self, *args: Any, **options: Any) -> None:
        stop = threading.Event()
        if not options["once"]:
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: stop.set())
        if options.get("via_api"):
            self._through_the_api(options, stop)
            return
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
        run(simulator, stop)

    def _through_the_api(self, options: dict[str, Any], stop: threading.Event) -> None:
        token = os.environ.get(options["token_env"], "")
        if not token:
            raise CommandError(
                f"The environment variable {options['token_env']} holds no token. Make one in the admin (API tokens)"
                " with the scope ingest, or name another variable with --token-env."
            )
        if options["speed"] <= 0:
            raise CommandError("the speed must be greater than 0")
        try:
            lab = Lab(options["teams"], options["devices"])
        except ValueError as error:
            raise CommandError(str(error)) from error
        sender = Sender(options["via_api"], token)
        life = RemoteLife(lab, Random(options["seed"]), options["speed"], sender, timezone.now())  # noqa: S311
        try:
            while True:
                life.step(timezone.now())
                sender.flush(LONGEST_WAIT if options["once"] else SECONDS)
                while sender.refused:
                    said = sender.refused.popleft()
                    logger.warning(
                        "%s refused: %s %s. %s", *(said[name] for name in ("kind", "field", "problem", "fix"))
                    )
                if options["once"] or stop.wait(SECONDS):
                    break
        except requests.RequestException as error:
            raise CommandError(f"The portal refuses what is sent: {error}") from error
        finally:
            sender.close()
        self.stdout.write(f"{sender.sent:,} rows sent, {sender.waiting:,} still wait, {sender.lost:,} dropped.")


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
