"""Why a Grafana did not do what was asked: one family, so that a caller tells them apart by class and never by text."""

from __future__ import annotations

from typing import ClassVar, Final

LONGEST_SENTENCE: Final = 500
"""Characters of Grafana's own sentence that are kept."""


class GrafanaError(Exception):
    """A request failed.

    `status` is the HTTP status (None when no answer came), `sentence` what Grafana said (empty when it said nothing).
    `transient`: the same request may succeed later. `uncertain`: it was a write whose outcome nobody knows, so that the
    caller has to read before it writes again. `retry_after`: the seconds that Grafana wants us to stay away, None where
    it named none. The text is a whole sentence for people and holds no secret.
    """

    transient: ClassVar[bool] = False

    def __init__(
        self,
        text: str,
        *,
        status: int | None = None,
        sentence: str = "",
        uncertain: bool = False,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(text)
        self.text = text
        self.status = status
        self.sentence = sentence[:LONGEST_SENTENCE]
        self.uncertain = uncertain
        self.retry_after = retry_after


class Unreachable(GrafanaError):
    """No answer: refused, unresolved, cut off, too slow, a certificate that does not hold."""

    transient = True


class AddressRefused(GrafanaError):
    """The address may not be asked, see `address`. Nothing was sent."""


class NotGrafana(GrafanaError):
    """Something answered that is no Grafana, or not within the limits: a redirect, a page, an endless answer."""


class CredentialMissing(GrafanaError):
    """The environment variable that an instance names holds no secret. Nothing was sent."""


class Unauthorised(GrafanaError):
    """The credentials are refused (401)."""


class Forbidden(Unauthorised):
    """The credentials are good, and not for this (403)."""


class NotFound(GrafanaError):
    """There is no such thing (404)."""


class VersionMismatch(GrafanaError):
    """Somebody else changed it meanwhile (412, 409 of `/apis`). Grafana kept theirs."""


class NameExists(GrafanaError):
    """Another one has that name, or that uid, in that place (412 `name-exists`, 409 of folders)."""


class Provisioned(GrafanaError):
    """It comes from a file or a plugin of Grafana's side and cannot be saved or deleted from here."""


class Invalid(GrafanaError):
    """Grafana refuses the content (400, 413, 422); `sentence` says why."""


class RateLimited(GrafanaError):
    """Too many requests (429). Nothing was done."""

    transient = True


class ServerFault(GrafanaError):
    """Grafana, or what stands before it, failed (5xx)."""

    transient = True


_PROVISIONED: Final = ("cannot save provisioned dashboard", "provisioned dashboard cannot be deleted")
"""Grafana has no code for it, only these sentences."""
_TAKEN: Final = ("same uid already exists", "same name already exists", "with that name already exists")


def failure(
    status: int, code: str, sentence: str, *, doing: str, write: bool, retry_after: float | None
) -> GrafanaError:
    """The error that an answer means. `code` is the body's `status` (`reason` of `/apis`), `doing` what was asked."""
    said = f": {sentence.rstrip('.')[:LONGEST_SENTENCE]}." if sentence else "."
    lower = sentence.lower()
    if status == 401:
        return Unauthorised(f"{doing}: the credentials were refused (401){said}", status=status, sentence=sentence)
    if status == 403:
        return Forbidden(f"{doing}: not allowed (403){said}", status=status, sentence=sentence)
    if code == "plugin-dashboard" or any(known in lower for known in _PROVISIONED):
        return Provisioned(f"{doing}: it is not ours to change ({status}){said}", status=status, sentence=sentence)
    if status == 404:
        return NotFound(f"{doing}: not found (404){said}", status=status, sentence=sentence)
    if code in {"name-exists", "name-match", "AlreadyExists"} or any(known in lower for known in _TAKEN):
        return NameExists(f"{doing}: the name or uid is taken ({status}){said}", status=status, sentence=sentence)
    if status in {409, 412}:
        return VersionMismatch(f"{doing}: it changed meanwhile ({status}){said}", status=status, sentence=sentence)
    if status == 429:
        text = f"{doing}: too many requests (429){said}"
        return RateLimited(text, status=status, sentence=sentence, retry_after=retry_after)
    if status >= 500 and "circular reference" not in lower:
        text = f"{doing}: Grafana failed ({status}){said}"
        return ServerFault(text, status=status, sentence=sentence, uncertain=write, retry_after=retry_after)
    return Invalid(f"{doing}: Grafana refused it ({status}){said}", status=status, sentence=sentence)
