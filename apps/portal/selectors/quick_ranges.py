"""The time ranges that people take most, in the words of the picker. No Django."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class QuickRange:
    """A range that moves with the clock."""

    label: str
    from_: str
    to: str = "now"


RECENT: Final = (
    QuickRange("Last 5 minutes", "now-5m"),
    QuickRange("Last 15 minutes", "now-15m"),
    QuickRange("Last 30 minutes", "now-30m"),
    QuickRange("Last hour", "now-1h"),
    QuickRange("Last 3 hours", "now-3h"),
    QuickRange("Last 6 hours", "now-6h"),
    QuickRange("Last 12 hours", "now-12h"),
    QuickRange("Last 24 hours", "now-24h"),
    QuickRange("Last 2 days", "now-2d"),
    QuickRange("Last 7 days", "now-7d"),
    QuickRange("Last 30 days", "now-30d"),
    QuickRange("Last 90 days", "now-90d"),
    QuickRange("Last year", "now-1y"),
)
CALENDAR: Final = (
    QuickRange("Today", "now/d", "now/d"),
    QuickRange("Today so far", "now/d"),
    QuickRange("Yesterday", "now-1d/d", "now-1d/d"),
    QuickRange("This week", "now/w", "now/w"),
    QuickRange("This week so far", "now/w"),
    QuickRange("Previous week", "now-1w/w", "now-1w/w"),
    QuickRange("This month", "now/M", "now/M"),
    QuickRange("This month so far", "now/M"),
    QuickRange("Previous month", "now-1M/M", "now-1M/M"),
)
_LABELS: Final = {(one.from_, one.to): one.label for one in (*RECENT, *CALENDAR)}


def label_of(from_: str, to: str) -> str:
    """What a range is called: a quick one by its label, another by its two texts; empty for a fixed one, whose
    instants speak for themselves."""
    if label := _LABELS.get((from_, to)):
        return label
    return f"{from_} to {to}" if "now" in from_ or "now" in to else ""
