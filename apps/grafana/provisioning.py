"""The data source of a Grafana that the portal runs, as its provisioning reads it.

Grafana expands each value of such a file twice (`pkg/services/provisioning/values/values.go`): it is cut at `$$`,
which becomes `$`; in each piece `${NAME}`, `$__env{NAME}` and `$__file{path}` are replaced, and then `$NAME`, also in
what came from a variable or a file. So a password with `$` survives in one form alone: written here, each `$` doubled.
The file is for the owner's eyes alone.
"""

from __future__ import annotations

from typing import Any, Final

import yaml

from apps.dashboards.source import SOURCE_UID
from apps.grafana.configuration import Postgres

NAME: Final = "VirtualPyTest PostgreSQL"
TYPE: Final = "postgres"
"""The plugin's name of old, which every version from 9.3 on understands."""
ORGANISATION: Final = 1


def data_sources(source: Postgres | None) -> str:
    """The text of a file below `provisioning/datasources`. Without a source an earlier one is taken away."""
    if source is None:
        return _text({"apiVersion": 1, "deleteDatasources": [{"name": NAME, "orgId": ORGANISATION}]})
    options: dict[str, Any] = {
        "database": source.name,
        "sslmode": source.sslmode,
        "postgresVersion": 1500,
        "timescaledb": False,
        "maxOpenConns": 5,
        "maxIdleConns": 2,
        "maxIdleConnsAuto": False,
        "connMaxLifetime": 14400,
        "timeInterval": "1m",
    }
    if source.root_certificate or source.certificate:
        options |= {
            "tlsConfigurationMethod": "file-path",
            "sslRootCertFile": source.root_certificate,
            "sslCertFile": source.certificate,
            "sslKeyFile": source.key,
        }
    entry = {
        "name": NAME,
        "uid": SOURCE_UID,
        "orgId": ORGANISATION,
        "type": TYPE,
        "access": "proxy",
        "url": source.address,
        "user": source.user,
        # 9.3 reads this one, newer versions that of jsonData.
        "database": source.name,
        "jsonData": options,
        "secureJsonData": {"password": source.password},
        "isDefault": True,
        "editable": False,
    }
    return _text({"apiVersion": 1, "datasources": [entry]})


def _text(content: dict[str, Any]) -> str:
    head = "# Written by vptmonitor at each start of Grafana: changes are lost.\n"
    return head + yaml.safe_dump(_doubled(content), sort_keys=False, width=10_000)


def _doubled(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("$", "$$")
    if isinstance(value, list):
        return [_doubled(item) for item in value]
    if isinstance(value, dict):
        return {key: _doubled(item) for key, item in value.items()}
    return value
