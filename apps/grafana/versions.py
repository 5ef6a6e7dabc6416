"""Grafana's version numbers, and which of them are known to be unsafe behind the portal."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, NamedTuple

_NUMBER: Final = re.compile(r"\bv?(\d+)\.(\d+)\.(\d+)((?:[-+][0-9A-Za-z.+-]*)?)")


class Version(NamedTuple):
    """A version; they compare by their three numbers. `suffix` is such as `+security-01` or `-pre`."""

    major: int
    minor: int
    patch: int
    suffix: str = ""

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}{self.suffix}"

    @property
    def numbers(self) -> tuple[int, int, int]:
        """What is compared."""
        return self.major, self.minor, self.patch


OLDEST: Final = Version(9, 3, 0)
"""What the portal is written for begins here."""


def parse(text: str) -> Version | None:
    """The first version in a text such as `Version 12.4.0 (commit: …)`; None where there is none."""
    found = _NUMBER.search(text)
    return Version(int(found[1]), int(found[2]), int(found[3]), found[4]) if found else None


@dataclass(frozen=True)
class Flaw:
    """A published flaw. `fixed` has, for each minor release that was mended, the first good patch; `since` and `until`
    bound what is affected: from the first version to the first one in which no patch is needed."""

    name: str
    text: str
    since: tuple[int, int, int]
    until: tuple[int, int, int]
    fixed: tuple[tuple[int, int, int], ...]
    by_security_build: bool = False
    """The patches of `fixed` are good only as builds with `+security-01`."""

    def affects(self, version: Version) -> bool:
        """Whether `version` has it."""
        if not self.since <= version.numbers < self.until:
            return False
        for good in self.fixed:
            if good[:2] == version.numbers[:2]:
                if version.numbers == good and self.by_security_build:
                    return "security" not in version.suffix
                return version.numbers < good
        return True


FLAWS: Final = (
    Flaw("CVE-2023-22462", "a Text panel can run its author's scripts", (9, 2, 0), (9, 4, 0), ((9, 2, 10), (9, 3, 4))),
    Flaw("CVE-2023-0594", "a trace can run scripts", (7, 0, 0), (9, 4, 0), ((9, 2, 13), (9, 3, 8))),
    Flaw(
        "CVE-2024-9264",
        "SQL expressions read files of the server",
        (11, 0, 0),
        (11, 3, 0),
        ((11, 0, 6), (11, 1, 7), (11, 2, 2)),
    ),
    Flaw(
        "CVE-2025-4123",
        "an address with an encoded path runs scripts of others",
        (8, 0, 0),
        (12, 0, 1),
        ((10, 4, 18), (11, 2, 9), (11, 3, 6), (11, 4, 4), (11, 5, 4), (11, 6, 1), (12, 0, 0)),
        by_security_build=True,
    ),
    Flaw(
        "CVE-2026-27876",
        "SQL expressions write files of the server",
        (11, 6, 0),
        (12, 4, 2),
        ((11, 6, 14), (12, 2, 8), (12, 3, 6), (12, 4, 2)),
    ),
    Flaw(
        "CVE-2026-27877",
        "public dashboards show the passwords of data sources",
        (9, 3, 0),
        (12, 4, 2),
        ((11, 6, 14), (12, 2, 8), (12, 3, 6), (12, 4, 2)),
    ),
    Flaw("CVE-2026-33377", "an import takes over the rights of a dashboard", (13, 0, 0), (13, 0, 1), ()),
)
"""What the portal's proxy and configuration defend against too, and what a newer patch release mends for good."""


def flaws_of(version: Version) -> tuple[Flaw, ...]:
    """The known flaws of a version."""
    return tuple(flaw for flaw in FLAWS if flaw.affects(version))
