"""A panel's field configuration on its frames."""

from __future__ import annotations

from typing import Any

import pytest

from apps.panels.fields import apply_field_config
from apps.panels.fields.display import Display
from apps.panels.frames import Field, Frame

TIME = Field("Time", "time", [1, 2])


def frame(*fields: Field) -> Frame:
    return Frame((TIME, *fields), ref_id="A")


def configured(config: dict[str, Any], *fields: Field) -> tuple[Field, ...]:
    frames, notices = apply_field_config([frame(*fields)], config)
    assert notices == ()
    return frames[0].fields[1:]


def override(matcher: str, options: Any, **properties: Any) -> dict[str, Any]:
    return {
        "matcher": {"id": matcher, "options": options},
        "properties": [{"id": key.replace("__", "."), "value": value} for key, value in properties.items()],
    }


CPU = Field("cpu", "number", [1, 9])
MEM = Field("mem", "number", [50, 70])


def test_defaults_reach_every_field() -> None:
    cpu, mem = configured({"defaults": {"unit": "percent", "custom": {"lineWidth": 2}}}, CPU, MEM)
    assert cpu.config["unit"] == mem.config["unit"] == "percent"
    assert cpu.config["custom"] == {"lineWidth": 2}


def test_overrides_come_after_the_defaults_in_their_order() -> None:
    overrides = [override("byName", "cpu", unit="bytes", decimals=1), override("byType", "number", unit="s")]
    cpu, mem = configured({"defaults": {"unit": "percent"}, "overrides": overrides}, CPU, MEM)
    assert (cpu.config["unit"], cpu.config["decimals"], mem.config["unit"]) == ("s", 1, "s")


def test_dotted_properties_go_into_objects_and_null_removes() -> None:
    overrides = [override("byName", "cpu", custom__lineWidth=5, custom__hideFrom={"viz": True}, unit=None)]
    config = {"defaults": {"unit": "percent", "custom": {"lineWidth": 2, "fillOpacity": 10}}, "overrides": overrides}
    cpu, mem = configured(config, CPU, MEM)
    assert cpu.config["custom"] == {"lineWidth": 5, "fillOpacity": 10, "hideFrom": {"viz": True}}
    assert "unit" not in cpu.config
    assert mem.config["custom"] == {"lineWidth": 2, "fillOpacity": 10}


def test_a_property_without_a_value_removes_too() -> None:
    bare = {"matcher": {"id": "byName", "options": "cpu"}, "properties": [{"id": "unit"}, {"nonsense": 1}, 3]}
    (cpu,) = configured({"defaults": {"unit": "percent"}, "overrides": [bare]}, CPU)
    assert "unit" not in cpu.config


def test_the_dashboard_itself_stays_as_it_is() -> None:
    config = {"defaults": {"custom": {"a": {"b": 1}}}, "overrides": [override("byName", "cpu", custom__a__b=2)]}
    (cpu,) = configured(config, CPU)
    assert cpu.config["custom"]["a"]["b"] == 2
    assert config["defaults"] == {"custom": {"a": {"b": 1}}}


def test_what_the_query_says_wins_over_defaults_but_not_over_overrides() -> None:
    own = Field("own", "number", [1], config={"unit": "s", "decimals": None})
    config = {"defaults": {"unit": "percent", "decimals": 3}}
    (field,) = configured(config, own)
    assert (field.config["unit"], field.config["decimals"]) == ("s", 3)
    (field,) = configured({**config, "overrides": [override("byName", "own", unit="h")]}, own)
    assert field.config["unit"] == "h"


def test_names_on_the_screen() -> None:
    overrides = [override("byName", "cpu", displayName="Processor")]
    cpu, mem = configured({"overrides": overrides}, CPU, MEM)
    assert (cpu.display_name, mem.display_name) == ("Processor", "mem")


def test_names_may_speak_of_the_field() -> None:
    labelled = Field("cpu", "number", [1], {"host": "h1", "zone": "z"})
    (field,) = configured({"defaults": {"displayName": "${__field.labels.host} / ${__field.name}"}}, labelled)
    assert field.display_name == 'h1 / cpu {host="h1", zone="z"}'


