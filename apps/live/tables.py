"""Which tables tell of their changes, and who may hear of a row.

All mirrored tables do. An app of the portal's own says it in one line of its AppConfig:

    live_tables = {"Dashboard": "everybody", "AlertTriage": "host:host_name"}

The name of a model, and who may hear of its rows:

* `everybody`: whoever is signed in with a role, but not which rows, since that cannot be told from the row alone;
* `team:COLUMN`: who may see that team, and everybody where the column is NULL;
* `host:COLUMN`: who may see that host;
* `all teams`: only who may see everything.

The topic of a table is its name in the database.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final, cast

from django.apps import AppConfig, apps
from django.db.models import Model

from apps.mirror.models import MirrorModel
from apps.mirror.shape import SOURCE, mirrored_models

PORTAL: Final = "default"
"""The alias of the portal's own database."""


@dataclass(frozen=True)
class LiveTable:
    """A table that tells of its changes. `team` and `host` are columns of its own; `through` is a foreign key's column,
    the table and the key that it refers to, where `team` is a column of that table. Rows without a team are for
    everybody where `open` is set, else for those who may see everything."""

    alias: str
    name: str
    key: str
    team: str = ""
    host: str = ""
    through: tuple[str, str, str] | None = None
    open: bool = False


@cache
def live_tables(alias: str) -> tuple[LiveTable, ...]:
    """The tables of one database, sorted by name. Raises ValueError for a `live_tables` that cannot be read."""
    if alias == SOURCE:
        found = [_mirrored(model) for model in mirrored_models()]
    else:
        found = [
            _own(config, name, rule)
            for config in apps.get_app_configs()
            for name, rule in getattr(config, "live_tables", {}).items()
        ]
    return tuple(sorted(found, key=lambda table: table.name))


@cache
def topics() -> frozenset[str]:
    """All that can be subscribed to."""
    return frozenset(table.name for alias in (PORTAL, SOURCE) for table in live_tables(alias))


def _mirrored(model: type[MirrorModel]) -> LiveTable:
    name, key = model._meta.db_table, _column(model, "pk")
    if model.team_lookup is None:
        return LiveTable(SOURCE, name, key, host=_column(model, model.host_lookup) if model.host_lookup else "")
    first, _, rest = model.team_lookup.partition("__")
    if not rest:
        return LiveTable(SOURCE, name, key, team=_column(model, first))
    parent = cast("type[Model]", model._meta.get_field(first).related_model)
    through = _column(model, first), parent._meta.db_table, _column(parent, "pk")
    return LiveTable(SOURCE, name, key, team=_column(parent, rest), through=through)


def _own(config: AppConfig, name: str, rule: str) -> LiveTable:
    model = config.get_model(name)
    kind, _, column = rule.partition(":")
    table, key = model._meta.db_table, _column(model, "pk")
    match kind:
        case "everybody" | "all teams" if not column:
            return LiveTable(PORTAL, table, key, open=kind == "everybody")
        case "team" if column:
            return LiveTable(PORTAL, table, key, team=_column(model, column), open=True)
        case "host" if column:
            return LiveTable(PORTAL, table, key, host=_column(model, column))
    raise ValueError(f"{config.name}.live_tables[{name!r}]: {rule!r} is no rule of apps.live.tables")


def _column(model: type[Model], name: str) -> str:
    meta = model._meta
    field = meta.pk if name == "pk" else meta.get_field(name)
    # A foreign key is also found by its column's name.
    return str(getattr(field, "column", name))
