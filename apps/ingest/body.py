"""From the bytes of a request to the texts of its rows: an object, an array, or an object per line; plain or gzip.

Everything is bounded: the bytes that come in, those that come out of gzip, the rows, the depth. A row that is no JSON
does not hide its neighbours.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from http import HTTPStatus
from typing import IO, Final

import msgspec
from msgspec import Raw

from apps.accounts.problems import Problem

MEGABYTE: Final = 1024 * 1024
LARGEST_BODY: Final = 8 * MEGABYTE
"""Bytes of a request's body as it comes in."""
LARGEST_UNPACKED: Final = 16 * MEGABYTE
"""Bytes of the same after gzip."""
MOST_VALUES: Final = 500_000
"""Commas and opening brackets of a body, and half as many texts: what a body can cost is told before it is read."""
MOST_ROWS: Final = 10_000
LARGEST_ROW: Final = MEGABYTE
"""Bytes of one row; a longer one is refused alone."""
NDJSON: Final = ("application/x-ndjson", "application/ndjson", "application/jsonl", "application/jsonlines")
JSON: Final = ("application/json", "text/json")

_rows = msgspec.json.Decoder(list[Raw])
_TOKEN: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[\]{},"]', re.DOTALL)


def read(stream: IO[bytes], *, length: str, encoding: str) -> bytes:
    """The body, unpacked. `length` and `encoding` are the request's headers, empty where it has none.

    Raises Problem: 413 for too much, 415 for an encoding that is not gzip, 400 for gzip that is broken.
    """
    if length.isascii() and length.isdecimal() and int(length[:20]) > LARGEST_BODY:
        raise _too_large(f"The body has {length} bytes; at most {LARGEST_BODY} are taken.")
    # One more byte than is taken tells that there is more, also where no length was given.
    body = stream.read(LARGEST_BODY + 1)
    if len(body) > LARGEST_BODY:
        raise _too_large(f"The body has more than {LARGEST_BODY} bytes.")
    encoding = encoding.strip().lower()
    if encoding in {"", "identity"}:
        return body
    if encoding not in {"gzip", "x-gzip"}:
        detail = f"Content-Encoding is {encoding[:40]!r}; only gzip is understood."
        raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Unknown encoding", detail, parameter="Content-Encoding")
    return _unpacked(body)


def _unpacked(body: bytes) -> bytes:
    parts, size = [], 0
    while body:
        unpacker = zlib.decompressobj(wbits=31)
        try:
            part = unpacker.decompress(body, LARGEST_UNPACKED + 1 - size)
        except zlib.error as error:
            detail = f"Content-Encoding is gzip, but the body is not: {error}."
            raise Problem(HTTPStatus.BAD_REQUEST, "Broken gzip", detail) from None
        size += len(part)
        if size > LARGEST_UNPACKED:
            raise _too_large(f"Unpacked, the body has more than {LARGEST_UNPACKED} bytes.")
        if not unpacker.eof:
            raise Problem(HTTPStatus.BAD_REQUEST, "Broken gzip", "The gzip body ends too early.")
        parts.append(part)
        body = unpacker.unused_data
        if len(parts) > MOST_ROWS:
            raise _too_large(f"The body is more than {MOST_ROWS} gzip files.")
    return b"".join(parts)


@dataclass(frozen=True)
class Rows:
    """The text of each row, in order; `whole` is all of them as one array."""

    each: list[bytes | Raw]
    whole: bytes

    def __len__(self) -> int:
        return len(self.each)


def split(body: bytes, content_type: str) -> Rows:
    """The rows of a body. Raises Problem: 400 for what is neither rows nor a row, 413 for too many rows."""
    kind = content_type.partition(";")[0].strip().lower()
    if kind not in {"", *JSON, *NDJSON}:
        detail = (
            "Content-Type is application/json (an object or an array) or application/x-ndjson (an object per line)."
        )
        raise Problem(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Unknown type", detail, parameter="Content-Type")
    text = body.strip()
    if sum(text.count(sign) for sign in (b",", b"[", b"{")) > MOST_VALUES or text.count(b'"') > 4 * MOST_VALUES:
        raise _too_large(f"The body has more than {MOST_VALUES} values.")
    if kind in NDJSON and text.count(b"\n") > 2 * MOST_ROWS:
        raise _too_large(f"The body has more than {2 * MOST_ROWS} lines.")
    if kind in NDJSON:
        rows: list[bytes | Raw] = [line for line in text.split(b"\n") if line and not line.isspace()]
    elif text.startswith(b"["):
        rows = _array(text)
    else:
        rows = [text] if text else []
    if len(rows) > MOST_ROWS:
        raise _too_large(f"The body has {len(rows)} rows; at most {MOST_ROWS} are taken at once.")
    if not rows:
        raise Problem(HTTPStatus.BAD_REQUEST, "No rows", "The body is empty. Send an object, an array, or lines.")
    return Rows(rows, text if kind not in NDJSON and text.startswith(b"[") else b"[" + b",".join(rows) + b"]")


def _array(text: bytes) -> list[bytes | Raw]:
    try:
        return list(_rows.decode(text))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return _pieces(text)


def _pieces(text: bytes) -> list[bytes | Raw]:
    """The elements of an array that holds something which is no JSON: each is judged alone."""
    pieces: list[bytes | Raw] = []
    depth, start = 0, 1
    for token in _TOKEN.finditer(text):
        match token[0]:
            case b"[" | b"{":
                depth += 1
            case b"," if depth == 1:
                pieces.append(text[start : token.start()])
                start = token.end()
            case b"]" | b"}":
                depth -= 1
                if depth == 0:
                    if text[token.end() :].strip() or token[0] != b"]":
                        break
                    last = text[start : token.start()]
                    return [*pieces, last] if pieces or last.strip() else []
            case b'"':
                break
    detail = "The body is an array that is no JSON: a quote or a bracket is missing, or something follows its end."
    raise Problem(HTTPStatus.BAD_REQUEST, "Not JSON", detail)


def _too_large(detail: str) -> Problem:
    return Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "Too large", f"{detail} Send smaller batches.")
