"""Numbers as text in a unit: scaling, rounding, prefix and suffix, by Grafana's unit ids.

An id that the catalogue does not hold is a literal suffix, or one of the free forms `prefix:$`, `suffix:items`,
`time:YYYY-MM`, `si:Ω` (with an SI prefix: `si:mΩ`), `count:errors`, `currency:$`, `bool:On/Off`.
"""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from apps.panels.dates import FULL_DATE, FULL_DATE_MS, format_date, time_ago, to_datetime
from apps.panels.fields.javascript import number_text, round_half_up


@dataclass(frozen=True)
class Formatted:
    """A number as text; blanks that belong between the parts are in them."""

    text: str
    prefix: str = ""
    suffix: str = ""

    def __str__(self) -> str:
        return self.prefix + self.text + self.suffix


@dataclass(frozen=True)
class Clock:
    """What dates depend on: the viewer's zone, the present (epoch ms), and whether milliseconds matter."""

    zone: dt.tzinfo = dt.UTC
    now_ms: float | None = None
    show_ms: bool = False

    def now(self) -> float:
        return dt.datetime.now(dt.UTC).timestamp() * 1000 if self.now_ms is None else self.now_ms


Format = Callable[[float, int | None, Clock], Formatted]


@dataclass(frozen=True)
class Unit:
    """A unit of Grafana's list."""

    id: str
    name: str
    format: Format


