"""`make run` and the container's entry point: make everything ready, then become honcho.

In order, each step ending with one clear line when it cannot be done: read the configuration, look at the port and
the disk, start the embedded server when it is used, migrate what the portal owns, collect static files, make the first
administrator, fill an empty embedded source with a demo lab, register the dashboards that ship and the Grafana that
the environment names. Then honcho takes this process over and runs the Procfile.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vptmonitor.embedded import EmbeddedCluster

LEAST_FREE_BYTES = 300 * 1024 * 1024
"""Free space below which the start is refused: a new cluster takes 40 MB, its log segments up to 200 MB more."""


class StartError(Exception):
    """The portal cannot start; the text is a sentence with the fix."""


def main() -> None:
    """Prepare, then run honcho in this process; exit 1 with one line on standard error when that is impossible."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vptmonitor.settings")
    os.environ.setdefault("VPTMONITOR_PROCESS", "start")
    from django.core.exceptions import ImproperlyConfigured

    try:
        prepare()
    except (StartError, ImproperlyConfigured) as problem:
        sys.stderr.write(f"vptmonitor: {problem}\n")
        raise SystemExit(1) from None
    become_honcho()


def prepare() -> None:
    """Everything before honcho. Raises StartError or ImproperlyConfigured."""
    import django
    from django.conf import settings

    check_port(settings.PORT, "take another: make run PORT=5110")
    if settings.SECOND_PORT:
        check_port(settings.SECOND_PORT, "let SECOND_PORT name another, or leave it out")
    check_disk(settings.DATA_DIR)
    django.setup()

    from django.core.management import CommandError, call_command
    from django.db import DatabaseError

    from apps.dashboards.shipped import register_shipped
    from apps.grafana import from_environment
    from vptmonitor.database.base import embedded_cluster, placement
    from vptmonitor.embedded import EmbeddedError

    try:
        if placement() == "embedded" or settings.SOURCE_ADDRESS is None:
            hold(embedded_cluster())
        say("migrating the portal's own tables")
        call_command("migrate", database="default", verbosity=0, interactive=False)
        if settings.SOURCE_ACCESS == "own":
            say("migrating the mirrored tables")
            call_command("migrate", database="source", verbosity=0, interactive=False)
        collect_static(Path(settings.STATIC_ROOT))
        call_command("ensure_admin")
        if settings.DEMO and source_is_empty():
            say("filling the empty database with a demo lab (DEMO=false leaves it empty)")
            call_command("load_demo")
        register_shipped(settings.ROOT / "grafana_config" / "dashboards")
        from_environment.register()
    except EmbeddedError as problem:
        raise StartError(str(problem)) from None
    except CommandError as problem:
        raise StartError(str(problem)) from None
    except DatabaseError as problem:
        first = str(problem).strip().splitlines()[0]
        raise StartError(f"the database refused: {first}. `manage.py doctor` tells more.") from None
    except OSError as problem:
        raise StartError(f"{problem.strerror}: {problem.filename}") from None


def say(text: str) -> None:
    """One line of progress."""
    sys.stderr.write(f"vptmonitor: {text}\n")


def check_port(port: int, fix: str) -> None:
    """Raise StartError when another program listens on the port; `fix` says what to do then."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("0.0.0.0", port))  # noqa: S104 -- the address that the web process will listen on
        except OSError as problem:
            if problem.errno == errno.EADDRINUSE:
                raise StartError(f"port {port} is taken by another program; {fix}") from None
            raise StartError(f"port {port} cannot be used: {problem.strerror}") from None


def check_disk(folder: Path) -> None:
    """Raise StartError when the data directory cannot be written or its disk is nearly full."""
    try:
        folder.mkdir(mode=0o711, parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
    except OSError as problem:
        raise StartError(f"cannot write {folder}: {problem.strerror}; DATA_DIR names another folder") from None
    if not os.access(folder, os.W_OK):
        raise StartError(f"cannot write {folder}; DATA_DIR names another folder")
    if free < LEAST_FREE_BYTES:
        raise StartError(
            f"only {free // 2**20} MB are free on the disk of {folder}, {LEAST_FREE_BYTES // 2**20} are needed;"
            " free some, or let DATA_DIR name a folder on another disk"
        )


def hold(cluster: EmbeddedCluster) -> None:
    """Start the server and keep it running for as long as this process lives, as honcho too."""
    cluster.ensure_running()
    cluster.hold(through_exec=True)


def collect_static(target: Path) -> None:
    """Collect and compress static files, unless those of this very state of the sources are there."""
    from django.contrib.staticfiles.finders import get_finders
    from django.core.management import call_command

    digest = hashlib.sha256()
    for finder in get_finders():
        for name, storage in finder.list([]):
            status = Path(storage.path(name)).stat()
            digest.update(f"{name}:{status.st_size}:{status.st_mtime_ns}\n".encode())
    stamp = target / ".collected"
    if stamp.exists() and stamp.read_text() == digest.hexdigest():
        return
    say("collecting static files")
    call_command("collectstatic", verbosity=0, interactive=False, clear=target.exists())
    stamp.write_text(digest.hexdigest())


def source_is_empty() -> bool:
    """Whether the source, one that we own, has no team yet."""
    from apps.mirror.models import Team

    return not Team.objects.exists()


def become_honcho() -> None:
    """Replace this process by honcho, which then has the terminal and the signals."""
    from django.conf import settings

    scripts = Path(sys.executable).parent
    os.environ["PATH"] = f"{scripts}{os.pathsep}{os.environ.get('PATH', '')}"
    os.environ.pop("VPTMONITOR_PROCESS", None)
    # The supervisors read no .env and no settings.
    os.environ["VPTMONITOR_STATE_DIR"] = str(settings.STATE_DIR)
    # honcho gives each line a PORT of its own; all are to know the one that people use.
    os.environ["VPTMONITOR_WEB_PORT"] = str(settings.PORT)
    os.environ["LOG_FORMAT"] = settings.LOG_FORMAT
    os.chdir(settings.ROOT)
    # An empty environment file: honcho would read .env by its own rules, which mangle # and $.
    arguments = ["honcho", "-e", os.devnull, "start", "--no-prefix", "-p", str(settings.PORT)]
    os.execv(sys.executable, [sys.executable, "-m", *arguments])  # noqa: S606


if __name__ == "__main__":
    main()
