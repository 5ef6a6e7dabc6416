"""Requests to one Grafana over kept-alive connections: bounded in time and size, repeated only where that is safe.

What is repeated: a GET after any failure that may pass; anything else only when it surely was not done, which is when
no connection came about, or when Grafana answered 429. All other failed writes say `uncertain`: read before you write
again. Between tries the wait is drawn from zero to a bound that doubles (full jitter), after what `Retry-After` says.
"""

from __future__ import annotations

import base64
import json
import logging
import random
import socket
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Final
from urllib.parse import quote, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

from apps.grafana import address as addresses
from apps.grafana.address import Place
from apps.grafana.errors import AddressRefused, GrafanaError, NotGrafana, ServerFault, Unreachable, failure

logger = logging.getLogger(__name__)

AGENT: Final = "vptmonitor"
HIDDEN: Final = "********"
MEBIBYTE: Final = 1024 * 1024


@dataclass(frozen=True)
class Credentials:
    """A service account's token, or a user with a password. The secret appears in no text of this object."""

    secret: str = field(repr=False)
    user: str = ""

    def __str__(self) -> str:
        return "basic" if self.user else "token"


@dataclass(frozen=True)
class Limits:
    """Bounds of one request, in seconds and bytes: `connect` and `read` per try, `answer` for a whole answer."""

    connect: float = 5.0
    read: float = 30.0
    answer: float = 120.0
    size: int = 64 * MEBIBYTE


@dataclass(frozen=True)
class Patience:
    """How often and how long (seconds) is waited: `tries` in all, waits below `base * 2**n` and `most`.

    A `Retry-After` beyond `longest` is not waited for.
    """

    tries: int = 4
    base: float = 0.25
    most: float = 8.0
    longest: float = 30.0


class Tally:
    """What a client has done so far, for budgets and reports. Threads may share it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.requests = 0
        self.writes = 0
        self.repeats = 0
        self.sent = 0
        self.received = 0

    def add(self, *, write: bool, repeat: bool, sent: int) -> None:
        """Count one request, of `sent` bytes of body."""
        with self._lock:
            self.requests += 1
            self.writes += write
            self.repeats += repeat
            self.sent += sent

    def got(self, size: int) -> None:
        """Count the bytes of an answer's body."""
        with self._lock:
            self.received += size


