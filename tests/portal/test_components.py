"""The shell and the components: what they say, that they escape, need no inline style, and can be read."""

from __future__ import annotations

import gzip
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.contrib.auth.models import AnonymousUser, Group
from django.http import HttpRequest, HttpResponse
from django.template import Context, Template
from django.template.loader import render_to_string
from django.test import RequestFactory, override_settings
from django.urls import include, path

from apps.accounts.models import User
from apps.accounts.roles import Role
from apps.portal import charts
from apps.portal.components import STATES, Cell, Choice, Column, FilterBar, Select, Series, State, Text, Toggle, delta
from apps.portal.context import PAGES, Shell
from apps.portal.views.styleguide import ICONS, styleguide

PORTAL = Path(__file__).resolve().parents[2] / "apps" / "portal"
STATIC = PORTAL / "static" / "portal"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


def nothing(request: HttpRequest) -> HttpResponse:
    return HttpResponse()


urlpatterns = [
    path(
        "",
        include(
            (
                [
                    path("", nothing, name="overview"),
                    path("runs/", nothing, name="runs"),
                    path("devices/", nothing, name="devices"),
                ],
                "portal",
            )
        ),
    ),
    path("boss/", include(([path("", nothing, name="index")], "admin"))),
]


def draw(source: str, **context: object) -> str:
    return Template("{% load components formats %}" + source).render(Context(context))


def request_of(user: User | AnonymousUser, address: str = "/runs/") -> HttpRequest:
    request = RequestFactory().get(address)
    request.user = user
    return request


@pytest.fixture
def styleguide_page() -> str:
    request = request_of(User(username="anna", is_superuser=True), "/styleguide/")
    return styleguide(request).content.decode()


