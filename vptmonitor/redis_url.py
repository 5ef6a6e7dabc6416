"""The address of a Redis, judged before anybody connects to it."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import redis
from redis.connection import parse_url

FORM: Final = "Write redis://:PASSWORD@HOST:6379/0, with rediss:// for TLS, or unix:///PATH?db=0"


def password_of(url: str) -> str:
    """The password of an address, empty without one. Raises ValueError, with the form to write, for one that the
    client does not understand; of options it takes `db` and those of TLS."""
    try:
        parts = urlsplit(url)
        options: dict[str, Any] = parse_url(url)  # type: ignore[no-untyped-call]
        redis.Redis.from_url(url).connection_pool.make_connection()
    except (ValueError, TypeError, redis.RedisError):
        raise ValueError(FORM) from None
    if not all(name == "db" or name.startswith("ssl_") for name in parse_qs(parts.query)):
        raise ValueError(FORM)
    return str(options.get("password", ""))
