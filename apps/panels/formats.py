"""The ways in which a variable's values become text: Grafana's formats (`${name:csv}`), by name.

What a format returns is text, not SQL: `apps.panels.interpolate` keeps it inside the literal it stands in.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from html import escape
from typing import Final
from urllib.parse import quote

from apps.panels.dates import format_date, to_datetime
from apps.panels.variables import Selection


@dataclass(frozen=True)
class Wanted:
    """What a formatter gets: the selection, the arguments after the format's name, the zone that dates are shown in."""

    selection: Selection
    arguments: Sequence[str]
    zone: tzinfo

    @property
    def values(self) -> tuple[str, ...]:
        """The chosen values."""
        return self.selection.values

    def joined(self, separator: str = ",") -> str:
        """The values in one text."""
        return separator.join(self.values)


def format_selection(selection: Selection, form: str, arguments: Sequence[str] = (), zone: tzinfo = UTC) -> str:
    """The selection as text in the format `form` with its arguments; an unknown format is `glob`.

    All with a custom value is that value in every format but `text`.
    """
    if selection.custom_all and form != "text":
        return selection.custom_all
    return _FORMATS.get(form, _glob)(Wanted(selection, arguments, zone))


def _glob(wanted: Wanted) -> str:
    return f"{{{wanted.joined()}}}" if len(wanted.values) > 1 else wanted.joined()


def _regex(wanted: Wanted) -> str:
    escaped = [re.sub(r"[\\^$*+?.()|\[\]{}/]", r"\\\g<0>", value) for value in wanted.values]
    return f"({'|'.join(escaped)})" if len(escaped) > 1 else "".join(escaped)


def _lucene(wanted: Wanted) -> str:
    if not wanted.selection.is_list:
        return "".join(map(_lucene_escaped, wanted.values))
    quoted = [f'"{_lucene_escaped(value)}"' for value in wanted.values]
    return f"({' OR '.join(quoted)})" if quoted else "__empty__"


def _lucene_escaped(value: str) -> str:
    if re.fullmatch(r"-?\d+(\.\d+)?", value):
        return value
    return re.sub(r"[!*+\-=<>\s&|()\[\]{}^~?:\\/\"]", r"\\\g<0>", value)


def _distributed(wanted: Wanted) -> str:
    name = wanted.selection.name
    return ",".join(f"{name}={value}" if index else value for index, value in enumerate(wanted.values))


def _json(wanted: Wanted) -> str:
    if wanted.selection.is_list:
        return json.dumps(wanted.values, ensure_ascii=False, separators=(",", ":"))
    return wanted.joined()


def _percent_encode(wanted: Wanted) -> str:
    return encode_component(f"{{{wanted.joined()}}}" if wanted.selection.is_list else wanted.joined())


def _uri_encode(wanted: Wanted) -> str:
    text = f"{{{wanted.joined()}}}" if wanted.selection.is_list else wanted.joined()
    return quote(text, safe="-_.~;,/?:@&=+$#")


def _query_param(wanted: Wanted) -> str:
    selection = wanted.selection
    return "&".join(f"var-{selection.name}={encode_component(value)}" for value in selection.url_values)


def _custom_query_param(wanted: Wanted) -> str:
    arguments = [*wanted.arguments, "", ""]
    name = encode_component(arguments[0] or wanted.selection.name)
    prefix = encode_component(arguments[1])
    return "&".join(f"{name}={prefix}{encode_component(value)}" for value in wanted.values)


def _surrounded(mark: str, escaped: str) -> Callable[[Wanted], str]:
    def formatter(wanted: Wanted) -> str:
        return ",".join(f"{mark}{value.replace(mark, escaped)}{mark}" for value in wanted.values)

    return formatter


def _date(wanted: Wanted) -> str:
    """Epoch milliseconds as a date; arguments are `ms`, `seconds`, `iso` or a pattern, which may hold colons."""
    try:
        milliseconds = int(wanted.joined())
    except ValueError:
        return "NaN"
    pattern = ":".join(wanted.arguments) or "iso"
    if pattern == "ms":
        return str(milliseconds)
    if pattern == "seconds":
        return str(math.floor(milliseconds / 1000 + 0.5))
    if to_datetime(milliseconds) is None:
        return "NaN"
    if pattern == "iso":
        return format_date(milliseconds, "YYYY-MM-DDTHH:mm:ss.SSS[Z]")
    return format_date(milliseconds, pattern, wanted.zone)


def encode_component(text: str) -> str:
    """Percent-encoded, but letters, digits and `-_.~` (RFC 3986)."""
    return quote(text, safe="-_.~")


_FORMATS: Final[Mapping[str, Callable[[Wanted], str]]] = {
    "glob": _glob,
    "raw": Wanted.joined,
    "csv": Wanted.joined,
    "pipe": lambda wanted: wanted.joined("|"),
    "join": lambda wanted: wanted.joined(":".join(wanted.arguments) if wanted.arguments else ","),
    "regex": _regex,
    "lucene": _lucene,
    "distributed": _distributed,
    "html": lambda wanted: escape(wanted.joined(", ")).replace("&#x27;", "&#39;"),
    "json": _json,
    "percentencode": _percent_encode,
    "uriencode": _uri_encode,
    "singlequote": _surrounded("'", "\\'"),
    "doublequote": _surrounded('"', '\\"'),
    "sqlstring": _surrounded("'", "''"),
    "date": _date,
    "text": lambda wanted: wanted.selection.text,
    "queryparam": _query_param,
    "customqueryparam": _custom_query_param,
}
FORMAT_NAMES: Final = frozenset(_FORMATS)
"""The formats that are known."""