def test_dashboard_variables_reach_names_units_and_the_text_for_no_value() -> None:
    frames, _ = apply_field_config(
        [frame(CPU)],
        {"defaults": {"displayName": "$v", "unit": "suffix:$v", "noValue": "no $v"}},
        interpolate=lambda text: text.replace("$v", "lab"),
    )
    field = frames[0].fields[1]
    assert (field.display_name, field.config["unit"], field.config["noValue"]) == ("lab", "suffix:lab", "no lab")


def test_equal_names_are_told_apart_unless_the_panel_wants_them() -> None:
    assert [field.display_name for field in configured({}, CPU, MEM, CPU)] == ["cpu 1", "mem", "cpu 2"]
    assert [field.display_name for field in configured({"defaults": {"displayName": "x"}}, CPU, MEM)] == ["x", "x"]


def test_series_are_counted_over_all_frames() -> None:
    frames, _ = apply_field_config([frame(CPU, Field("t", "string", ["a", "b"]), MEM), frame(CPU)], {})
    assert [(f.name, f.series_index) for fr in frames for f in fr.fields if f.type == "number"] == [
        *(("cpu", 0), ("mem", 1), ("cpu", 2))
    ]


def spans(config: dict[str, Any], *fields: Field) -> list[tuple[float, float] | None]:
    return [field.span for field in configured({"defaults": config}, *fields)]


def test_all_fields_share_their_ends_unless_told() -> None:
    assert spans({}, CPU, MEM) == [(1, 70), (1, 70)]
    assert spans({"fieldMinMax": True}, CPU, MEM) == [(1, 9), (50, 70)]
    assert spans({"min": 0, "max": 100}, CPU, MEM) == [(0, 100), (0, 100)]
    assert spans({}, Field("x", "number", [None])) == [(0, 100)]


def test_the_colour_mode_of_a_panel_type() -> None:
    (cpu,) = configured({}, CPU)
    assert cpu.config["color"] == {"mode": "thresholds"}
    frames, _ = apply_field_config([frame(CPU)], {}, default_color_mode="palette-classic")
    assert frames[0].fields[1].config["color"] == {"mode": "palette-classic"}
    (cpu,) = configured({"defaults": {"color": {"mode": "fixed", "fixedColor": "red"}}}, CPU)
    assert cpu.config["color"]["mode"] == "fixed"


def test_an_override_that_cannot_be_read_is_left_out_and_named() -> None:
    config = {"overrides": [override("byMagic", "x", unit="s"), override("byName", "cpu", unit="h"), "nonsense"]}
    frames, notices = apply_field_config([frame(CPU)], config)
    assert frames[0].fields[1].config["unit"] == "h"
    assert len(notices) == 1
    assert "byMagic" in notices[0]


SHAPED = {
    "defaults", "overrides", "matcher", "properties", "custom", "color", "mappings", "links", "thresholds", "steps",
}  # fmt: skip


@pytest.mark.parametrize("junk", [None, True, 7, "x", [1], [None], {"a": 1}])
@pytest.mark.parametrize("path", sorted(SHAPED))
def test_what_has_another_shape_than_grafana_gives_it_is_left_out(path: str, junk: Any) -> None:
    rule = {"matcher": {"id": "byName", "options": "a"}, "properties": [{"id": "unit", "value": "s"}]}
    defaults: dict[str, Any] = {"decimals": 1, "thresholds": {"mode": "absolute", "steps": []}}
    config: dict[str, Any] = {"defaults": defaults, "overrides": [rule]}
    place = {"defaults": config, "overrides": config, "matcher": rule, "properties": rule}.get(path, defaults)
    if path == "steps":
        place = defaults["thresholds"]
    place[path] = junk
    (found,), _ = apply_field_config([Frame((Field("a", "number", [1.0]),))], config)
    assert str(Display(found.fields[0])(1.0))
