"""What goes wrong between a client and a Grafana, ordered by tests."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["status", "drop_before", "drop_after", "stall", "garbage"]


@dataclass
class Fault:
    """Meets the next `times` requests whose method and path fit (an empty one fits all).

    `status`: that answer, with `headers`, and nothing is done. `drop_before`: the connection ends and nothing is done.
    `drop_after`: it is done, and the connection ends before the answer. `stall`: it is done, and the answer waits until
    `released` is set or the client goes. `garbage`: a page that no Grafana sends, with 200.
    """

    kind: Kind
    status: int = 503
    times: int = 1
    method: str = ""
    path: str = ""
    headers: dict[str, str] = field(default_factory=dict)
    released: threading.Event = field(default_factory=threading.Event)
    met: int = 0

    def fits(self, method: str, path: str) -> bool:
        return self.times > 0 and self.method in {"", method} and self.path in path


class Faults:
    """The faults that wait, met in the order in which they were ordered."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Fault] = []

    def order(self, fault: Fault) -> Fault:
        with self._lock:
            self._waiting.append(fault)
        return fault

    def next(self, method: str, path: str) -> Fault | None:
        with self._lock:
            for fault in self._waiting:
                if fault.fits(method, path):
                    fault.times -= 1
                    fault.met += 1
                    return fault
        return None

    def release_all(self) -> None:
        with self._lock:
            for fault in self._waiting:
                fault.released.set()
