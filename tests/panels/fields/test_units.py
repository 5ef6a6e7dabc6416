"""Numbers in Grafana's units."""

from __future__ import annotations

import math
from zoneinfo import ZoneInfo

import pytest

from apps.panels.fields.unit_catalogue import UNITS
from apps.panels.fields.units import Clock, format_value, to_fixed

NOON = 1_505_634_997_920  # 2017-09-17T07:56:37.920Z


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (100, None, "100"),
        (100.4, None, "100"),
        (100.5, None, "101"),
        (1.2345678, None, "1.23"),
        (-1.2345678, None, "-1.2"),
        (2.5, None, "2.50"),
        (3.23, None, "3.23"),
        (0.0245, None, "0.0245"),
        (-1.5, None, "-1.5"),
        (0, None, "0"),
        (0, 2, "0.00"),
        (100, 1, "100.0"),
        (100.37, 1, "100.4"),
        (100.5, 2, "100.50"),
        (186.123, -2, "186"),
        (-2.5, 0, "-2"),
        (1e22, 2, "1e+22"),
        (2.5e-311, None, "2.5e-311"),
        (math.nan, 2, "NaN"),
        (math.inf, 2, "∞"),
        (-math.inf, None, "-∞"),
    ],
)
def test_decimals(value: float, decimals: int | None, text: str) -> None:
    assert to_fixed(value, decimals) == text


@pytest.mark.parametrize(
    ("unit", "value", "decimals", "text"),
    [
        (None, 1234.5, None, "1235"),
        ("none", 3.5, 2, "3.50"),
        ("string", 22.1122334455, None, "22.1122334455"),
        ("short", 0, None, "0"),
        ("short", 98765, 2, "98.77 K"),
        ("short", 1_000_000, None, "1 Mil"),
        ("short", 0.0012, None, "0.00120"),
        ("percent", 99.5, 1, "99.5%"),
        ("percentunit", 0.123, 1, "12.3%"),
        ("humidity", 40, None, "40 %H"),
        ("dB", -3, None, "-3 dB"),
        ("hex", 255, None, "FF"),
        ("hex0x", 255, None, "0xFF"),
        ("hex0x", -16, None, "-0x10"),
        ("sci", 1234, None, "1.234e+3"),
        ("sci", 1234, 1, "1.2e+3"),
        ("locale", 1234567.891, None, "1,234,567.891"),
        ("locale", 1234567.891, 1, "1,234,567.9"),
        ("currencyUSD", 1532.82, 2, "$1.53K"),
        ("currencyUSD", -1532.82, 2, "-$1.53K"),
        ("currencyKRW", 1532.82, 2, "₩1.53K"),
        ("currencyDKK", 1532.82, 2, "1.53Kkr"),
        ("bytes", 100_030_303, 2, "95.40 MiB"),
        ("bytes", 0, None, "0 B"),
        ("bytes", 0.5, None, "0.500 B"),
        ("kbytes", 10_000_000, 3, "9.537 GiB"),
        ("deckbytes", 10_000_000, 3, "10.000 GB"),
        ("Bps", 1500, 1, "1.5 kB/s"),
        ("megwatt", 1000, 3, "1.000 GW"),
        ("kohm", 1000, 3, "1.000 MΩ"),
        ("farad", 1000, 3, "1.000 kF"),
        ("µfarad", 1000, 3, "1.000 mF"),
        ("ffarad", 1000, 3, "1.000 pF"),
        ("mhenry", 1000, 3, "1.000 H"),
        ("celsius", 21.5, 1, "21.5 °C"),
        ("farenheit", 70, None, "70 °F"),
        ("reqps", 1500, 1, "1.5K req/s"),
        ("bool", 1, None, "True"),
        ("bool_yes_no", 0, None, "No"),
        ("bool_on_off", 1, None, "On"),
        ("bytes", math.nan, None, "NaN"),
        ("bytes", math.inf, None, "∞"),
    ],
)
def test_units(unit: str | None, value: float, decimals: int | None, text: str) -> None:
    assert str(format_value(unit, value, decimals)) == text


