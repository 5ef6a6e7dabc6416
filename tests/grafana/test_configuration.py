"""What is written for a Grafana is what Grafana reads, whatever the passwords are."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg2.extensions import parse_dsn

from apps.grafana import provisioning
from apps.grafana.configuration import Configuration, Postgres, UnfitValueError
from apps.grafana.rendering import render

from .expansion import expanded_twice, read_ini, read_yaml

HOSTILE = [
    "pa$word", "$$", "a$$b", "${HOME}", "$HOME", "$__env{HOME}", "$__file{/etc/passwd}", "'; DROP TABLE x; --", '"""',
    "`back`", "#hash;semi", "line\nbreak", "tab\there", "back\\slash\\", "%(secret_key", "é ü 漢 😀", "{{ braces }}",
    "yes", "0123", "null", ": colon", "- dash", "*star", "&and", "!bang", "|pipe", "@at", "[x]", "=equals=", "a b",
]  # fmt: skip
ENVIRONMENT = {"HOME": "/root", "word": "stolen", "secret_key": "stolen"}
PLAIN = Postgres("db.example.org", 5432, "postgres", "reader", "secret", "require")


def configuration(tmp_path: Path, **changes: object) -> Configuration:
    plain = Configuration(
        data=tmp_path / "data",
        port=3000,
        public_url="https://portal.example.org",
        origins=("https://portal.example.org", "http://localhost:5109"),
        admin_user="admin",
        admin_password="c4nary-admin",
        secret_key="c4nary-key",
        jwks=tmp_path / "jwks.json",
        database=None,
        source=PLAIN,
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("password", [*HOSTILE, " outside ", "\nnewline\n", ""])
def test_the_data_sources_password_survives_both_expansions(tmp_path: Path, password: str) -> None:
    source = replace(PLAIN, password=password, user=f"u{password}", name=f"n{password}")
    render(configuration(tmp_path, source=source), tmp_path / "config")
    read = read_yaml(tmp_path / "config/provisioning/datasources/supabase.yml", ENVIRONMENT)
    (found,) = read["datasources"]
    assert found["secureJsonData"]["password"] == password
    assert found["user"] == f"u{password}"
    assert found["database"] == found["jsonData"]["database"] == f"n{password}"


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_survives_a_provisioning_file(text: str) -> None:
    import yaml

    written = provisioning.data_sources(replace(PLAIN, password=text))
    (entry,) = yaml.safe_load(written)["datasources"]
    assert expanded_twice(entry["secureJsonData"]["password"], ENVIRONMENT) == text


@pytest.mark.parametrize("secret", HOSTILE)
def test_secrets_of_the_ini_survive(tmp_path: Path, secret: str) -> None:
    password, word = secret.replace("\n", ""), "".join(secret.split())
    database = replace(PLAIN, password=word, user=f"u{word}", name=f"n{word}")
    given_ = configuration(
        tmp_path, admin_user=f"a{secret}", admin_password=password, secret_key=f"k{secret}", database=database
    )
    found = read_ini(render(given_, tmp_path / "config"), ENVIRONMENT)
    assert found["security"]["admin_user"] == f"a{secret}"
    assert found["security"]["admin_password"] == password
    assert found["security"]["secret_key"] == f"k{secret}"
    own = found["database"]
    # As Grafana makes its connection string, and as libpq reads it.
    read = parse_dsn(f"user={own['user']} dbname={own['name']} password={own['password']}")
    assert read == {"user": f"u{word}", "dbname": f"n{word}", "password": word}
    assert found["database"]["host"] == "db.example.org:5432"
    assert found["database"]["ssl_mode"] == "require"


@pytest.mark.parametrize("secret", [" outside", "newline\n", "two\nlines", "%(secret_key)s"])
def test_what_grafana_would_change_is_refused_before_anything_is_written(tmp_path: Path, secret: str) -> None:
    with pytest.raises(UnfitValueError, match="GRAFANA_ADMIN_PASSWORD") as caught:
        render(configuration(tmp_path, admin_password=secret), tmp_path / "config")
    assert secret.strip() not in str(caught.value)
    assert not (tmp_path / "config").exists()


def test_grafanas_own_database_takes_no_white_space(tmp_path: Path) -> None:
    with pytest.raises(UnfitValueError, match="GRAFANA_DATABASE_URL"):
        render(configuration(tmp_path, database=replace(PLAIN, password="two words")), tmp_path / "config")


def test_a_folder_that_an_ini_cannot_name_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnfitValueError, match="DATA_DIR"):
        render(configuration(tmp_path), tmp_path / "a}b")
    with pytest.raises(UnfitValueError, match="DATA_DIR"):
        render(configuration(tmp_path, data=tmp_path / "a`b"), tmp_path / "config")
    path = render(configuration(tmp_path, data=tmp_path / "it's; a #1 place"), tmp_path / "config")
    assert read_ini(path, {})["paths"]["data"] == str(tmp_path / "it's; a #1 place")


def test_modes_are_private_and_no_secret_stands_in_the_ini(tmp_path: Path) -> None:
    path = render(configuration(tmp_path), tmp_path / "config")
    for place in (tmp_path / "config").rglob("*"):
        assert stat.S_IMODE(place.stat().st_mode) == (0o700 if place.is_dir() else 0o600)
    assert "c4nary" not in path.read_text()
    assert "c4nary" not in repr(configuration(tmp_path))


