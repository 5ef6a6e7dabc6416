"""What a Grafana that the portal runs is told: a typed model, and its `grafana.ini`.

Grafana reads an ini value through two transformations (`pkg/setting/expanders.go`): `${NAME}`, `$__env{NAME}` and
`$__file{path}` are replaced, where what a file holds is taken as it stands but for white space around it; then go-ini
replaces `%(key)s`. So whatever somebody else chose (names, passwords) goes into a file of mode 0600 each, and what the
portal writes itself is held against a list of characters that mean nothing to either.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from apps.grafana.identity import AUDIENCE, HEADER, ISSUER

LOGIN_COOKIE: Final = "vptmonitor_grafana"
_WORD: Final = re.compile(r"[A-Za-z0-9_./-]+")
_PLAIN: Final = re.compile(r"[\w .,:;/@'*+=?&()\[\]~#-]*")
_REFERENCE: Final = re.compile(r"\$__file\{([^{}]+)\}")
_JSON: Final = str.maketrans("", "", '{}"')
_INTERPOLATED: Final = re.compile(r"%\([^)]+\)s")

CONTENT_SECURITY_POLICY: Final = (
    "script-src 'self' 'unsafe-eval' 'unsafe-inline' 'strict-dynamic' $NONCE; object-src 'none'; font-src 'self' data:;"
    " style-src 'self' 'unsafe-inline' blob:; img-src 'self' data: blob: https:; base-uri 'self'; manifest-src 'self';"
    " connect-src 'self' ws://$ROOT_PATH wss://$ROOT_PATH; worker-src 'self' blob:; media-src 'self';"
    " form-action 'self'; frame-src 'self'; frame-ancestors 'self'"
)
"""Grafana's own, less the world outside in `connect-src`, and in frames of the portal alone."""


class UnfitValueError(ValueError):
    """A value cannot be given to Grafana unchanged. `name` says which, `fix` what to do; neither holds the value."""

    def __init__(self, name: str, problem: str, fix: str) -> None:
        super().__init__(f"{name}: {problem}. {fix}")
        self.name = name


@dataclass(frozen=True)
class Postgres:
    """A PostgreSQL login for Grafana. `host` is a name, an address or a socket's folder; `sslmode` one of Grafana's:
    disable, require, verify-ca, verify-full; the certificates are paths, or empty."""

    host: str
    port: int
    name: str
    user: str
    password: str = field(repr=False)
    sslmode: str = "disable"
    root_certificate: str = ""
    certificate: str = ""
    key: str = ""

    @property
    def is_socket(self) -> bool:
        """Whether `host` is a folder."""
        return self.host.startswith("/")

    @property
    def address(self) -> str:
        """`host:port` as Grafana wants it: IPv6 in brackets, a socket's folder alone (its port is 5432)."""
        if self.is_socket:
            return self.host
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Configuration:
    """All that a portal-run Grafana is told. `public_url` is the portal's own address, without a slash at the end;
    `origins` are all addresses under which browsers may open WebSockets; `source` is None when there is no login that
    can only read; `database` is None for SQLite in `data`; `jwks` is the file with the portal's public key."""

    data: Path
    port: int
    public_url: str
    origins: tuple[str, ...]
    admin_user: str
    admin_password: str = field(repr=False)
    secret_key: str = field(repr=False)
    jwks: Path | None
    database: Postgres | None
    source: Postgres | None
    sub_path: str = "/grafana"

    def secrets(self) -> dict[str, str]:
        """What goes into files of their own, by file name.

        Raises UnfitValueError for a text that Grafana would change on the way.
        """
        found = {
            "admin_user": self.admin_user,
            "admin_password": self.admin_password,
            "secret_key": self.secret_key,
        }
        if self.database:
            found |= {
                "database_host": self.database.address,
                "database_name": _quoted(self.database.name),
                "database_user": _quoted(self.database.user),
                "database_password": _quoted(self.database.password),
            }
        for name, text in found.items():
            variable = "GRAFANA_DATABASE_URL" if name.startswith("database_") else f"GRAFANA_{name.upper()}"
            if text != text.strip():
                raise UnfitValueError(variable, "Grafana drops white space around it", "Choose one without")
            if name.startswith("database_") and len(text.split()) > 1:
                raise UnfitValueError(variable, "Grafana cuts it at white space", "Choose names and a password without")
            if name == "admin_password" and "\n" in text:
                raise UnfitValueError(variable, "Grafana takes one line", "Choose one without line breaks")
            if _INTERPOLATED.search(text):
                raise UnfitValueError(variable, "Grafana reads %(…)s in it as a reference", "Choose one without")
        return found

    def ini(self, secrets: Path) -> str:
        """The text of grafana.ini; `secrets` is the folder with the files of `secrets()`."""
        written = []
        for section, values in self._sections(secrets):
            lines = [f"{name} = {_value(f'{section}.{name}', value)}" for name, value in values.items()]
            written.append("\n".join([f"[{section}]", *lines]))
        return "\n\n".join(["# Written by vptmonitor at each start of Grafana: changes are lost.", *written]) + "\n"

    def _sections(self, secrets: Path) -> Iterator[tuple[str, Mapping[str, str]]]:
        def of_file(name: str) -> str:
            return f"$__file{{{secrets / name}}}"

        address = urlsplit(self.public_url)
        secure = "true" if address.scheme == "https" else "false"
        yield (
            "paths",
            {
                "data": str(self.data),
                "logs": str(self.data / "log"),
                "plugins": str(self.data / "plugins"),
                "provisioning": str(secrets.parent / "provisioning"),
            },
        )
        yield (
            "server",
            {
                "protocol": "http",
                "http_addr": "127.0.0.1",
                "http_port": str(self.port),
                "domain": address.hostname or "localhost",
                "root_url": f"{self.public_url}{self.sub_path}/",
                "serve_from_sub_path": "true",
                "enforce_domain": "false",
                "router_logging": "false",
                "enable_gzip": "true",
            },
        )
        if self.database is None:
            # Write-ahead logging lets readers and a backup go on while something is written.
            yield "database", {"type": "sqlite3", "path": "grafana.db", "wal": "true"}
        else:
            yield (
                "database",
                {
                    "type": "postgres",
                    "host": of_file("database_host"),
                    "name": of_file("database_name"),
                    "user": of_file("database_user"),
                    "password": of_file("database_password"),
                    "ssl_mode": self.database.sslmode,
                    "ca_cert_path": _quoted(self.database.root_certificate),
                    "client_cert_path": _quoted(self.database.certificate),
                    "client_key_path": _quoted(self.database.key),
                    "max_open_conn": "10",
                },
            )
        yield (
            "security",
            {
                "admin_user": of_file("admin_user"),
                "admin_password": of_file("admin_password"),
                "secret_key": of_file("secret_key"),
                "allow_embedding": "true",
                "cookie_secure": secure,
                "cookie_samesite": "lax",
                "content_security_policy": "true",
                "content_security_policy_template": CONTENT_SECURITY_POLICY,
                "csrf_trusted_origins": " ".join(sorted({urlsplit(each).hostname or "" for each in self.origins})),
                "disable_gravatar": "true",
                # No data source of ours is reached through Grafana's HTTP proxy; the name resolves nowhere (RFC 6761).
                "data_source_proxy_whitelist": "nothing.invalid:1",
                "disable_brute_force_login_protection": "false",
                "x_content_type_options": "true",
            },
        )
        yield from _ACCESS
        jwt = {"enabled": "false"}
        if self.jwks is not None:
            jwt = {
                "enabled": "true",
                "header_name": HEADER,
                "username_claim": "login",
                "email_claim": "email",
                "jwk_set_file": str(self.jwks),
                "expect_claims": f'{{"iss": "{ISSUER}", "aud": "{AUDIENCE}"}}',
                "role_attribute_path": "role",
                "role_attribute_strict": "true",
                "auto_sign_up": "true",
                "url_login": "false",
                "allow_assign_grafana_admin": "false",
            }
        yield "auth.jwt", jwt
        yield "live", {"max_connections": "100", "allowed_origins": ",".join(self.origins)}
        yield from _QUIET


