"""Text panels."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from tests.panels.view.drawn import drawn


def html(content: str, mode: str = "markdown") -> str:
    view = drawn(
        "text", options={"content": content, "mode": mode}, interpolate=lambda text: text.replace("$who", "<b>x</b>")
    )
    return str(view.html).strip()


def test_markdown_becomes_html_without_data() -> None:
    assert html("# Lab\n\n* one\n* **two**") == "<h1>Lab</h1>\n<ul>\n<li>one</li>\n<li><strong>two</strong></li>\n</ul>"
    assert "<td>1</td>" in html("|a|b|\n|-|-|\n|1|2|")


def test_a_variable_is_text_and_never_markup() -> None:
    assert html("Hello $who") == "<p>Hello &lt;b&gt;x&lt;/b&gt;</p>"
    assert html("<p>Hello $who</p>", "html") == "<p>Hello &lt;b&gt;x&lt;/b&gt;</p>"


@pytest.mark.parametrize(
    "content",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<a href='javascript:alert(1)'>x</a>",
        "[x](javascript:alert(1))",
        "<iframe src='https://example.com'></iframe>",
        "<p style='position:fixed' class='portal' id='main'>x</p>",
        "<svg><script>alert(1)</script></svg>",
        "<form action='/logout'><button>x</button></form>",
        "<style>body{display:none}</style>",
    ],
)
@pytest.mark.parametrize("mode", ["markdown", "html"])
def test_nothing_that_runs_or_dresses_comes_through(content: str, mode: str) -> None:
    seen = Tags()
    seen.feed(html(content, mode))
    assert {tag for tag, _ in seen.found} <= {"p", "a", "img"}
    assert {name for _, attributes in seen.found for name, _ in attributes} <= {"src", "target", "rel"}


class Tags(HTMLParser):
    """Gathers what a browser would make elements of."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, list[tuple[str, str | None]]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, attrs))


def test_links_open_beside_the_portal() -> None:
    assert html("[docs](https://example.com/a)") == (
        '<p><a href="https://example.com/a" target="_blank" rel="noopener noreferrer">docs</a></p>'
    )


def test_code_stays_as_it_is() -> None:
    view = drawn("text", options={"content": "a <b> c", "mode": "code"})
    assert (view.html, view.code) == ("a <b> c", True)
