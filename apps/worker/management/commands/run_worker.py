"""The Procfile's line `worker`."""

from __future__ import annotations

import logging
import signal
import sys
import threading
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.live import watch
from apps.worker import jobs
from apps.worker.loop import Loop

logger = logging.getLogger(__name__)

FAREWELL_SECONDS = 0.8
"""How long a job at work may still take on SIGTERM; what it had not committed then is rolled back."""


class Command(BaseCommand):
    """Jobs run in a thread, so that a database that hangs cannot keep SIGTERM waiting."""

    help = "Run the portal's background jobs until SIGTERM."
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--once", action="store_true", help="run each job a single time; exit code 1 if one fails")

    def handle(self, *args: Any, **options: Any) -> None:
        registered = jobs.registered()
        loop = Loop(registered)
        if options["once"]:
            if failed := loop.run_once():
                raise CommandError(f"failed: {', '.join(failed)}")
            return
        logger.info("jobs: %s", ", ".join(job.name for job in registered))
        thread = threading.Thread(target=loop.run, name="jobs", daemon=True)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: sys.exit(0))
        thread.start()
        watch.start()
        try:
            thread.join()
        finally:
            loop.stop()
            thread.join(FAREWELL_SECONDS)
        # Only a defect of the loop itself leads here; the supervisor starts anew.
        raise CommandError("the loop ended by itself")
