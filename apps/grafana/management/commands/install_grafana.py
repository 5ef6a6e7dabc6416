"""Fetch a Grafana for the portal to run."""

from __future__ import annotations

import fcntl
import platform
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from django.core.management.base import BaseCommand, CommandError, CommandParser

from apps.grafana import run_state
from apps.grafana.fetching import FetchError, fetch, fetch_checksum
from apps.grafana.installation import at, releases
from apps.grafana.unpacking import UnsafeArchiveError, unpack
from apps.grafana.versions import OLDEST, parse

BASE: Final = "https://dl.grafana.com/oss/release"
SYSTEMS: Final = {"Linux": "linux", "Darwin": "darwin"}
MACHINES: Final = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
SPACE: Final = 2 * 1024 * 1024 * 1024
"""Free bytes that are wanted: for the archive, and for what it unpacks to."""


class Command(BaseCommand):
    """Downloads, checks and unpacks an official archive below the data directory; what is there already stays."""

    help = (
        "Fetch the official archive of a Grafana release, check its SHA-256 and unpack it below the data directory, "
        "where the process `grafana` finds it at the next start of the portal. An attempt that broke off is resumed."
    )
    requires_system_checks = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--version", required=True, dest="wanted", help="such as 12.4.2")
        parser.add_argument("--sha256", default="", help="of the archive; by default what is published beside it")
        parser.add_argument("--url", default="", help="another address of the archive, such as a mirror's")
        parser.add_argument("--force", action="store_true", help="replace the same version that is there already")

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> CommandParser:
        """As always, but `--version` is Grafana's and not Django's."""
        return super().create_parser(prog_name, subcommand, conflict_handler="resolve", **kwargs)

    def handle(self, *args: Any, **options: Any) -> None:
        version = parse(options["wanted"])
        if version is None or str(version) != options["wanted"].removeprefix("v"):
            raise CommandError("--version takes a whole version, such as 12.4.2")
        if version.numbers < OLDEST.numbers:
            raise CommandError(f"Grafana {version} is too old: {OLDEST} is the oldest that the portal works with")
        sha256 = options["sha256"].lower()
        if sha256 and not re.fullmatch(r"[0-9a-f]{64}", sha256):
            raise CommandError("--sha256 takes 64 hexadecimal digits")
        url = options["url"] or f"{BASE}/grafana-{version}.{_platform()}.tar.gz"
        target = releases() / str(version)
        try:
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with (target.parent / ".lock").open("a") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                if at(target, "") and not options["force"]:
                    self.stdout.write(f"Grafana {version} is installed already: {target}")
                    return
                self._install(url, sha256, str(version), target)
        except (FetchError, UnsafeArchiveError) as error:
            raise CommandError(str(error)) from None
        except OSError as error:
            raise CommandError(f"{error.strerror}: {error.filename}") from None
        self.stdout.write(f"Grafana {version} is installed: {target}. Start the portal again to run it.")

    def _install(self, url: str, sha256: str, version: str, target: Path) -> None:
        for left in target.parent.glob(".new-*"):
            shutil.rmtree(left)
        if shutil.disk_usage(target.parent).free < SPACE:
            raise CommandError(f"less than {SPACE // 2**30} GB are free on the disk of {target.parent}")
        downloads = run_state.folder() / "downloads"
        downloads.mkdir(mode=0o700, exist_ok=True)
        archive = downloads / (Path(urlsplit(url).path).name + ".part")
        self.stdout.write(f"Fetching {url}")
        sha256 = sha256 or fetch_checksum(f"{url}.sha256")
        fetch(url, archive, sha256, _Progress(self))
        self.stdout.write(f"The SHA-256 is right: {sha256}")
        new = Path(tempfile.mkdtemp(prefix=".new-", dir=target.parent))
        try:
            unpack(archive, new)
            found = at(new, "")
            if found is None:
                raise CommandError("the archive holds no Grafana: no conf/defaults.ini, or no program in bin")
            said = found.version()
            if said is not None and said.numbers != (wanted := parse(version) or said).numbers:
                raise CommandError(f"the archive holds Grafana {said} and not {wanted}")
            new.chmod(0o700)
            if target.exists():
                old = target.rename(target.with_name(f".new-old-{version}"))
                new.rename(target)
                shutil.rmtree(old)
            else:
                new.rename(target)
        finally:
            if new.exists():
                shutil.rmtree(new)
        archive.unlink()


class _Progress:
    """A line for every tenth part."""

    def __init__(self, command: Command) -> None:
        self._command = command
        self._told = 0

    def __call__(self, there: int, whole: int) -> None:
        tenth = there * 10 // whole if whole else 0
        if tenth > self._told:
            self._told = tenth
            self._command.stdout.write(f"{tenth * 10} % of {whole / 2**20:.0f} MB")


def _platform() -> str:
    system, machine = SYSTEMS.get(platform.system()), MACHINES.get(platform.machine().lower())
    if system is None or machine is None:
        raise CommandError(
            f"there is no archive for {platform.system()} on {platform.machine()}: install Grafana by hand, and let"
            " GRAFANA_HOME name its folder"
        )
    return f"{system}-{machine}"
