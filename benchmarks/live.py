"""From a commit to the sockets that hear of it, over the floor of a bare LISTEN and a bare ASGI fan-out in one run.

    make bench            or: .venv/bin/python benchmarks/live.py [sockets ...]

A portal is started on an empty embedded database. For each number of sockets two servers are measured in turn, three
rounds each: the portal (a row of alerts is inserted; triggers, events, rights, tokens) and the floor (the same row is
inserted, with a NOTIFY after it, in a table without triggers; one LISTEN; every socket is sent the payload). Ten events
a second; a client in a process of its own takes the time at which each socket has each message. Then a burst of 1,000
commits to 20 sockets, and what triggers cost who inserts batches of 500. Exit code 1 over a limit.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import uuid4

from websockets.asyncio.client import ClientConnection, connect

ROOT = Path(__file__).resolve().parent.parent
SOCKETS = (1, 100, 500, 1000)
ROUNDS = 3
EVENTS = 20
PACE = 0.1
MOST_RATIO = 2.0
MOST_BURST_MS = 250.0
MOST_TRIGGER_COST = 0.25

FLOOR = """
import asyncio, os, psycopg2
connection = psycopg2.connect(os.environ["FLOOR_DSN"])
connection.autocommit = True
connection.cursor().execute("LISTEN floor")
senders = set()
started = False

async def tell(payloads):
    for payload in payloads:
        for send in list(senders):
            await send({"type": "websocket.send", "text": payload})

def heard():
    connection.poll()
    payloads = [one.payload for one in connection.notifies]
    connection.notifies.clear()
    if payloads:
        asyncio.ensure_future(tell(payloads))

async def application(scope, receive, send):
    global started
    if not started:
        started = True
        asyncio.get_running_loop().add_reader(connection.fileno(), heard)
    await receive()
    await send({"type": "websocket.accept"})
    senders.add(send)
    try:
        while (await receive())["type"] != "websocket.disconnect":
            pass
    finally:
        senders.discard(send)
"""


def main() -> int:
    numbers = [int(text) for text in sys.argv[1:]] or list(SOCKETS)
    sys.path.insert(0, str(ROOT))
    from tests.start.portal import free_port, portal_in

    folder = Path(tempfile.mkdtemp(prefix="vptmonitor-bench-"))
    floor = None
    try:
        with portal_in(folder, LIVE_SOCKETS_PER_USER="5000") as portal:
            portal.start()
            with portal.session() as session:
                cookie = f"vptmonitor_session={session.cookies['vptmonitor_session']}"
            database = portal.connect()
            with database.cursor() as cursor:
                cursor.execute("CREATE TABLE public.floor_alerts (LIKE public.alerts INCLUDING ALL)")
            port = free_port()
            (folder / "floor.py").write_text(FLOOR)
            floor = subprocess.Popen(
                [sys.executable, "-m", "uvicorn", "floor:application", "--port", str(port), "--lifespan", "off",
                 "--log-level", "warning", "--ws-per-message-deflate", "false"],
                cwd=folder, env={**os.environ, "FLOOR_DSN": f"{database.dsn} password={database.info.password}"},
            )  # fmt: skip
            places = {
                "portal": (f"ws://127.0.0.1:{portal.port}/live/", cookie, portal.url, insert_alert),
                "floor": (f"ws://127.0.0.1:{port}/", "", "", insert_and_notify),
            }
            faults = [fault for number in numbers for fault in measured(places, database, number)]
            faults += burst(places["portal"], database)
            faults += triggers(database)
            floor.terminate()
            floor.wait()
    finally:
        if floor is not None:
            floor.kill()
        shutil.rmtree(folder, ignore_errors=True)
    for fault in faults:
        print(f"FAIL: {fault}")
    return 1 if faults else 0


# --- Latency ----------------------------------------------------------------------------------------------------------
def insert_alert(database: Any) -> str:
    """A row with triggers; what its message holds."""
    key = str(uuid4())
    with database.cursor() as cursor:
        cursor.execute(
            "INSERT INTO alerts (id, host_name, device_id, incident_type, status)"
            " VALUES (%s, 'h', 'd', 'freeze', 'resolved')",
            [key],
        )
    return key


def insert_and_notify(database: Any) -> str:
    """The same row without, and a NOTIFY in the same transaction."""
    key = str(uuid4())
    with database.cursor() as cursor:
        cursor.execute(
            "WITH made AS (INSERT INTO floor_alerts (id, host_name, device_id, incident_type, status)"
            " VALUES (%s, 'h', 'd', 'freeze', 'resolved') RETURNING id) SELECT pg_notify('floor', id::text) FROM made",
            [key],
        )
    return key


def measured(places: dict[str, Any], database: Any, number: int) -> list[str]:
    """Print p50 and p99 of both servers for so many sockets; what is over the limit."""
    found: dict[str, list[float]] = {name: [] for name in places}
    for _ in range(ROUNDS):
        for name, place in places.items():
            found[name] += asyncio.run(latencies(*place, database=database, number=number))
    p50 = {name: statistics.median(values) for name, values in found.items()}
    p99 = {name: statistics.quantiles(values, n=100)[98] for name, values in found.items()}
    ratio = p99["portal"] / p99["floor"]
    print(
        f"{number:5} sockets   portal p50 {p50['portal']:7.1f} p99 {p99['portal']:7.1f} ms"
        f"   floor p50 {p50['floor']:7.1f} p99 {p99['floor']:7.1f} ms   p99 {ratio:.2f}x (aim {MOST_RATIO}x)"
    )
    return [f"{number} sockets: p99 is {ratio:.2f} times the floor"] if ratio > MOST_RATIO else []


async def latencies(
    url: str, cookie: str, origin: str, write: Callable[[Any], str], *, database: Any, number: int
) -> list[float]:
    """Milliseconds from before the commit to each socket's message, of `EVENTS` writes."""
    sockets = await opened(url, cookie, origin, number)
    heard: dict[str, list[float]] = {}
    done = asyncio.Event()
    wanted = EVENTS * number
    counted = 0

    async def listen(socket: ClientConnection) -> None:
        nonlocal counted
        async for text in socket:
            at = time.perf_counter()
            for key in keys_of(str(text)):
                heard.setdefault(key, []).append(at)
                counted += 1
            if counted >= wanted:
                done.set()

    tasks = [asyncio.ensure_future(listen(socket)) for socket in sockets]
    begun: dict[str, float] = {}
    for _ in range(EVENTS):
        at = time.perf_counter()
        begun[await asyncio.to_thread(write, database)] = at
        await asyncio.sleep(max(0.0, PACE - (time.perf_counter() - at)))
    await asyncio.wait_for(done.wait(), 60)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*(socket.close() for socket in sockets), return_exceptions=True)
    return [(at - begun[key]) * 1000 for key, times in heard.items() if key in begun for at in times]


