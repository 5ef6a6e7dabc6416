"""The portal's components as template tags: `{% load components %}`. `/styleguide/` shows each in every state.

Small and frequent ones (badge, icon, meter) are built here, since a list shows hundreds; larger ones are templates in
`templates/components/`. Everything is escaped, and nothing needs an inline style.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django import template
from django.conf import settings
from django.contrib.staticfiles.storage import staticfiles_storage
from django.template.context import RequestContext
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString, mark_safe

from apps.portal import charts, formatting
from apps.portal.components import STATES, Cell, Column, Crumb, Fact, FilterBar, KeyFigure, Series, Tab, Threshold
from apps.portal.templatetags.formats import aware

register = template.Library()

JSON_NODES = 2_000
"""How many values the JSON viewer draws as a tree; a larger document is shown as plain text."""
_UNITS: Mapping[str, Callable[[float | None], str]] = {
    "ratio": formatting.percent,
    "duration": formatting.duration,
    "bytes": formatting.file_size,
    "number": formatting.number,
}


@register.simple_tag
def asset(path: str) -> str:
    """The address of a static file. Without a manifest it is the plain one: an error page must not fail on that."""
    try:
        return staticfiles_storage.url(path)
    except ValueError:
        return f"{settings.STATIC_URL}{path}"


@register.simple_tag
def icon(name: str, label: str = "", small: bool = False) -> SafeString:
    """An icon of the sprite. Without a label it is decoration that screen readers skip."""
    size = " icon-small" if small else ""
    if label:
        return format_html(
            '<svg class="icon{}" role="img" aria-label="{}"><use href="#i-{}"/></svg>', size, label, name
        )
    return format_html('<svg class="icon{}" aria-hidden="true"><use href="#i-{}"/></svg>', size, name)


@register.simple_tag
def badge(state: str | None, label: str = "", quiet: bool = False) -> SafeString:
    """A state as shape and word. A word that is no state of ours is shown as it is, with the shape of `unknown`.

    `quiet` leaves out the tinted background, for dense tables.
    """
    known = state if state in STATES else "unknown"
    return format_html(
        '<span class="badge is-{}{}"><svg class="shape" aria-hidden="true"><use href="#s-{}"/></svg>{}</span>',
        known,
        " badge-quiet" if quiet else "",
        known,
        label or state or "unknown",
    )


@register.simple_tag
def shape(state: str | None, label: str = "") -> SafeString:
    """The shape of a state alone, its word for screen readers and on hover."""
    known = state if state in STATES else "unknown"
    word = label or state or "unknown"
    return format_html(
        '<svg class="shape is-{}" role="img" aria-label="{}"><title>{}</title><use href="#s-{}"/></svg>',
        known,
        word,
        word,
        known,
    )


@register.simple_tag
def meter(value: float | None, top: float = 1, state: str = "", label: str = "") -> SafeString:
    """A bar from 0 to `top` for table cells; `label` is what screen readers say and hover shows."""
    share = 0.0 if value is None or top <= 0 else min(1.0, max(0.0, float(value) / float(top)))
    known = f" is-{state}" if state in STATES else ""
    return format_html(
        '<svg class="meter{}" viewBox="0 0 100 6" preserveAspectRatio="none" role="img" aria-label="{}">'
        '<title>{}</title><rect class="meter-track" width="100" height="6"/>'
        '<rect class="meter-fill" width="{}" height="6"/></svg>',
        known,
        label or formatting.percent(None if value is None else share),
        label or formatting.percent(None if value is None else share),
        f"{share * 100:.1f}",
    )


@register.simple_tag
def sparkline(
    values: Sequence[float | None], label: str = "", width: int = 120, height: int = 28, state: str = ""
) -> SafeString:
    """A small line without axes. `label` says what it is; its range is added for those who cannot see it."""
    drawn = charts.sparkline(values, width, height)
    known = [value for value in values if value is not None]
    if drawn.last is None:
        said = f"{label}: no values" if label else "no values"
    else:
        low, high, last = (formatting.number(value) for value in (min(known), max(known), known[-1]))
        said = f"from {low} to {high}, last {last}"
        said = f"{label}: {said}" if label else said
    return render_html(
        "components/sparkline.html",
        drawn=drawn,
        said=said,
        width=width,
        height=height,
        state=state if state in STATES else "",
    )


@register.simple_tag
def strip(cells: Sequence[Cell], label: str) -> SafeString:
    """A row of squares, oldest first: the last runs of a test, the last days of a device."""
    return render_html("components/strip.html", cells=cells, label=label)


@register.simple_tag
def figures(items: Sequence[KeyFigure]) -> SafeString:
    """Key figures beside each other."""
    return render_html("components/figures.html", items=items)


@register.simple_block_tag
def card(
    content: str,
    title: str = "",
    url: str = "",
    more: str = "",
    note: str = "",
    span: int = 12,
    flush: bool = False,
    name: str = "",
) -> SafeString:
    """A card in a `<div class="grid">`: `span` of 12 columns; `url` with `more` leads on; `flush` for tables."""
    return render_html(
        "components/card.html",
        content=content,
        title=title,
        url=url,
        more=more,
        note=note,
        span=span,
        flush=flush,
        name=name,
    )


@register.simple_block_tag
def table(content: str, name: str, caption: str, columns: Sequence[Column], plain: bool = False) -> SafeString:
    """A table around `<tr>` rows: sticky header, density, column chooser, cards on a phone.

    `name` keeps the viewer's choices apart from other tables'. A row with `data-href` opens by click and Enter. Numeric
    cells are aligned by their column. `plain` leaves the tools out, for short tables in cards.
    """
    return render_html(
        "components/table.html",
        content=content,
        name=name,
        caption=caption,
        columns=columns,
        plain=plain,
        hidden=[index for index, column in enumerate(columns, 1) if column.hidden],
        numeric=[index for index, column in enumerate(columns, 1) if column.numeric],
    )


@register.simple_tag
def empty(title: str, why: str = "", url: str = "", action: str = "", icon: str = "empty") -> SafeString:
    """A designed nothing: what is not here, why, and one way on."""
    return render_html(
        "components/notice.html", kind="empty", title=title, why=why, url=url, action=action, icon=icon, role=""
    )


@register.simple_tag
def error_state(title: str, why: str = "", url: str = "", action: str = "") -> SafeString:
    """Something failed in a part of the page: what happened, why, and one way on."""
    return render_html(
        "components/notice.html",
        kind="error",
        title=title,
        why=why,
        url=url,
        action=action,
        icon="error",
        role="alert",
    )


@register.simple_tag
def notice(text: str, state: str = "warning", url: str = "", action: str = "") -> SafeString:
    """A line above content that the reader should know: stale data, a missing table, a read-only source."""
    return render_html("components/line.html", text=text, state=state, url=url, action=action)


@register.simple_tag
def data_age(at: datetime | None, stale_after: int = 120, label: str = "Data from") -> SafeString:
    """How old the page's data is; older than `stale_after` seconds, it says "stale" and the page looks so.

    None says that there is no data yet, which is not the same as stale.
    """
    if at is None:
        return render_html("components/age.html", at=None, label=label, stale=False, stale_after=stale_after)
    at = aware(at)
    stale = timezone.now() - at > timedelta(seconds=stale_after)
    return render_html("components/age.html", at=at, label=label, stale=stale, stale_after=stale_after)


@register.simple_tag
def pagination(newer: str = "", older: str = "", summary: str = "") -> SafeString:
    """Links to the newer and older rows, by keyset: there are no page numbers and no total."""
    return render_html("components/pagination.html", newer=newer, older=older, summary=summary)


@register.simple_tag
def filter_bar(bar: FilterBar) -> SafeString:
    """The filters of a list as a GET form; the script submits it on a change."""
    return render_html("components/filters.html", bar=bar)


@register.simple_tag
def facts(items: Iterable[Fact]) -> SafeString:
    """A definition list for a page about one thing."""
    return render_html("components/facts.html", items=items)


@register.simple_tag
def tabs(items: Sequence[Tab], label: str = "Sections") -> SafeString:
    """Tabs that are links: each has an address."""
    return render_html("components/tabs.html", items=items, label=label)


@register.simple_tag
def breadcrumb(items: Sequence[Crumb]) -> SafeString:
    """Where the page stands; the last crumb is the page itself."""
    return render_html("components/breadcrumb.html", items=items)


@register.simple_block_tag(takes_context=True)
def confirm(
    context: RequestContext,
    content: str,
    name: str,
    title: str,
    action: str,
    button: str,
    opener: str = "",
    danger: bool = False,
    key: str = "",
) -> SafeString:
    """A button that opens a dialog, whose form posts to `action`. The content (text, fields) stands in the dialog.

    `key` presses the opener of the current row.
    """
    return render_html(
        "components/confirm.html",
        content=content,
        name=name,
        title=title,
        action=action,
        button=button,
        opener=opener or button,
        danger=danger,
        key=key,
        csrf_token=context.get("csrf_token"),
    )


@register.simple_tag
def line_chart(
    series: Sequence[Series],
    label: str,
    unit: str = "number",
    kind: charts.Kind = "line",
    from_zero: bool = True,
    thresholds: Sequence[Threshold] = (),
    tall: bool = False,
) -> SafeString:
    """A chart over time with axes, drawn on the server: `kind` is line, area or bars (stacked).

    `unit` is ratio, duration (milliseconds), bytes, number, or a text set after each number ("°C"). The same values
    stand in a table below it.
    """
    known = _UNITS.get(unit)

    def write(value: float | None) -> str:
        if known is not None:
            return known(value)
        return formatting.UNKNOWN if value is None else f"{formatting.number(value)}{formatting.THIN}{unit}"

    drawn = charts.chart(
        series, kind=kind, from_zero=from_zero, ceiling=1.0 if unit == "ratio" else None, thresholds=thresholds
    )
    if drawn is None:
        return empty(title="No values in this time", why=f"{label}: nothing was measured.", icon="chart")
    return render_html(
        "components/chart.html",
        drawn=drawn,
        label=label,
        kind=kind,
        tall=tall,
        ticks=[write(tick) for tick in reversed(drawn.ticks)],
        legend=[
            {"number": number, "label": one.label, "state": one.state, "last": write(_last(one))}
            for number, one in enumerate(series, 1)
        ],
        rows=[{"at": row.at, "x": row.x, "values": [write(value) for value in row.values]} for row in drawn.rows],
        instants=drawn.instants,
        zone=timezone.get_current_timezone(),
    )


@register.simple_tag
def json_view(value: Any, depth: int = 2) -> SafeString:
    """A JSON value as a tree that folds, open down to `depth`; as plain text when it is very large."""
    if _count(value, JSON_NODES) > JSON_NODES:
        return format_html('<pre class="json">{}</pre>', json.dumps(value, indent=2, ensure_ascii=False, default=str))
    return format_html('<div class="json">{}</div>', _json(value, depth))


def render_html(template_name: str, /, **context: object) -> SafeString:
    """A component's template with exactly the values that it names."""
    return render_to_string(template_name, context)