class Transport:
    """One Grafana, one organisation, one account. Threads may share it; `concurrency` of them get a connection each.

    `private`: whether the address may lie in a private network, see `address`. `authorities`: a PEM file of those that
    certificates may be signed by, empty for the usual ones.
    """

    def __init__(
        self,
        place: Place,
        credentials: Credentials | None,
        *,
        org_id: int,
        private: bool,
        verify_tls: bool = True,
        authorities: str = "",
        concurrency: int = 4,
        limits: Limits | None = None,
        patience: Patience | None = None,
        rest: Callable[[float], object] = time.sleep,
    ) -> None:
        self.tally = Tally()
        self._root = f"{place.scheme}://{_authority(place)}{place.path}"
        self._secret = credentials.secret if credentials else ""
        self._limits = limits or Limits()
        self._patience = patience or Patience()
        self._rest = rest
        self._session = session = requests.Session()
        # Nothing from the environment may change where requests go (proxies) or as whom (.netrc).
        session.trust_env = False
        session.verify = (authorities or True) if verify_tls else False
        session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        adapter = _Adapter(private=private, concurrency=concurrency)
        session.mount("http://", adapter)
        session.mount("https://", adapter)
        session.headers.update({"User-Agent": AGENT, "Accept": "application/json", "X-Grafana-Org-Id": str(org_id)})
        if credentials and credentials.user:
            pair = base64.b64encode(f"{credentials.user}:{credentials.secret}".encode())
            session.headers["Authorization"] = f"Basic {pair.decode()}"
        elif credentials:
            session.headers["Authorization"] = f"Bearer {credentials.secret}"

    def close(self) -> None:
        """Close all connections."""
        self._session.close()

    def ask(
        self,
        method: str,
        path: str,
        *,
        doing: str,
        query: Mapping[str, str | int] | None = None,
        body: Any = None,
        accept: str = "",
    ) -> Any:
        """Send a request and return the JSON of the answer. `doing` names it in errors, as 'Reading dashboard x'.

        Raises GrafanaError.
        """
        write = method != "GET"
        data = None if body is None else json.dumps(body, separators=(",", ":")).encode()
        headers = {"Content-Type": "application/json"} if data is not None else {}
        if accept:
            headers["Accept"] = accept
        for turn in range(self._patience.tries):
            self.tally.add(write=write, repeat=turn > 0, sent=len(data or b""))
            try:
                return self._once(method, path, query, data, headers, doing)
            except GrafanaError as error:
                safe = not write or not error.uncertain
                if not (error.transient and safe) or turn + 1 == self._patience.tries:
                    raise
                pause = self._pause(turn, error)
                if pause is None:
                    raise
                logger.info("%s (try %d of %d, %.1f s)", error.text, turn + 1, self._patience.tries, pause)
                self._rest(pause)
        raise AssertionError("the last try returns or raises")

    def _once(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | int] | None,
        data: bytes | None,
        headers: Mapping[str, str],
        doing: str,
    ) -> Any:
        write = method != "GET"
        try:
            response = self._session.request(
                method,
                self._root + path,
                params=dict(query or {}),
                data=data,
                headers=dict(headers),
                timeout=(self._limits.connect, self._limits.read),
                allow_redirects=False,
                stream=True,
            )
        except (requests.RequestException, urllib3.exceptions.HTTPError, UnicodeError, OSError) as error:
            raise self._no_answer(error, doing, write) from None
        try:
            content = self._content(response, doing, write)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise self._no_answer(error, doing, write, began=True) from None
        finally:
            response.close()
        return self._judged(response, content, doing, write)

    def _content(self, response: requests.Response, doing: str, write: bool) -> bytes:
        until = time.monotonic() + self._limits.answer
        pieces: list[bytes] = []
        size = 0
        for piece in response.iter_content(64 * 1024):
            size += len(piece)
            if size > self._limits.size:
                raise NotGrafana(
                    f"{doing}: the answer is longer than {self._limits.size // MEBIBYTE} MiB.",
                    status=response.status_code,
                    uncertain=write,
                )
            if time.monotonic() > until:
                raise Unreachable(f"{doing}: the answer took over {self._limits.answer:g} s.", uncertain=write)
            pieces.append(piece)
        self.tally.got(size)
        return b"".join(pieces)

    def _judged(self, response: requests.Response, content: bytes, doing: str, write: bool) -> Any:
        status = response.status_code
        if 300 <= status < 400:
            target = urlsplit(response.headers.get("Location", ""))
            where = f" to {target.scheme}://{target.hostname}" if target.hostname else ""
            raise NotGrafana(
                f"{doing}: the address redirects{where} ({status}), which is not followed. Name the final address.",
                status=status,
            )
        try:
            answer = json.loads(content) if content.strip() else None
        except (ValueError, RecursionError):
            if status >= 500:
                raise ServerFault(f"{doing}: Grafana failed ({status}).", status=status, uncertain=write) from None
            if status < 400:
                raise NotGrafana(
                    f"{doing}: what answers there is no Grafana: no JSON came. Is a path such as /grafana missing?",
                    status=status,
                    uncertain=write,
                ) from None
            answer = None
        if status < 400:
            return answer
        told = answer if isinstance(answer, dict) else {}
        sentence = self._clean(_text(told.get("message")))
        code = _text(told.get("reason") if told.get("kind") == "Status" else told.get("status"))
        wait = _retry_after(response.headers.get("Retry-After", ""))
        raise failure(status, code, sentence, doing=doing, write=write, retry_after=wait)

    def _pause(self, turn: int, error: GrafanaError) -> float | None:
        """Seconds until the next try, None where Grafana wants us to stay away for longer than we wait."""
        jitter = random.uniform(0, min(self._patience.most, self._patience.base * 2**turn))  # noqa: S311
        named = error.retry_after
        if named is None:
            return jitter
        return named + jitter if named <= self._patience.longest else None

    def _no_answer(self, error: BaseException, doing: str, write: bool, *, began: bool = False) -> GrafanaError:
        """The error for a request without a whole answer; `uncertain` unless it surely never left."""
        for one in _causes(error):
            if isinstance(one, AddressRefused):
                return AddressRefused(f"{doing}: {one.text}")
        if isinstance(error, requests.exceptions.SSLError):
            return _Certificate(f"{doing}: the certificate of {self._root} does not hold.")
        left = began or not any(
            isinstance(one, urllib3.exceptions.NewConnectionError | urllib3.exceptions.ConnectTimeoutError)
            for one in _causes(error)
        )
        return Unreachable(f"{doing}: {self._why(error)}", uncertain=write and left)

    def _why(self, error: BaseException) -> str:
        """One sentence for people, without addresses of objects and without secrets."""
        causes = list(_causes(error))
        if any(isinstance(one, socket.gaierror | urllib3.exceptions.NameResolutionError) for one in causes):
            return f"the name in {self._root} is not known."
        if any(isinstance(one, ConnectionRefusedError) for one in causes):
            return f"nothing listens at {self._root}."
        if any(isinstance(one, requests.ConnectTimeout | urllib3.exceptions.ConnectTimeoutError) for one in causes):
            return f"{self._root} did not accept a connection within {self._limits.connect:g} s."
        if any(isinstance(one, TimeoutError | requests.Timeout | urllib3.exceptions.TimeoutError) for one in causes):
            return f"no answer within {self._limits.read:g} s."
        return f"the connection to {self._root} broke off."

    def _clean(self, text: str) -> str:
        return text.replace(self._secret, HIDDEN) if self._secret else text


