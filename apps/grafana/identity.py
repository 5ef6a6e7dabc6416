"""Who somebody is for Grafana: a token of seconds, signed for each request, which only the portal can make.

Grafana is told (`[auth.jwt]`) to believe a token in the header `HEADER` that is signed with the key of `jwks_path()`,
meant for `AUDIENCE` and issued by `ISSUER`. The private key is worked out from SECRET_KEY and lies on no disk; portals
that share SECRET_KEY sign alike. `docs/decisions/0010-grafana-login.md` has the reasons.
"""

from __future__ import annotations

import json
import os
import tempfile
import time
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings
from jwt.algorithms import ECAlgorithm

from apps.accounts.models import User
from apps.accounts.roles import Role, role_of
from apps.accounts.scope import scope_of

HEADER: Final = "X-JWT-Assertion"
"""The header that carries the token; from outside it is removed."""
ISSUER: Final = "vptmonitor"
AUDIENCE: Final = "grafana"
LIFETIME: Final = 20
"""Seconds that a token is good for. Grafana adds a minute for clocks that differ."""
ALGORITHM: Final = "ES256"
_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""The order of the curve P-256 (SEC 2, 2.4.2)."""
_EMAIL_OF_GRAFANAS_OWN: Final = "admin@localhost"
"""Grafana's first administrator has this e-mail unless somebody changed it, and Grafana finds people by e-mail."""


class NotForGrafanaError(Exception):
    """Somebody may not reach Grafana; the text says why, to that person."""


@dataclass(frozen=True)
class Identity:
    """Somebody as Grafana shall know them. `subject` stays when a person is renamed; `role` is Grafana's word."""

    subject: str
    login: str
    email: str
    name: str
    role: str


def reason_against(user: User) -> str:
    """Why `user` may not reach Grafana; empty for people who may.

    A data source of Grafana's shows the rows of all teams, so it is for people who may see them all.
    """
    if role_of(user) < Role.VIEWER:
        return "You have no role yet. An administrator can change that."
    if not scope_of(user).everything:
        return "Grafana shows the rows of all teams. Those of your teams are on the portal's own pages."
    return ""


def identity_of(user: User) -> Identity:
    """The identity of `user`. One query for the role, and one where the person has an e-mail.

    The login is not the bare name: a person of the portal called `admin` must never become Grafana's own `admin`. For
    the same reason an e-mail that others share, or that is Grafana's own administrator's, is not told.

    Raises NotForGrafanaError.
    """
    if reason := reason_against(user):
        raise NotForGrafanaError(reason)
    login = f"{user.get_username()}@portal"
    email = user.email.strip()
    others = User.objects.filter(email__iexact=email).exclude(pk=user.pk)
    if not email or email.casefold() == _EMAIL_OF_GRAFANAS_OWN or others.exists():
        email = login
    role = settings.GRAFANA_ROLE_OF_ADMINS if role_of(user) >= Role.ADMIN else "Viewer"
    return Identity(f"{ISSUER}:{user.pk}", login, email, user.get_full_name() or user.get_username(), role.capitalize())


def token_of(identity: Identity) -> str:
    """A token for one request. Times in it are whole seconds, so requests of the same second have the same one."""
    return _signed(identity, int(time.time()), settings.SECRET_KEY)


@lru_cache(maxsize=512)
def _signed(identity: Identity, now: int, secret: str) -> str:
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": identity.subject,
        "iat": now,
        "exp": now + LIFETIME,
        "login": identity.login,
        "email": identity.email,
        "name": identity.name,
        "role": identity.role,
    }
    pair = _pair(secret)
    return jwt.encode(claims, pair.private, ALGORITHM, headers={"kid": pair.public["kid"]})


def token_for(user: User) -> str:
    """A token for one request of `user`. Raises NotForGrafanaError for people who may not reach Grafana."""
    return token_of(identity_of(user))


def jwks_path() -> Path:
    """The file with the public key, for Grafana's `jwk_set_file`."""
    return Path(settings.DATA_DIR) / "grafana" / "identity" / "jwks.json"


def ensure_keys() -> Path:
    """Write the public key to `jwks_path()` unless it is there already, whole or not at all. Returns the path.

    A Grafana that runs reads a new key (another SECRET_KEY) at its next start.
    """
    path = jwks_path()
    text = json.dumps(public_keys(), indent=2) + "\n"
    if path.is_file() and path.read_text() == text:
        return path
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=".jwks")
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)
    return path


def public_keys() -> dict[str, Any]:
    """The JSON Web Key Set by which the portal's tokens are checked."""
    return {"keys": [_pair(settings.SECRET_KEY).public]}


@dataclass(frozen=True)
class _Pair:
    """A key, and its public part as a JSON Web Key."""

    private: ec.EllipticCurvePrivateKey
    public: dict[str, Any]


@lru_cache(maxsize=4)
def _pair(secret: str) -> _Pair:
    # 16 bytes more than the order has, so that the remainder is as good as uniform (FIPS 186-5, A.2.1).
    derived = HKDF(SHA256(), 48, salt=None, info=b"vptmonitor: tokens for Grafana").derive(secret.encode())
    private = ec.derive_private_key(int.from_bytes(derived) % (_ORDER - 1) + 1, ec.SECP256R1())
    parts = ECAlgorithm.to_jwk(private.public_key(), as_dict=True)
    # The thumbprint of RFC 7638: these members in this order.
    plain = json.dumps({name: parts[name] for name in ("crv", "kty", "x", "y")}, separators=(",", ":"))
    kid = sha256(plain.encode()).hexdigest()[:16]
    return _Pair(private, {**parts, "kid": kid, "alg": ALGORITHM, "use": "sig"})
