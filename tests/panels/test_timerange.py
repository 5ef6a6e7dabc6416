"""A time range means what Grafana's picker says it means."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.panels.timerange import BadTimeError, Calendar, epoch_ms, panel_range, parse_range, zone_named

NOW = datetime(2026, 3, 29, 12, 34, 56, 789000, tzinfo=UTC)
"""The Sunday on which Zurich's clocks went forward."""
ZURICH = ZoneInfo("Europe/Zurich")


def _iso(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("now", "2026-03-29T12:34:56.789Z", "2026-03-29T12:34:56.789Z"),
        ("now-6h", "2026-03-29T06:34:56.789Z", "2026-03-29T06:34:56.789Z"),
        ("now - 5m", "2026-03-29T12:29:56.789Z", "2026-03-29T12:29:56.789Z"),
        ("now-d", "2026-03-28T12:34:56.789Z", "2026-03-28T12:34:56.789Z"),
        ("now+90s", "2026-03-29T12:36:26.789Z", "2026-03-29T12:36:26.789Z"),
        ("now/s", "2026-03-29T12:34:56Z", "2026-03-29T12:34:56.999Z"),
        ("now/m", "2026-03-29T12:34:00Z", "2026-03-29T12:34:59.999Z"),
        ("now/h", "2026-03-29T12:00:00Z", "2026-03-29T12:59:59.999Z"),
        ("now/d", "2026-03-29T00:00:00Z", "2026-03-29T23:59:59.999Z"),
        ("now-1d/d", "2026-03-28T00:00:00Z", "2026-03-28T23:59:59.999Z"),
        ("now-1d/d+8h", "2026-03-28T08:00:00Z", "2026-03-29T07:59:59.999Z"),
        ("now/w", "2026-03-29T00:00:00Z", "2026-04-04T23:59:59.999Z"),
        ("now/M", "2026-03-01T00:00:00Z", "2026-03-31T23:59:59.999Z"),
        ("now-1M", "2026-02-28T12:34:56.789Z", "2026-02-28T12:34:56.789Z"),
        ("now/Q", "2026-01-01T00:00:00Z", "2026-03-31T23:59:59.999Z"),
        ("now-1y/y", "2025-01-01T00:00:00Z", "2025-12-31T23:59:59.999Z"),
        ("2026-03-01", "2026-03-01T00:00:00Z", "2026-03-01T00:00:00Z"),
        ("2026-03-01 10:30", "2026-03-01T10:30:00Z", "2026-03-01T10:30:00Z"),
        ("2026-03-01T10:30:00.5+02:00", "2026-03-01T08:30:00.5Z", "2026-03-01T08:30:00.5Z"),
        ("20260301T103000", "2026-03-01T10:30:00Z", "2026-03-01T10:30:00Z"),
        ("2026-03-10T00:00:00Z||-5d", "2026-03-05T00:00:00Z", "2026-03-05T00:00:00Z"),
        ("1700000000000", "2023-11-14T22:13:20Z", "2023-11-14T22:13:20Z"),
    ],
)
def test_each_form_is_an_instant_and_rounding_goes_outwards(text: str, start: str, end: str) -> None:
    assert parse_range(text, "now+10y", now=NOW).start == _iso(start)
    assert parse_range("0", text, now=NOW).end == _iso(end)


def test_a_day_is_the_viewers_day_also_when_it_has_23_hours() -> None:
    today = parse_range("now/d", "now/d", now=NOW, zone=ZURICH)
    assert today.start == _iso("2026-03-28T23:00:00Z")
    assert today.end == _iso("2026-03-29T21:59:59.999Z")
    assert parse_range("now-1d", "now", now=NOW, zone=ZURICH).start == _iso("2026-03-28T13:34:56.789Z")
    assert parse_range("now-24h", "now", now=NOW, zone=ZURICH).start == _iso("2026-03-28T12:34:56.789Z")
    assert parse_range("2026-07-01", "now+1y", now=NOW, zone=ZURICH).start == _iso("2026-06-30T22:00:00Z")


def test_hours_round_on_the_wall_clock_of_a_zone_with_half_an_hour() -> None:
    kolkata = parse_range("now/h", "now", now=NOW, zone=ZoneInfo("Asia/Kolkata"))
    assert kolkata.start == _iso("2026-03-29T12:30:00Z")