def _last(series: Series) -> float | None:
    return next((value for _, value in reversed(series.points) if value is not None), None)


def _count(value: Any, limit: int) -> int:
    """How many values a JSON document holds; counting stops above `limit`."""
    waiting, count = [value], 0
    while waiting and count <= limit:
        here = waiting.pop()
        count += 1
        if isinstance(here, Mapping):
            waiting.extend(here.values())
        elif isinstance(here, list | tuple):
            waiting.extend(here)
    return count


def _json(value: Any, depth: int) -> SafeString:
    if isinstance(value, Mapping):
        return _branch("{", "}", [(format_html('<b>"{}"</b>: ', key), child) for key, child in value.items()], depth)
    if isinstance(value, list | tuple):
        return _branch("[", "]", [(SafeString(""), child) for child in value], depth)
    return format_html(
        '<span class="json-{}">{}</span>', _json_kind(value), json.dumps(value, ensure_ascii=False, default=str)
    )


def _json_kind(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "bool"
    return "text" if isinstance(value, str) else "num"


def _branch(opening: str, closing: str, children: Sequence[tuple[SafeString, Any]], depth: int) -> SafeString:
    if not children:
        return format_html("{}{}", opening, closing)
    lines = format_html_join("", "<li>{}{}</li>", ((name, _json(child, depth - 1)) for name, child in children))
    noun = "entry" if len(children) == 1 else "entries"
    return format_html(
        "<details{}><summary>{} <i>{} {}</i></summary><ul>{}</ul>{}</details>",
        mark_safe(" open") if depth > 0 else "",
        opening,
        len(children),
        noun,
        lines,
        closing,
    )
