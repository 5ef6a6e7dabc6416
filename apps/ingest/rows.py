"""One row: from its JSON to checked values. Compiled code does the work; what it finds wrong is put in words here."""

from __future__ import annotations

import difflib
import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any, Final, NoReturn
from uuid import UUID, uuid4

import msgspec
from msgspec import Raw

from apps.ingest.body import LARGEST_ROW
from apps.ingest.plan import Column, Plan
from apps.ingest.verdicts import Refused

Row = dict[str, Any]

DEEPEST: Final = 64
"""Levels of nesting in a JSON value: far more than any writer has, far fewer than any reader chokes on."""
EARLIEST: Final = 1990
LATEST: Final = 2100
_NEVER: Final = datetime(1, 1, 1, tzinfo=UTC)
ZONE_HEADER: Final = "X-Time-Zone"

_MEMBER: Final = re.compile(rb'"[ \t\r\n]*:')
_SPACED: Final = (b" :", b"\t:", b"\n:", b"\r:")
"""Where none of these is, every member of an object is seen by its quote and colon."""
_PLACE: Final = re.compile(r" - at `\$\.?([^`]*)`$")
_ANY: Final = msgspec.json.Decoder()


def read_row(
    raw: bytes | Raw,
    decoder: msgspec.json.Decoder[Row],
    columns: Mapping[str, Column],
    json_columns: Iterable[str],
    *,
    leave_out_unknown: bool = False,
) -> tuple[Row, list[str]]:
    """The values that the row gives, by column, and the names of unknown fields that were left out.

    JSON columns stay text, checked. Raises Refused.
    """
    text = bytes(raw)
    if len(text) > LARGEST_ROW:
        raise Refused("", f"the row has {len(text)} bytes", f"Send at most {LARGEST_ROW} bytes per row.")
    left_out: list[str] = []
    try:
        row = decoder.decode(text)
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        row = _mended(text, decoder, columns, error)
    members = len(_MEMBER.findall(text))
    # Only a count that is just right says that no field is unknown, and none is there twice.
    if members != len(row):
        inner = 0
        for name in json_columns:
            if (value := row.get(name)) is not None:
                inner += len(_MEMBER.findall(value))
        if members != len(row) + inner:
            left_out = _surplus(text, columns, leave_out_unknown)
    for name in json_columns:
        if (value := row.get(name)) is not None and not _check_json(name, bytes(value)):
            row[name] = None
    if b"\\u0000" in text:
        _refuse_nul(row, json_columns)
    return row, left_out


def read_batch(plan: Plan, text: bytes) -> list[Row] | None:
    """All rows of an array at once, when nothing whatever is wrong with any of them; else None, and each is to be read
    by itself. It finds out in a fraction of the time, by what must be true of all of them together."""
    if len(text) > LARGEST_ROW or b"\\u0000" in text or any(sign in text for sign in _SPACED):
        return None
    try:
        rows = plan.batch_decoder.decode(text)
        members = sum(map(len, rows))
        for name in plan.json_columns:
            values = [bytes(value) for row in rows if (value := row.get(name)) is not None]
            # A value that is too deep is longer than that.
            if any(len(value) > 2 * DEEPEST and value.count(b"{") + value.count(b"[") > DEEPEST for value in values):
                return None
            joined = b",".join(values)
            members += joined.count(b'":')
            if None in _ANY.decode(b"[%b]" % joined):
                return None
    except (msgspec.DecodeError, RecursionError, ValueError):
        return None
    # No key is there twice, and none is unknown: there are as many as were taken.
    return rows if text.count(b'":') == members else None


def settle_times(row: Row, columns: Iterable[str], zone: tzinfo | None) -> None:
    """All times in UTC. Raises Refused for a time without a zone where none is declared, and for impossible years."""
    for name in columns:
        value = row.get(name)
        if value is None:
            continue
        if value.tzinfo is None:
            if zone is None:
                raise Refused(
                    name, "the time has no zone",
                    f"Write it with its zone (2026-03-01T12:00:00+01:00), or declare the zone of the whole batch in the"
                    f" header {ZONE_HEADER} (UTC, Europe/Zurich).",
                )  # fmt: skip
            value = value.replace(tzinfo=zone)
        try:
            if value.tzinfo is not UTC:
                row[name] = value = value.astimezone(UTC)
        except OverflowError:
            value = _NEVER
        if not EARLIEST <= value.year < LATEST:
            raise Refused(name, "the year cannot be", "Send a time between 1990 and 2099.")


def derived_key(plan: Plan, row: Row) -> UUID:
    """The key of a row that brings none: the same for the same row, so that it can be sent again.

    A row that does not even say when it happened may happen again: it gets a new one each time.
    """
    names = plan.kind.identity or tuple(sorted(row))
    if plan.kind.identity and row.get(plan.kind.identity[-1]) is None:
        return uuid4()
    values = [(name, row[name]) for name in names if row.get(name) is not None]
    digest = hashlib.sha256(plan.kind.name.encode() + b"\0" + msgspec.json.encode(values)).digest()
    return UUID(bytes=digest[:16], version=5)


