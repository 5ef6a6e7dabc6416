"""Whether pages show made-up rows: they say so, discreetly."""

from __future__ import annotations

from typing import Final

from django.conf import settings
from django.core.cache import cache
from django.db import DatabaseError

from apps.mirror.demo.lab import Lab, profile_id, team_id
from apps.mirror.demo.rows.fleet import RECORD
from apps.mirror.models import EnvironmentProfile, Team

_KEY: Final = "mirror.demo.present"
_SECONDS: Final = 30


def demo_rows_present() -> bool:
    """Whether the source holds the demo lab; looked up by primary key, at most every half minute in each process.

    False for a database that is not ours (it never gets demo rows) and while the database is away.
    """
    if settings.SOURCE_ACCESS != "own":
        return False
    known = cache.get(_KEY)
    if known is None:
        try:
            known = Team.objects.filter(pk=team_id(0)).exists()
        except DatabaseError:
            return False
        cache.set(_KEY, known, _SECONDS)
    return bool(known)


def loaded_lab() -> Lab | None:
    """The lab whose rows are in the source, built again from what its first team's environment profile says of it.

    None where there is none, or where somebody wrote over that profile.
    """
    profile = EnvironmentProfile.objects.filter(pk=profile_id(Lab().teams[0])).first()
    record = (profile.config or {}).get(RECORD) if profile is not None else None
    try:
        return Lab(**record) if isinstance(record, dict) else None
    except (TypeError, ValueError):
        return None


def forget() -> None:
    """Look again the next time: the rows have just come or gone."""
    cache.delete(_KEY)