class Attributes(HTMLParser):
    """Every attribute of a page, and the text of its scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str, str]] = []
        self.inline = ""
        self._inside = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found += [(tag, name, value or "") for name, value in attrs]
        self._inside = tag in {"script", "style"}

    def handle_endtag(self, tag: str) -> None:
        self._inside = False

    def handle_data(self, data: str) -> None:
        self.inline += data.strip() if self._inside else ""


class TestWords:
    @pytest.mark.parametrize("state", STATES)
    def test_a_badge_says_its_state_in_a_word_and_a_shape(self, state: State) -> None:
        page = draw("{% badge state %}", state=state)
        assert f">{state}</span>" in page.replace("</svg>", ">")
        assert f'href="#s-{state}"' in page

    def test_a_state_that_is_none_of_ours_is_shown_as_it_is(self) -> None:
        page = draw("{% badge state %}", state="<i>aborted</i>")
        assert "&lt;i&gt;aborted" in page
        assert "is-unknown" in page

    def test_a_time_without_zone_is_utc_and_carries_its_absolute_form(self) -> None:
        page = draw("{{ at|when }}", at=datetime(2026, 3, 1, 12))  # noqa: DTZ001 - as columns without a zone give it
        assert 'datetime="2026-03-01T12:00:00Z"' in page
        assert 'title="1 Mar 2026, 12:00:00 UTC"' in page

    @pytest.mark.parametrize("value", [None, "", "soon", object()])
    def test_what_is_no_number_is_unknown_rather_than_an_error(self, value: object) -> None:
        assert draw("{{ v|duration }} {{ v|number }} {{ v|percent }}", v=value) == "— — —"

    def test_data_that_is_too_old_is_called_stale(self) -> None:
        old = datetime.now(UTC) - timedelta(minutes=10)
        assert "is-stale" in draw("{% data_age at stale_after=300 %}", at=old)
        assert "is-stale" not in draw("{% data_age at stale_after=3600 %}", at=old)

    def test_no_data_is_not_called_stale(self) -> None:
        page = draw("{% data_age at %}", at=None)
        assert "No data yet" in page
        assert "is-stale" not in page

    @pytest.mark.parametrize(
        ("now", "before", "better", "verdict"),
        [
            (0.95, 0.9, "higher", "good"),
            (0.9, 0.95, "higher", "bad"),
            (5, 3, "lower", "bad"),
            (3, 5, "lower", "good"),
            (5, 3, "neither", "same"),
            (3, 3, "lower", "same"),
        ],
    )
    def test_a_change_is_judged_by_what_is_better(self, now: float, before: float, better: str, verdict: str) -> None:
        found = delta(now, before, better=better)  # type: ignore[arg-type]
        assert found is not None
        assert found.verdict == verdict

    def test_a_change_against_nothing_is_none(self) -> None:
        assert delta(1, None, better="higher") is None
        assert delta(100, 0, better="lower", unit="duration") is None


class TestEscaping:
    EVIL = '"><script>alert(1)</script>'

    @pytest.mark.parametrize(
        "source",
        [
            "{% badge evil %}",
            "{% icon evil label=evil %}",
            "{% meter 0.5 label=evil state=evil %}",
            "{% sparkline values label=evil state=evil %}",
            "{% strip cells label=evil %}",
            "{% empty title=evil why=evil url=evil action=evil %}",
            "{% error_state title=evil why=evil %}",
            "{% notice evil state=evil url=evil action=evil %}",
            "{% pagination newer=evil older=evil summary=evil %}",
            "{% filter_bar bar %}",
            "{% json_view document %}",
            "{% line_chart series label=evil unit=evil %}",
            "{% table name=evil caption=evil columns=columns %}{% endtable %}",
            "{% card title=evil url=evil more=evil note=evil name=evil %}{{ evil }}{% endcard %}",
            "{% confirm name=evil title=evil action=evil button=evil %}{{ evil }}{% endconfirm %}",
        ],
    )
    def test_a_component_escapes_what_it_is_given(self, source: str) -> None:
        page = draw(
            source,
            evil=self.EVIL,
            values=[1.0, 2.0],
            cells=[Cell("ok", self.EVIL, self.EVIL)],
            bar=FilterBar(
                [
                    Select("s", self.EVIL, [Choice(self.EVIL, self.EVIL)], self.EVIL, self.EVIL),
                    Text("t", self.EVIL, self.EVIL, self.EVIL),
                    Toggle("g", self.EVIL),
                ],
                {self.EVIL: self.EVIL},
                self.EVIL,
            ),
            document={self.EVIL: [self.EVIL]},
            series=[Series(self.EVIL, [(NOW, 1.0)])],
            columns=[Column(self.EVIL, help=self.EVIL, sort_url=self.EVIL)],
        )
        assert "<script>" not in page
        assert "alert(1)" in page

    def test_a_very_large_document_is_shown_as_plain_text(self) -> None:
        page = draw("{% json_view document %}", document=list(range(5000)))
        assert page.startswith("<pre")

    def test_the_whole_styleguide_needs_no_inline_style_script_or_handler(self, styleguide_page: str) -> None:
        attributes = Attributes(styleguide_page)
        assert [found for found in attributes.found if found[1] == "style" or found[1].startswith("on")] == []
        assert attributes.inline == ""


class TestFilters:
    def test_the_value_is_selected_and_other_parameters_survive(self) -> None:
        bar = FilterBar(
            [Select("state", "State", [Choice("ok", "ok"), Choice("failing", "failing")], "failing")], {"sort": "name"}
        )
        page = draw("{% filter_bar bar %}", bar=bar)
        assert re.search(r'<option value="failing"\s+selected', page)
        assert not re.search(r'<option value="ok"\s+selected', page)
        assert '<input type="hidden" name="sort" value="name">' in page


class TestTables:
    def test_hidden_and_numeric_columns_are_marked_on_the_table(self) -> None:
        columns = [Column("Name", fixed=True), Column("Runs", numeric=True), Column("Report", hidden=True)]
        page = draw('{% table name="t" caption="Runs" columns=columns %}<tr></tr>{% endtable %}', columns=columns)
        assert 'class="table hide-3 num-2"' in page
        assert '<caption class="hidden-text">Runs</caption>' in page
        assert page.count('type="checkbox"') == 2, "a fixed column cannot be hidden"


class TestCharts:
    def test_a_series_without_values_is_an_explained_emptiness(self) -> None:
        page = draw('{% line_chart series label="Load" %}', series=[Series("a", [(NOW, None)])])
        assert "Load: nothing was measured." in page

    def test_the_drawing_is_said_again_as_a_table(self) -> None:
        series = [Series("rack-1", [(NOW, 0.5), (NOW + timedelta(hours=1), None)])]
        page = draw('{% line_chart series label="Load" unit="ratio" %}', series=series)
        cells = re.findall(r'<td class="num">\s*([^<]*?)\s*</td>', page)
        assert cells == ["50\u202f%", "—"]

    def test_a_gap_splits_the_line(self) -> None:
        points = [(NOW + timedelta(minutes=i), value) for i, value in enumerate([1.0, 2.0, None, 3.0, 4.0])]
        drawn = charts.chart([Series("a", points)])
        assert drawn is not None
        assert drawn.traces[0].line.count("M") == 2

    def test_stacked_bars_are_as_high_as_their_sum(self) -> None:
        points = [(NOW, 30.0), (NOW + timedelta(days=1), 10.0)]
        drawn = charts.chart([Series("ok", points, "ok"), Series("failing", points, "failing")], kind="bars")
        assert drawn is not None
        assert drawn.ticks[-1] >= 60
        first, second = drawn.bars[0], drawn.bars[1]
        assert second.y + second.height == pytest.approx(first.y)
        assert first.height == pytest.approx(30 / drawn.ticks[-1] * charts.HEIGHT)

    def test_a_share_is_not_drawn_above_all_of_it(self) -> None:
        drawn = charts.chart([Series("a", [(NOW, 0.99), (NOW + timedelta(hours=1), 1.0)])], ceiling=1.0)
        assert drawn is not None
        assert drawn.ticks[-1] == 1.0

    @pytest.mark.parametrize("bounds", [(0, 0), (0, 1), (5, 5), (-3, -3), (-2, 7), (0.001, 0.0042), (1e9, 3e9)])
    def test_ticks_enclose_what_they_measure(self, bounds: tuple[float, float]) -> None:
        scale = charts.ticks(*bounds)
        assert scale[0] <= bounds[0]
        assert scale[-1] >= bounds[1]
        assert 2 <= len(scale) <= 8

    @pytest.mark.parametrize("values", [[], [None], [1.0], [2.0, 2.0], [None, 1.0, None, 3.0]])
    def test_a_sparkline_copes_with_few_values(self, values: list[float | None]) -> None:
        assert "nan" not in draw("{% sparkline values label='Zap' %}", values=values).lower()


class TestShell:
    @pytest.fixture(autouse=True)
    def _addresses(self) -> Iterator[None]:
        with override_settings(ROOT_URLCONF=__name__):
            yield

    def test_pages_that_do_not_exist_are_left_out_and_the_current_one_is_marked(self) -> None:
        shell = Shell(request_of(User(is_superuser=True), "/runs/"))
        assert [(entry.page.label, entry.current) for entry in shell.nav] == [
            ("Overview", ""),
            ("Devices", ""),
            ("Runs", "page"),
            ("Admin", ""),
        ]

    @pytest.mark.django_db
    def test_a_viewer_is_not_sent_to_the_admin(self) -> None:
        viewer = User.objects.create_user("vera")
        viewer.groups.add(Group.objects.get_or_create(name=Role.VIEWER.word)[0])
        assert "Admin" not in [entry.page.label for entry in Shell(request_of(viewer)).nav]

    def test_a_page_below_marks_its_section(self) -> None:
        shell = Shell(request_of(User(is_superuser=True), "/runs/7/"))
        assert [entry.page.name for entry in shell.nav if entry.current == "true"] == ["portal:runs"]

    def test_whoever_is_not_signed_in_sees_no_navigation(self) -> None:
        assert Shell(request_of(AnonymousUser())).nav == ()
        assert "<nav" not in render_to_string("404.html", {}, request_of(AnonymousUser()))

    def test_a_forged_theme_is_ignored(self) -> None:
        request = request_of(AnonymousUser())
        request.COOKIES["theme"] = '"><script>'
        assert Shell(request).theme == "system"

    def test_the_chosen_theme_is_in_the_page_from_its_first_byte(self) -> None:
        request = request_of(AnonymousUser())
        request.COOKIES["theme"] = "dark"
        assert 'data-theme="dark"' in render_to_string("404.html", {}, request)


class TestErrorPages:
    @pytest.mark.parametrize("name", ["400.html", "500.html", "503.html"])
    def test_it_stands_alone_without_context_or_database(self, name: str) -> None:
        page = render_to_string(name)
        assert "<h1>" in page
        assert "tokens.css" in page

    def test_the_page_of_an_absent_database_tries_again_by_itself(self) -> None:
        assert '<meta http-equiv="refresh" content="5">' in render_to_string("503.html")

    def test_they_need_no_manifest_of_static_files(self) -> None:
        storages = {"staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.ManifestStaticFilesStorage"}}
        with override_settings(STORAGES=storages, DEBUG=False):
            assert 'href="/static/portal/portal.css"' in render_to_string("500.html")

    def test_a_refusal_says_its_reason(self) -> None:
        page = render_to_string("403.html", {"exception": "yours is viewer"}, request_of(AnonymousUser()))
        assert "yours is viewer" in page


TEXT = ("text", "text-soft", "text-muted", "accent", "accent-strong")
GROUNDS = ("canvas", "surface", "raised", "sunken", "hover")
WORDS = ("ok", "warning", "failing", "running", "unknown")
PAIRS = (
    *((text, ground) for text in (*TEXT, *WORDS) for ground in GROUNDS),
    *((word, f"{word}-tint") for word in WORDS),
    *(("text", f"{word}-tint") for word in WORDS),
    *(("accent", f"{word}-tint") for word in WORDS),
    *(("text-soft", f"{word}-tint") for word in ("unknown",)),
    *((text, "accent-tint") for text in ("accent-strong", "text", "text-soft")),
    *(("on-solid", solid) for solid in ("accent", "accent-strong", "failing")),
)


class TestStylesheet:
    @pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
    def test_text_can_be_read(self, theme: int) -> None:
        found = colours(theme)
        ratios = {f"{text} on {ground}": contrast(found[text], found[ground]) for text, ground in PAIRS}
        assert {pair: round(ratio, 2) for pair, ratio in ratios.items() if ratio < 4.5} == {}

    @pytest.mark.parametrize("theme", [0, 1], ids=["light", "dark"])
    def test_marks_stand_out_from_the_surface(self, theme: int) -> None:
        found = colours(theme)
        marks = [*(f"{word}-solid" for word in WORDS), "field-line", "focus"]
        ratios = {mark: contrast(found[mark], found["surface"]) for mark in marks}
        assert {mark: round(ratio, 2) for mark, ratio in ratios.items() if ratio < 3} == {}

    def test_no_colour_is_named_outside_the_tokens(self) -> None:
        rules = (STATIC / "portal.css").read_text()
        assert re.findall(r"#[0-9a-fA-F]{3,8}\b(?=[;\s,)])|rgba?\(|hsla?\(", rules) == []

    def test_every_token_that_is_used_exists(self) -> None:
        tokens = set(re.findall(r"(--[\w-]+):", (STATIC / "tokens.css").read_text()))
        for name in ("portal.css", "styleguide.css"):
            assert set(re.findall(r"var\((--[\w-]+)", (STATIC / name).read_text())) <= tokens

    def test_the_first_load_is_small(self, styleguide_page: str) -> None:
        files = [(STATIC / name).read_bytes() for name in ("tokens.css", "portal.css", "portal.js", "favicon.svg")]
        sizes = [len(gzip.compress(body)) for body in [*files, styleguide_page.encode()]]
        assert sum(sizes) < 60_000, sizes

    def test_every_icon_that_is_used_is_drawn(self) -> None:
        sprite = (PORTAL / "templates" / "components" / "sprite.html").read_text()
        drawn = set(re.findall(r'id="([is]-[\w-]+)"', sprite))
        used = {f"i-{name}" for name in [*ICONS, *(page.icon for page in PAGES)]} | {f"s-{state}" for state in STATES}
        for template in (PORTAL / "templates").rglob("*.html"):
            used |= {f"i-{name}" for name in re.findall(r'\bicon[ =]"([\w-]+)"', template.read_text())}
        assert used <= drawn


def colours(theme: int) -> dict[str, str]:
    """The colours of the tokens in the light (0) or dark (1) theme."""
    pairs = re.findall(r"--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)", (STATIC / "tokens.css").read_text())
    return {pair[0]: pair[1 + theme] for pair in pairs}


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2 between two colours `#rrggbb`."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(colour: str) -> float:
    red, green, blue = (linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)
