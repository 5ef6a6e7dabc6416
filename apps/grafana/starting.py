"""What the Procfile's line `grafana` is to do: found out once, before the process becomes a small one."""

from __future__ import annotations

import logging
import os
import subprocess
from pathlib import Path
from typing import Final

import psycopg2
from django.conf import settings
from django.db import Error as DatabaseProblem
from django.utils.crypto import constant_time_compare, salted_hmac

from apps.grafana import availability, run_state
from apps.grafana.configuration import Configuration, UnfitValueError
from apps.grafana.installation import BadHomeError, Installation, find
from apps.grafana.process import Plan
from apps.grafana.rendering import from_settings, render
from apps.grafana.run_state import ABSENT, RunState
from apps.grafana.versions import OLDEST, Version, flaws_of

logger = logging.getLogger(__name__)

KEPT_VARIABLES: Final = ("PATH", "LANG", "LC_ALL", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "GOMEMLIMIT")
"""All that Grafana gets of our environment: the rest may hold secrets, and GF_… would change what was rendered."""
RESET_SECONDS: Final = 90


class CannotStartError(Exception):
    """Grafana cannot be started now; the text says why."""


def plan() -> Plan:
    """Decide, render the configuration, and say in one line what is going to happen.

    Raises CannotStartError and OSError.
    """
    folder = run_state.folder()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    folder.chmod(0o700)
    waiting = Plan(logging=settings.LOGGING)
    if settings.GRAFANA_URL:
        run_state.write(RunState(ABSENT))
        logger.info("the Grafana at %s is used; none is run here", settings.GRAFANA_URL)
        return waiting
    try:
        found = find()
    except BadHomeError as error:
        run_state.write(RunState(ABSENT))
        logger.error("%s; the portal draws the dashboards itself", error)
        return waiting
    if found is None:
        run_state.write(RunState(ABSENT))
        logger.info("no Grafana is installed or configured; the portal draws the dashboards itself")
        return waiting
    version = found.version()
    logger.info("Grafana %s at %s (by %s) is started", version or "of unknown version", found.home, found.found_by)
    configuration, trouble = _configuration()
    path = _rendered(configuration)
    _bring_password(found, configuration, path)
    environment = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    return Plan(
        command=found.command(path),
        environment={**environment, "HOME": str(folder / "data")},
        folder=str(folder),
        url=availability.own_url(),
        version=str(version or ""),
        home=str(found.home),
        warnings=[*([trouble] if trouble else []), *warnings(version)],
        logging=settings.LOGGING,
    )


def warnings(version: Version | None) -> list[str]:
    """What is to be said of a version: too old, or with flaws that matter behind the portal."""
    if version is None:
        return []
    if version.numbers < OLDEST.numbers:
        return [f"Grafana {version} is older than {OLDEST}, with which the portal was written: update it"]
    return [f"Grafana {version} has {flaw.name} ({flaw.text}): update it" for flaw in flaws_of(version)]


def _configuration() -> tuple[Configuration, str]:
    try:
        return from_settings()
    except (psycopg2.Error, DatabaseProblem) as error:
        raise CannotStartError(
            f"the source is away ({type(error).__name__}), and Grafana needs to know its login"
        ) from None


def _rendered(configuration: Configuration) -> Path:
    try:
        return render(configuration, run_state.folder() / "config")
    except UnfitValueError as error:
        raise CannotStartError(str(error)) from None


def _bring_password(found: Installation, configuration: Configuration, path: Path) -> None:
    """Give Grafana's administrator the password of the settings where Grafana has another.

    Grafana takes it from its configuration once, when it makes its database. A digest of what it has lies beside it.
    """
    mark = run_state.folder() / "administrator.digest"
    digest = salted_hmac("apps.grafana.starting", configuration.admin_password, algorithm="sha256").hexdigest()
    is_new = configuration.database is None and not (configuration.data / "grafana.db").exists()
    known = mark.read_text() if mark.exists() else ""
    if not is_new and not constant_time_compare(known, digest):
        command = [*found.administration(path), "admin", "reset-admin-password", "--password-from-stdin"]
        try:
            done = subprocess.run(
                command, input=configuration.admin_password + "\n", capture_output=True, text=True, errors="replace",
                timeout=RESET_SECONDS, check=False, cwd=found.home, env={"PATH": os.environ.get("PATH", "")},
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired) as error:
            logger.warning("Grafana's administrator keeps the former password: %s", type(error).__name__)
            return
        if done.returncode:
            logger.warning("Grafana's administrator keeps the former password: code %d", done.returncode)
            return
        logger.info("Grafana's administrator has the password of GRAFANA_ADMIN_PASSWORD now")
    mark.unlink(missing_ok=True)
    with os.fdopen(os.open(mark, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(digest)