class _Certificate(Unreachable):
    """Waiting does not mend a certificate."""

    transient = False


def segment(text: str) -> str:
    """One part of a path, whatever is in it."""
    return quote(text, safe="")


def _authority(place: Place) -> str:
    host = f"[{place.host}]" if ":" in place.host else place.host
    return f"{host}:{place.port}"


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _retry_after(header: str) -> float | None:
    """Seconds, of a number or a date; None for neither."""
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        moment = parsedate_to_datetime(text)
        return max(0.0, moment.timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None


def _causes(error: BaseException | None) -> list[BaseException]:
    """The error and all that it wraps, by chaining, by `reason` or as an argument."""
    found: list[BaseException] = []
    waiting = [error]
    while waiting:
        one = waiting.pop()
        if one is None or one in found:
            continue
        found.append(one)
        waiting += [one.__cause__, one.__context__]
        waiting += [part for part in (*one.args, getattr(one, "reason", None)) if isinstance(part, BaseException)]
    return found


class _Checked:
    """A connection that is only made to addresses that may be asked."""

    private = False

    def _new_conn(self: Any) -> socket.socket:
        try:
            found = addresses.resolve(self._dns_host, self.port)
        except (OSError, UnicodeError):
            found = []  # the attempt that follows tells why
        for ip in found:
            addresses.check(ip, private=self.private)
        made: socket.socket = super()._new_conn()  # type: ignore[misc]
        try:
            addresses.check(addresses.peer(made), private=self.private)
        except BaseException:
            made.close()
            raise
        return made


class _Http(_Checked, HTTPConnection):
    pass


class _Https(_Checked, HTTPSConnection):
    pass


class _PrivateHttp(_Http):
    private = True


class _PrivateHttps(_Https):
    private = True


class _HttpPool(HTTPConnectionPool):
    ConnectionCls = _Http


class _HttpsPool(HTTPSConnectionPool):
    ConnectionCls = _Https


class _PrivateHttpPool(HTTPConnectionPool):
    ConnectionCls = _PrivateHttp


class _PrivateHttpsPool(HTTPSConnectionPool):
    ConnectionCls = _PrivateHttps


class _Adapter(HTTPAdapter):
    """Connections of the kinds above, `concurrency` of them kept alive."""

    def __init__(self, *, private: bool, concurrency: int) -> None:
        self._private = private
        super().__init__(pool_connections=1, pool_maxsize=concurrency, max_retries=0)

    def init_poolmanager(self, *arguments: Any, **options: Any) -> None:
        super().init_poolmanager(*arguments, **options)
        self.poolmanager.pool_classes_by_scheme = (
            {"http": _PrivateHttpPool, "https": _PrivateHttpsPool}
            if self._private
            else {"http": _HttpPool, "https": _HttpsPool}
        )
