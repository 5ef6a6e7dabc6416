"""Which processes run, by their command lines; /proc on Linux, since small containers have no ps."""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

_LINUX = sys.platform.startswith("linux")


def command_words(pid: int) -> list[str]:
    """The command line of a process as words; empty when there is no such process, or only its zombie."""
    if not _LINUX:
        return _ps("-p", str(pid)).get(pid, [])
    try:
        text = Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return []
    return [word.decode(errors="replace") for word in text.rstrip(b"\0 ").split(b"\0")] if text else []


def own_processes() -> Iterator[tuple[int, list[str]]]:
    """Every process of this user with its command line as words."""
    if not _LINUX:
        yield from _ps("-x", "-U", str(os.geteuid())).items()
        return
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(FileNotFoundError, ProcessLookupError):
                if folder.stat().st_uid == os.geteuid():
                    yield int(folder.name), command_words(int(folder.name))


def _ps(*which: str) -> dict[int, list[str]]:
    shown = subprocess.run(
        ["/bin/ps", "-ww", *which, "-o", "pid=,command="], capture_output=True, text=True, errors="replace", check=False
    )
    rows = (line.split() for line in shown.stdout.splitlines())
    return {int(row[0]): row[1:] for row in rows if row}
