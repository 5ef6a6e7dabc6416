"""`python -m vptmonitor.container`, a container's main process: runs `vptmonitor.start`, stays until all has ended.

The embedded PostgreSQL runs in a session of its own and stops when nobody needs it any more. A container ends with its
main process, whatever else still runs in it, so this one waits for the database. It also hands signals on. No Django.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from vptmonitor.embedded import EmbeddedCluster, EmbeddedError

STOP_SECONDS = 20.0


def main() -> int:
    """The exit status of the portal; 128 + the number where a signal ended it."""
    child = subprocess.Popen([sys.executable, "-m", "vptmonitor.start"])
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda received, _frame: child.send_signal(received))
    status = child.wait()
    place = Path(os.environ.get("DATA_DIR") or ".data").absolute() / "postgres"
    if place.exists():
        try:
            EmbeddedCluster(place).stop(seconds=STOP_SECONDS)
        except EmbeddedError as error:
            sys.stderr.write(f"vptmonitor: {error}\n")
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main())
