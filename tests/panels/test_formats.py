"""A selection in each of Grafana's formats."""

from __future__ import annotations

from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo

import pytest

from apps.panels.formats import format_selection
from apps.panels.interpolate import Globals, interpolate_text
from apps.panels.variables import Option, Selection

ONE_OF_LIST = Selection("v", (Option("a", "a"),), is_list=True, quotes=True)
EVERYTHING = Selection("v", (Option("a", "a"), Option("b", "b")), is_all=True, is_list=True, quotes=True)


@pytest.mark.parametrize(
    ("form", "values", "text"),
    [
        ("glob", ["value1", "value2"], "{value1,value2}"),
        ("glob", ["value1"], "value1"),
        ("nosuchformat", ["value1", "value2"], "{value1,value2}"),
        ("regex", ["test.", "test2"], r"(test\.|test2)"),
        ("regex", ["a/b*"], r"a\/b\*"),
        ("lucene", ["test", "test2"], '("test" OR "test2")'),
        ("lucene", ["a:b -1"], r"a\:b\ \-1"),
        ("lucene", ["-1.5"], "-1.5"),
        ("pipe", ["a", "b"], "a|b"),
        ("distributed", ["test", "test2"], "test,build=test2"),
        ("csv", ["a", "b"], "a,b"),
        ("raw", ["a", "b"], "a,b"),
        ("html", ["<b>", "a&\"'"], "&lt;b&gt;, a&amp;&quot;&#39;"),
        ("json", ["a", '"é'], '["a","\\"é"]'),
        ("json", ["a"], "a"),
        ("percentencode", ["foo()bar BAZ", "test2"], "%7Bfoo%28%29bar%20BAZ%2Ctest2%7D"),
        ("percentencode", ["a b/é"], "a%20b%2F%C3%A9"),
        ("uriencode", ["a b/é?"], "a%20b/%C3%A9?"),
        ("singlequote", ["test", "test'2"], r"'test','test\'2'"),
        ("doublequote", ["test", 'test"2'], r'"test","test\"2"'),
        ("sqlstring", ["test", "test'value2"], "'test','test''value2'"),
        ("text", ["a", "b"], "a + b"),
        ("queryparam", ["value1", "value2"], "var-build=value1&var-build=value2"),
        ("queryparam", ["a&b=c"], "var-build=a%26b%3Dc"),
        ("customqueryparam:p:x-", ["a", "b"], "p=x-a&p=x-b"),
        ("customqueryparam", ["a", "b"], "build=a&build=b"),
        ("join", ["a", "b"], "a,b"),
        ("join: or ", ["a", "b"], "a or b"),
        ("join::", ["a", "b"], "a:b"),
    ],
)
def test_formats(form: str, values: list[str], text: str) -> None:
    name, *arguments = form.split(":")
    assert format_selection(Selection.of("build", *values), name, arguments) == text


def test_a_list_of_one_is_a_list_where_grafana_marks_it() -> None:
    assert format_selection(ONE_OF_LIST, "json") == '["a"]'
    assert format_selection(ONE_OF_LIST, "lucene") == '("a")'
    assert format_selection(ONE_OF_LIST, "percentencode") == "%7Ba%7D"
    assert format_selection(ONE_OF_LIST, "glob") == "a"


def test_all_stands_for_every_option_but_in_texts_and_addresses() -> None:
    assert format_selection(EVERYTHING, "csv") == "a,b"
    assert format_selection(EVERYTHING, "text") == "All"
    assert format_selection(EVERYTHING, "queryparam") == "var-v=%24__all"


def test_an_empty_list_is_an_empty_text() -> None:
    empty = Selection("v", is_list=True, quotes=True)
    assert [format_selection(empty, form) for form in ("csv", "glob", "raw", "sqlstring")] == [""] * 4
    assert format_selection(empty, "json") == "[]"


@pytest.mark.parametrize(
    ("pattern", "zone", "text"),
    [
        ("", UTC, "2020-07-13T20:19:09.254Z"),
        ("iso", ZoneInfo("Asia/Tokyo"), "2020-07-13T20:19:09.254Z"),
        ("ms", UTC, "1594671549254"),
        ("seconds", UTC, "1594671549"),
        ("YYYY-MM-DD HH:mm:ss", UTC, "2020-07-13 20:19:09"),
        ("YYYY-MM-DD HH:mm Z", ZoneInfo("Asia/Tokyo"), "2020-07-14 05:19 +09:00"),
        ("dddd, MMMM Do YY, h:mm a [at] Q", UTC, "Monday, July 13th 20, 8:19 pm at 3"),
    ],
)
def test_dates(pattern: str, zone: tzinfo, text: str) -> None:
    selection = Selection.of("__from", "1594671549254")
    assert format_selection(selection, "date", pattern.split(":") if pattern else [], zone) == text


@pytest.mark.parametrize("value", ["", "yesterday", "9" * 30])
def test_what_is_no_instant_is_no_date(value: str) -> None:
    assert format_selection(Selection.of("v", value), "date", ["iso"]) == "NaN"


def test_texts_take_every_way_to_write_a_variable() -> None:
    chosen = {"host": Selection("host", (Option("Host one", "host-1"), Option("Host two", "host-2")), is_list=True)}
    built_in: Globals = {"__user": {"": 7, "login": "ada", "names": ["a", "b"]}, "__from": 1594671549254}
    for written, text in (
        ("On $host", "On {host-1,host-2}"),
        ("On ${host}", "On {host-1,host-2}"),
        ("On [[host:csv]]", "On host-1,host-2"),
        ("On ${host:text}", "On Host one + Host two"),
        ("On ${host.text:csv}", "On Host one,Host two"),
        ("By ${__user.login} ($__user)", "By ada (7)"),
        ("${__user.names:pipe} ${__user.nothing}", "a|b ${__user.nothing}"),
        ("${__from:date:seconds}", "1594671549"),
        ("$unknown ${unknown:csv} [[unknown]] $ 5$", "$unknown ${unknown:csv} [[unknown]] $ 5$"),
    ):
        assert interpolate_text(written, chosen, built_in) == text
    assert interpolate_text("On $host", chosen, default="text") == "On Host one + Host two"
    assert interpolate_text("<i>$v</i>", {"v": Selection.of("v", "<b>")}, escape=str.upper) == "<i><B></i>"
