"""A child for the supervisor's tests. Each process appends `role pid` to the file `$LAB/pids`.

Options: `--ignore-term`, `--grandchild` (one more process with the same behaviour, which keeps the output open),
`--leave CODE` (end at once with this code), `--chatter` (print a megabyte when told to stop),
`--note SIGNAL` (append `got SIGNAL` to the file instead of ending), `--say TEXT`, `--tell VARIABLE` (print it).
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

PIDS = Path(os.environ["LAB"]) / "pids"


def note(text: str) -> None:
    """Append one line in one write."""
    with PIDS.open("a") as file:
        file.write(text + "\n")


def main() -> None:
    """Behave as the options say, then sleep."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--role", default="child")
    parser.add_argument("--ignore-term", action="store_true")
    parser.add_argument("--grandchild", action="store_true")
    parser.add_argument("--leave", type=int)
    parser.add_argument("--chatter", action="store_true")
    parser.add_argument("--note", action="append", default=[])
    parser.add_argument("--say", action="append", default=[])
    parser.add_argument("--tell", action="append", default=[])
    options = parser.parse_args()
    if options.ignore_term:
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
    for name in options.note:
        signal.signal(signal.Signals[name], lambda received, _frame: note(f"got {signal.Signals(received).name}"))
    if options.chatter:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(sys.stdout.write("noise " * 200_000) and 0))
    for text in [*options.say, *(f"{name}={os.environ.get(name)}" for name in options.tell)]:
        sys.stdout.write(text + "\n")
        sys.stdout.flush()
    if options.grandchild:
        extra = ["--ignore-term"] if options.ignore_term else []
        helper = subprocess.Popen([sys.executable, __file__, "--role", "grandchild", *extra])
        while f"grandchild {helper.pid}" not in (PIDS.read_text() if PIDS.exists() else ""):
            time.sleep(0.01)
    note(f"{options.role} {os.getpid()}")
    if options.leave is not None:
        os._exit(options.leave)
    while True:
        time.sleep(60)


if __name__ == "__main__":
    main()
