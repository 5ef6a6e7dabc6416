"""When a host or device is forgotten, hot or full: the limits behind the words that pages show."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from apps.portal import formatting

LOOK_BACK: Final = timedelta(hours=24)
"""How far back the newest ping of a host or device is looked for. What was not heard of for longer is unknown."""

WARM, HOT = 80.0, 90.0
"""Degrees Celsius of the CPU: warning, failing. Small computers slow down at 80 to 85."""
MEMORY_HIGH, MEMORY_FULL = 90.0, 97.0
"""Per cent of memory: warning, failing."""
DISK_HIGH, DISK_FULL = 85.0, 95.0
"""Per cent of disk: warning, failing."""
CPU_BUSY: Final = 95.0
"""Per cent of CPU: warning. A busy CPU alone breaks nothing."""


def silence(quiet: timedelta) -> str:
    """`no ping for 13 m`: to the minute, since pings are minutes apart."""
    minutes = quiet // timedelta(minutes=1)
    return f"no ping for {formatting.duration(minutes * 60_000)}"


def strain(
    *, cpu: float | None, memory: float | None, disk: float | None, temperature: float | None
) -> tuple[list[str], list[str]]:
    """What is beyond a limit, in words: (failing, warning). Unknown values are beyond none."""
    failing: list[str] = []
    warning: list[str] = []
    for value, high, full, words, unit in (
        (temperature, WARM, HOT, "CPU at", "°C"),
        (disk, DISK_HIGH, DISK_FULL, "disk", "%"),
        (memory, MEMORY_HIGH, MEMORY_FULL, "memory", "%"),
        (cpu, CPU_BUSY, None, "CPU", "%"),
    ):
        if value is None or value < high:
            continue
        text = f"{words} {formatting.number(value, 0)}{formatting.THIN}{unit}"
        (failing if full is not None and value >= full else warning).append(text)
    return failing, warning
