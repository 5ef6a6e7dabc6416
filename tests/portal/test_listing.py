"""Lists: filters in the address, CSV that a spreadsheet may open, and an emptiness that says why."""

from __future__ import annotations

import csv
import io
from datetime import timedelta

import pytest
from django.http import HttpRequest
from django.http.response import StreamingHttpResponse
from django.test import RequestFactory
from django.utils import timezone

from apps.mirror.models import ScriptResult, Team
from apps.portal import listing
from apps.portal.components import Choice
from apps.portal.listing import (
    ChoiceFilter,
    Listing,
    ListPage,
    RangeFilter,
    ShortListing,
    SwitchFilter,
    TextFilter,
    ToggleFilter,
    csv_cell,
)
from tests.mirror.reduced import without_table
from tests.portal.lab import ago, script

pytestmark = pytest.mark.django_db(databases=["default", "source"])

RUNS = Listing(
    ScriptResult,
    filters=(
        RangeFilter("started_at", "24h"),
        TextFilter("q", "Text", ("script_name", "device_name")),
        ChoiceFilter(
            "host", "Host", [Choice("rack-a", "A"), Choice("rack-b", "B")],
            lambda rows, host: rows.filter(host_name=host),
        ),
        ToggleFilter("failed", "Failed", lambda rows: rows.failed()),
    ),
    csv=("script_name", "started_at", ("seconds", lambda row: row.execution_time_ms / 1000)),
    per_page=2,
    why_empty="Hosts write a row when a script starts.",
)  # fmt: skip


def ask(query: str = "") -> HttpRequest:
    return RequestFactory().get(f"/runs/?{query}")


def runs(query: str = "") -> ListPage[ScriptResult]:
    return RUNS.page(ask(query), ScriptResult.objects.all())


def text_of(response: StreamingHttpResponse) -> str:
    return b"".join(response).decode()


@pytest.mark.parametrize("formula", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "=cmd|' /C calc'!A0"])
def test_text_that_begins_like_a_formula_stays_text_in_a_spreadsheet(formula: str) -> None:
    assert csv_cell(formula) == f"'{formula}"


def test_numbers_times_and_nothing_are_plain_cells() -> None:
    assert (csv_cell(-1.5), csv_cell(None), csv_cell("a=b")) == ("-1.5", "", "a=b")


def test_the_csv_holds_every_row_of_the_filter_in_the_order_of_the_list(team_a: Team) -> None:
    for minutes in range(5):
        script(name=f"script {minutes}", started_at=ago(minutes=minutes + 1))
    script(name="=HYPERLINK()", started_at=ago(minutes=9))
    script(name="old", started_at=ago(days=3))
    page = runs("format=csv")
    assert page.wants_csv
    lines = list(csv.reader(io.StringIO(text_of(page.csv()))))
    assert lines[0] == ["script_name", "started_at", "seconds"]
    assert [line[0] for line in lines[1:]] == [*(f"script {n}" for n in range(5)), "'=HYPERLINK()"]
    assert lines[1][2] == "5.0"


def test_a_csv_that_was_cut_says_so(team_a: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "CSV_ROWS", 2)
    for _ in range(4):
        script()
    lines = text_of(runs("format=csv").csv()).splitlines()
    assert len(lines) == 4
    assert lines[-1].startswith("cut after 2 rows")


def test_pages_keep_the_filters_and_a_bad_cursor_starts_anew(team_a: Team) -> None:
    for minutes in range(5):
        script(name=f"zap {minutes}", started_at=ago(minutes=minutes + 1))
    first = runs("q=zap")
    assert [row.script_name for row in first.rows] == ["zap 0", "zap 1"]
    assert first.older_url.startswith("/runs/?q=zap&cursor=")
    assert first.newer_url == ""
    second = runs(first.older_url.partition("?")[2])
    assert [row.script_name for row in second.rows] == ["zap 2", "zap 3"]
    assert second.first_url == "/runs/?q=zap"
    assert [row.script_name for row in runs("q=zap&cursor=nonsense").rows] == ["zap 0", "zap 1"]


