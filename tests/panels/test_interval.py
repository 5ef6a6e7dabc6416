"""The interval between points is Grafana's, for every range and width."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from apps.panels.interval import BadDurationError, calculate_interval, format_duration, parse_duration, round_interval
from apps.panels.timerange import TimeRange

START = datetime(2026, 3, 1, tzinfo=UTC)
S, M, H, D = 1000, 60_000, 3_600_000, 86_400_000


def _range(**length: float) -> TimeRange:
    return TimeRange(START, START + timedelta(**length), "", "")


@pytest.mark.parametrize(
    ("bound", "below"),
    [
        (10, 1), (15, 10), (35, 20), (75, 50), (150, 100), (350, 200), (750, 500),
        (1.5 * S, 1 * S), (3.5 * S, 2 * S), (7.5 * S, 5 * S), (12.5 * S, 10 * S), (17.5 * S, 15 * S), (25 * S, 20 * S),
        (45 * S, 30 * S), (1.5 * M, 1 * M), (3.5 * M, 2 * M), (7.5 * M, 5 * M), (12.5 * M, 10 * M),
        (17.5 * M, 15 * M), (25 * M, 20 * M), (45 * M, 30 * M), (1.5 * H, 1 * H), (2.5 * H, 2 * H), (4.5 * H, 3 * H),
        (9 * H, 6 * H), (1 * D, 12 * H), (7 * D, 1 * D), (21 * D, 7 * D), (42 * D, 30 * D),
    ],
)  # fmt: skip
def test_strictly_below_a_bound_gives_its_interval(bound: float, below: int) -> None:
    assert round_interval(bound - 0.5) == below
    assert round_interval(bound) > below


def test_beyond_the_last_bound_a_year() -> None:
    assert round_interval(42 * D) == 365 * D


@pytest.mark.parametrize(
    ("minutes", "points", "text"),
    [
        (5, 1500, "200ms"), (5, 500, "500ms"), (15, 1500, "500ms"), (15, 100, "10s"), (30, 1500, "1s"),
        (30, 3000, "500ms"), (60, 1500, "2s"), (60, 1000, "5s"), (24 * 60, 500, "2m"), (30 * 24 * 60, 500, "1h"),
    ],
)  # fmt: skip
def test_interval_of_a_range_and_a_width(minutes: int, points: int, text: str) -> None:
    assert calculate_interval(_range(minutes=minutes), points).text == text


def test_the_minimum_raises_the_interval_and_never_lowers_it() -> None:
    assert calculate_interval(_range(minutes=5), 1500, "1m").milliseconds == M
    assert calculate_interval(_range(minutes=5), 1500, ">10s").text == "10s"
    assert calculate_interval(_range(days=30), 100, "1m").text == "6h"
    with pytest.raises(BadDurationError):
        calculate_interval(_range(days=30), 100, "often")


def test_without_a_width_500_points_are_meant() -> None:
    for points in (None, 0, -3):
        assert calculate_interval(_range(minutes=5), points).text == "500ms"


@pytest.mark.parametrize(
    ("text", "milliseconds"),
    [
        ("45", 45 * S), ("20ms", 20), ("1.5s", 1500), ("5m", 5 * M), ("1h30m", 90 * M), ("12d", 12 * D), ("1w", 7 * D),
        ("1M", 30 * D), ("2y", 730 * D), ("<10s", 10 * S), (" 1m ", M), ("500us", 0.5),
    ],
)  # fmt: skip
def test_durations(text: str, milliseconds: float) -> None:
    assert parse_duration(text) == milliseconds


@pytest.mark.parametrize("text", ["", "m", "5x", "5 m", "-5m", "1e3s", "5m;", "9" * 16, "999999y", "٣s"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(BadDurationError):
        parse_duration(text)


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [(61 * S, "1m"), (30, "30ms"), (24 * H, "1d"), (367 * D, "1y"), (7 * D, "7d"), (999, "999ms"), (90 * M, "1h")],
)
def test_a_duration_is_written_in_its_largest_whole_unit(milliseconds: int, text: str) -> None:
    assert format_duration(milliseconds) == text
