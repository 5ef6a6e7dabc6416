"""What the way to Grafana costs: the proxy beside a bare forwarder, and a page of panels in frames beside the engine's.

    make bench            or: .venv/bin/python benchmarks/embed.py

First part: a small server on loopback is asked directly, through a bare ASGI forwarder (the same HTTP client and
server, nothing else) and through the portal's proxy, which looks up the session, judges the address, signs a token and
cleans the headers. Rounds of the three take turns. Aims: less than 3 ms more than a direct request, and at least 0.7 of
the bare forwarder's requests a second.

Second part, where GRAFANA_HOME names a Grafana with its pages: the overview as the engine draws it and as Grafana's
frames, each cold in Chromium: seconds until everything is there, bytes over the wire, memory of the page's scripts.

Exit code 1 when an aim is missed.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
DASHBOARD = ROOT / "grafana_config" / "dashboards" / "virtualpytest-overview.json"
PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ROUNDS = 7
ONE_BY_ONE = 60
"""Requests of a round, one after the other."""
AT_ONCE, MANY = 32, 600
MOST_ADDED_MS = 3.0
LEAST_RATIO = 0.7
BODY = b'{"results": ' + b"[1234567890]" * 300 + b"}"
PATH = "/grafana/api/search?query=x"
PATIENCE_MS = 240_000
PASSWORD = "bench-bench-12"  # noqa: S105 -- of portals that live for a minute, on loopback


# --- The three servers, each a process of its own ---------------------------------------------------------------------
async def upstream(scope: Any, receive: Any, send: Any) -> None:
    """A Grafana that answers at once."""
    await receive()
    head = [(b"content-type", b"application/json"), (b"content-length", str(len(BODY)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    await send({"type": "http.response.body", "body": BODY})


class Bare:
    """A forwarder that does nothing but forward."""

    def __init__(self, target: str) -> None:
        self._target = target
        self._client: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        import aiohttp

        if self._client is None:
            connector = aiohttp.TCPConnector(limit=200)
            self._client = aiohttp.ClientSession(connector=connector, auto_decompress=False)
        await receive()
        url = f"{self._target}{scope['path']}?{scope['query_string'].decode()}"
        async with self._client.request(scope["method"], url, allow_redirects=False) as answer:
            await send({"type": "http.response.start", "status": answer.status, "headers": list(answer.raw_headers)})
            async for part in answer.content.iter_any():
                await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body", "body": b""})


def serve(kind: str, port: int, target: str) -> None:
    """The process of one server."""
    import uvicorn

    application: Any = upstream if kind == "upstream" else Bare(target)
    if kind == "ours":
        os.environ["DJANGO_SETTINGS_MODULE"] = "tests.settings"
        import django

        django.setup()
        from apps.grafana.proxy.application import GrafanaProxy
        from tests.grafana.proxy.lab import PEOPLE

        application = GrafanaProxy(lambda: target, look=PEOPLE.get)
    uvicorn.run(application, host="127.0.0.1", port=port, lifespan="off", log_config=None, access_log=False)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


# --- The first part -------------------------------------------------------------------------------------------------
async def overhead() -> bool:
    """Measure and print; whether the aims are reached."""
    import aiohttp

    ports = {name: free_port() for name in ("upstream", "bare", "ours")}
    urls = {name: f"http://127.0.0.1:{port}" for name, port in ports.items()}
    command = [sys.executable, __file__, "serve"]
    processes = [
        subprocess.Popen([*command, name, str(port), urls["upstream"]], cwd=ROOT, stderr=subprocess.DEVNULL)
        for name, port in ports.items()
    ]
    cookie = {"Cookie": "vptmonitor_session=viewer"}
    try:
        async with aiohttp.ClientSession(
            cookie_jar=aiohttp.DummyCookieJar(), connector=aiohttp.TCPConnector(limit=AT_ONCE), headers=cookie
        ) as client:

            async def ask(name: str) -> float:
                began = time.perf_counter()
                async with client.get(f"{urls[name]}{PATH}") as answer:
                    assert answer.status == 200, (name, answer.status)
                    assert await answer.read() == BODY
                return (time.perf_counter() - began) * 1000

            for name in ports:
                await _wait_for(lambda name=name: ask(name))  # type: ignore[misc]
            slow: dict[str, list[float]] = {name: [] for name in ports}
            rates: dict[str, list[float]] = {name: [] for name in ports}
            for _ in range(ROUNDS):
                for name in ports:
                    slow[name] += [await ask(name) for _ in range(ONE_BY_ONE)]
                    rates[name].append(await _rate(lambda name=name: ask(name)))  # type: ignore[misc]
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait()
    print(f"A request of {len(BODY) // 1024} kB, and {AT_ONCE} at once\n")
    print(f"{'':<10}{'median ms':>12}{'p95 ms':>10}{'requests/s':>14}")
    for name in ports:
        values = sorted(slow[name])
        p95 = values[int(len(values) * 0.95)]
        print(f"{name:<10}{statistics.median(values):>12.2f}{p95:>10.2f}{statistics.median(rates[name]):>14.0f}")
    added = statistics.median(slow["ours"]) - statistics.median(slow["upstream"])
    ratio = statistics.median(ours / bare for ours, bare in zip(rates["ours"], rates["bare"], strict=True))
    good = added < MOST_ADDED_MS and ratio >= LEAST_RATIO
    print(
        f"\nadded {added:.2f} ms (aim < {MOST_ADDED_MS:g}), {ratio:.2f} of the bare forwarder (aim >= {LEAST_RATIO:g})"
    )
    return good


async def _rate(ask: Any) -> float:
    """Requests a second with `AT_ONCE` at once."""
    left = iter(range(MANY))

    async def visitor() -> None:
        for _ in left:
            await ask()

    began = time.perf_counter()
    await asyncio.gather(*(visitor() for _ in range(AT_ONCE)))
    return MANY / (time.perf_counter() - began)


async def _wait_for(ask: Any) -> None:
    import aiohttp

    until = time.monotonic() + 30
    while True:
        try:
            await ask()
            return
        except aiohttp.ClientError:
            if time.monotonic() > until:
                raise
            await asyncio.sleep(0.1)


# --- The second part ------------------------------------------------------------------------------------------------
def pages(program: str, home: str) -> None:
    """Measure and print the page by the engine and by frames."""
    sys.path.insert(0, str(ROOT))
    from tests.start.portal import portal_in

    print(f"\n{'':<10}{'panels':>8}{'s until all is there':>22}{'kB':>9}{'requests':>10}{'heap MB':>9}")
    for panels in ("portal", "grafana"):
        folder = Path(tempfile.mkdtemp(prefix="vptmonitor-bench-"))
        try:
            with portal_in(
                folder,
                PANELS=panels,
                GRAFANA_HOME=home,
                GRAFANA_PORT=str(free_port()),
                GRAFANA_ADMIN_PASSWORD=PASSWORD,
            ) as portal:
                portal.start()
                portal.manage("load_demo", "--days", "7", "--devices", "12")
                _push(int(portal.environment["GRAFANA_PORT"]))
                seconds, kilobytes, requests, heap, count = _visit(program, portal)
                print(f"{panels:<10}{count:>8}{seconds:>22.1f}{kilobytes:>9.0f}{requests:>10}{heap:>9.1f}")
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _push(port: int) -> None:
    """The overview into the portal's Grafana, by its administrator."""
    import json

    import requests

    url = f"http://127.0.0.1:{port}/grafana/api"
    until = time.monotonic() + 120
    while True:
        try:
            if requests.get(f"{url}/health", timeout=2).ok:
                break
        except requests.RequestException:
            pass
        assert time.monotonic() < until, "Grafana does not answer"
        time.sleep(0.5)
    body = {"dashboard": json.loads(DASHBOARD.read_text()), "overwrite": True, "folderUid": ""}
    requests.post(f"{url}/dashboards/db", json=body, auth=("admin", PASSWORD), timeout=20).raise_for_status()