def test_one_query_cuts_a_page(team_a: Team, django_assert_num_queries: object) -> None:
    for _ in range(5):
        script()
    with django_assert_num_queries(1, using="source"):  # type: ignore[operator]
        assert len(runs().rows) == 2


def test_filters_narrow_and_values_that_are_no_choice_do_not(team_a: Team) -> None:
    script(name="zap")
    script(name="goto", host="rack-b", success=False)
    assert [row.script_name for row in runs("failed=1").rows] == ["goto"]
    assert [row.script_name for row in runs("host=rack-b").rows] == ["goto"]
    assert len(runs("host=elsewhere").rows) == 2
    assert [row.script_name for row in runs("q=ZAP%00").rows] == ["zap"]


def test_an_empty_list_says_why_and_what_next(team_a: Team) -> None:
    nothing = runs().emptiness
    assert nothing.title == "No script runs in the last 24 hours"
    assert (nothing.why, nothing.url) == ("Hosts write a row when a script starts.", "/runs/?range=all")
    filtered = runs("q=zap").emptiness
    assert (filtered.title, filtered.url) == ("No script runs fit these filters", "/runs/")
    assert runs("range=all&q=").emptiness.title == "No script runs fit these filters"


def test_a_missing_table_is_named_and_asks_the_database_for_nothing(
    team_a: Team, django_assert_num_queries: object
) -> None:
    with without_table("script_results"):
        with django_assert_num_queries(0, using="source"):  # type: ignore[operator]
            page = runs()
            why = page.emptiness
        assert page.missing
        assert "script_results" in why.title
        assert page.csv_url == ""
        assert text_of(runs("format=csv").csv()).splitlines() == ["script_name,started_at,seconds"]


def test_the_age_is_that_of_the_newest_row_and_of_the_first_page_alone(team_a: Team) -> None:
    for minutes in range(4):
        script(started_at=ago(minutes=minutes + 1))
    first = runs()
    assert first.data_at is not None
    assert timezone.now() - first.data_at < timedelta(minutes=2)
    assert runs(first.older_url.partition("?")[2]).data_at is None


FRUIT: ShortListing[str] = ShortListing(
    name="fruit",
    noun="fruit",
    filters=(
        SwitchFilter("view", "View", [Choice("cards", "Cards"), Choice("table", "Table")]),
        ChoiceFilter(
            "first", "First letter", [Choice("a", "a"), Choice("b", "b")],
            lambda rows, letter: [one for one in rows if one[0] == letter],
        ),
    ),
    csv=(("name", str),),
    per_page=2,
)  # fmt: skip
BASKET = ["apple", "apricot", "avocado", "banana", "blackberry"]


def test_a_short_list_is_filtered_and_cut_in_memory() -> None:
    page = FRUIT.page(ask("first=a"), BASKET)
    assert page.rows == ["apple", "apricot"]
    rest = FRUIT.page(ask(page.older_url.partition("?")[2]), BASKET)
    assert (rest.rows, rest.older_url, rest.newer_url) == (["avocado"], "", "/runs/?first=a&cursor=0")
    assert text_of(FRUIT.page(ask("first=b&format=csv"), BASKET).csv()).split() == ["name", "banana", "blackberry"]


@pytest.mark.parametrize("cursor", ["-1", "99", "x", "²", "9" * 30])
def test_a_short_list_starts_anew_for_a_cursor_that_does_not_fit(cursor: str) -> None:
    assert FRUIT.page(ask(f"cursor={cursor}"), BASKET).rows == ["apple", "apricot"]


def test_clearing_the_filters_keeps_how_rows_are_shown() -> None:
    page = FRUIT.page(ask("view=table&first=a"), BASKET)
    assert page.filtered
    assert page.reset_url == "/runs/?view=table"
    assert not FRUIT.page(ask("view=table"), BASKET).filtered
