"""The JSON of dashboards as text: read within limits, judged, and written in its two normal forms.

The canonical text is what is stored and what the digest is of; the file's text is what people read and compare. In both
the keys are sorted, so that the same dashboard is always the same text.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any, Final

from apps.panels.document import InvalidDocumentError
from apps.panels.json_reader import Problem

MAX_BYTES: Final = 5 * 1024 * 1024
"""The largest document that is read or kept."""
MAX_DEPTH: Final = 100
"""How deep a document's values may lie in each other; dashboards need about 20."""
MAX_VALUES: Final = 200_000
"""How many values a document may have; large dashboards have some ten thousand."""
LARGEST_INTEGER: Final = 2**63
SURROGATE: Final = re.compile(r"[\ud800-\udfff]")
"""Half a character: JSON and file names can hold one, text and the database cannot."""


class UnreadableFileError(ValueError):
    """The file holds no JSON document."""


def parsed(data: bytes) -> object:
    """The decoded document of a file's bytes, UTF-8 with or without a mark. Raises UnreadableFileError."""
    if len(data) > MAX_BYTES:
        raise UnreadableFileError(f"the file is larger than {MAX_BYTES // 1024 // 1024} MB")
    try:
        return json.loads(data.decode("utf-8-sig"), parse_constant=_no_number)
    except UnicodeDecodeError as error:
        raise UnreadableFileError("the file is not UTF-8 text") from error
    except RecursionError as error:
        raise UnreadableFileError(f"the file is nested deeper than {MAX_DEPTH} values") from error
    except ValueError as error:
        raise UnreadableFileError(f"the file is no JSON: {error}") from error


def canonical(body: Mapping[str, Any]) -> str:
    """The text that stands for a body: keys sorted, no space, no escape that is not needed.

    Raises InvalidDocumentError for what is too large or cannot be kept, with its JSON path.
    """
    judge(body)
    text = json.dumps(body, allow_nan=False, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    if len(text.encode()) > MAX_BYTES:
        raise InvalidDocumentError([Problem("", f"The document is larger than {MAX_BYTES // 1024 // 1024} MB")])
    return text


def digest_of(body: Mapping[str, Any]) -> str:
    """The SHA-256 of the canonical text, in hexadecimal. Raises InvalidDocumentError."""
    return digest_of_text(canonical(body))


def digest_of_text(text: str) -> str:
    """The same of a canonical text."""
    return hashlib.sha256(text.encode()).hexdigest()


def file_text(value: object) -> str:
    """The text of an exported file: keys sorted, two spaces of indentation, a line break at the end."""
    return json.dumps(value, allow_nan=False, ensure_ascii=False, sort_keys=True, indent=2) + "\n"


def judge(body: Mapping[str, Any]) -> None:
    """Raises InvalidDocumentError for a body that is too large or deep, or has what cannot be kept, with its JSON path.

    Whatever walks through a body may do so only after this: nothing is nested without end then.
    """
    # A list in place of recursion: the depth is what is to be judged.
    waiting: list[tuple[object, str, int]] = [(body, "", 0)]
    count = 0
    while waiting:
        value, path, depth = waiting.pop()
        count += 1
        if count + len(waiting) > MAX_VALUES:
            raise InvalidDocumentError([Problem("", f"The document has more than {MAX_VALUES:,} values")])
        if depth > MAX_DEPTH:
            raise InvalidDocumentError([Problem(path, f"The document is nested deeper than {MAX_DEPTH} values")])
        match value:
            case bool() | None:
                continue
            case str():
                _judge_text(value, path)
            case int():
                if not -LARGEST_INTEGER <= value < LARGEST_INTEGER:
                    raise InvalidDocumentError([Problem(path, "This number is larger than any that Grafana knows")])
            case float():
                if value - value != 0:
                    raise InvalidDocumentError([Problem(path, "The document holds a number that is not finite")])
            case Mapping():
                for key in value:
                    _judge_text(key, path)
                waiting += [(item, f"{path}.{key}" if path else key, depth + 1) for key, item in value.items()]
            case list():
                waiting += [(item, f"{path}[{index}]", depth + 1) for index, item in enumerate(value)]
            case _:
                raise InvalidDocumentError([Problem(path, f"{type(value).__name__} is nothing that JSON knows")])


def _judge_text(text: object, path: str) -> None:
    if not isinstance(text, str):
        raise InvalidDocumentError([Problem(path, "A key is no text")])
    if "\0" in text:
        raise InvalidDocumentError([Problem(path, "The document holds a zero character, which no database keeps")])
    if SURROGATE.search(text):
        raise InvalidDocumentError([Problem(path, "The document holds half a character (a lone surrogate)")])


def _no_number(word: str) -> None:
    raise ValueError(f"{word} is no number of JSON")