ENGINE_DONE = """() => {
  const panels = document.querySelectorAll("[data-panel]").length;
  return panels > 0 && document.querySelectorAll("[data-painted]").length === panels;
}"""
FRAMES_DONE = """() => {
  const panels = document.querySelectorAll("[data-panel]").length;
  const frames = [...document.querySelectorAll("iframe.panel-embedded")];
  const marks = "canvas, svg rect, table, [data-testid*='panel content']";
  const drawn = (frame) => frame.contentDocument?.querySelector(marks);
  return panels > 0 && frames.length === panels && frames.every(drawn);
}"""


def _visit(program: str, portal: Any) -> tuple[float, float, int, float, int]:
    from playwright.sync_api import sync_playwright

    from tests.e2e.browser import ARGUMENTS

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        context = browser.new_context(viewport={"width": 1280, "height": 2400})
        page = context.new_page()
        page.goto(f"{portal.url}/account/login/")
        page.get_by_label("Name").fill("admin")
        page.locator("input[type=password]").fill(PASSWORD)
        page.keyboard.press("Enter")
        page.wait_for_url(f"{portal.url}/")
        wire = context.new_cdp_session(page)
        wire.send("Network.enable")
        wire.send("Performance.enable")
        sizes: list[float] = []
        wire.on("Network.loadingFinished", lambda event: sizes.append(event["encodedDataLength"]))
        began = time.monotonic()
        page.goto(f"{portal.url}/d/virtualpytest-overview/")
        frames = portal.environment["PANELS"] == "grafana"
        page.wait_for_function(FRAMES_DONE if frames else ENGINE_DONE, timeout=PATIENCE_MS)
        seconds = time.monotonic() - began
        metrics = {each["name"]: each["value"] for each in wire.send("Performance.getMetrics")["metrics"]}
        count = int(page.evaluate("() => document.querySelectorAll('[data-panel]').length"))
        browser.close()
    return seconds, sum(sizes) / 1000, len(sizes), metrics["JSHeapUsedSize"] / 1e6, count


def main() -> int:
    good = asyncio.run(overhead())
    program = next(filter(None, map(shutil.which, PROGRAMS)), None)
    home = os.environ.get("GRAFANA_HOME", "")
    if program and home:
        pages(program, home)
    else:
        print("\nno page measured: it takes a browser, and a Grafana in GRAFANA_HOME")
    return int(not good)


if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    if sys.argv[1:2] == ["serve"]:
        serve(sys.argv[2], int(sys.argv[3]), sys.argv[4])
        raise SystemExit(0)
    raise SystemExit(main())