@pytest.mark.parametrize(
    ("unit", "value", "decimals", "text"),
    [
        ("ns", 1500, 1, "1.5 µs"),
        ("µs", 1500, 1, "1.5 ms"),
        ("ms", 0.0024, 4, "0.0024 ms"),
        ("ms", 100, 0, "100 ms"),
        ("ms", 1250, 2, "1.25 s"),
        ("ms", 10_000_086.123, 1, "2.8 hours"),
        ("ms", 1200, 0, "1 s"),
        ("s", 0, None, "0 s"),
        ("s", 0.15, 0, "150 ms"),
        ("s", 0.0005, None, "500 µs"),
        ("s", 12, None, "12 s"),
        ("s", 60, None, "1 min"),
        ("s", 90, 1, "1.5 mins"),
        ("s", 3600, None, "1 hour"),
        ("s", 172_800, None, "2 days"),
        ("s", -90, 1, "-1.5 mins"),
        ("m", 90, 1, "1.5 hours"),
        ("h", 24, None, "1 day"),
        ("d", 14, None, "2 weeks"),
        ("dtdurations", 90, 1, "1 minute, 30 seconds"),
        ("dtdurations", -1, 0, "1 second ago"),
        ("dtdurationms", 0, 0, "0 milliseconds"),
        ("dtdurationms", 38_898_367_008, 0, "1 year"),
        ("dtdurationms", 38_898_367_008, 1, "1 year, 2 months"),
        (
            "dtdurationms",
            38_898_367_008,
            20,
            "1 year, 2 months, 3 weeks, 4 days, 5 hours, 6 minutes, 7 seconds, 8 milliseconds",
        ),
        (
            "dtdurationms",
            36_993_906_007,
            8,
            "1 year, 2 months, 0 weeks, 3 days, 4 hours, 5 minutes, 6 seconds, 7 milliseconds",
        ),
        ("dthms", 1, None, "00:00:01"),
        ("dthms", -1, None, "00:00:01 ago"),
        ("dthms", 90_061, None, "25:01:01"),
        ("dtdhms", 90_061, None, "1 d 01:01:01"),
        ("clockms", 999, 0, "999ms"),
        ("clockms", 59_999, None, "59s:999ms"),
        ("clockms", 59_999, 0, "59s"),
        ("clockms", 3_599_999, 1, "59m:59s"),
        ("clockms", 7_199_999, None, "01h:59m:59s:999ms"),
        ("clockms", 89_999_999, 2, "24h:59m:59s"),
        ("clocks", 3600, 0, "01h"),
    ],
)
def test_times(unit: str, value: float, decimals: int | None, text: str) -> None:
    assert str(format_value(unit, value, decimals)) == text


@pytest.mark.parametrize(
    ("unit", "value", "decimals", "text"),
    [
        ("prefix:v", 3, None, "v3"),
        ("suffix:items", 3, None, "3 items"),
        ("count:errors", 1500, 1, "1.5K errors"),
        ("si:mΩ", 1500, 1, "1.5 Ω"),
        ("si:V", 1500, 1, "1.5 kV"),
        ("currency:£", 1500, 1, "£1.5K"),
        ("currency:financial:€", 1_234_567, None, "€1,234,567"),
        ("currency:financial:€:suffix", -1_234_567, None, "-1,234,567€"),
        ("bool:Up/Down", 1, None, "Up"),
        ("bool:Up/Down", 0, None, "Down"),
        ("bool:Up", 0, None, "-"),
        ("time:YYYY-MM", NOON, None, "2017-09"),
        ("widgets", 3, None, "3 widgets"),
        ("odd:form", 3, None, "3 odd:form"),
    ],
)
def test_free_forms(unit: str, value: float, decimals: int | None, text: str) -> None:
    assert str(format_value(unit, value, decimals)) == text


def test_prefix_and_suffix_come_apart() -> None:
    shown = format_value("bytes", 2048)
    assert (shown.text, shown.suffix) == ("2", " KiB")
    assert format_value("currencyEUR", 5).prefix == "€"


@pytest.mark.parametrize(
    ("unit", "text"),
    [
        ("dateTimeAsIso", "2017-09-17 09:56:37"),
        ("dateTimeAsUS", "09/17/2017 9:56:37 am"),
        ("dateTimeAsSystem", "2017-09-17 09:56:37"),
        ("dateTimeAsIsoNoDateIfToday", "2017-09-17 09:56:37"),
        ("dateTimeFromNow", "2 hours ago"),
    ],
)
def test_dates_follow_the_viewers_zone_and_clock(unit: str, text: str) -> None:
    later = Clock(zone=ZoneInfo("Europe/Zurich"), now_ms=NOON + 2 * 3_600_000)
    tomorrow = Clock(zone=ZoneInfo("Europe/Zurich"), now_ms=NOON + 86_400_000)
    clock = tomorrow if unit.endswith("IfToday") else later
    assert str(format_value(unit, NOON, clock=clock)) == text


def test_a_date_of_today_may_go_without_its_day() -> None:
    clock = Clock(now_ms=NOON + 60_000)
    assert str(format_value("dateTimeAsIsoNoDateIfToday", NOON, clock=clock)) == "07:56:37"
    assert str(format_value("dateTimeAsUSNoDateIfToday", NOON, clock=clock)) == "7:56:37 am"


def test_every_unit_writes_every_kind_of_number() -> None:
    values = [0, 1, -1, 0.5, 1e-9, 123_456.789, 1e18, -1e25, math.nan, math.inf, -math.inf]
    for unit in UNITS:
        for value in values:
            assert isinstance(str(format_value(unit, value)), str), (unit, value)
            assert isinstance(str(format_value(unit, value, 2)), str), (unit, value)
