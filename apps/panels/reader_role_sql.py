"""The reader role as SQL text, for the owner of a database that the portal does not own.

It is what `reader_role` makes, less what only a superuser of our own server is asked to do. It can be run again: the
role then gets the new password.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from typing import Final

from apps.panels.reader_role import SCHEMA

ITERATIONS: Final = 4096
"""PostgreSQL's own number."""
SETTINGS: Final = {
    "default_transaction_read_only": "on",
    "search_path": SCHEMA,
    "statement_timeout": "'30s'",
    "idle_in_transaction_session_timeout": "'60s'",
}


def statements(role: str, password: str, database: str) -> list[str]:
    """The statements, without semicolons. `role` is a plain name; the password is ASCII, and appears as its verifier
    only, since servers may log statements."""
    absent = f"NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{role}')"
    return [
        f"DO $make$ BEGIN IF {absent} THEN CREATE ROLE {role}; END IF; END $make$",
        f"ALTER ROLE {role} LOGIN NOCREATEDB NOCREATEROLE CONNECTION LIMIT 10 PASSWORD '{verifier(password)}'",
        *(f"ALTER ROLE {role} SET {name} = {value}" for name, value in SETTINGS.items()),
        f"GRANT CONNECT ON DATABASE {_quoted(database)} TO {role}",
        f"GRANT USAGE ON SCHEMA {SCHEMA} TO {role}",
        f"GRANT SELECT ON ALL TABLES IN SCHEMA {SCHEMA} TO {role}",
        f"ALTER DEFAULT PRIVILEGES IN SCHEMA {SCHEMA} GRANT SELECT ON TABLES TO {role}",
    ]


def verifier(password: str) -> str:
    """The SCRAM-SHA-256 verifier of an ASCII password, as PostgreSQL stores it (RFC 5803 in its own order)."""
    salt = secrets.token_bytes(16)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), salt, ITERATIONS)
    client = hmac.digest(salted, b"Client Key", "sha256")
    server = hmac.digest(salted, b"Server Key", "sha256")
    parts = [base64.b64encode(part).decode() for part in (salt, hashlib.sha256(client).digest(), server)]
    return f"SCRAM-SHA-256${ITERATIONS}:{parts[0]}${parts[1]}:{parts[2]}"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
