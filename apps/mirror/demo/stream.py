"""Rows into tables by COPY, as a stream: nothing is kept but a piece of text."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import UUID

Row = Mapping[str, object]
"""Values by column. Dictionaries and lists are JSON, tuples are arrays, everything else is what it is."""

PIECE: Final = 1 << 16


def copy_rows(cursor: Any, table: str, rows: Iterable[Row]) -> int:
    """Append `rows` to `table` and return how many there were.

    All rows have the columns of the first one (KeyError otherwise, ValueError when one has more).
    """
    numbered = iter(rows)
    first = next(numbered, None)
    if first is None:
        return 0
    columns = tuple(first)
    lines = _Lines(columns, first, numbered)
    names = ", ".join(f'"{column}"' for column in columns)
    cursor.copy_expert(f'COPY "{table}" ({names}) FROM STDIN', lines, PIECE)
    return lines.count


class _Lines:
    """What psycopg2 reads from: COPY's text format, made as it is asked for."""

    def __init__(self, columns: tuple[str, ...], first: Row, rest: Iterator[Row]) -> None:
        self.columns = columns
        self.count = 0
        self._first: Row | None = first
        self._rest = rest

    def read(self, size: int) -> bytes:
        """At least `size` bytes, or what is left; empty at the end."""
        lines: list[str] = []
        length = 0
        columns, encoders = self.columns, _ENCODERS
        width = len(columns)
        if self._first is not None:
            lines.append(self._line(self._first))
            self._first = None
        for row in self._rest:
            if len(row) != width:
                raise ValueError(f"a row has {len(row)} columns, the first one had {width}")
            line = "\t".join([encoders[type(value := row[column])](value) for column in columns])
            lines.append(line)
            length += len(line)
            if length >= size:
                break
        if not lines:
            return b""
        self.count += len(lines)
        lines.append("")
        return "\n".join(lines).encode()

    def _line(self, row: Row) -> str:
        return "\t".join([_ENCODERS[type(value := row[column])](value) for column in self.columns])


def _text(value: str) -> str:
    if value.isalnum():
        return value
    return value.replace("\\", "\\\\").replace("\t", "\\t").replace("\n", "\\n").replace("\r", "\\r")


def _json(value: object) -> str:
    return _text(json.dumps(value, ensure_ascii=False, separators=(",", ":")))


def _array(value: tuple[object, ...]) -> str:
    quoted = (f'"{str(item).replace(chr(92), chr(92) * 2).replace(chr(34), chr(92) + chr(34))}"' for item in value)
    return _text("{" + ",".join(quoted) + "}")


_ENCODERS: Final[dict[type, Callable[[Any], str]]] = {
    type(None): lambda _: "\\N",
    bool: lambda value: "t" if value else "f",
    int: str,
    float: repr,
    str: _text,
    UUID: lambda value: value.hex,
    datetime: datetime.isoformat,
    dict: _json,
    list: _json,
    tuple: _array,
}
