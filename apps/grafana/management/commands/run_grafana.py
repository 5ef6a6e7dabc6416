"""The Procfile's line `grafana`."""

from __future__ import annotations

import logging
import os
import signal
import sys
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils.module_loading import import_string

from apps.grafana import run_state
from apps.grafana.process import ENDING
from apps.grafana.starting import CannotStartError, plan

logger = logging.getLogger(__name__)


class Command(BaseCommand):
    """Makes everything ready and becomes the process that runs Grafana, or one that waits where there is none."""

    help = (
        "Run the Grafana that belongs to the portal, on loopback: of GRAFANA_HOME, of `install_grafana`, of PATH or of "
        "its package. Where GRAFANA_URL names another, or none is installed, it says so and waits."
    )
    requires_system_checks = []

    def handle(self, *args: Any, **options: Any) -> None:
        for number in ENDING:
            signal.signal(number, lambda *_: sys.exit(0))
        try:
            made = plan()
            path = run_state.folder() / "plan.json"
            made.write(path)
            import_string(settings.EMBEDDED_HOLD)()
        except CannotStartError as error:
            raise CommandError(str(error)) from None
        except OSError as error:
            raise CommandError(f"cannot write {error.filename}: {error.strerror}") from None
        # A signal from here on waits for the program that this process becomes.
        signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
        os.chdir(settings.ROOT)
        logging.shutdown()
        sys.stdout.flush()
        # Another program from here on: it needs neither Django nor what was loaded for it.
        os.execv(sys.executable, [sys.executable, "-m", "apps.grafana.process", str(Path(path).absolute())])  # noqa: S606
