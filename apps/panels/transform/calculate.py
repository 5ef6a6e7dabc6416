"""A column worked out of others."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from apps.panels.fields.javascript import leading_number, text_of, to_number
from apps.panels.fields.matchers import field_matcher
from apps.panels.fields.reducers import reduce_field, reducer_name
from apps.panels.frames import Field, Frame
from apps.panels.transform.base import Frames, Options, TransformError, find_field, mapping, texts, type_of
from apps.panels.transform.joins import outer_join

Values = list[Any]

_BINARY: Mapping[str, Callable[[float, float], float]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: _divided(a, b),
}
_UNARY: Mapping[str, Callable[[float], float]] = {
    "abs": abs,
    "exp": lambda a: math.exp(a) if a < 709 else math.inf,
    "ln": lambda a: math.log(a) if a > 0 else (-math.inf if a == 0 else math.nan),
    "floor": lambda a: math.floor(a) if math.isfinite(a) else a,
    "ceil": lambda a: math.ceil(a) if math.isfinite(a) else a,
}


def calculate_field(options: Options, frames: Frames) -> Frames:
    """Adds a column, or puts it in place of the others (`replaceFields`; the time stays).

    Frames that share the name of their time column are joined by it first, unless `timeSeries` is false. A value that
    is missing makes what is calculated from it missing: Grafana takes it for zero in sums of two columns.
    """
    mode = str(options.get("mode") or "reduceRow")
    calculate = _MODES.get(mode)
    if calculate is None:
        raise TransformError(f"The calculation {mode!r} is not known.")
    with_time = options.get("timeSeries") is not False
    if with_time and not _with_constant(mode, options):
        frames = _side_by_side(frames)
    only = bool(options.get("replaceFields"))
    result = []
    for frame in frames:
        added = calculate(options, frame, frames)
        if added:
            time = frame.first_of_type("time") if with_time and mode != "index" else None
            kept = () if time is None else (frame.fields[time],)
            result.append(frame.with_fields((*(kept if only else frame.fields), *added)))
        elif not only:
            result.append(frame)
    return result


def _reduce_row(options: Options, frame: Frame, frames: Frames) -> list[Field]:
    settings = mapping(options.get("reduce"))
    reducer = str(settings.get("reducer") or "sum")
    names = texts(settings.get("include"))
    matches = field_matcher({"id": "byNames", "options": {"names": names}} if names else {"id": "numeric"})
    columns = [field.values for field in frame.fields if matches(field, frame, frames)]
    rows = zip(*columns, strict=True) if columns else itertools.repeat((), frame.length)
    config = {"nullValueMode": settings.get("nullValueMode")}
    values = [reduce_field(Field("", "number", list(row), config=config), [reducer])[reducer] for row in rows]
    return [_new(options, reducer_name(reducer), values)]


def _binary(options: Options, frame: Frame, frames: Frames) -> list[Field]:
    settings = mapping(options.get("binary"))
    sign = str(settings.get("operator") or "+")
    operation = _BINARY.get(sign)
    if operation is None:
        raise TransformError(f"The operator {sign!r} is not known.")
    left, right = settings.get("left"), settings.get("right")
    after = _operand(right, frame, frames)
    if after is None:
        return []
    matcher = mapping(mapping(left).get("matcher"))
    if matcher.get("id") == "byType":
        return [
            replace(
                field.with_values(_both(operation, field.values, after)),
                name=f"{field.name} {sign} {_written(right)}",
                type="number",
                frame_type="",
            )
            for field in frame.fields
            if field.type == matcher.get("options")
        ]
    before = _operand(left, frame, frames)
    if before is None:
        return []
    return [_new(options, f"{_written(left)} {sign} {_written(right)}", _both(operation, before, after))]


def _unary(options: Options, frame: Frame, frames: Frames) -> list[Field]:
    settings = mapping(options.get("unary"))
    name, operator = str(settings.get("fieldName") or ""), str(settings.get("operator") or "abs")
    operation = _UNARY.get(operator)
    if operation is None:
        raise TransformError(f"The operator {operator!r} is not known.")
    field = find_field(frame, name, frames)
    if field is None or field.type != "number":
        return []
    values = [None if (number := _number(value)) is None else operation(number) for value in field.values]
    return [_new(options, f"{operator}({name})", values)]


def _index(options: Options, frame: Frame, frames: Frames) -> list[Field]:
    if not mapping(options.get("index")).get("asPercentile"):
        return [_new(options, "Row", list(range(frame.length)))]
    shares = [row / frame.length for row in range(frame.length)]
    return [replace(_new(options, "Row", shares), config={"unit": "percentunit"})]


def _cumulative(options: Options, frame: Frame, frames: Frames) -> list[Field]:
    settings = mapping(options.get("cumulative"))
    reducer = str(settings.get("reducer") or "sum")
    if reducer not in ("sum", "mean"):
        raise TransformError(f"{reducer!r} cannot be calculated as rows come.")
    field, written = _source(settings, frame, frames)
    if field is None:
        return []
    totals = list(itertools.accumulate(_number(value) or 0 for value in field.values))
    values = totals if reducer == "sum" else [total / (row + 1) for row, total in enumerate(totals)]
    return [_new(options, f"cumulative {reducer}{written}", values)]


def _window(options: Options, frame: Frame, frames: Frames) -> list[Field]:
    settings = mapping(options.get("window"))
    reducer = str(settings.get("reducer") or "mean")
    if reducer not in ("mean", "stdDev", "variance"):
        raise TransformError(f"{reducer!r} cannot be calculated over a moving window.")
    share = to_number(settings.get("windowSize", 0.1))
    if not share > 0:
        raise TransformError("The window must be larger than nothing.")
    fixed = settings.get("windowSizeMode") == "fixed"
    size = math.ceil(min(share if fixed else share * frame.length, 2 * frame.length + 1))
    align = str(settings.get("windowAlignment") or "trailing")
    field, written = _source(settings, frame, frames)
    if field is None:
        return []
    before, after = (size // 2, (size + 1) // 2 - 1) if align == "centered" else (size - 1, 0)
    values = _moving([_number(value) for value in field.values], before, after, reducer)
    return [_new(options, f"{align} moving {reducer}{written}", values)]


def _moving(values: Sequence[float | None], before: int, after: int, reducer: str) -> Values:
    """The calculation over the rows from `before` above to `after` below each row; sums of all rows make it quick."""
    known = [value for value in values if value is not None]
    middle = sum(known) / len(known) if known else 0
    shifted = [None if value is None else value - middle for value in values]
    counts = [0, *itertools.accumulate(0 if value is None else 1 for value in shifted)]
    sums = [0.0, *itertools.accumulate(value or 0.0 for value in shifted)]
    squares = [0.0, *itertools.accumulate((value or 0.0) * (value or 0.0) for value in shifted)]
    result: Values = []
    for row in range(len(values)):
        first, end = max(0, row - before), min(len(values), row + after + 1)
        count = counts[end] - counts[first]
        if not count:
            result.append(None)
            continue
        mean = (sums[end] - sums[first]) / count
        if reducer == "mean":
            result.append(mean + middle)
            continue
        variance = max(0.0, (squares[end] - squares[first]) / count - mean * mean)
        result.append(variance if reducer == "variance" else math.sqrt(variance))
    return result


_MODES: Mapping[str, Callable[[Options, Frame, Frames], list[Field]]] = {
    "reduceRow": _reduce_row,
    "binary": _binary,
    "unary": _unary,
    "index": _index,
    "cumulativeFunctions": _cumulative,
    "windowFunctions": _window,
}


def _new(options: Options, name: str, values: Values) -> Field:
    return Field(str(options.get("alias") or name), type_of(values, "number"), values)


def _with_constant(mode: str, options: Options) -> bool:
    return mode == "binary" and mapping(mapping(options.get("binary")).get("right")).get("fixed") is not None


def _side_by_side(frames: Frames) -> Frames:
    keyed = [(frame, frame.fields[index]) for frame in frames if (index := frame.first_of_type("time")) is not None]
    if len(frames) < 2 or len(keyed) < len(frames) or len({key.name for _, key in keyed}) > 1:
        return frames
    return [outer_join(keyed)]


def _source(settings: Mapping[str, Any], frame: Frame, frames: Frames) -> tuple[Field | None, str]:
    """The column that a running calculation goes over, and how the new one's name speaks of it."""
    name = str(settings.get("field") or "")
    if name:
        return find_field(frame, name, frames), f"({name})"
    return next((field for field in frame.fields if field.type == "number"), None), ""


