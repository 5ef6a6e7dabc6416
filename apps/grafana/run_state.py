"""What the Procfile's line `grafana` tells the portal's other processes: a small file below the data directory."""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

ABSENT: Final = "absent"
STARTING: Final = "starting"
RUNNING: Final = "running"
FILE: Final = "run.json"


@dataclass(frozen=True)
class RunState:
    """`status` is one of the constants above. `url` is the loopback address with the sub path; `version` as the
    program says it, or empty; `home` the folder of the program."""

    status: str
    url: str = ""
    version: str = ""
    home: str = ""


def folder() -> Path:
    """All that belongs to the portal's own Grafana: `grafana` in the data directory."""
    from django.conf import settings

    return Path(settings.DATA_DIR) / "grafana"


def read(place: Path | None = None) -> RunState | None:
    """What was told last; None when nothing was, or nothing that can be read."""
    try:
        return RunState(**json.loads(((place or folder()) / FILE).read_bytes()))
    except (OSError, ValueError, TypeError):
        return None


def write(state: RunState, place: Path | None = None) -> None:
    """Tell it: whole or not at all, for the owner's eyes alone. Raises OSError."""
    target = (place or folder()) / FILE
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = target.with_name(f".{FILE}.{os.getpid()}")
    try:
        with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(asdict(state), file)
        new.replace(target)
    finally:
        new.unlink(missing_ok=True)
