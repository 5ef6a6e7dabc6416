"""The end of tasks that wait for several things at once."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any, Final

AGAIN_SECONDS: Final = 1.0


async def end(tasks: Collection[asyncio.Future[Any]]) -> None:
    """Cancel tasks and wait until they have ended. What they raise is not told.

    A cancellation that comes together with what the task waits for, or with its timeout, is lost in Python 3.11's
    `wait_for` and in the clients of others; so it is said until it is heard.
    """
    while going := [task for task in tasks if not task.done()]:
        for task in going:
            task.cancel()
        await asyncio.wait(going, timeout=AGAIN_SECONDS)
    await asyncio.gather(*tasks, return_exceptions=True)
