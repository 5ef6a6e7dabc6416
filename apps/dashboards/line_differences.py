"""How two bodies of a dashboard differ line by line. Keys are sorted, and a text of several lines, such as SQL, is
broken at them, so that a changed word is a changed line and not a changed page."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, Final, Literal, NamedTuple

AROUND: Final = 1
"""Lines that are shown before and after a change."""
MOST_COMPARED: Final = 20_000
"""Lines beyond which what differs is shown as one piece: comparing takes the square of them."""

_WORDS: Final = re.compile(r"\w+|\W")
Sign = Literal["@", " ", "-", "+"]


@dataclass(frozen=True)
class Line:
    """A line of the comparison: `@` names the place of what follows, the others are as in a unified diff.

    `head`, `word` and `tail` are the text's parts: where a line replaces another one, `word` is what differs.
    """

    sign: Sign
    head: str
    word: str = ""
    tail: str = ""

    @property
    def text(self) -> str:
        """The whole line."""
        return self.head + self.word + self.tail

    def __str__(self) -> str:
        return f"{self.sign} {self.text}"


def line_differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Line]:
    """The lines that differ, each run of them under its place; none for equal bodies."""
    old, new = list(_lines(before)), list(_lines(after))
    told: list[Line] = []
    for run in _runs(_changes([text for _, text in old], [text for _, text in new])):
        first, last = run[0], run[-1]
        place = new[first.other][0] if first.other < first.other_end else old[first.start][0]
        told.append(Line("@", place or "the document"))
        shown = max(0, first.start - AROUND)
        for change in run:
            told += [Line(" ", text) for _, text in old[shown : change.start]]
            told += _pairs(
                [text for _, text in old[change.start : change.end]],
                [text for _, text in new[change.other : change.other_end]],
            )
            shown = change.end
        told += [Line(" ", text) for _, text in old[shown : last.end + AROUND]]
    return told


class _Change(NamedTuple):
    """From and to in the old lines, from and to in the new ones."""

    start: int
    end: int
    other: int
    other_end: int


def _runs(changes: Iterator[_Change]) -> Iterator[list[_Change]]:
    """Changes whose surroundings would touch, together."""
    run: list[_Change] = []
    for change in changes:
        if run and change.start - run[-1].end > 2 * AROUND:
            yield run
            run = []
        run.append(change)
    if run:
        yield run


def _changes(old: list[str], new: list[str]) -> Iterator[_Change]:
    head = 0
    while head < min(len(old), len(new)) and old[head] == new[head]:
        head += 1
    tail = 0
    while tail < min(len(old), len(new)) - head and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    left, right = old[head : len(old) - tail], new[head : len(new) - tail]
    if len(left) + len(right) > MOST_COMPARED:
        yield _Change(head, len(old) - tail, head, len(new) - tail)
        return
    for tag, start, end, other, other_end in SequenceMatcher(None, left, right).get_opcodes():
        if tag != "equal":
            yield _Change(head + start, head + end, head + other, head + other_end)


def _pairs(old: list[str], new: list[str]) -> Iterator[Line]:
    """What was there and what is there now; line by line the word that differs, where they are as many."""
    parted = [_parted(*both) for both in zip(old, new, strict=True)] if len(old) == len(new) else []
    for index, text in enumerate(old):
        yield Line("-", *parted[index][0]) if parted else Line("-", text)
    for index, text in enumerate(new):
        yield Line("+", *parted[index][1]) if parted else Line("+", text)


def _parted(old: str, new: str) -> tuple[tuple[str, str, str], tuple[str, str, str]]:
    """Both texts before, in and after the words that differ."""
    left, right = _WORDS.findall(old), _WORDS.findall(new)
    head = 0
    while head < min(len(left), len(right)) and left[head] == right[head]:
        head += 1
    tail = 0
    while tail < min(len(left), len(right)) - head and left[-1 - tail] == right[-1 - tail]:
        tail += 1

    def three(words: list[str]) -> tuple[str, str, str]:
        end = len(words) - tail
        return "".join(words[:head]), "".join(words[head:end]), "".join(words[end:])

    return three(left), three(right)


def _lines(value: Any, path: str = "", lead: str = "", end: str = "", depth: int = 0) -> Iterator[tuple[str, str]]:
    """The lines of a value, each with the path of what stands there."""
    space = "  " * depth
    if isinstance(value, Mapping) and value:
        yield path, f"{space}{lead}{{"
        for number, key in enumerate(sorted(value), 1):
            comma = "," if number < len(value) else ""
            inside = f"{path}.{key}" if path else key
            yield from _lines(value[key], inside, f"{_json(key)}: ", comma, depth + 1)
        yield path, f"{space}}}{end}"
    elif isinstance(value, list) and value:
        yield path, f"{space}{lead}["
        for index, item in enumerate(value):
            comma = "," if index + 1 < len(value) else ""
            yield from _lines(item, f"{path}[{index}]", "", comma, depth + 1)
        yield path, f"{space}]{end}"
    elif isinstance(value, str) and "\n" in value:
        first, *others = [_json(part)[1:-1] for part in value.splitlines(keepends=True)]
        yield path, f'{space}{lead}"{first}'
        for part in others:
            yield path, f"{space}    {part}"
        yield path, f'{space}    "{end}'
    else:
        yield path, f"{space}{lead}{_json(value)}{end}"


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
