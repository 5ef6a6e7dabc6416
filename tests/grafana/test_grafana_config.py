"""The files for a Grafana that stands alone are what the client's document lays out, and read as they are meant."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.conf import settings

from apps.dashboards.source import SOURCE_UID

from .expansion import read_ini, read_yaml
from .test_configuration import HOSTILE

FOLDER = Path(settings.ROOT) / "grafana_config"
ENVIRONMENT = {
    "GRAFANA_CONFIG_DIR": str(FOLDER), "GRAFANA_DOMAIN": "grafana.example.org", "GRAFANA_ADMIN_USER": "chief",
    "GRAFANA_ADMIN_PASSWORD": "c4nary", "GRAFANA_SECRET_KEY": "c4nary-key", "SUPABASE_DB_HOST": "db.example.org",
    "SUPABASE_DB_PORT": "5432", "SUPABASE_DB_NAME": "lab", "SUPABASE_DB_USER": "reader",
    "SUPABASE_DB_PASSWORD": "secret",
}  # fmt: skip


def test_the_ini_takes_everything_from_the_variables_of_the_document() -> None:
    found = read_ini(FOLDER / "grafana.ini", ENVIRONMENT)
    assert found["security"] | {} == {
        "admin_user": "chief", "admin_password": "c4nary", "secret_key": "c4nary-key", "allow_embedding": "true",
        "cookie_samesite": "lax", "disable_gravatar": "true",
    }  # fmt: skip
    assert found["server"]["domain"] == "grafana.example.org"
    assert found["server"]["http_port"] == "3000"
    assert found["auth.anonymous"]["enabled"] == "false"
    assert Path(found["paths"]["provisioning"]).is_dir()


@pytest.mark.parametrize("password", HOSTILE)
def test_the_data_source_takes_any_password(password: str) -> None:
    environment = ENVIRONMENT | {"SUPABASE_DB_PASSWORD": password}
    (found,) = read_yaml(FOLDER / "provisioning" / "datasources" / "supabase.yml", environment)["datasources"]
    assert found["secureJsonData"]["password"] == password
    assert (found["uid"], found["url"], found["user"]) == (SOURCE_UID, "db.example.org:5432", "reader")
    assert found["database"] == found["jsonData"]["database"] == "lab"
    assert found["jsonData"]["sslmode"] == "require"


def test_the_provider_reads_the_dashboards_that_ship() -> None:
    (found,) = read_yaml(FOLDER / "provisioning" / "dashboards" / "dashboard.yml", ENVIRONMENT)["providers"]
    assert found["folder"] == "VirtualPyTest"
    names = {path.name for path in Path(found["options"]["path"]).rglob("*.json")}
    assert {"virtualpytest-overview.json", "system-health.json"} <= names
