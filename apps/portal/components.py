"""What views hand to the components: plain values that the templates draw. No Django, no database."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from apps.portal import formatting

State = Literal["ok", "warning", "failing", "running", "queued", "skipped", "silent", "unknown"]
STATES: tuple[State, ...] = ("ok", "warning", "failing", "running", "queued", "skipped", "silent", "unknown")
"""The vocabulary of states, from `ok` to `unknown`, the same everywhere."""


@dataclass(frozen=True, slots=True)
class Column:
    """A table's column. `numeric` aligns right; a `fixed` column cannot be hidden; `hidden` ones start hidden.

    `sort_url` makes the heading a link; `sorted_by` says which way the rows are sorted by it now.
    """

    label: str
    numeric: bool = False
    fixed: bool = False
    hidden: bool = False
    help: str = ""
    sort_url: str = ""
    sorted_by: Literal["", "ascending", "descending"] = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """An option of a select, or a quick choice of a time range."""

    value: str
    label: str
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Select:
    """A filter with choices; `empty` is the label of "no filter". The script leaves `default` out of the address."""

    name: str
    label: str
    choices: Sequence[Choice]
    value: str = ""
    empty: str = "Any"
    default: str = ""
    kind: Literal["select"] = field(default="select", init=False)


@dataclass(frozen=True, slots=True)
class Text:
    """A filter that is typed."""

    name: str
    label: str
    value: str = ""
    placeholder: str = ""
    kind: Literal["text"] = field(default="text", init=False)


@dataclass(frozen=True, slots=True)
class Toggle:
    """A filter that is on (`?name=1`) or absent."""

    name: str
    label: str
    value: bool = False
    kind: Literal["toggle"] = field(default="toggle", init=False)


RANGES = (
    Choice("1h", "1 h"),
    Choice("6h", "6 h"),
    Choice("24h", "24 h"),
    Choice("7d", "7 d"),
    Choice("30d", "30 d"),
)
"""The quick time ranges that lists offer."""


@dataclass(frozen=True, slots=True)
class TimeRange:
    """Quick choices of a time range, one of them taken. The script leaves `default` out of the address."""

    value: str = "24h"
    name: str = "range"
    label: str = "Time range"
    choices: Sequence[Choice] = RANGES
    default: str = ""
    kind: Literal["range"] = field(default="range", init=False)


Filter = Select | Text | Toggle | TimeRange


@dataclass(frozen=True, slots=True)
class FilterBar:
    """The filters of a list. `kept` are further parameters that survive a change; `reset_url` shows "Clear"."""

    filters: Sequence[Filter]
    kept: Mapping[str, str] = field(default_factory=dict)
    reset_url: str = ""


@dataclass(frozen=True, slots=True)
class Cell:
    """One square of a strip: a run, a day, a ping."""

    state: State
    label: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Tab:
    label: str
    url: str
    active: bool = False
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Crumb:
    label: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Fact:
    """A line of a definition list. `value` is text, or HTML that was marked safe; a `code` value can be copied."""

    label: str
    value: object
    url: str = ""
    code: bool = False
    help: str = ""


@dataclass(frozen=True, slots=True)
class Series:
    """A chart's series: instants (aware, ascending) and values; None leaves a gap. A `state` gives its colour."""

    label: str
    points: Sequence[tuple[datetime, float | None]]
    state: State | None = None


@dataclass(frozen=True, slots=True)
class Threshold:
    """A level drawn across a chart."""

    value: float
    label: str
    state: State = "warning"


@dataclass(frozen=True, slots=True)
class Delta:
    """A change against an earlier time: its words, whether it is good, and which way it went."""

    text: str
    verdict: Literal["good", "bad", "same"]
    arrow: Literal["up", "down", "flat"]
    versus: str = "last week"


@dataclass(frozen=True, slots=True)
class KeyFigure:
    """A number that somebody came for. `value` is formatted text, `spark` its recent past, `url` leads to its rows."""

    label: str
    value: str
    unit: str = ""
    url: str = ""
    state: State | None = None
    delta: Delta | None = None
    spark: Sequence[float | None] = ()
    note: str = ""


def delta(
    now: float | None,
    before: float | None,
    *,
    better: Literal["higher", "lower", "neither"],
    unit: Literal["ratio", "number", "duration"] = "number",
    versus: str = "last week",
) -> Delta | None:
    """The change from `before` to `now`, or None when one of them is unknown.

    Ratios (0 to 1) differ by percentage points, numbers by themselves, durations (milliseconds) in per cent.
    """
    if now is None or before is None or (unit == "duration" and before <= 0):
        return None
    change = now - before
    if unit == "ratio":
        text = formatting.points(change)
    elif unit == "duration":
        text = formatting.percent(abs(change) / before, 0)
        text = text if round(change / before * 100) == 0 else f"{'+' if change > 0 else formatting.MINUS}{text}"
    else:
        text = f"{'+' if change > 0 else ''}{formatting.number(change)}"
    if text[0] not in {"+", formatting.MINUS}:
        return Delta("no change", "same", "flat", versus)
    grew = change > 0
    if better == "neither":
        return Delta(text, "same", "up" if grew else "down", versus)
    return Delta(text, "good" if grew == (better == "higher") else "bad", "up" if grew else "down", versus)
