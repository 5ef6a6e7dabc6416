"""What a viewer may say over Grafana Live: subscribe and keep the connection, never publish or ask.

Grafana Live speaks the protocol of Centrifuge in JSON: text frames of objects, one a line. Its remote calls can run
queries (`grafana.query`), and its publications reach everybody. Names are compared as they are written: anything that
is not exactly one of these commands is refused.
"""

from __future__ import annotations

import json
from typing import Final

COMMANDS: Final = frozenset(
    {"connect", "subscribe", "unsubscribe", "ping", "refresh", "sub_refresh", "presence", "presence_stats", "history"}
)
NUMBERS: Final = {0: "connect", 1: "subscribe", 2: "unsubscribe", 4: "presence", 5: "presence_stats", 6: "history"}
NUMBERS_OF_UPKEEP: Final = {7: "ping", 10: "refresh", 11: "sub_refresh"}
"""The older protocol's numbers of commands; 3 publishes, 8 sends, 9 calls."""
MOST: Final = 100
"""Commands in one frame."""


def may_say(frame: str | bytes) -> bool:
    """Whether every command of a frame only listens."""
    if isinstance(frame, bytes):
        return False
    lines = [line for line in frame.split("\n") if line.strip()]
    return len(lines) <= MOST and all(_listens(line) for line in lines)


def _listens(line: str) -> bool:
    try:
        command = json.loads(line)
    except (ValueError, RecursionError):
        return False
    if not isinstance(command, dict):
        return False
    named = set(command) - {"id"}
    if named <= COMMANDS:
        return True
    method = command.get("method", 0)
    known = isinstance(method, int) and not isinstance(method, bool) and method in {*NUMBERS, *NUMBERS_OF_UPKEEP}
    return named <= {"method", "params"} and (known or (isinstance(method, str) and method.lower() in COMMANDS))
