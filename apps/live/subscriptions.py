"""What can be asked to be heard of."""

from __future__ import annotations

from typing import Any, Final

from apps.live.tables import topics
from apps.live.viewers import ACCESS_TOPICS

MOST_TOPICS: Final = 40


class BadTopicsError(ValueError):
    """No list of topics. The text names what is wrong with it."""


def subscribable() -> frozenset[str]:
    """All that can be asked for."""
    return topics() - ACCESS_TOPICS


def wanted(value: Any) -> frozenset[str]:
    """The topics that a client asks for. Which rows of these it hears of is its viewer's scope's matter.

    Raises BadTopicsError.
    """
    if not isinstance(value, list) or not value or len(value) > MOST_TOPICS:
        raise BadTopicsError(f"`topics` is a list of 1 to {MOST_TOPICS} names of tables.")
    unknown = [name for name in value if not isinstance(name, str) or name not in subscribable()]
    if unknown:
        raise BadTopicsError(f"`topics`: there is no {str(unknown[0])[:40]!r}.")
    return frozenset(value)
