"""A panel of any dashboard on any page."""

from __future__ import annotations

from urllib.parse import urlencode

from django import template
from django.template import RequestContext
from django.utils.safestring import SafeString

from apps.accounts.models import User
from apps.accounts.scope import scope_of
from apps.dashboards import reading
from apps.grafana.embedding import drawer_for
from apps.panels.reader import may_run
from apps.portal import links
from apps.portal.selectors.dashboard_page import Frame
from apps.portal.templatetags.components import render_html

register = template.Library()


@register.simple_tag(takes_context=True)
def panel(
    context: RequestContext,
    uid: str,
    number: int,
    since: str = "now-24h",
    refresh: str = "1m",
    rows: int = 8,
    wide: bool = False,
    **variables: object,
) -> SafeString:
    """`{% panel "uid" 3 device=name %}`: panel 3 of a dashboard from `since` until now, its variables as given.

    An empty variable is left to the dashboard. The panel is `rows` of the grid high and takes half the page's width, or
    with `wide` all. The page's head includes `portal/dashboards/head.html`.

    Nothing where there is no such panel, or where the viewer may not see it: the page does not hang on a dashboard.
    """
    user = context["request"].user
    scope = scope_of(user)
    row = reading.find(uid, scope) if isinstance(user, User) and may_run(scope) else None
    found = reading.document_of(row).panel(number) if row is not None else None
    if row is None or found is None or found.is_row:
        return SafeString("")
    query = urlencode(
        {"from": since, "to": "now"} | {f"var-{name}": str(one) for name, one in variables.items() if one}
    )
    address = links.page("dashboard", uid)
    frame = Frame(
        number, number, found.title if "$" not in found.title else "", 0, 0, found.grid.w, rows, kind=found.type,
        help=found.description, url=f"{address}?{query}&viewPanel={number}", solo_url=links.page("solo", uid, number),
    )  # fmt: skip
    return render_html(
        "portal/dashboards/embedded.html",
        uid=uid,
        title=row.title,
        url=address,
        query=query,
        refresh=refresh,
        frame=frame,
        wide=wide,
        drawer=drawer_for(row.uid, user),
    )
