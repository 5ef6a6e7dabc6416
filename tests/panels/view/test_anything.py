"""Whatever a dashboard's author or a database writes, a view comes out, and JSON of it."""

from __future__ import annotations

import string
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from apps.panels.frames import Field, FieldType, Frame
from apps.panels.view import TYPES
from tests.panels.view.drawn import START, drawn

ODD = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-5, 5),
    st.sampled_from([1e308, -1e308, 5e-324, "", "x", "1e999", "NaN", "/(/", "percent", "red", "a", [], {}, [1, "a"]]),
)
NUMBERS = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True), st.integers(-(10**20), 10**20))
VALUES: dict[FieldType, st.SearchStrategy[Any]] = {
    "time": st.one_of(st.none(), st.integers(START - 10**9, START + 10**9), st.floats(-(10**15), 10**15)),
    "number": NUMBERS,
    "string": st.one_of(st.none(), st.text(string.printable, max_size=8)),
    "boolean": st.one_of(st.none(), st.booleans()),
    "other": st.one_of(st.none(), st.lists(st.integers(), max_size=2), st.dictionaries(st.just("a"), NUMBERS)),
}
OPTIONS = (
    *("legend", "showValue", "orientation", "reduceOptions", "sortBy", "footer", "tooltip", "stacking", "calculate"),
    *(
        "calculation",
        "color",
        "filterValues",
        "colors",
        "startField",
        "endField",
        "textField",
        "colorField",
        "getOption",
    ),
    *(
        "content",
        "mode",
        "pieType",
        "displayLabels",
        "rowHeight",
        "frameIndex",
        "xField",
        "colorByField",
        "displayMode",
    ),
    *("groupBy", "labelFields", "mergeValues", "textMode", "colorMode", "graphMode", "showPercentChange"),
)
INSIDE = st.dictionaries(
    st.sampled_from(
        ["calcs", "values", "fields", "limit", "show", "reducer", "displayMode", "xBuckets", "yBuckets", "le"]
    ),
    ODD,
    max_size=4,
)
CUSTOM = (
    *("stacking", "spanNulls", "insertNulls", "lineStyle", "drawStyle", "fillBelowTo", "axisSoftMin", "axisPlacement"),
    *("scaleDistribution", "thresholdsStyle", "hideFrom", "cellOptions", "displayMode", "align", "width", "transform"),
)
FIELD = ("min", "max", "decimals", "unit", "noValue", "mappings", "links", "color", "thresholds", "displayName")


@st.composite
def frames(draw: st.DrawFn) -> list[Frame]:
    made = []
    for _ in range(draw(st.integers(0, 2))):
        length = draw(st.integers(0, 4))
        kinds = draw(st.lists(st.sampled_from(list(VALUES)), min_size=1, max_size=5))
        fields = (
            Field(name, kind, draw(st.lists(VALUES[kind], min_size=length, max_size=length)))
            for name, kind in zip("abcde", kinds, strict=False)
        )
        made.append(Frame(tuple(fields)))
    return made


def settings_of(names: tuple[str, ...]) -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(st.sampled_from(names), ODD | INSIDE, max_size=5)


@pytest.mark.parametrize("kind", [*TYPES, "another"])
@settings(max_examples=25, deadline=None)
@given(frames=frames(), options=settings_of(OPTIONS), custom=settings_of(CUSTOM), config=settings_of(FIELD))
def test_a_view_comes_out(
    kind: str, frames: list[Frame], options: dict[str, Any], custom: dict[str, Any], config: dict[str, Any]
) -> None:
    # `drawn` writes the view as strict JSON.
    drawn(kind, *frames, options=options, defaults={**config, "custom": custom}, notes=True)