def _mended(text: bytes, decoder: msgspec.json.Decoder[Row], columns: Mapping[str, Column], error: Exception) -> Row:
    """The row with its times in the one form that the decoder takes, where nothing else was wrong; else Refused."""
    if "datetime" in str(error):
        try:
            found = _ANY.decode(text)
        except (msgspec.DecodeError, RecursionError, ValueError) as second:
            _refuse(second, columns)
        for name, column in columns.items():
            if column.is_time and isinstance(found.get(name), str):
                try:
                    found[name] = datetime.fromisoformat(found[name].strip())
                except ValueError:
                    raise Refused(name, "it is no date and time", f"Send {column.expected}.") from None
        try:
            return decoder.decode(msgspec.json.encode(found))
        except (msgspec.MsgspecError, ValueError, OverflowError) as second:
            error = second
    return _refuse(error, columns)


def _refuse(error: Exception, columns: Mapping[str, Column]) -> NoReturn:
    message = str(error)
    if isinstance(error, RecursionError):
        raise Refused("", "the row is nested too deeply", f"Nest at most {DEEPEST} levels.") from None
    place = _PLACE.search(message)
    if place:
        name = re.split(r"[.\[]", place[1])[0]
        column = columns.get(name)
        said = message[: place.start()]
        fix = f"Send {column.expected}." if column is not None else "Send what the field takes."
        raise Refused(name, _lower(said), fix) from None
    if missing := re.search(r"missing required field `([^`]+)`", message):
        column = columns.get(missing[1])
        fix = f"Send {column.expected}." if column is not None else "Send it."
        raise Refused(missing[1], "it is missing", fix) from None
    if isinstance(error, msgspec.ValidationError):
        raise Refused("", _lower(message), "Send an object with the fields of the row.") from None
    raise Refused("", f"it is no JSON: {_lower(message)}", "Send valid JSON in UTF-8 (RFC 8259).") from None


def _lower(text: str) -> str:
    return (text[:1].lower() + text[1:]).replace("`", "")[:200]


def _surplus(text: bytes, columns: Mapping[str, Column], leave_out: bool) -> list[str]:
    """Names that are no columns. Raises Refused for such a name, unless they may be left out, and for one given twice.

    The count may be wrong for a text that ends like a name; then nothing is found here.
    """
    pairs: list[tuple[str, Any]] = []

    def keep(found: list[tuple[str, Any]]) -> dict[str, Any]:
        pairs[:] = found  # objects end from the inside out: the last one is the row
        return {}

    try:
        json.loads(text, object_pairs_hook=keep, parse_int=str, parse_float=str)
    except (RecursionError, ValueError) as error:
        _refuse(error, columns)
    seen: set[str] = set()
    unknown = []
    for name, _ in pairs:
        if name in seen:
            raise Refused(_shown(name), "the field is given twice", "Give every field once.")
        seen.add(name)
        if name not in columns:
            unknown.append(_shown(name))
    if unknown and not leave_out:
        near = difflib.get_close_matches(unknown[0], columns, 1)
        fix = f"Did you mean {near[0]}? " if near else ""
        raise Refused(unknown[0], "there is no such field", f"{fix}With ?unknown=ignore such fields are left out.")
    return unknown


def _shown(name: str) -> str:
    name = name.replace("\0", "\\u0000")
    return name if len(name) <= 80 else f"{name[:77]}…"


def _check_json(name: str, value: bytes) -> bool:
    """Whether it is more than null. Raises Refused."""
    # As many opening brackets as are allowed levels: it cannot be too deep.
    if value.count(b"{") + value.count(b"[") > DEEPEST and _depth(value) > DEEPEST:
        raise Refused(name, "it is nested too deeply", f"Nest at most {DEEPEST} levels.")
    try:
        return _ANY.decode(value) is not None
    except (msgspec.DecodeError, RecursionError, ValueError) as error:
        raise Refused(name, _lower(str(error)), "Send JSON with numbers below 1e308 and texts in UTF-8.") from None


def _depth(value: bytes) -> int:
    depth = deepest = 0
    for token in re.finditer(rb'"(?:[^"\\]++|\\.)*+"|[\[\]{}]', value, re.DOTALL):
        if token[0] in {b"[", b"{"}:
            depth += 1
            deepest = max(deepest, depth)
        elif token[0] in {b"]", b"}"}:
            depth -= 1
    return deepest


def _refuse_nul(row: Row, json_columns: Iterable[str]) -> None:
    kept = set(json_columns)
    for name, value in row.items():
        found = _ANY.decode(value) if name in kept and value is not None else value
        if _has_nul(found):
            raise Refused(
                name, "it holds the character U+0000", "Leave that character out: PostgreSQL has no room for it."
            )


def _has_nul(value: Any) -> bool:
    # Nested at most as deep as was checked before.
    match value:
        case str():
            return "\0" in value
        case list():
            return any(_has_nul(item) for item in value)
        case dict():
            return any(_has_nul(key) or _has_nul(item) for key, item in value.items())
    return False
