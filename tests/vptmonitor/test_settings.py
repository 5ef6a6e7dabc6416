"""The settings as a whole: what is documented, what is refused, what follows from what."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib.metadata import distributions
from pathlib import Path

import pytest
from django.conf import settings

ROOT = Path(settings.ROOT)


def load(tmp_path: Path, expression: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Load the settings in a process of their own, with nothing but `environment`, and print an expression as JSON."""
    code = f"import json; from vptmonitor import settings; print(json.dumps({expression}, default=str))"
    clean = {"PATH": os.environ["PATH"], "ENV_FILE": "", "DATA_DIR": str(tmp_path / "data"), **environment}
    return subprocess.run([sys.executable, "-c", code], env=clean, cwd=ROOT, capture_output=True, text=True)


def value(tmp_path: Path, expression: str, **environment: str) -> object:
    done = load(tmp_path, expression, **environment)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def refusal(tmp_path: Path, **environment: str) -> str:
    done = load(tmp_path, "1", **environment)
    assert done.returncode != 0
    return done.stderr.strip().splitlines()[-1]


def test_every_variable_is_documented_and_nothing_else() -> None:
    documented = re.findall(r"^#?([A-Z_]+)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    asked = {name.removesuffix("_FILE") for name in settings.ENV.asked}
    assert sorted(documented) == sorted(asked)


def test_every_secret_can_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("postgresql://u:secret@localhost:1/n\n")
    given = value(tmp_path, "settings.SOURCE_ADDRESS.masked", DATABASE_URL_FILE=str(tmp_path / "url"))
    assert given == "postgresql://u@localhost:1/n"


def test_the_password_of_redis_is_known_for_masking_and_can_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "url").write_text("rediss://:a%2Fb@localhost:1/2?ssl_cert_reqs=required\n")
    assert value(tmp_path, "settings.REDIS_PASSWORD", REDIS_URL_FILE=str(tmp_path / "url")) == "a/b"
    assert value(tmp_path, "[settings.REDIS_URL, settings.REDIS_PASSWORD]") == ["", ""]


def test_without_anything_the_embedded_database_is_owned(tmp_path: Path) -> None:
    expression = "[settings.SOURCE_ACCESS, settings.DEBUG, settings.DEMO, settings.DATABASES['source']['PLACE']]"
    assert value(tmp_path, expression) == ["own", False, True, "embedded"]


def test_a_given_database_is_only_read(tmp_path: Path) -> None:
    expression = "[settings.SOURCE_ACCESS, settings.DEMO, settings.DATABASES['default']['PLACE']]"
    assert value(tmp_path, expression, DATABASE_URL="postgresql://u:p@localhost/n") == ["read", False, "beside"]


def test_the_url_wins_over_single_variables_and_the_difference_is_kept(tmp_path: Path) -> None:
    given = {"DATABASE_URL": "postgresql://u:p@localhost/n", "SUPABASE_DB_HOST": "db.example.org"}
    expression = "[settings.SOURCE_ADDRESS.host, settings.SOURCE_ADDRESSES_DIFFER]"
    assert value(tmp_path, expression, **given) == ["localhost", True]


def test_made_secrets_stay_the_same_and_private(tmp_path: Path) -> None:
    first = value(tmp_path, "[settings.SECRET_KEY, settings.GRAFANA_ADMIN_PASSWORD]")
    assert value(tmp_path, "[settings.SECRET_KEY, settings.GRAFANA_ADMIN_PASSWORD]") == first
    assert (tmp_path / "data" / "secrets.env").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({"GRAFANA_ADMIN_PASSWORD": "admin123"}, "GRAFANA_ADMIN_PASSWORD: this value is a default"),
        ({"SECRET_KEY": ""}, "SECRET_KEY: it is empty"),
        ({"PORT": "web"}, "PORT: 'web' is not a whole number"),
        ({"SOURCE_ACCESS": "admin"}, "SOURCE_ACCESS: 'admin' is not known. Write one of read, write, own"),
        (
            {"DATABASE_URL": "postgresql://u:a/b@h/n"},
            "DATABASE_URL: it cannot be read. The password must be percent-encoded",
        ),
        ({"TIME_ZONE": "Paris"}, "TIME_ZONE: 'Paris' is no time zone"),
        ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS: '*' lets anybody forge"),
        ({"DATABASE_URL": "postgresql://u:p@h/n", "DEMO": "1"}, "DEMO: demo rows go into a database of our own only"),
        ({"SOURCE_ACCESS": "read"}, "SOURCE_ACCESS: the embedded database is owned"),
        ({"SECOND_PORT": "3000"}, "SECOND_PORT: 3000 is PORT or GRAFANA_PORT too"),
        ({"REDIS_URL": "http://:hidden@h"}, "REDIS_URL: it is no address of a Redis. Write redis://"),
        ({"REDIS_URL": "redis://:hidden@h:port/0"}, "REDIS_URL: it is no address of a Redis. Write redis://"),
        ({"REDIS_URL": "redis://:hidden@h?decode_responses=1"}, "REDIS_URL: it is no address of a Redis"),
        ({"REDIS_URL": "redis://:hidden@h?colour=red"}, "REDIS_URL: it is no address of a Redis"),
        ({"PUBLIC_URL": "portal.example.org"}, "PUBLIC_URL: it is no web address"),
    ],
)
def test_a_wrong_value_stops_the_start_with_the_name_and_the_fix(
    tmp_path: Path, environment: dict[str, str], message: str
) -> None:
    said = refusal(tmp_path, **environment)
    assert message in said
    assert "hidden" not in said


def test_tls_follows_the_public_address(tmp_path: Path) -> None:
    expression = "[settings.SESSION_COOKIE_SECURE, settings.CSRF_COOKIE_SECURE, settings.SECURE_HSTS_SECONDS > 0]"
    assert value(tmp_path, expression, PUBLIC_URL="https://portal.example.org") == [True, True, True]
    assert value(tmp_path, expression) == [False, False, False]


def test_psycopg_3_has_not_slipped_in() -> None:
    names = {distribution.metadata["Name"].lower() for distribution in distributions()}
    assert "psycopg2-binary" in names
    assert not names & {"psycopg", "psycopg-binary", "psycopg-c"}, "Django would silently prefer it"
    for lock in (ROOT / "requirements").glob("*.lock"):
        assert not re.search(r"^psycopg(-binary|-c)?==", lock.read_text(), re.MULTILINE)