_ACCESS: Final[tuple[tuple[str, Mapping[str, str]], ...]] = (
    (
        "users",
        {
            "allow_sign_up": "false",
            "allow_org_create": "false",
            "auto_assign_org": "true",
            "auto_assign_org_id": "1",
            "auto_assign_org_role": "Viewer",
            "viewers_can_edit": "false",
            "editors_can_admin": "false",
        },
    ),
    (
        "auth",
        {
            "login_cookie_name": LOGIN_COOKIE,
            "disable_signout_menu": "true",
            "oauth_auto_login": "false",
            "login_maximum_inactive_lifetime_duration": "1d",
            "login_maximum_lifetime_duration": "7d",
        },
    ),
    ("auth.anonymous", {"enabled": "false"}),
    # For the portal itself, on loopback: the way in when nothing else works.
    ("auth.basic", {"enabled": "true"}),
    ("auth.proxy", {"enabled": "false"}),
    ("auth.ldap", {"enabled": "false"}),
)
_QUIET: Final[tuple[tuple[str, Mapping[str, str]], ...]] = (
    ("panels", {"disable_sanitize_html": "false", "enable_alpha": "false"}),
    ("snapshots", {"enabled": "false", "external_enabled": "false", "public_mode": "false"}),
    ("public_dashboards", {"enabled": "false"}),
    ("feature_toggles", {"publicDashboards": "false", "sqlExpressions": "false"}),
    ("cloud_migration", {"enabled": "false"}),
    (
        "plugins",
        {
            "plugin_admin_enabled": "false",
            "plugin_admin_external_manage_enabled": "false",
            "preinstall_disabled": "true",
            "public_key_retrieval_disabled": "true",
        },
    ),
    (
        "analytics",
        {
            "enabled": "false",
            "reporting_enabled": "false",
            "check_for_updates": "false",
            "check_for_plugin_updates": "false",
            "feedback_links_enabled": "false",
        },
    ),
    ("news", {"news_feed_enabled": "false"}),
    ("metrics", {"enabled": "false"}),
    ("dataproxy", {"timeout": "30", "row_limit": "100000"}),
    ("dashboards", {"min_refresh_interval": "5s", "versions_to_keep": "20"}),
    ("log", {"mode": "console", "level": "info"}),
    ("log.console", {"format": "json"}),
)


def _quoted(text: str) -> str:
    """For Grafana's own database: it puts these values as they stand into `password=…` for libpq, which wants quotes
    around anything but a word (`pkg/services/sqlstore/database_config.go`). White space it takes in no form."""
    if not text or _WORD.fullmatch(text):
        return text
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _value(name: str, text: str) -> str:
    """The text as ini. Raises UnfitValueError where Grafana would read something else."""
    plain = _REFERENCE.sub(r"\1", text.replace("$NONCE", "").replace("$ROOT_PATH", ""))
    if name == "auth.jwt.expect_claims":
        plain = plain.translate(_JSON)
    if not _PLAIN.fullmatch(plain) or text != text.strip():
        raise UnfitValueError(
            name, "Grafana's configuration cannot hold such characters", "See DATA_DIR, PUBLIC_URL and the certificates"
        )
    return f'"""{text}"""' if set(text) & set(";#'") else text