def test_week_and_fiscal_year_start_where_the_calendar_says() -> None:
    calendar = Calendar(UTC, week_start=0, fiscal_start=4)
    week = parse_range("now/w", "now/w", now=NOW, calendar=calendar)
    assert (week.start, week.end) == (_iso("2026-03-23T00:00:00Z"), _iso("2026-03-29T23:59:59.999Z"))
    assert parse_range("now/fy", "now", now=NOW, calendar=calendar).start == _iso("2025-04-01T00:00:00Z")
    assert parse_range("now/fQ", "now", now=NOW, calendar=calendar).start == _iso("2026-01-01T00:00:00Z")


@pytest.mark.parametrize(
    "text",
    ["", "nov", "now-", "now-5", "now/2d", "now-5x", "now-5d/", "99999999999999999999", "2026-13-01", "now-9999y"],
)
def test_what_is_no_time_is_refused_with_the_parameters_name(text: str) -> None:
    with pytest.raises(BadTimeError) as from_error:
        parse_range(text, "now", now=NOW)
    with pytest.raises(BadTimeError) as to_error:
        parse_range("0", text, now=NOW)
    assert (from_error.value.parameter, to_error.value.parameter) == ("from", "to")


def test_a_range_that_ends_before_it_starts_is_refused() -> None:
    with pytest.raises(BadTimeError, match="starts after it ends") as error:
        parse_range("now", "now-1h", now=NOW)
    assert error.value.parameter == "from"


@given(st.text(max_size=30), st.text("now-+/|0123456789dhmsQyMf: T", max_size=20))
def test_any_text_is_a_time_or_a_bad_time(first: str, second: str) -> None:
    for text in (first, second):
        with suppress(BadTimeError):
            assert parse_range(text, "now+1000y", now=NOW).start.tzinfo is UTC


def test_a_panels_own_time_replaces_a_relative_range_only() -> None:
    shown = parse_range("now-6h", "now", now=NOW)
    assert panel_range(shown, "2h", "", now=NOW).start == _iso("2026-03-29T10:34:56.789Z")
    assert panel_range(shown, "1d/d", "", now=NOW).start == _iso("2026-03-28T00:00:00Z")
    assert panel_range(shown, "+2h", "", now=NOW).end == _iso("2026-03-29T14:34:56.789Z")
    fixed = parse_range("2026-03-01", "2026-03-02", now=NOW)
    assert panel_range(fixed, "2h", "", now=NOW) == fixed


def test_a_time_shift_moves_both_ends_of_any_range() -> None:
    fixed = parse_range("2026-03-02", "2026-03-03", now=NOW)
    shifted = panel_range(fixed, "", "1d", now=NOW)
    assert (shifted.start, shifted.end) == (_iso("2026-03-01T00:00:00Z"), _iso("2026-03-02T00:00:00Z"))
    both = panel_range(parse_range("now-6h", "now", now=NOW), "1h", "1w", now=NOW)
    assert (both.start, both.end) == (_iso("2026-03-22T11:34:56.789Z"), _iso("2026-03-22T12:34:56.789Z"))
    day = panel_range(parse_range("now-6h", "now", now=NOW), "", "1d/d", now=NOW)
    assert (day.start, day.end) == (_iso("2026-03-28T00:00:00Z"), _iso("2026-03-28T23:59:59.999Z"))


def test_bad_times_of_a_panel_are_named() -> None:
    shown = parse_range("now-6h", "now", now=NOW)
    with pytest.raises(BadTimeError) as time_from:
        panel_range(shown, "soon", "", now=NOW)
    with pytest.raises(BadTimeError) as time_shift:
        panel_range(shown, "", "a day", now=NOW)
    assert (time_from.value.parameter, time_shift.value.parameter) == ("timeFrom", "timeShift")


def test_zones() -> None:
    assert zone_named("utc") is UTC
    assert zone_named("browser") is UTC
    assert zone_named("", "Europe/Zurich") == ZURICH
    assert zone_named("Asia/Kolkata", "Europe/Zurich") == ZoneInfo("Asia/Kolkata")
    for wrong in ("Mars/Olympus", "../../etc/passwd", "/etc/passwd", "a\0b"):
        with pytest.raises(BadTimeError):
            zone_named(wrong)


def test_epoch_milliseconds() -> None:
    shown = parse_range("1700000000123", "1700000000456", now=NOW)
    assert (shown.start_ms, shown.end_ms) == (1700000000123, 1700000000456)
    assert epoch_ms(_iso("1960-02-01T07:00:00Z")) == -312_915_600_000
    assert not shown.is_relative