def keys_of(text: str) -> list[str]:
    """The ids that a message tells of: of the portal's the added ones, of the floor's the message."""
    if not text.startswith("{"):
        return [text]
    return [key for change in json.loads(text).get("events", ()) for key in change["added"]]


async def opened(url: str, cookie: str, origin: str, number: int) -> list[ClientConnection]:
    """So many sockets that have been welcomed."""

    async def one() -> ClientConnection:
        headers = {"Cookie": cookie} if cookie else {}
        made = await connect(
            url,
            additional_headers=headers,
            origin=origin or None,
            compression=None,
            open_timeout=60,  # type: ignore[arg-type]
        )
        if cookie:
            await made.send('{"type": "hello", "topics": ["alerts"]}')
            await made.recv()
        return made

    return [socket for start in range(0, number, 50) for socket in await asyncio.gather(
        *(one() for _ in range(min(50, number - start)))
    )]  # fmt: skip


# --- A burst, and what triggers cost ----------------------------------------------------------------------------------
def burst(place: Any, database: Any) -> list[str]:
    """1,000 commits as fast as one connection makes them, to 20 sockets: all rows told, and how soon after the last."""
    url, cookie, origin, _ = place

    async def run() -> tuple[int, float]:
        sockets = await opened(url, cookie, origin, 20)
        rows = [0] * 20
        done = asyncio.Event()

        async def listen(index: int, socket: ClientConnection) -> None:
            async for text in socket:
                rows[index] += sum(change["rows"] for change in json.loads(text).get("events", ()))
                if min(rows) >= 1000:
                    done.set()

        tasks = [asyncio.ensure_future(listen(*one)) for one in enumerate(sockets)]
        await asyncio.to_thread(lambda: [insert_alert(database) for _ in range(1000)])
        ended = time.perf_counter()
        await asyncio.wait_for(done.wait(), 30)
        took = (time.perf_counter() - ended) * 1000
        for task in tasks:
            task.cancel()
        await asyncio.gather(*(socket.close() for socket in sockets))
        return min(rows), took

    rows, took = asyncio.run(run())
    print(
        f"burst of 1,000 to 20 sockets: {rows} rows each, {took:.0f} ms after the last commit (aim {MOST_BURST_MS:.0f})"
    )
    return [f"the burst took {took:.0f} ms"] if took > MOST_BURST_MS or rows != 1000 else []


def triggers(database: Any) -> list[str]:
    """Rows per second in batches of 500, with and without triggers, in turn."""
    rate: dict[str, list[float]] = {"alerts": [], "floor_alerts": []}
    for _ in range(9):
        for table, rates in rate.items():
            began = time.perf_counter()
            for _ in range(4):
                with database.cursor() as cursor:
                    cursor.execute(
                        f"INSERT INTO {table} (host_name, device_id, incident_type, status)"
                        " SELECT 'rack-' || i % 8, 'device1', 'freeze', 'resolved' FROM generate_series(1, 500) i"
                    )
            rates.append(2000 / (time.perf_counter() - began))
    ours, floor = (statistics.median(rates) for rates in rate.values())
    cost = 1 - ours / floor
    print(f"inserts by 500: {ours:,.0f} rows/s with triggers, {floor:,.0f} without: they cost {cost:.0%} (aim 25 %)")
    return [f"triggers cost {cost:.0%}"] if cost > MOST_TRIGGER_COST else []


if __name__ == "__main__":
    raise SystemExit(main())
