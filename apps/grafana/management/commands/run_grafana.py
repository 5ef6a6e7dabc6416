"""The Procfile's line `grafana`."""

from __future__ import annotations

import logging
import signal
import sys
from typing import Any

from django.core.management.base import BaseCommand

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    """No Grafana can be run yet: says so once, and waits for SIGTERM, so that its supervisor has nothing to restart."""

    help = "Run the Grafana that belongs to the portal (none can be installed yet: it says so and waits)."
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: sys.exit(0))
        logger.info("no Grafana is installed or configured; the portal draws the dashboards itself")
        while True:
            signal.pause()
