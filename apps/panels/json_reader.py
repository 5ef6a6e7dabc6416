"""Reads fields of decoded JSON with the type that they must have, and notes where a document differs."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias, TypeVar

JsonObject: TypeAlias = Mapping[str, Any]
"""A decoded JSON object. Its values are whatever the document's author wrote, hence Any."""
Severity: TypeAlias = Literal["error", "warning"]
T = TypeVar("T")


@dataclass(frozen=True)
class Problem:
    """Something wrong in a document: where (`panels[2].targets[0].rawSql`; empty for the whole), what, how bad."""

    path: str
    text: str
    severity: Severity = "error"

    def __str__(self) -> str:
        return f"{self.path}: {self.text}" if self.path else self.text


_WORDS = {bool: "true or false", int: "a number", float: "a number", str: "text", list: "a list", dict: "an object"}


def kind_of(value: object) -> str:
    """What a decoded JSON value is, in words."""
    return "null" if value is None else _WORDS.get(type(value), type(value).__name__)


@dataclass(frozen=True)
class Reader:
    """One JSON object of a document. A field that is absent or null gives the default; a wrong type also a problem."""

    fields: JsonObject
    path: str
    problems: list[Problem] = field(default_factory=list)

    def at(self, key: str) -> str:
        """The path of a field."""
        return f"{self.path}.{key}" if self.path else key

    def complain(self, key: str, text: str, severity: Severity = "error") -> None:
        """Note a problem of the field `key` (of the object itself where that is empty)."""
        self.problems.append(Problem(self.at(key) if key else self.path, text, severity))

    def text(self, key: str, default: str = "") -> str:
        """Text; a number is taken as its digits."""
        value = self.fields.get(key)
        if isinstance(value, str):
            return value
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
        return self._refused(key, value, "text", default)

    def flag(self, key: str, default: bool = False) -> bool:
        """True or false."""
        value = self.fields.get(key)
        return value if isinstance(value, bool) else self._refused(key, value, "true or false", default)

    def number(self, key: str) -> float | None:
        """A finite number, also one that is written as text."""
        value = self.fields.get(key)
        if isinstance(value, str) and value.strip():
            try:
                value = float(value)
            except ValueError:
                return self._refused(key, value, "a number", None)
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value):
            return value
        return None if value == "" else self._refused(key, value, "a number", None)

    def integer(self, key: str, default: int = 0) -> int:
        """A whole number; a fraction is cut off."""
        value = self.number(key)
        return default if value is None else int(value)

    def mapping(self, key: str) -> dict[str, Any]:
        """An object, empty where there is none."""
        value = self.fields.get(key)
        return value if isinstance(value, dict) else self._refused(key, value, "an object", dict[str, Any]())

    def inside(self, key: str) -> Reader:
        """The object of a field, to be read in turn."""
        return Reader(self.mapping(key), self.at(key), self.problems)

    def objects(self, key: str) -> Iterator[Reader]:
        """The objects of a list; what is no object is noted and left out."""
        value = self.fields.get(key)
        if not isinstance(value, list):
            value = self._refused(key, value, "a list", list[object]())
        for index, item in enumerate(value):
            path = f"{self.at(key)}[{index}]"
            if isinstance(item, dict):
                yield Reader(item, path, self.problems)
            else:
                self.problems.append(Problem(path, f"This is {kind_of(item)}, not an object"))

    def texts(self, key: str) -> tuple[str, ...]:
        """The texts of a list; what is no text is noted and left out."""
        value = self.fields.get(key)
        if not isinstance(value, list):
            value = self._refused(key, value, "a list", list[object]())
        for index, item in enumerate(value):
            if not isinstance(item, str):
                self.problems.append(Problem(f"{self.at(key)}[{index}]", f"This is {kind_of(item)}, not text"))
        return tuple(item for item in value if isinstance(item, str))

    def _refused(self, key: str, value: object, wanted: str, default: T) -> T:
        if value is not None:
            self.complain(key, f"This is {kind_of(value)}, not {wanted}")
        return default
