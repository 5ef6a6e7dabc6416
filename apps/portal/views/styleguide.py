"""`/styleguide/`: every component in every state, for whoever builds pages and whoever judges how they look."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from apps.accounts.access import access
from apps.accounts.roles import Role
from apps.portal.components import (
    STATES,
    Cell,
    Choice,
    Column,
    Crumb,
    Fact,
    FilterBar,
    KeyFigure,
    Select,
    Series,
    State,
    Tab,
    Text,
    Threshold,
    TimeRange,
    Toggle,
    delta,
)

SURFACES = ("canvas", "surface", "raised", "sunken", "hover", "line", "line-strong", "text", "text-soft", "text-muted")
ACCENTS = ("accent", "accent-strong", "accent-tint")
ICONS = (
    "overview", "device", "campaign", "run", "alert", "navigation", "heatmap", "system", "dashboard", "health", "admin",
    "search", "fold", "more", "user", "down", "left", "right", "close", "copy", "columns", "density", "download",
    "clock", "chart", "empty", "error", "lock", "keyboard", "open", "check", "image", "refresh", "filter",
)  # fmt: skip
SCRIPTS = ("fullzap", "goto_live", "epg_walk", "replay_seek", "dvr_record", "app_launch", "standby", "kpi_zap")
COLUMNS = (
    Column("Script", fixed=True),
    Column("State"),
    Column("Device"),
    Column("Last runs"),
    Column("Success", numeric=True, help="Share of the finished runs of the last 7 days that passed"),
    Column("Duration", numeric=True, help="Median of the last 7 days"),
    Column("Started", sort_url="?sort=started", sorted_by="descending"),
    Column("Report", hidden=True),
)


@access(Role.OPERATOR)
def styleguide(request: HttpRequest) -> HttpResponse:
    """Shows the components with made-up values; reads no row."""
    now = datetime.now(UTC).replace(microsecond=0)
    return render(request, "portal/styleguide.html", {"title": "Styleguide", **_samples(now)})


def _samples(now: datetime) -> Mapping[str, object]:
    return {
        "states": STATES,
        "live_states": [
            ("live", "Live"),
            ("polling", "Every few seconds"),
            ("reconnecting", "Reconnecting"),
            ("paused", "Paused"),
            ("lost", "Connection lost"),
            ("out", "Signed out"),
        ],
        "surfaces": SURFACES,
        "accents": ACCENTS,
        "icons": ICONS,
        "columns": COLUMNS,
        "rows": _rows(now),
        "now": now,
        "minutes_ago": now - timedelta(minutes=4),
        "hours_ago": now - timedelta(hours=5),
        "figures": _figures(),
        "wave": _wave(30),
        "gaps": [None if 9 < index < 14 else value for index, value in enumerate(_wave(30))],
        "flat": [3.0] * 20,
        "bar": _filters(),
        "tabs": (
            Tab("Runs", "?tab=runs", active=True, count=248),
            Tab("Alerts", "?tab=alerts", count=3),
            Tab("Controllers", "?tab=controllers"),
            Tab("History", "?tab=history"),
        ),
        "crumbs": (Crumb("Devices", "/devices/"), Crumb("rack-3", "/devices/?host=rack-3"), Crumb("stb-12")),
        "facts": (
            Fact("Model", "Horizon STB 4K"),
            Fact("Host", "rack-3", url="/system/"),
            Fact("Identifier", "6f1c2a94-77d0-4d6b-9a53-0e1f4fd41c55", code=True),
            Fact("Firmware", None, help="As the device last reported it"),
        ),
        "document": {
            "script": "fullzap.py",
            "arguments": {"device": "device1", "max_iteration": 50, "goto_live": True},
            "blackscreen": [1.52, 1.61, 1.49],
            "error": None,
            "note": "<b>markup is text here</b>",
        },
        **_charts(now),
    }


def _rows(now: datetime) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for index, (name, state) in enumerate(zip(SCRIPTS, STATES, strict=True)):
        share = (0.994, 0.871, 0.412, 0.95, 1.0, 0.0, 0.76, None)[index]
        rows.append(
            {
                "name": f"{name}.py",
                "state": state,
                "device": f"stb-{index + 3}",
                "host": f"rack-{index % 3 + 1}",
                "cells": _cells(index),
                "success": share,
                "success_state": "unknown" if share is None else _verdict(share),
                "duration": (72_400, 8_120, 341_000, 640, 7_512_000, None, 12_300, 45)[index],
                "started": now - timedelta(minutes=3 ** (index % 8)),
            }
        )
    return rows


def _cells(seed: int) -> list[Cell]:
    states: dict[int, State] = {3: "failing", 8: "warning", 11: "unknown"}
    cells = []
    for index in range(20):
        state = states.get((index * 7 + seed * 5) % 17, "ok")
        cells.append(Cell(state, f"Run {index + 1}: {state}", f"#run-{index + 1}" if index % 2 else ""))
    if seed == STATES.index("running"):
        cells[-1] = Cell("running", "Run 20: running")
    return cells


def _verdict(share: float) -> State:
    return "ok" if share >= 0.9 else "warning" if share >= 0.7 else "failing"


def _wave(count: int, base: float = 20.0, swing: float = 6.0) -> list[float]:
    return [round(base + swing * math.sin(i / 4) + 2.2 * math.sin(i * 1.7), 2) for i in range(count)]


def _figures() -> tuple[KeyFigure, ...]:
    return (
        KeyFigure(
            "Success today", "94.2", "%", "?figure=success", None,
            delta(0.942, 0.927, better="higher", unit="ratio"), _wave(24),
        ),
        KeyFigure(
            "Active alerts", "7", "", "?figure=alerts", "failing",
            delta(7, 4, better="lower"), _wave(24, 5, 3),
        ),
        KeyFigure(
            "Median zap", "1.62", "s", "", None,
            delta(1620, 1580, better="lower", unit="duration"), _wave(24, 1600, 90),
        ),
        KeyFigure("Devices", "24", "", "?figure=devices", "warning", None, (), "2 silent for more than 10 min"),
        KeyFigure("Queued", "—", "", "", "unknown", None, (), "not known here"),
    )  # fmt: skip


def _filters() -> FilterBar:
    return FilterBar(
        (
            Select("state", "State", [Choice(state, state, count) for count, state in enumerate(STATES, 2)], "failing"),
            Select("device", "Device", [Choice("stb-3", "stb-3"), Choice("stb-4", "stb-4")]),
            Text("q", "Script", "", "any"),
            Toggle("discarded", "With discarded"),
            TimeRange("24h"),
        ),
        reset_url="?",
    )


def _charts(now: datetime) -> dict[str, object]:
    start = now - timedelta(hours=24)
    quarters = [start + timedelta(minutes=15 * index) for index in range(97)]
    days = [now.replace(hour=0, minute=0, second=0) - timedelta(days=13 - index) for index in range(14)]
    load = [0.42 + 0.3 * math.sin(i / 9) * math.sin(i / 31) + 0.05 * math.sin(i * 2.1) for i in range(97)]
    calm = [0.25 + 0.1 * math.sin(i / 6) for i in range(97)]
    return {
        "load": (
            Series("rack-1", list(zip(quarters, load, strict=True))),
            Series("rack-2", [(at, None if 40 < i < 52 else calm[i]) for i, at in enumerate(quarters)]),
        ),
        "load_levels": (Threshold(0.8, "80 %", "warning"),),
        "temperature": (
            Series("Temperature", [(at, 51 + 9 * math.sin(i / 12) + math.sin(i)) for i, at in enumerate(quarters)]),
        ),
        "verdicts": (
            Series("ok", [(at, float(40 + 9 * (i % 5))) for i, at in enumerate(days)], "ok"),
            Series("failing", [(at, float((i * 5) % 11)) for i, at in enumerate(days)], "failing"),
        ),
        "nothing": (Series("none", [(now, None)]),),
    }
