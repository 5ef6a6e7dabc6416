"""Text panels: Markdown and HTML made harmless."""

from __future__ import annotations

from functools import lru_cache
from html import escape
from typing import Final

import nh3
from markdown_it import MarkdownIt

from apps.panels.document import Panel
from apps.panels.variables import VARIABLE
from apps.panels.view.drawing import Drawing, Frames, options_of
from apps.panels.view.model import Text, View

MAX_CHARACTERS: Final = 100_000
_MARKDOWN: Final = MarkdownIt("commonmark", {"html": True, "linkify": False}).enable(["table", "strikethrough"])
_TAGS: Final = nh3.ALLOWED_TAGS - {"area", "map"}
_ATTRIBUTES: Final = {**nh3.ALLOWED_ATTRIBUTES, "a": {"href", "title"}, "img": {"src", "alt", "width", "height"}}
_SCHEMES: Final = {"http", "https", "mailto", "tel"}


def text(panel: Panel, frames: Frames, drawing: Drawing) -> View:
    """The panel's text. A variable's value is text in it, never markup."""
    options = options_of(panel.options)
    content = options.text("content")
    mode = options.text("mode", "markdown")
    if mode == "code":
        return Text(drawing.interpolate(content[:MAX_CHARACTERS]), code=True)
    filled = VARIABLE.sub(lambda hole: escape(drawing.interpolate(hole.group())), content)[:MAX_CHARACTERS]
    return Text(harmless(filled if mode == "html" else _MARKDOWN.render(filled)))


@lru_cache(maxsize=256)
def harmless(html: str) -> str:
    """HTML without scripts, styles, frames and addresses that run anything; links open beside the portal."""
    return nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes=_SCHEMES,
        link_rel="noopener noreferrer",
        set_tag_attribute_values={"a": {"target": "_blank"}},
    )
