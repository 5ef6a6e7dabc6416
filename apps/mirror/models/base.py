"""What all mirrored models share.

The real constraints are the database's: foreign keys are declared here without one (`db_constraint=False`,
`DO_NOTHING`), and a database of our own gets those of the platform, with their ON DELETE, from a migration. Columns
have their defaults in the database too (`db_default`), since the platform inserts by plain SQL.
"""

from __future__ import annotations

from typing import ClassVar

from django.contrib.postgres.indexes import BrinIndex, GinIndex
from django.db import models

from apps.mirror.querysets import MirrorQuerySet

DOMAINS = {"fleet": "Fleet", "execution": "Execution", "navigation": "Navigation", "monitoring": "Monitoring"}
"""Domain names and their titles, in the order in which people meet them."""


class MirrorModel(models.Model):
    """A table that belongs to the platform.

    * `team_lookup`: the ORM path to the id of the row's team, or None;
    * `host_lookup`: for tables without a team, the field with the name of the host that the row came from;
    * `time_field`: the field that lists are ordered by, newest first, or None;
    * `domain`: a key of `DOMAINS`.

    A model with neither lookup is visible only to those who may see everything.
    """

    team_lookup: ClassVar[str | None] = None
    host_lookup: ClassVar[str | None] = None
    time_field: ClassVar[str | None] = None
    domain: ClassVar[str]

    # A model with a manager of its own needs `type: ignore[misc]`: django-stubs makes this one a class variable only.
    objects = MirrorQuerySet.as_manager()

    class Meta:
        abstract = True


class RunModel(MirrorModel):
    """A run of something. Rows that come from `with_state`, or from a selector built on it, carry their `state`."""

    state: str

    class Meta:
        abstract = True


class PlatformIndex(models.Index):
    """An index under the name that the platform gave it: PostgreSQL allows 63 characters where Django stops at 30."""

    max_name_length = 63


class PlatformGinIndex(GinIndex):
    """A GIN index under the platform's name."""

    max_name_length = 63


class PlatformBrinIndex(BrinIndex):
    """A BRIN index with a name of up to 63 characters."""

    max_name_length = 63


def known(value: object) -> str:
    """The text of a value that names a row; a column that the connected database lacks reads as None."""
    return "unknown" if value is None else str(value)