SI_PREFIXES = ("f", "p", "n", "µ", "m", "", "k", "M", "G", "T", "P", "E", "Z", "Y")
SI_BASE = SI_PREFIXES.index("")
BINARY_PREFIXES = ("", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi")
COUNT_STEPS = ("", "K", "M", "B", "T")

_PLURAL = frozenset((" min", " hour", " day", " week", " year"))


def format_value(unit: str | None, value: float, decimals: int | None = None, clock: Clock | None = None) -> Formatted:
    """A number in a unit. Without decimals as many as its size asks for; no unit means a bare number."""
    return find_format(unit)(value, decimals, clock or Clock())


def find_format(unit: str | None) -> Format:
    """How a unit's numbers are written; an unknown id becomes a suffix."""
    # Late: the catalogue is made of the formats below.
    from apps.panels.fields.unit_catalogue import UNITS

    if not unit:
        return fixed("")
    known = UNITS.get(unit)
    return known.format if known else _free_form(unit)


def is_date_unit(unit: str | None) -> bool:
    return unit is not None and (unit.startswith("dateTime") or unit.startswith("time:"))


def is_boolean_unit(unit: str | None) -> bool:
    return unit is not None and unit.startswith("bool")


def to_fixed(value: float, decimals: int | None = None) -> str:
    """A number with so many decimals (None: as many as its size asks for), halves rounded up."""
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "∞" if value > 0 else "-∞"
    digits = max(0, auto_decimals(value) if decimals is None else decimals)
    if value == 0:
        return f"{0:.{digits}f}"
    if abs(value) >= 1e21 or digits > 100:
        return number_text(value)
    factor = 10**digits
    if digits <= 6 and abs(value) * factor < 1e15:
        # Thousands of points are written at once: whole numbers are quicker, and exact up to here.
        rounded = round_half_up(value * factor)
        if not digits:
            return str(rounded)
        whole_part, rest = divmod(abs(rounded), factor)
        return f"{'-' if rounded < 0 else ''}{whole_part}.{rest:0{digits}d}"
    text = number_text(round_half_up(value * factor) / factor)
    if "e" in text:
        return text
    whole, _, fraction = text.partition(".")
    return f"{whole}.{fraction.ljust(digits, '0')}" if digits else whole


def auto_decimals(value: float) -> int:
    """Decimals for three significant digits, two of a negative number (as Grafana does); none for whole numbers."""
    if value == 0 or value % 1 == 0:
        return 0
    size = math.floor(math.log(abs(value)) / math.log(10))
    return max(0, (2 if value > 0 else 1) - size)


def fixed(symbol: str, *, as_prefix: bool = False) -> Format:
    def write(value: float, decimals: int | None, clock: Clock) -> Formatted:
        text = to_fixed(value, decimals)
        if as_prefix:
            return Formatted(text, prefix=symbol)
        return Formatted(text, suffix=f" {symbol}" if symbol else "")

    return write


def scaled(factor: float, suffixes: Sequence[str], base: int = 0) -> Format:
    """Divided by `factor` until small, or multiplied until not; `base` is the suffix of the number as it comes."""

    def write(value: float, decimals: int | None, clock: Clock) -> Formatted:
        if not math.isfinite(value):
            return Formatted(to_fixed(value))
        steps = math.floor(math.log10(abs(value)) / math.log10(factor)) if value else 0
        steps = min(max(steps, -base), len(suffixes) - 1 - base)
        return Formatted(to_fixed(value / factor**steps, decimals), suffix=suffixes[base + steps])

    return write


def si(symbol: str, power: int = 0) -> Format:
    """Thousands with SI prefixes; `power` 1 when the number comes in thousands, -1 when in thousandths."""
    return scaled(1000, [f" {prefix}{symbol}" for prefix in SI_PREFIXES], SI_BASE + power)


def binary(symbol: str, power: int = 0) -> Format:
    return scaled(1024, [f" {prefix}{symbol}" for prefix in BINARY_PREFIXES], power)


def count(symbol: str) -> Format:
    return scaled(1000, [f"{step} {symbol}" for step in COUNT_STEPS])


def currency(symbol: str, *, as_suffix: bool = False) -> Format:
    scale = scaled(1000, COUNT_STEPS)

    def write(value: float, decimals: int | None, clock: Clock) -> Formatted:
        result = scale(value, decimals, clock)
        if as_suffix:
            return replace(result, suffix=result.suffix + symbol)
        if result.text.startswith("-"):
            return replace(result, prefix="-" + symbol, text=result.text[1:])
        return replace(result, prefix=symbol)

    return write


def full_currency(symbol: str, *, as_suffix: bool = False) -> Format:
    """Money that is never shortened: thousands are grouped."""

    def write(value: float, decimals: int | None, clock: Clock) -> Formatted:
        text = _grouped(abs(value), decimals or 0)
        if as_suffix:
            return Formatted(("-" if value < 0 else "") + text, suffix=symbol)
        return Formatted(text, prefix=("-" if value < 0 else "") + symbol)

    return write


def percent(factor: float) -> Format:
    def write(value: float, decimals: int | None, clock: Clock) -> Formatted:
        return Formatted(to_fixed(value * factor, decimals), suffix="%")

    return write


def plain(value: float, decimals: int | None, clock: Clock) -> Formatted:
    return Formatted(number_text(value))


def grouped(value: float, decimals: int | None, clock: Clock) -> Formatted:
    """Thousands apart, at most three decimals unless told."""
    return Formatted(_grouped(value, 3 if decimals is None else decimals))


def hexadecimal(prefix: str) -> Format:
    def write(value: float, decimals: int | None, clock: Clock) -> Formatted:
        if not math.isfinite(value):
            return Formatted(to_fixed(value))
        return Formatted(("-" if value < 0 else "") + prefix + f"{round_half_up(abs(value)):X}")

    return write


def scientific(value: float, decimals: int | None, clock: Clock) -> Formatted:
    if not math.isfinite(value):
        return Formatted(to_fixed(value))
    if decimals is None:
        exponent = math.floor(math.log10(abs(value))) if value else 0
        mantissa = number_text(float(f"{value / 10.0**exponent:.15g}"))
        return Formatted(f"{mantissa}e{exponent:+d}")
    mantissa, _, power = f"{value:.{decimals}e}".partition("e")
    return Formatted(f"{mantissa}e{int(power):+d}")


def boolean(yes: str, no: str) -> Format:
    def write(value: float, decimals: int | None, clock: Clock) -> Formatted:
        return Formatted(yes if value and not math.isnan(value) else no)

    return write


def duration(steps: Sequence[tuple[float, float, str]]) -> Format:
    """A time in the unit that suits its length: (below which size, divided by, suffix), smallest first."""

    def write(value: float, decimals: int | None, clock: Clock) -> Formatted:
        size = abs(value)
        if size == 0:
            # Zero seconds are not zero nanoseconds.
            suffix = next(suffix for _, divisor, suffix in steps if divisor == 1)
            return Formatted(to_fixed(0, decimals), suffix=suffix)
        _, divisor, suffix = next((step for step in steps if size < step[0]), steps[-1])
        part = value / divisor if divisor >= 1 else value * round(1 / divisor)
        many = "s" if suffix in _PLURAL and abs(part) > 1 else ""
        return Formatted(to_fixed(part, decimals), suffix=suffix + many)

    return write


_LONG_UNITS = (
    ("year", 31_536_000_000),
    ("month", 2_592_000_000),
    ("week", 604_800_000),
    ("day", 86_400_000),
    ("hour", 3_600_000),
    ("minute", 60_000),
    ("second", 1000),
    ("millisecond", 1),
)


def spelled_duration(milliseconds: int, zero: str) -> Format:
    """ "1 day, 12 hours": the largest part, and as many smaller ones as there are decimals."""

    def write(value: float, decimals: int | None, clock: Clock) -> Formatted:
        if value == 0 or not math.isfinite(value):
            return Formatted("0" if value == 0 else to_fixed(value), suffix=f" {zero}")
        rest = abs(value) * milliseconds
        parts: list[str] = []
        for name, size in _LONG_UNITS:
            if (parts or rest >= size) and len(parts) <= max(0, decimals or 0):
                number = math.floor(rest / size)
                parts.append(f"{number} {name}{'' if number == 1 else 's'}")
                rest %= size
        return Formatted(", ".join(parts) or f"0 {zero}", suffix=" ago" if value < 0 else "")

    return write


def clock_duration(*, with_days: bool) -> Format:
    """hh:mm:ss of seconds, whole days apart when asked."""

    def write(value: float, decimals: int | None, clock: Clock) -> Formatted:
        if not math.isfinite(value):
            return Formatted(to_fixed(value))
        seconds = math.floor(abs(value))
        days, seconds = divmod(seconds, 86_400) if with_days else (0, seconds)
        text = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
        return Formatted(f"{days} d {text}" if days else text, suffix=" ago" if value < 0 else "")

    return write


def stopwatch(milliseconds: int) -> Format:
    """`01h:59m:59s:999ms`, as many parts as there are decimals and one."""

    def write(value: float, decimals: int | None, clock: Clock) -> Formatted:
        if not math.isfinite(value):
            return Formatted(to_fixed(value))
        total = math.floor(value * milliseconds)
        parts = [
            f"{total // 3_600_000:02d}h",
            f"{total // 60_000 % 60:02d}m",
            f"{total // 1000 % 60:02d}s",
            f"{total % 1000:03d}ms",
        ]
        size = 3 if total < 1000 else 2 if total < 60_000 else 1 if total < 3_600_000 else 0
        shown = parts[size:]
        return Formatted(":".join(shown if decimals is None else shown[: decimals + 1]))

    return write


def date(pattern: str, today: str | None = None) -> Format:
    """A date of epoch milliseconds in the viewer's zone; another pattern when it is today."""

    def write(value: float, decimals: int | None, clock: Clock) -> Formatted:
        if today and _same_day(value, clock):
            return Formatted(format_date(value, today, clock.zone))
        return Formatted(format_date(value, pattern, clock.zone))

    return write


def system_date(value: float, decimals: int | None, clock: Clock) -> Formatted:
    return Formatted(format_date(value, FULL_DATE_MS if clock.show_ms else FULL_DATE, clock.zone))


def from_now(value: float, decimals: int | None, clock: Clock) -> Formatted:
    return Formatted(time_ago(value, clock.now()))


def _same_day(value: float, clock: Clock) -> bool:
    moment, now = to_datetime(value, clock.zone), to_datetime(clock.now(), clock.zone)
    return moment is not None and now is not None and moment.date() == now.date()


def _grouped(value: float, most: int) -> str:
    if not math.isfinite(value):
        return to_fixed(value)
    text = f"{value:,.{max(0, most)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _free_form(unit: str) -> Format:
    kind, colon, rest = unit.partition(":")
    if not colon or not kind:
        return fixed(unit)
    if kind == "si":
        power = SI_PREFIXES.index(rest[0]) - SI_BASE if len(rest) > 1 and rest[0] in SI_PREFIXES else 0
        return si(rest[1:] if power else rest, power)
    if kind == "currency" and rest.startswith("financial:"):
        symbol, _, place = rest.removeprefix("financial:").partition(":")
        return full_currency(symbol, as_suffix=place == "suffix")
    if kind == "bool":
        yes, slash, no = rest.partition("/")
        return boolean(yes, no if slash else "-")
    make = _FREE_FORMS.get(kind)
    return make(rest) if make else fixed(unit)


_FREE_FORMS: Mapping[str, Callable[[str], Format]] = {
    "prefix": lambda text: fixed(text, as_prefix=True),
    "suffix": fixed,
    "time": date,
    "count": count,
    "currency": currency,
}
