"""The Dockerfile as data: stages with their instructions, arguments filled in."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field

_NAME = re.compile(r"\$\{(\w+)\}|\$(\w+)")


@dataclass
class Stage:
    """`base` is an image or the name of an earlier stage."""

    name: str
    base: str
    instructions: list[tuple[str, str]] = field(default_factory=list)

    def values(self, word: str) -> list[str]:
        """What follows each instruction of this kind."""
        return [text for kind, text in self.instructions if kind == word]


def stages(text: str, arguments: Mapping[str, str] | None = None) -> list[Stage]:
    """All stages in their order. `arguments` go before the defaults of the ARGs above the first FROM."""
    values = dict(arguments or {})
    found: list[Stage] = []
    joined = re.sub(r"\\\n\s*", " ", "\n".join(line for line in text.splitlines() if not line.startswith("#")))
    for line in filter(None, map(str.strip, joined.splitlines())):
        word, _, rest = line.partition(" ")
        if word == "FROM":
            image, _, name = filled(rest, values).partition(" AS ")
            found.append(Stage(name.strip(), image.strip()))
        elif word == "ARG" and not found:
            name, _, default = rest.partition("=")
            values.setdefault(name, default)
        else:
            found[-1].instructions.append((word, rest))
    return found


def filled(text: str, values: Mapping[str, str]) -> str:
    """`$NAME` and `${NAME}` replaced."""
    return _NAME.sub(lambda match: values.get(match[1] or match[2], ""), text)


def assignments(text: str, values: Mapping[str, str]) -> dict[str, str]:
    """The variables of an ENV instruction."""
    return {name: filled(value, values) for name, _, value in (word.partition("=") for word in shlex.split(text))}


def words(text: str) -> list[str]:
    """The words of an instruction in its JSON form."""
    found = json.loads(text)
    assert isinstance(found, list)
    return [str(word) for word in found]
