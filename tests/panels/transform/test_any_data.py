"""Every transformation leaves tables that can be shown, whatever data and options it meets."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from apps.panels.fields import Display, apply_field_config, series_color
from apps.panels.fields.reducers import REDUCERS
from apps.panels.frames import Field, FieldType, Frame, to_json
from apps.panels.transform import TRANSFORMATIONS, apply

NAMES = st.sampled_from(["time", "a", "b", "host", "Value", ""])
VALUES: Mapping[FieldType, st.SearchStrategy[Any]] = {
    "time": st.sampled_from([0, 1000, 1500.5, 1.5e12]),
    "number": st.one_of(st.integers(-5, 5), st.floats()),
    "string": st.sampled_from(["", "x", "lab 2", "lab 10", "²3", "5", "true", "{"]),
    "boolean": st.booleans(),
    "other": st.sampled_from([{"a": 1}, [1, "b"], "s", 3]),
}
PURE: Mapping[FieldType, tuple[type, ...]] = {
    "time": (int, float),
    "number": (int, float),
    "string": (str,),
    "boolean": (bool,),
    "other": (object,),
}
LABELS = st.sampled_from([{}, {"host": "a"}, {"host": "b"}, {"x": "1", "y": "2"}])


@st.composite
def frames(draw: st.DrawFn) -> Frame:
    length = draw(st.integers(0, 4))
    fields = []
    for kind in draw(st.lists(st.sampled_from(list(VALUES)), max_size=4)):
        cells = st.lists(st.none() | VALUES[kind], min_size=length, max_size=length)
        fields.append(Field(draw(NAMES), kind, draw(cells), draw(LABELS)))
    return Frame(tuple(fields), draw(st.sampled_from("AB")), draw(st.sampled_from(["", "one", "two"])))


REDUCER = st.sampled_from(list(REDUCERS)[:27])
CONDITION = st.fixed_dictionaries(
    {
        "id": st.sampled_from(["isNull", "equal", "greater", "between", "regex", "substring"]),
        "options": st.fixed_dictionaries({"value": st.sampled_from([1, "x", None]), "from": st.just(0), "to": NAMES}),
    }
)
MODES = st.sampled_from(
    [
        *("inner", "outerTabular", "reduceFields", "rows", "binary", "unary", "index", "reduceRow"),
        *("cumulativeFunctions", "windowFunctions"),
    ]
)
GROUPS = st.dictionaries(
    NAMES,
    st.fixed_dictionaries(
        {"operation": st.sampled_from(["groupby", "aggregate"]), "aggregations": st.lists(REDUCER, max_size=2)}
    ),
)
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "byField": NAMES,
        "mode": MODES,
        "fields": GROUPS | st.lists(NAMES, max_size=2),
        "reducers": st.lists(REDUCER, max_size=2),
        "labelsToFields": st.booleans(),
        "sort": st.tuples(st.fixed_dictionaries({"field": NAMES, "desc": st.booleans()})),
        "limitField": st.integers(-3, 3),
        "filters": st.tuples(st.fixed_dictionaries({"fieldName": NAMES, "config": CONDITION})),
        "binary": st.fixed_dictionaries({"left": NAMES, "operator": st.sampled_from("+-*/"), "right": NAMES}),
        "unary": st.fixed_dictionaries({"fieldName": NAMES, "operator": st.sampled_from(["abs", "exp", "ln", "ceil"])}),
        "reduce": st.fixed_dictionaries({"reducer": REDUCER}),
        "window": st.fixed_dictionaries({"field": NAMES, "reducer": st.sampled_from(["mean", "stdDev"])}),
        "conversions": st.tuples(
            st.fixed_dictionaries({"targetField": NAMES, "destinationType": st.sampled_from(list(VALUES))})
        ),
        "format": st.sampled_from(["wide", "multi", "long"]),
        "columnField": NAMES,
        "rowField": NAMES,
        "valueField": NAMES,
        "mappings": st.tuples(
            st.fixed_dictionaries({"fieldName": NAMES, "handlerKey": st.sampled_from(["field.name", "max", "unit"])})
        ),
        "renameByName": st.dictionaries(NAMES, NAMES),
        "replaceFields": st.booleans(),
    },
)
CHAIN = st.lists(
    st.fixed_dictionaries({"id": st.sampled_from(list(TRANSFORMATIONS)), "options": OPTIONS}), min_size=1, max_size=2
)


@settings(max_examples=80, deadline=None)
@given(CHAIN, st.lists(frames(), max_size=3))
def test_columns_stay_equally_long_of_their_type_and_fit_to_be_shown(
    chain: list[dict[str, Any]], data: list[Frame]
) -> None:
    result, _ = apply(chain, data)
    configured, _ = apply_field_config(result, {"defaults": {"unit": "short"}})
    for frame in configured:
        json.dumps(to_json(frame), allow_nan=False)
        for field in frame.fields:
            assert len(field.values) == frame.length
            assert all(value is None or isinstance(value, PURE[field.type]) for value in field.values), field
            display = Display(field)
            assert all(isinstance(str(display(value)), str) for value in field.values)
            series_color(field)
