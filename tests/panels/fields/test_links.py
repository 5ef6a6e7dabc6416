"""Data links and the variables that speak of a value."""

from __future__ import annotations

from typing import Any

import pytest

from apps.panels.fields import Display, Link, apply_field_config, links_for
from apps.panels.fields.links import is_safe_url
from apps.panels.fields.scope import fill_scope
from apps.panels.frames import Field, Frame

FRAME = Frame(
    (
        Field("Time", "time", [1000, 2000]),
        Field("host name", "string", ["lab 1", "lab&2"]),
        Field("cpu.load", "number", [0.5, 1.5], {"zone": "north"}, {"unit": "percentunit"}),
    ),
    ref_id="C",
    name="hosts",
)
LOAD = FRAME.fields[2]


def show(field: Field, value: Any) -> str:
    return str(Display(field)(value))


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ("${__field.name}", "cpu.load north"),
        ("${__field.displayName}", "cpu.load north"),
        ("${__field.labels.zone}", "north"),
        ("${__field.labels}", '{zone="north"}'),
        ("${__series.name}", "hosts"),
        ("${__value}", "150%"),
        ("${__value.raw}", "1.5"),
        ("${__value.numeric}", "1.5"),
        ("${__value.text}", "150%"),
        ("${__value.time}", "2000"),
        ("${__data.fields[1]}", "lab&2"),
        ('${__data.fields["host name"]}', "lab&2"),
        ("${__data.fields['host name']:percentencode}", "lab%262"),
        ("${__data.fields.cpu.load.text}", "150%"),
        ("${__data.fields.cpu.load}", "150%"),
        ("${__data.fields.cpu.load.raw}", "1.5"),
        ("${__data.fields.cpu.load.numeric}", "1.5"),
        ("${__data.fields.Time}", "1970-01-01 00:00:02.000"),
        ("${__data.fields.Time.raw:date:YYYY-MM}", "1970-01"),
        ("${__data.fields.Time.raw:date:seconds}", "2"),
        ("${__data.name} ${__data.refId}", "hosts C"),
        ("${__data.fields.nothing}", "${__data.fields.nothing}"),
        ("${__field.labels.nothing}", "${__field.labels.nothing}"),
        ("${other}", "${other}"),
        ("plain", "plain"),
    ],
)
def test_variables_of_a_value(text: str, filled: str) -> None:
    assert fill_scope(text, LOAD, FRAME, 1, show=show) == filled


def test_without_a_row_only_the_field_speaks() -> None:
    assert fill_scope("${__field.name} ${__value.text}", LOAD, FRAME) == "cpu.load north ${__value.text}"


def links(*raw: Any, row: int = 1) -> tuple[Link, ...]:
    field = Field("x", "number", [1, 2], config={"links": raw})
    return links_for(
        field, Frame((FRAME.fields[1], field)), row, interpolate=lambda text: text.replace("$lab", "zurich")
    )


def test_links_are_filled_from_their_row() -> None:
    raw = {"title": "Host ${__data.fields[0]}", "url": "/d/x/?var-host=${__data.fields[0]:percentencode}&lab=$lab"}
    assert links(raw) == (Link("Host lab&2", "/d/x/?var-host=lab%262&lab=zurich"),)
    assert links({"url": "https://example.org/${__value.raw}", "targetBlank": True}) == (
        Link("https://example.org/2", "https://example.org/2", new_tab=True),
    )


def test_values_in_an_address_are_encoded_unless_it_begins_with_them() -> None:
    def url(text: str) -> str:
        field = Field("x", "string", ["https://a.example/?q=1&r=2"], config={"links": [{"url": text}]})
        (link,) = links_for(field, Frame((field,)), 0)
        return link.url

    assert url("/go?to=${__value.raw}") == "/go?to=https%3A%2F%2Fa.example%2F%3Fq%3D1%26r%3D2"
    assert url("/go?to=${__value.raw:raw}") == "/go?to=https://a.example/?q=1&r=2"
    assert url("${__value.raw}") == "https://a.example/?q=1&r=2"
    assert url(" ${__data.fields.x}#top") == "https://a.example/?q=1&r=2#top"


def test_the_dashboards_variables_may_differ_in_an_address() -> None:
    field = Field("x", "string", ["v"], config={"links": [{"title": "$lab", "url": "/?lab=$lab"}]})
    (link,) = links_for(
        field,
        Frame((field,)),
        0,
        interpolate=lambda text: text.replace("$lab", "a b"),
        address=lambda text: text.replace("$lab", "a%20b"),
    )
    assert link == Link("a b", "/?lab=a%20b")


def test_data_is_never_read_as_a_template() -> None:
    evil = Frame((Field("name", "string", ["$lab ${__value.raw}"]), Field("x", "number", [1])))
    field = Field("x", "number", [1], config={"links": [{"url": "/x?${__data.fields.name}"}]})
    found = links_for(field, evil, 0, interpolate=lambda text: text.replace("$lab", "zurich"))
    assert found[0].url == "/x?%24lab%20%24%7B__value.raw%7D"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java\tscript:alert(1)",
        " javascript:alert(1)",
        "\x01javascript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "//evil.example",
        "/\\evil.example",
        "/\t/evil.example",
        "https://[x",
        "page",
    ],
)
def test_dangerous_addresses_lead_nowhere(url: str) -> None:
    assert not is_safe_url(url)
    assert links({"title": "t", "url": url}, "nonsense") == ()


@pytest.mark.parametrize("url", ["/d/x/", "?var-a=1", "#top", "https://a.example/x", "mailto:a@example.org", "tel:+41"])
def test_harmless_addresses(url: str) -> None:
    assert is_safe_url(url)


def test_a_whole_address_from_the_data_is_checked_too() -> None:
    frame = Frame((Field("url", "string", ["javascript:alert(1)", "https://a.example/"]), Field("x", "number", [1, 2])))
    config = {"defaults": {"links": [{"title": "go", "url": "${__data.fields.url}"}]}}
    (done,), _ = apply_field_config([frame], config)
    assert [links_for(done.fields[1], done, row) for row in (0, 1)] == [(), (Link("go", "https://a.example/"),)]
