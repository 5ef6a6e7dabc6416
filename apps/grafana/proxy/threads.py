"""The few threads on which the proxy asks the portal's database."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar, TypeVarTuple

from django.db import close_old_connections

T = TypeVar("T")
Ts = TypeVarTuple("Ts")


class DatabaseThreads:
    """`count` threads, and so as many database connections, whatever comes in."""

    def __init__(self, count: int = 2) -> None:
        self._pool = ThreadPoolExecutor(count, thread_name_prefix="grafana-proxy")

    def start(self, function: Callable[[*Ts], T], *arguments: *Ts) -> asyncio.Future[T]:
        """The result of a call, on a connection that is in order."""
        return asyncio.get_running_loop().run_in_executor(self._pool, _run, function, *arguments)

    def end(self) -> None:
        """Take no more calls."""
        self._pool.shutdown(wait=False)


def _run(function: Callable[[*Ts], T], *arguments: *Ts) -> T:
    close_old_connections()
    try:
        return function(*arguments)
    finally:
        close_old_connections()
