"""The files of a Grafana that the portal runs, written from the settings and anew at each start; nobody edits them.

DIR/grafana.ini
DIR/secrets/…                                 one file for each value that somebody else chose
DIR/provisioning/datasources/supabase.yml
DIR/provisioning/{dashboards,plugins,…}       empty: the sync brings dashboards, and files would fight with it
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

from django.conf import settings

from apps.grafana import availability, identity, provisioning, run_state
from apps.grafana.configuration import Configuration, Postgres
from apps.grafana.source_login import NoSafeLoginError, of_address, source_login

EMPTY_FOLDERS: Final = ("dashboards", "plugins", "notifiers", "alerting", "access-control")


def from_settings() -> tuple[Configuration, str]:
    """The configuration as the settings have it, and why it has no data source (empty when it has one).

    Makes the reader role on a database that we own, and so may start the embedded server. Raises psycopg2.Error, and
    django.db.OperationalError when the source is away.
    """
    source: Postgres | None = None
    trouble = ""
    try:
        source = source_login()
    except NoSafeLoginError as error:
        trouble = str(error)
    public = settings.PUBLIC_URL or f"http://{settings.GRAFANA_DOMAIN}:{settings.WEB_PORT}"
    ports = [settings.WEB_PORT, *([settings.SECOND_PORT] if settings.SECOND_PORT else [])]
    local = [f"http://{host}:{port}" for host in ("localhost", "127.0.0.1") for port in ports]
    database = settings.GRAFANA_DATABASE_ADDRESS
    return Configuration(
        data=run_state.folder() / "data",
        port=settings.GRAFANA_PORT,
        public_url=public,
        origins=tuple(dict.fromkeys([public, *local])),
        admin_user=settings.GRAFANA_ADMIN_USER,
        admin_password=settings.GRAFANA_ADMIN_PASSWORD,
        secret_key=settings.GRAFANA_SECRET_KEY,
        jwks=identity.ensure_keys(),
        database=of_address(database) if database else None,
        source=source,
        sub_path=availability.SUB_PATH,
    ), trouble


def render(configuration: Configuration, folder: Path) -> Path:
    """Write all files below `folder`, which must not be used for anything else, and return the path of grafana.ini.

    Folders get mode 0700, files 0600; each file is replaced in one step; what an earlier run left is removed.
    Raises OSError, and UnfitValueError before anything is written.
    """
    folder = folder.absolute()
    files: dict[Path, str] = {folder / "secrets" / name: text for name, text in configuration.secrets().items()}
    files[folder / "grafana.ini"] = configuration.ini(folder / "secrets")
    sources = folder / "provisioning" / "datasources"
    files[sources / "supabase.yml"] = provisioning.data_sources(configuration.source)
    plugins = configuration.data / "plugins"
    for place in (folder, folder / "secrets", folder / "provisioning", sources, configuration.data, plugins):
        _private_folder(place)
    for name in EMPTY_FOLDERS:
        _private_folder(folder / "provisioning" / name)
    for path, text in files.items():
        _private_file(path, text)
    for place in (folder / "secrets", sources):
        for left in set(place.iterdir()) - set(files):
            if left.is_dir() and not left.is_symlink():
                shutil.rmtree(left)
            else:
                left.unlink()
    return folder / "grafana.ini"


def _private_folder(path: Path) -> None:
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.chmod(0o700)


def _private_file(path: Path, text: str) -> None:
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8", newline="") as file:
        file.write(text)
    new.replace(path)