def _operand(side: Any, frame: Frame, frames: Frames) -> Values | None:
    """The values of one side: a column by its name, else a number for every row; None when it is neither."""
    settings = side if isinstance(side, Mapping) else {"matcher": {"id": "byName", "options": side}}
    matcher = mapping(settings.get("matcher"))
    if matcher.get("id") == "byName":
        field = find_field(frame, text_of(matcher.get("options")), frames)
        if field is not None:
            return field.values
    fixed = settings.get("fixed")
    number = leading_number(matcher.get("options") if fixed is None else fixed)
    return None if math.isnan(number) else [number] * frame.length


def _written(side: Any) -> str:
    if not isinstance(side, Mapping):
        return text_of(side)
    options = mapping(side.get("matcher")).get("options")
    return text_of(side.get("fixed") if options is None else options)


def _both(operation: Callable[[float, float], float], left: Values, right: Values) -> Values:
    pairs = ((_number(a), _number(b)) for a, b in zip(left, right, strict=True))
    return [None if a is None or b is None else operation(a, b) for a, b in pairs]


def _number(value: Any) -> float | None:
    number = to_number(value)
    return None if math.isnan(number) else number


def _divided(a: float, b: float) -> float:
    if b:
        return a / b
    return math.nan if a == 0 or math.isnan(a) else math.copysign(math.inf, a)
