"""Why a panel has no data, in words for the person who looks at it."""

from __future__ import annotations

from typing import Final, Literal

Kind = Literal["refused", "sql", "timeout", "too_large", "busy", "unavailable", "cancelled"]
"""`refused`: it may not run; `sql`: the database could not run it; `timeout`, `too_large`: it went over a limit;
`busy`: no connection was free in time; `unavailable`: the database is away; `cancelled`: nobody waits any more."""

LASTING: Final[frozenset[Kind]] = frozenset({"sql", "timeout", "too_large"})
"""Failures that the same query would meet again, so that others may be shown them without asking the database."""


class PanelError(Exception):
    """A query did not give rows.

    `text` says why and `fix` what to do about it (may be empty); `position` is the character of the query, counted
    from 1, that PostgreSQL points at; `sqlstate` is PostgreSQL's code, empty where the portal itself refused.
    """

    def __init__(
        self, kind: Kind, text: str, *, position: int | None = None, fix: str = "", sqlstate: str = ""
    ) -> None:
        super().__init__(text)
        self.kind = kind
        self.text = text
        self.position = position
        self.fix = fix
        self.sqlstate = sqlstate

    def again(self) -> PanelError:
        """The same failure for another viewer: an exception object belongs to the thread that raises it."""
        return PanelError(self.kind, self.text, position=self.position, fix=self.fix, sqlstate=self.sqlstate)