def test_a_second_rendering_leaves_nothing_of_the_first(tmp_path: Path) -> None:
    render(configuration(tmp_path, database=PLAIN), tmp_path / "config")
    (tmp_path / "config/provisioning/datasources/old.yml").write_text("left")
    render(configuration(tmp_path, source=None), tmp_path / "config")
    assert [path.name for path in (tmp_path / "config/provisioning/datasources").iterdir()] == ["supabase.yml"]
    assert not list((tmp_path / "config/secrets").glob("database_*"))
    read = read_yaml(tmp_path / "config/provisioning/datasources/supabase.yml", {})
    # An earlier one, with a login that might write, is taken away.
    assert read == {"apiVersion": 1, "deleteDatasources": [{"name": provisioning.NAME, "orgId": 1}]}
    assert list((tmp_path / "config/provisioning/dashboards").iterdir()) == []


@pytest.mark.parametrize(
    ("lesson", "section", "name", "value"),
    [
        ("CVE-2022-35957: a plain header from any local process is no identity", "auth.proxy", "enabled", "false"),
        ("CVE-2022-35957: no data source reaches other addresses", "security", "data_source_proxy_whitelist",
         "nothing.invalid:1"),
        ("CVE-2022-21703: cookies stay within the site", "security", "cookie_samesite", "lax"),
        ("CVE-2022-21703: cookies stay within TLS", "security", "cookie_secure", "true"),
        ("CVE-2023-1387: no token in an address", "auth.jwt", "url_login", "false"),
        ("CVE-2022-31130: cookies have names of their own", "auth", "login_cookie_name", "vptmonitor_grafana"),
        ("CVE-2022-23552 and others: an editor's scripts stay out", "panels", "disable_sanitize_html", "false"),
        ("CVE-2024-9264 and CVE-2026-27876: no SQL expressions", "feature_toggles", "sqlExpressions", "false"),
        ("CVE-2026-27877: no public dashboards", "public_dashboards", "enabled", "false"),
        ("nobody is an editor by default", "users", "auto_assign_org_role", "Viewer"),
        ("viewers cannot edit", "users", "viewers_can_edit", "false"),
        ("nobody signs up", "users", "allow_sign_up", "false"),
        ("nobody is anonymous", "auth.anonymous", "enabled", "false"),
        ("no role above an organisation's administrator", "auth.jwt", "allow_assign_grafana_admin", "false"),
        ("a token without a role is refused", "auth.jwt", "role_attribute_strict", "true"),
        ("tokens of others are refused", "auth.jwt", "expect_claims", '{"iss": "vptmonitor", "aud": "grafana"}'),
        ("nothing is sent out", "analytics", "reporting_enabled", "false"),
        ("no pictures from elsewhere", "security", "disable_gravatar", "true"),
        ("no snapshots elsewhere", "snapshots", "external_enabled", "false"),
        ("no plug-ins from the web", "plugins", "plugin_admin_enabled", "false"),
        ("Live takes the portal's pages alone", "live", "allowed_origins",
         "https://portal.example.org,http://localhost:5109"),
        ("frames on the portal's pages", "security", "allow_embedding", "true"),
        ("loopback alone", "server", "http_addr", "127.0.0.1"),
        ("below the portal", "server", "root_url", "https://portal.example.org/grafana/"),
        ("below the portal", "server", "serve_from_sub_path", "true"),
    ],
)  # fmt: skip
def test_each_lesson_is_in_the_configuration(tmp_path: Path, lesson: str, section: str, name: str, value: str) -> None:
    found = read_ini(render(configuration(tmp_path), tmp_path / "config"), ENVIRONMENT)
    assert found[section][name] == value, lesson


def test_the_content_security_policy_names_no_other_host_to_connect_to(tmp_path: Path) -> None:
    found = read_ini(render(configuration(tmp_path), tmp_path / "config"), ENVIRONMENT)
    policy = dict(
        part.strip().partition(" ")[::2] for part in found["security"]["content_security_policy_template"].split(";")
    )
    assert policy["connect-src"] == "'self' ws://$ROOT_PATH wss://$ROOT_PATH"
    assert policy["frame-ancestors"] == "'self'"
    assert policy["object-src"] == "'none'"


def test_a_portal_without_tls_or_keys(tmp_path: Path) -> None:
    plain = configuration(tmp_path, public_url="http://localhost:5109", jwks=None)
    found = read_ini(render(plain, tmp_path / "config"), {})
    assert found["security"]["cookie_secure"] == "false"
    assert found["auth.jwt"] == {"enabled": "false"}


@pytest.mark.parametrize(
    ("host", "port", "url"),
    [
        ("db.example.org", 6000, "db.example.org:6000"),
        ("2001:db8::1", 5432, "[2001:db8::1]:5432"),
        ("/run/postgresql", 5432, "/run/postgresql"),
    ],
)
def test_addresses_are_written_as_grafana_wants_them(tmp_path: Path, host: str, port: int, url: str) -> None:
    render(configuration(tmp_path, source=replace(PLAIN, host=host, port=port)), tmp_path / "config")
    (found,) = read_yaml(tmp_path / "config/provisioning/datasources/supabase.yml", {})["datasources"]
    assert found["url"] == url
    assert (found["uid"], found["type"], found["isDefault"]) == ("virtualpytest-postgres", "postgres", True)
    assert found["editable"] is False


def test_certificates_reach_the_data_source(tmp_path: Path) -> None:
    source = replace(PLAIN, sslmode="verify-full", root_certificate="/etc/ssl/root.pem")
    render(configuration(tmp_path, source=source), tmp_path / "config")
    (found,) = read_yaml(tmp_path / "config/provisioning/datasources/supabase.yml", {})["datasources"]
    assert found["jsonData"]["sslmode"] == "verify-full"
    assert found["jsonData"]["sslRootCertFile"] == "/etc/ssl/root.pem"
    assert found["jsonData"]["tlsConfigurationMethod"] == "file-path"
