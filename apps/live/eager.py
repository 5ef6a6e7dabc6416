"""Begins a coroutine at once, without a task: most messages to a socket are written without waiting for anything.

A thousand sockets are a thousand messages for one event; a task that is woken for each would cost as much again as the
writing (docs/decisions/0013).
"""

from __future__ import annotations

import types
from collections.abc import Awaitable, Coroutine, Generator
from typing import Any


def begin(coroutine: Coroutine[Any, Any, None]) -> Awaitable[None] | None:
    """Run it until it ends or must wait. None when it has ended; else what is left of it, to be awaited by a task of
    the same loop, or closed. Raises what it raises."""
    try:
        waits_for = coroutine.send(None)
    except StopIteration:
        return None
    return _rest(coroutine, waits_for)


@types.coroutine
def _rest(coroutine: Coroutine[Any, Any, None], waits_for: Any) -> Generator[Any, Any, None]:
    """What is left of a coroutine that waits."""
    try:
        while True:
            try:
                value = yield waits_for
            except BaseException as error:
                waits_for = coroutine.throw(error)
            else:
                waits_for = coroutine.send(value)
    except StopIteration:
        return
    finally:
        coroutine.close()
