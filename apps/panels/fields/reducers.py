"""One value for a whole column: Grafana's calculations, by their ids."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from apps.panels.fields.javascript import round_half_up
from apps.panels.frames import Field

_ALIASES = {"current": "lastNotNull", "avg": "mean", "total": "sum"}

Values = Sequence[Any]


def _numbers(values: Values) -> list[float]:
    return [
        value
        for value in values
        if isinstance(value, int | float) and not isinstance(value, bool) and not math.isnan(value)
    ]


def _known(values: Values) -> list[Any]:
    return [value for value in values if value is not None]


def _first(values: Values) -> Any:
    return values[0] if values else None


def _last(values: Values) -> Any:
    return values[-1] if values else None


def _first_known(values: Values) -> Any:
    return next((value for value in values if value is not None), None)


def _last_known(values: Values) -> Any:
    return next((value for value in reversed(values) if value is not None), None)


def _min(values: Values) -> Any:
    return min(_numbers(values), default=None)


def _max(values: Values) -> Any:
    return max(_numbers(values), default=None)


def _sum(values: Values) -> float:
    return sum(_numbers(values))


def _mean(values: Values) -> float | None:
    numbers = _numbers(values)
    return sum(numbers) / len(numbers) if numbers else None


def _median(values: Values) -> float | None:
    numbers = sorted(_numbers(values))
    if not numbers:
        return None
    middle = len(numbers) // 2
    return numbers[middle] if len(numbers) % 2 else (numbers[middle - 1] + numbers[middle]) / 2


def _range(values: Values) -> float | None:
    numbers = _numbers(values)
    return max(numbers) - min(numbers) if numbers else None


def _diff(values: Values) -> float | None:
    numbers = _numbers(values)
    return numbers[-1] - numbers[0] if numbers else None


def _diff_fraction(values: Values) -> float | None:
    numbers = _numbers(values)
    return (numbers[-1] - numbers[0]) / numbers[0] if numbers and numbers[0] else None


def _delta(values: Values) -> float:
    """The growth of a counter that may start again from zero."""
    total = 0.0
    numbers = _numbers(values)
    rising = True
    for position in range(1, len(numbers)):
        before, now = numbers[position - 1], numbers[position]
        if before > now:
            rising = False
            if position == len(numbers) - 1:
                total += now
        else:
            total += now - before if rising else now
            rising = True
    return total


def _step(values: Values) -> float | None:
    numbers = _numbers(values)
    return min((after - before for before, after in itertools.pairwise(numbers)), default=None)


def _log_min(values: Values) -> float | None:
    return min((number for number in _numbers(values) if number > 0), default=None)


def _all_zero(values: Values) -> bool:
    known = _known(values)
    return bool(known) and all(value == 0 and not isinstance(value, bool) for value in known)


def _key(value: Any) -> Any:
    # True equals 1 in Python, and lists cannot be members of a set.
    return (type(value).__name__, repr(value)) if isinstance(value, bool | list | dict) else value


def _change_count(values: Values) -> int:
    keys = [_key(value) for value in values]
    return sum(before != after for before, after in itertools.pairwise(keys))


def _unique(values: Values) -> list[Any]:
    firsts: dict[Any, Any] = {}
    for value in values:
        firsts.setdefault(_key(value), value)
    return list(firsts.values())


def _variance(values: Values) -> float | None:
    numbers = _numbers(values)
    if not numbers:
        return None
    mean = sum(numbers) / len(numbers)
    # Products, not powers: Python's powers fail where its products are infinite.
    return sum((number - mean) * (number - mean) for number in numbers) / len(numbers)


def _deviation(values: Values) -> float | None:
    variance = _variance(values)
    return None if variance is None else math.sqrt(variance)


def _percentile(share: int) -> Callable[[Values], Any]:
    def pick(values: Values) -> Any:
        numbers = sorted(_numbers(values))
        return numbers[round_half_up((len(numbers) - 1) * share / 100)] if numbers else None

    return pick


REDUCERS: Mapping[str, tuple[str, Callable[[Values], Any]]] = {
    "lastNotNull": ("Last *", _last_known),
    "last": ("Last", _last),
    "firstNotNull": ("First *", _first_known),
    "first": ("First", _first),
    "min": ("Min", _min),
    "max": ("Max", _max),
    "mean": ("Mean", _mean),
    "median": ("Median", _median),
    "sum": ("Total", _sum),
    "count": ("Count", lambda values: len(_known(values))),
    "countAll": ("Count all", len),
    "range": ("Range", _range),
    "delta": ("Delta", _delta),
    "step": ("Step", _step),
    "diff": ("Difference", _diff),
    "diffperc": ("Difference percent", _diff_fraction),
    "logmin": ("Min (above zero)", _log_min),
    "allIsZero": ("All Zeros", _all_zero),
    "allIsNull": ("All Nulls", lambda values: not _known(values)),
    "changeCount": ("Change Count", _change_count),
    "distinctCount": ("Distinct Count", lambda values: len(_unique(values))),
    "variance": ("Variance", _variance),
    "stdDev": ("StdDev", _deviation),
    "allValues": ("All values", list),
    "uniqueValues": ("All unique values", _unique),
    **{f"p{share}": (f"{share}th %", _percentile(share)) for share in range(1, 100)},
}
"""Id of a calculation: its name as Grafana shows it, and the function."""

NUMERIC_RESULT = frozenset(REDUCERS) - {
    *("lastNotNull", "last", "firstNotNull", "first", "allIsZero", "allIsNull", "allValues", "uniqueValues")
}
"""Calculations that make a number of any column."""


def finite_numbers(values: Values) -> list[float]:
    """The numbers among the values that have a size."""
    return [number for number in _numbers(values) if math.isfinite(number)]


def reducer_id(name: str) -> str:
    """The id for an id or one of its old names; `lastNotNull` for an unknown one, as Grafana falls back."""
    name = _ALIASES.get(name, name)
    return name if name in REDUCERS else "lastNotNull"


def reducer_name(name: str) -> str:
    return REDUCERS[reducer_id(name)][0]


def reduce_values(values: Values, reducer: str) -> Any:
    """One calculation over plain values."""
    return REDUCERS[reducer_id(reducer)][1](values)


def reduce_field(field: Field, reducers: Iterable[str]) -> dict[str, Any]:
    """The asked calculations of a field, by the ids asked for. Nulls count as Grafana's default counts them."""
    values = field.values
    mode = field.config.get("nullValueMode")
    if mode == "ignore":
        values = _known(values)
    elif mode == "null as zero":
        values = [0 if value is None else value for value in values]
    return {reducer: reduce_values(values, reducer) for reducer in reducers}
