"""Where a Grafana is installed on this machine, and how it is started: 9.3 has `grafana-server`, 13 only `grafana`."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from django.conf import settings

from apps.grafana import run_state
from apps.grafana.versions import Version, parse

PACKAGED: Final = Path("/usr/share/grafana")
"""Where Debian's and Red Hat's packages and the official image put it."""
_ASK_SECONDS: Final = 20


class BadHomeError(Exception):
    """GRAFANA_HOME names no installation; the text is a sentence with the fix."""


@dataclass(frozen=True)
class Installation:
    """`home` holds `conf` and `public`; `found_by` says, for people, why it was taken."""

    home: Path
    program: Path
    found_by: str

    def command(self, configuration: Path) -> list[str]:
        """What runs it in the foreground."""
        arguments = ["--homepath", str(self.home), "--config", str(configuration)]
        if self.program.name == "grafana-server":
            return [str(self.program), *arguments]
        return [str(self.program), "server", *arguments]

    def administration(self, configuration: Path) -> list[str]:
        """What runs its command line for administrators, less the words of a command."""
        arguments = ["--homepath", str(self.home), "--config", str(configuration)]
        old = self.program.with_name("grafana-cli")
        if self.program.name == "grafana-server" and old.is_file():
            return [str(old), *arguments]
        return [str(self.program), "cli", *arguments]

    def version(self) -> Version | None:
        """What its VERSION file or the program itself says; None when neither does."""
        try:
            if found := parse((self.home / "VERSION").read_text(errors="replace")):
                return found
        except OSError:
            pass
        try:
            done = subprocess.run(
                [self.program, "-v"], capture_output=True, text=True, errors="replace", timeout=_ASK_SECONDS,
                stdin=subprocess.DEVNULL, check=False, env={"PATH": "/usr/bin:/bin"},
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired):
            return None
        return parse(done.stdout + done.stderr)


def releases() -> Path:
    """Where `manage.py install_grafana` puts what it fetched, a folder for each version."""
    return run_state.folder() / "releases"


def find() -> Installation | None:
    """The Grafana to run: of GRAFANA_HOME, else the newest that was fetched, else of PATH, else of a package.

    Raises BadHomeError.
    """
    if settings.GRAFANA_HOME:
        found = at(Path(settings.GRAFANA_HOME), "GRAFANA_HOME")
        if found is None:
            raise BadHomeError(
                f"GRAFANA_HOME: there is no Grafana at {settings.GRAFANA_HOME}: conf/defaults.ini and bin/grafana (or"
                " bin/grafana-server) are wanted there"
            )
        return found
    return _fetched() or _on_path() or at(PACKAGED, "its package")


def _fetched() -> Installation | None:
    try:
        folders = [folder for folder in releases().iterdir() if not folder.name.startswith(".") and parse(folder.name)]
    except OSError:
        return None
    # A release comes after its own previews, whose suffix begins with a dash, and before its security builds.
    for folder in sorted(folders, key=_order, reverse=True):
        if found := at(folder, "manage.py install_grafana"):
            return found
    return None


def _order(folder: Path) -> tuple[tuple[int, int, int], bool, str]:
    version = parse(folder.name) or Version(0, 0, 0)
    return version.numbers, not version.suffix.startswith("-"), version.suffix


def _on_path() -> Installation | None:
    for name in ("grafana", "grafana-server"):
        if found := shutil.which(name):
            program = Path(found).resolve()
            above = program.parent.parent
            for home in (above, above / "share" / "grafana", PACKAGED):
                if _is_home(home):
                    return Installation(home, program, "PATH")
    return None


def at(home: Path, found_by: str) -> Installation | None:
    """The installation in this folder, if it is one."""
    home = home.absolute()
    if _is_home(home):
        for name in ("grafana", "grafana-server"):
            program = home / "bin" / name
            if program.is_file():
                return Installation(home, program, found_by)
    return None


def _is_home(folder: Path) -> bool:
    return (folder / "conf" / "defaults.ini").is_file()
