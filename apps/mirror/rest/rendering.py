"""Answers as JSON (from texts that are JSON already), as CSV, and as a page for people who open an address."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from typing import Any

import orjson
from django.template.loader import render_to_string
from rest_framework.exceptions import NotAcceptable
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.utils.encoders import JSONEncoder

from apps.mirror.export import cell


class Json(bytes):
    """Bytes that are JSON already."""


class FastJSONRenderer(BaseRenderer):
    """JSON by a compiled library; what is `Json` already goes out as it is."""

    media_type = "application/json"
    format = "json"
    charset = None

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        if isinstance(data, Json) or data is None:
            return data or b""
        return orjson.dumps(data, default=JSONEncoder().default, option=orjson.OPT_NON_STR_KEYS)


class CSVRenderer(BaseRenderer):
    """Lists stream their rows as CSV by themselves; this renders the little else that a client of CSV may meet."""

    media_type = "text/csv"
    format = "csv"

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> str:
        text = io.StringIO()
        rows = data.items() if isinstance(data, Mapping) else [[data]]
        csv.writer(text).writerows([cell(value) for value in row] for row in rows)
        return text.getvalue()


class PageRenderer(BaseRenderer):
    """The answer within a page of the portal, with the ways on as links: for people, never for programs."""

    media_type = "text/html"
    format = "html"
    charset = "utf-8"
    template = "portal/api/answer.html"

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> str:
        context = renderer_context or {}
        request, view, response = context["request"], context["view"], context["response"]
        body = orjson.loads(bytes(data)) if isinstance(data, Json) else data
        text = orjson.dumps(
            body, default=JSONEncoder().default, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS
        ).decode()
        has_pages = isinstance(body, Mapping) and "results" in body
        return render_to_string(
            self.template,
            {
                "title": view.get_view_name(),
                "about": " ".join(view.get_view_description().split()),
                "method": request.method,
                "address": request.get_full_path(),
                "status": response.status_code,
                "allow": response.headers.get("Allow", ""),
                "json": text,
                "next": body.get("next") if has_pages else None,
                "previous": body.get("previous") if has_pages else None,
            },
            request=request._request,
        )


class Negotiation(DefaultContentNegotiation):
    """`?format=` decides where it is given, whatever the header Accept says: addresses are typed into browsers. One
    that names none of a view's formats is a 406, as is an Accept that does."""

    def select_renderer(self, request: Any, renderers: Any, format_suffix: str | None = None) -> Any:
        asked = request.query_params.get(self.settings.URL_FORMAT_OVERRIDE)
        if not asked:
            return super().select_renderer(request, renderers, format_suffix)
        for one in renderers:
            if one.format == asked:
                return one, one.media_type
        formats = ", ".join(one.format for one in renderers)
        raise NotAcceptable(f"This address answers in the formats {formats}.")
