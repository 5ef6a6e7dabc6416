"""PostgreSQL addresses, from a URL or from single variables, to what Django's DATABASES takes."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
PARAMETERS = frozenset(
    {
        "sslmode",
        "sslrootcert",
        "sslcert",
        "sslkey",
        "connect_timeout",
        "application_name",
        "target_session_attrs",
    }
)
"""What a URL's query may hold: libpq's own names. Others are refused rather than passed on."""


@dataclass(frozen=True)
class Address:
    """Where a PostgreSQL database is. `password` never shows in a representation."""

    host: str
    port: int
    name: str
    user: str
    password: str = field(repr=False, default="")
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def masked(self) -> str:
        """The address for people: everything but the password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        mode = self.parameters.get("sslmode")
        return f"postgresql://{self.user}@{host}:{self.port}/{self.name}" + (f"?sslmode={mode}" if mode else "")

    @property
    def same_place(self) -> tuple[str, int, str]:
        """What two addresses share when they mean the same database."""
        return self.host, self.port, self.name


def from_url(text: str) -> Address:
    """Parse `postgresql://user:password@host:port/name?sslmode=…`; user, password and name are percent-decoded.

    Missing: port 5432, name `postgres`; a host that is not loopback and has no `sslmode` gets `require`. IPv6 hosts
    stand in brackets; `?host=/run/postgresql` names a socket's folder. Raises ValueError with the fix as its argument,
    never with the URL.
    """
    if "://" not in text:
        raise ValueError("Write it as postgresql://user:password@host:5432/name")
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise ValueError(_encoding_hint(text)) from None
    if parts.scheme not in {"postgres", "postgresql"}:
        raise ValueError(f"The scheme {parts.scheme!r} is not PostgreSQL's; write postgresql://…")
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    host = query.pop("host", "") or unquote(parts.hostname or "")
    name = unquote(parts.path.removeprefix("/"))
    if not host or "/" in name or "@" in name or _looks_cut(parts, text):
        raise ValueError(_encoding_hint(text))
    unknown = sorted(set(query) - PARAMETERS)
    if unknown:
        raise ValueError(f"The parameter {unknown[0]!r} is not supported; {', '.join(sorted(PARAMETERS))} are")
    return _complete(
        host,
        port or 5432,
        name or "postgres",
        unquote(parts.username or "postgres"),
        unquote(parts.password or ""),
        query,
    )


def from_parts(host: str, port: int, name: str, user: str, password: str) -> Address:
    """An address from single variables. The password is taken raw; a URL pasted as the host is refused."""
    if "/" in host.removeprefix("/") and "://" in host:
        raise ValueError("Write the host's name alone, without a scheme; a whole URL belongs into DATABASE_URL")
    return _complete(host.strip("[]"), port, name, user, password, {})


def _complete(host: str, port: int, name: str, user: str, password: str, parameters: dict[str, str]) -> Address:
    mode = parameters.get("sslmode")
    if mode is not None and mode not in SSL_MODES:
        raise ValueError(f"sslmode {mode!r} is not known; write one of {', '.join(SSL_MODES)}")
    if mode is None and not is_local(host):
        parameters = {**parameters, "sslmode": "require"}
    return Address(host, port, name, user, password, parameters)


def is_local(host: str) -> bool:
    """Whether the host is this machine: a socket's folder, localhost or a loopback address."""
    if host.startswith("/") or host in {"", "localhost"}:
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _looks_cut(parts: SplitResult, text: str) -> bool:
    """A raw `/`, `?` or `#` in the password ends the authority early: the `@` then stands behind it."""
    rest = text.split("://", 1)[1]
    authority = parts.netloc
    return ("@" not in authority and "@" in rest) or bool(parts.fragment)


def _encoding_hint(text: str) -> str:
    rest = text.split("://", 1)[1]
    if "@" in rest:
        for character, code in (("/", "%2F"), ("?", "%3F"), ("#", "%23"), ("@", "%40"), ("[", "%5B"), ("]", "%5D")):
            if character in rest.rsplit("@", 1)[0]:
                return f"The password must be percent-encoded: write {code} for each {character} in it"
    return "Write it as postgresql://user:password@host:5432/name, the password percent-encoded"
