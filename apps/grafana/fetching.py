"""Fetch a file that has a published SHA-256: resumed where a former attempt broke off, and never believed unchecked."""

from __future__ import annotations

import hashlib
import ipaddress
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import requests

LARGEST: Final = 1024 * 1024 * 1024
"""Bytes that an archive may have; a release of Grafana has about 200 MB."""
TIMEOUT: Final = (10.0, 60.0)
"""Seconds to connect, and between two pieces."""
PIECE: Final = 64 * 1024
"""What is lost at most when a connection breaks."""
_SUM: Final = re.compile(r"\b([0-9a-f]{64})\b")

Progress = Callable[[int, int], None]
"""Is told the bytes that are there and the bytes that there will be, 0 while that is not known."""


class FetchError(Exception):
    """It could not be fetched; the text is a sentence."""


def fetch_checksum(url: str) -> str:
    """The SHA-256, in hexadecimal digits, that a small text file holds. Raises FetchError."""
    with _get(url, {}) as answer:
        _expect(answer, (200,))
        text = answer.raw.read(4096, decode_content=True).decode(errors="replace").lower()
    found = _SUM.search(text)
    if found is None:
        raise FetchError(f"{url} holds no SHA-256")
    return found[1]


def fetch(url: str, target: Path, sha256: str, progress: Progress | None = None) -> None:
    """Fetch `url` to `target`, going on with what lies there. Raises FetchError and OSError.

    Bytes that turn out not to belong to the checksum are thrown away, once, and fetched anew.
    """
    for attempt in ("resumed", "anew"):
        had = target.stat().st_size if target.exists() else 0
        if not (had and _sum(target) == sha256):
            _append(url, target, had, progress)
        found = _sum(target)
        if found == sha256:
            return
        target.unlink()
        if attempt == "anew" or not had:
            raise FetchError(f"{url} has the SHA-256 {found} and not {sha256}: it is not what was published")


def _append(url: str, target: Path, had: int, progress: Progress | None) -> None:
    headers = {"Accept-Encoding": "identity", **({"Range": f"bytes={had}-"} if had else {})}
    with _get(url, headers) as answer:
        if answer.status_code == 416:
            # There is nothing after what lies there: its checksum says whether it is whole.
            return
        _expect(answer, (200, 206))
        begin = had if answer.status_code == 206 and _begins(answer) == had else 0
        if answer.status_code == 206 and begin != had:
            raise FetchError(f"{url}: the server sends another part than was asked for")
        length = int(answer.headers.get("Content-Length", 0))
        if begin + length > LARGEST:
            raise FetchError(f"{url} is larger than {LARGEST // 2**20} MB")
        there = begin
        with target.open("r+b" if begin else "wb") as file:
            file.seek(begin)
            file.truncate()
            try:
                for piece in answer.iter_content(PIECE):
                    there += len(piece)
                    if there > LARGEST:
                        raise FetchError(f"{url} is larger than {LARGEST // 2**20} MB")
                    file.write(piece)
                    if progress:
                        progress(there, begin + length if length else 0)
            except requests.RequestException as error:
                raise _broken(url, error, there) from None
        if length and there < begin + length:
            raise FetchError(f"{url} broke off after {there} bytes; the next attempt goes on there")


def _begins(answer: requests.Response) -> int:
    found = re.match(r"bytes (\d+)-", answer.headers.get("Content-Range", ""))
    return int(found[1]) if found else -1


def _get(url: str, headers: dict[str, str]) -> requests.Response:
    _check(url)
    try:
        answer = requests.get(url, headers=headers, stream=True, timeout=TIMEOUT)
    except requests.RequestException as error:
        raise _broken(url, error, 0) from None
    _check(answer.url)
    return answer


def _check(url: str) -> None:
    """TLS, or this machine."""
    address = urlsplit(url)
    if address.scheme == "https" and address.hostname:
        return
    try:
        if address.scheme == "http" and ipaddress.ip_address(address.hostname or "").is_loopback:
            return
    except ValueError:
        pass
    raise FetchError(f"{url} is no https:// address")


def _expect(answer: requests.Response, statuses: tuple[int, ...]) -> None:
    if answer.status_code not in statuses:
        raise FetchError(f"{answer.url} answers {answer.status_code}")


def _broken(url: str, error: requests.RequestException, there: int) -> FetchError:
    kept = f"; {there} bytes are kept, and the next attempt goes on there" if there else ""
    return FetchError(f"{url} cannot be fetched ({type(error).__name__}){kept}")


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
