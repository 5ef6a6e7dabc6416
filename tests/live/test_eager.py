"""A coroutine that need not wait is done at once; one that must goes on in whatever task awaits it."""

from __future__ import annotations

import asyncio

import pytest

from apps.live.eager import begin


def test_what_need_not_wait_is_done_at_once() -> None:
    done: list[int] = []

    async def work() -> None:
        done.append(1)

    assert begin(work()) is None
    assert done == [1]


def test_what_must_wait_goes_on_where_it_is_awaited() -> None:
    async def scene() -> list[str]:
        said: list[str] = []
        free = asyncio.Event()

        async def work() -> None:
            said.append("begun")
            await free.wait()
            await asyncio.sleep(0)
            said.append("ended")

        rest = begin(work())
        assert rest is not None
        task = asyncio.ensure_future(rest)
        await asyncio.sleep(0)
        said.append("meanwhile")
        free.set()
        await asyncio.wait_for(task, 5)
        return said

    assert asyncio.run(scene()) == ["begun", "meanwhile", "ended"]


def test_faults_and_cancelling_reach_the_coroutine() -> None:
    async def fails() -> None:
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        begin(fails())

    async def scene() -> bool:
        cleaned = False

        async def work() -> None:
            nonlocal cleaned
            try:
                await asyncio.Event().wait()
            finally:
                cleaned = True

        rest = begin(work())
        assert rest is not None
        task = asyncio.ensure_future(rest)
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return cleaned

    assert asyncio.run(scene())
