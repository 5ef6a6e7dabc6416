"""Durations, ages and numbers as people read them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.portal import formatting
from apps.portal.formatting import THIN


def plain(text: str) -> str:
    """The text with ordinary spaces and minus signs, so that expectations can be typed."""
    return text.replace(THIN, " ").replace(formatting.MINUS, "-")


@pytest.mark.parametrize(
    ("milliseconds", "words"),
    [
        (None, "—"),
        (float("nan"), "—"),
        (0, "0 ms"),
        (0.4, "0.4 ms"),
        (340, "340 ms"),
        (999.6, "1.0 s"),
        (4_210, "4.2 s"),
        (9_960, "10 s"),
        (59_600, "1 m"),
        (72_400, "1 m 12 s"),
        (3_599_900, "1 h"),
        (7_512_000, "2 h 5 m"),
        (266_400_000, "3 d 2 h"),
        (Decimal(1500), "1.5 s"),
        (-72_400, "-1 m 12 s"),
    ],
)
def test_a_duration_has_two_units_at_most(milliseconds: float | None, words: str) -> None:
    assert plain(formatting.duration(milliseconds)) == words


@given(st.floats(min_value=-1e15, max_value=1e15))
def test_every_duration_has_words(milliseconds: float) -> None:
    assert formatting.duration(milliseconds).strip()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "just now"),
        (-3, "just now"),
        (42, "42 s ago"),
        (61, "1 min ago"),
        (3_599, "59 min ago"),
        (3_600, "1 h ago"),
        (47 * 3_600, "47 h ago"),
        (3 * 86_400, "3 d ago"),
        (90 * 86_400, "2 months ago"),
        (-300, "in 5 min"),
    ],
)
def test_an_age_is_told_in_one_unit(seconds: float, words: str) -> None:
    now = datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert plain(formatting.age(now - timedelta(seconds=seconds), now)) == words


def test_an_instant_names_its_zone_across_the_summer_change() -> None:
    zurich = ZoneInfo("Europe/Zurich")
    assert formatting.instant(datetime(2026, 3, 29, 0, 30, tzinfo=UTC), zurich) == "29 Mar 2026, 01:30:00 CET"
    assert formatting.instant(datetime(2026, 3, 29, 1, 30, tzinfo=UTC), zurich) == "29 Mar 2026, 03:30:00 CEST"


@pytest.mark.parametrize(
    ("value", "decimals", "words"),
    [
        (None, None, "—"),
        (float("inf"), None, "—"),
        (0, None, "0"),
        (12_480, None, "12 480"),
        (-12_480, None, "-12 480"),
        (3.14159, None, "3.14"),
        (0.004_56, None, "0.005"),
        (1234.5, None, "1 234"),
        (3, 2, "3.00"),
        (Decimal("2.50"), None, "2.5"),
    ],
)
def test_numbers_come_in_groups(value: float | None, decimals: int | None, words: str) -> None:
    assert plain(formatting.number(value, decimals)) == words


@pytest.mark.parametrize(
    ("ratio", "words"),
    [
        (None, "—"),
        (0, "0 %"),
        (1, "100 %"),
        (0.942, "94.2 %"),
        (0.5, "50 %"),
        (0.99996, "99.9 %"),
        (0.00001, "0.1 %"),
        (1.25, "125 %"),
    ],
)
def test_a_share_is_never_rounded_to_all_or_nothing(ratio: float | None, words: str) -> None:
    assert plain(formatting.percent(ratio)) == words


@pytest.mark.parametrize(
    ("difference", "words"), [(0.015, "+1.5 pt"), (-0.03, "-3 pt"), (0.0001, "0 pt"), (-0.0001, "0 pt"), (None, "—")]
)
def test_differences_of_shares_are_points_with_a_sign(difference: float | None, words: str) -> None:
    assert plain(formatting.points(difference)) == words


@pytest.mark.parametrize(("value", "words"), [(980, "980"), (48_213, "48.2 k"), (3_210_000, "3.21 M"), (None, "—")])
def test_large_numbers_are_shortened(value: float | None, words: str) -> None:
    assert plain(formatting.compact(value)) == words


@pytest.mark.parametrize(("count", "words"), [(512, "512 B"), (3_565_158, "3.4 MiB"), (2**40, "1 TiB"), (None, "—")])
def test_sizes_use_binary_units(count: int | None, words: str) -> None:
    assert plain(formatting.file_size(count)) == words
