"""Dates by moment.js patterns."""

from __future__ import annotations

import datetime as dt
import math
from zoneinfo import ZoneInfo

import pytest

from apps.panels.date_parsing import parse_date
from apps.panels.dates import format_date, time_ago

MOMENT = 1_505_634_997_920  # Sunday, 2017-09-17T07:56:37.920Z
HOUR = 3_600_000


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("YYYY-MM-DD HH:mm:ss.SSS", "2017-09-17 07:56:37.920"),
        ("D.M.YY", "17.9.17"),
        ("dddd, MMMM Do YYYY", "Sunday, September 17th 2017"),
        ("ddd MMM D", "Sun Sep 17"),
        ("h:mm a", "7:56 am"),
        ("hh A", "07 AM"),
        ("[on] DDDD [of] YYYY", "on 260 of 2017"),
        ("GGGG-[W]WW-E", "2017-W37-7"),
        ("Qo [quarter]", "3rd quarter"),
        ("X x", "1505634997 1505634997920"),
        ("LLLL", "Sunday, September 17, 2017 7:56 AM"),
        ("iso", "2017-09-17T07:56:37.920+00:00"),
        ("", ""),
    ],
)
def test_patterns(pattern: str, text: str) -> None:
    assert format_date(MOMENT, pattern) == text


def test_zones_and_daylight_saving() -> None:
    zurich = ZoneInfo("Europe/Zurich")
    assert format_date(MOMENT, "HH:mm Z z", zurich) == "09:56 +02:00 CEST"
    assert format_date(1_500_000_000_000 + 200 * 24 * HOUR, "ZZ", zurich) == "+0100"


def test_what_is_no_moment_is_said_to_be_none() -> None:
    assert format_date(1e18) == "Invalid date"
    assert format_date(math.nan) == "Invalid date"
    assert time_ago(math.inf, 0) == "Invalid date"


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("2020-08-01T08:48:43.783Z", dt.UTC, 1_596_271_723_783),
        ("2020-08-01 08:48:43", dt.UTC, 1_596_271_723_000),
        ("2020-08-01 10:48:43", ZoneInfo("Europe/Zurich"), 1_596_271_723_000),
        ("2020-08-01", dt.UTC, 1_596_240_000_000),
        ("yesterday", dt.UTC, None),
        ("", dt.UTC, None),
    ],
)
def test_texts_with_dates(text: str, zone: dt.tzinfo, expected: float | None) -> None:
    assert parse_date(text, zone) == expected


@pytest.mark.parametrize(
    ("before", "text"),
    [
        (0, "a few seconds ago"),
        (44_000, "a few seconds ago"),
        (60_000, "a minute ago"),
        (120_000, "2 minutes ago"),
        (HOUR, "an hour ago"),
        (21 * HOUR, "21 hours ago"),
        (24 * HOUR, "a day ago"),
        (7 * 24 * HOUR, "7 days ago"),
        (35 * 24 * HOUR, "a month ago"),
        (400 * 24 * HOUR, "a year ago"),
        (3 * 366 * 24 * HOUR, "3 years ago"),
        (-2 * HOUR, "in 2 hours"),
    ],
)
def test_how_long_ago(before: float, text: str) -> None:
    assert time_ago(MOMENT - before, MOMENT) == text


@pytest.mark.parametrize(
    ("text", "pattern", "expected"),
    [
        ("17.9.2017 07:56", "D.M.YYYY HH:mm", 1_505_634_960_000),
        ("09/17/2017 7:56:37 am", "MM/DD/YYYY h:mm:ss a", 1_505_634_997_000),
        ("Sep 17 2017", "MMM D YYYY", 1_505_606_400_000),
        ("on 2017-09-17T07:56:37.920+0000", "[on] YYYY-MM-DDTHH:mm:ss.SSSZ", MOMENT),
        ("1505634997.92", "X", MOMENT),
        ("1505634997920", "x", MOMENT),
        ("2017-09-17 07:56:37", "YYYY", 1_483_228_800_000),
        ("17th of september 69", "Do [of] MMMM YY", -9_158_400_000),
        ("12:30 pm 1.1.2000 +01:00", "h:mm a D.M.YYYY Z", 946_726_200_000),
        ("2017", "MM", None),
        ("09", "MM", None),
        ("31.2.2017", "D.M.YYYY", None),
        ("1 Foo 2017", "D MMM YYYY", None),
        ("soon", "X", None),
        ("1 1", "D D", None),
    ],
)
def test_texts_by_pattern(text: str, pattern: str, expected: float | None) -> None:
    assert parse_date(text, dt.UTC, pattern) == expected
