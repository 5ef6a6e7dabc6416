"""Addresses below `/grafana/` that mean the same to the portal and to Grafana; all others are refused.

What is matched is what is sent: a path is decoded once, may then hold nothing that could be decoded again or read in
another way, and goes to Grafana as it was matched.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final
from urllib.parse import unquote, unquote_to_bytes

PREFIX: Final = "/grafana"
LONGEST: Final = 2_000
LONGEST_QUERY: Final = 16_000

_CLEAN: Final = re.compile(r"[A-Za-z0-9/._~:@!$&'()*+,=-]*")
_ENCODED: Final = re.compile(rb"%(?![0-9A-Fa-f]{2})")
_TOKEN_NAMES: Final = frozenset({"auth_token", "access_token", "token", "jwt", "apikey", "api_key"})


class BadAddressError(ValueError):
    """An address that could mean something else to Grafana than to the portal; the text says what is wrong with it."""


@lru_cache(maxsize=4096)
def clean_path(raw: bytes) -> str:
    """The path below `/grafana`, decoded, beginning with a slash.

    `raw` is the whole path as it came. Raises BadAddressError for what is not below `/grafana/` as it is written there,
    for encoded separators, dot segments, double encoding, semicolons, control characters, and for anything but plain
    ASCII.
    """
    if len(raw) > LONGEST:
        raise BadAddressError("the address is too long")
    if not raw.startswith(PREFIX.encode() + b"/"):
        raise BadAddressError(f"the address does not begin with {PREFIX}/")
    if _ENCODED.search(raw):
        raise BadAddressError("a percent sign stands without its two digits")
    decoded = unquote_to_bytes(raw[len(PREFIX) :])
    try:
        text = decoded.decode("ascii")
    except UnicodeDecodeError:
        raise BadAddressError("the address holds characters beyond ASCII") from None
    if text.count("/") != raw[len(PREFIX) :].count(b"/"):
        raise BadAddressError("a slash is encoded")
    if not _CLEAN.fullmatch(text):
        sign = next(sign for sign in text if not _CLEAN.fullmatch(sign))
        raise BadAddressError(f"{sign!r} cannot stand in an address of Grafana's")
    segments = text.split("/")[1:]
    if any(segment in {".", ".."} for segment in segments):
        raise BadAddressError("a segment of dots")
    if "" in segments[:-1]:
        raise BadAddressError("an empty segment")
    return text


def clean_query(raw: bytes) -> str:
    """The query without tokens: none that comes in an address is believed, and none goes into a log.

    The parameters' text stays as it was written. Raises BadAddressError for control characters and raw non-ASCII.
    """
    if len(raw) > LONGEST_QUERY:
        raise BadAddressError("the query is too long")
    try:
        text = raw.decode("ascii")
    except UnicodeDecodeError:
        raise BadAddressError("the query holds characters beyond ASCII that are not encoded") from None
    if any(ord(sign) <= 32 or ord(sign) == 127 for sign in text):
        raise BadAddressError("the query holds white space or control characters")
    kept = [part for part in text.split("&") if not _names_token(part)]
    return "&".join(kept)


def _names_token(part: str) -> bool:
    name = part.partition("=")[0]
    for _ in range(5):
        decoded = unquote(name.replace("+", " "))
        if decoded == name:
            break
        name = decoded
    return name.strip().casefold() in _TOKEN_NAMES
