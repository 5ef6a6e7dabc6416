"""Typed reading of the environment and of `.env`, by django-environ, with errors that name the variable and the fix.

Three rules differ from django-environ's defaults, each since a real password would suffer:

* a value is taken as it stands: `$` starts no reference to another variable;
* every secret can come from a file, by `NAME_FILE`; a secret that nobody gave is made once and kept in
  `secrets.env` (mode 0600) below the data directory;
* a secret that the whole world knows (`admin123`), or an empty one, is refused when it is given explicitly.
"""

from __future__ import annotations

import os
import re
import secrets
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TextIO, TypeVar, cast

import environ

T = TypeVar("T")

KNOWN_SECRETS = frozenset(
    {
        "admin", "admin123", "changeme", "change-me", "default", "password", "password123", "postgres", "secret",
        "your_database_password", "your_grafana_secret_key", "your_grafana_secret_key_here", "your_secure_password",
        "your_supabase_anon_key", "sw2ycwtkwmb1k37l",
    }
)  # fmt: skip
"""Defaults from documents and products, in lower case; the last is Grafana's own `secret_key`."""

_LINE = re.compile(r"\A\s*(?:export\s+)?[A-Za-z_][A-Za-z0-9_]*=")


class ConfigurationError(Exception):
    """A variable has a value that the portal cannot work with.

    `variable` names it, `problem` says what is wrong, `fix` what to write instead; none holds a secret's value.
    """

    def __init__(self, variable: str, problem: str, fix: str) -> None:
        super().__init__(f"{variable}: {problem}. {fix}")
        self.variable, self.problem, self.fix = variable, problem, fix


class _PlainEnv(environ.Env):  # type: ignore[misc]
    """django-environ without its `$NAME` references, reading from a mapping of its own."""

    def __init__(self, values: dict[str, str]) -> None:
        super().__init__()
        self.ENVIRON = values

    def get_value(  # type: ignore[no-untyped-def]
        self, var, cast=None, default=environ.Env.NOTSET, parse_default=False
    ):
        if var not in self.ENVIRON:
            return default
        return self.parse_value(self.ENVIRON[var], cast)


class Environment:
    """What was configured. `asked` collects every name that was read, so that `.env.example` can be held against it."""

    def __init__(self, values: Mapping[str, str], data_dir: Path | None = None) -> None:
        self._values = dict(values)
        self._env = _PlainEnv(self._values)
        self._data_dir = data_dir
        self.asked: list[str] = []

    def given(self, name: str) -> bool:
        """Whether somebody set `name` to something, the empty string being nothing."""
        return bool(self._values.get(name, "").strip())

    def text(self, name: str, default: str = "") -> str:
        """The value as it stands, less the white space around it; `default` where it is missing or empty."""
        self._note(name)
        return self._values.get(name, "").strip() or default

    def flag(self, name: str, default: bool) -> bool:
        """A yes or no: 1/0, true/false, yes/no, on/off."""
        value = self.text(name).lower()
        if value and value not in {*environ.Env.BOOLEAN_TRUE_STRINGS, "0", "n", "no", "off", "false"}:
            raise ConfigurationError(name, f"{value!r} is neither yes nor no", "Write true or false")
        return cast(bool, self._env.bool(name)) if value else default

    def integer(self, name: str, default: int, lowest: int, highest: int) -> int:
        """A whole number from `lowest` to `highest`."""
        value = self.text(name)
        if not value:
            return default
        try:
            number = int(value)
        except ValueError:
            raise ConfigurationError(
                name, f"{value!r} is not a whole number", f"Write one, such as {default}"
            ) from None
        if not lowest <= number <= highest:
            raise ConfigurationError(name, f"{number} is out of range", f"Write a number from {lowest} to {highest}")
        return number

    def words(self, name: str, default: Iterable[str] = ()) -> list[str]:
        """A list, separated by commas."""
        value = self.text(name)
        return [word.strip() for word in value.split(",") if word.strip()] if value else list(default)

    def choice(self, name: str, allowed: tuple[str, ...], default: str) -> str:
        """One of a few words, in lower case."""
        value = self.text(name, default).lower()
        if value not in allowed:
            raise ConfigurationError(name, f"{value!r} is not known", f"Write one of {', '.join(allowed)}")
        return value

    def checked(self, name: str, read: Callable[[str], T], default: T) -> T:
        """What `read` makes of the text; a ValueError of its becomes a ConfigurationError, its argument the fix."""
        value = self.text(name)
        if not value:
            return default
        try:
            return read(value)
        except ValueError as error:
            raise ConfigurationError(name, "the value cannot be used", str(error)) from None

    def secret(self, name: str, *, raw: bool = False) -> str:
        """A secret from `NAME` or the file that `NAME_FILE` names; empty where neither is given.

        With `raw` the value is somebody else's (a database's password) and is not judged. Otherwise an empty value or
        a known default is refused.
        """
        self._note(name)
        self._note(f"{name}_FILE")
        path = self._values.get(f"{name}_FILE", "").strip()
        if path:
            try:
                value = Path(path).read_text(encoding="utf-8").rstrip("\r\n")
            except (OSError, UnicodeDecodeError) as error:
                reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
                raise ConfigurationError(
                    f"{name}_FILE", f"cannot read {path}: {reason}", "Name a readable file"
                ) from None
        elif name in self._values:
            value = self._values[name]
        else:
            return ""
        if raw:
            return value
        if not value.strip():
            raise ConfigurationError(name, "it is empty", "Give it a value, or leave it out to have one made")
        if value.strip().lower() in KNOWN_SECRETS:
            raise ConfigurationError(
                name, "this value is a default that everybody knows", "Choose another, or leave it out to have one made"
            )
        return value

    def passed(self, name: str) -> str:
        """A secret that no setting knows, from `NAME` or the file that `NAME_FILE` names; empty where there is none."""
        path = self._values.get(f"{name}_FILE", "").strip()
        if not path:
            return self._values.get(name, "")
        try:
            return Path(path).read_text(encoding="utf-8").rstrip("\r\n")
        except (OSError, UnicodeDecodeError):
            return ""

    def own_secret(self, name: str, length: int = 48) -> str:
        """Like `secret`, but one that nobody gave is made (`length` URL-safe characters) and kept."""
        value = self.secret(name)
        if value or self._data_dir is None:
            return value or secrets.token_urlsafe(length)[:length]
        return kept_secret(self._data_dir / "secrets.env", name, length)

    def _note(self, name: str) -> None:
        if name not in self.asked:
            self.asked.append(name)


def read(root: Path, given: Mapping[str, str]) -> Environment:
    """The environment over `.env` in `root`: what the process was given wins over the file.

    `ENV_FILE` names another file; empty, none is read.

    Raises ConfigurationError for a `.env` that has a line that is neither empty, a comment nor `NAME=value`.
    """
    values: dict[str, str] = {}
    name = given.get("ENV_FILE", ".env").strip()
    path = root / name
    if name and path.exists():
        try:
            content = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            raise ConfigurationError(name, f"it cannot be read: {reason}", "Mend or remove the file") from None
        for number, line in enumerate(content.splitlines(), start=1):
            if line.strip() and not line.lstrip().startswith("#") and not _LINE.match(line):
                raise ConfigurationError(name, f"line {number} is not NAME=value", "Mend the line or start it with #")

        class File(environ.Env):  # type: ignore[misc]
            ENVIRON = values

        File.read_env(path)
    values.update(given)
    data_dir = Path(values.get("DATA_DIR", "").strip() or root / ".data")
    return Environment(values, data_dir)


def kept_secret(path: Path, name: str, length: int = 48) -> str:
    """The secret `name` of the 0600 file `path`, made and appended when it is not there yet.

    Safe when several processes start at once: the file is read and written under an exclusive lock.
    """
    try:
        # Others may pass through, not look: what lies within is private, but the embedded server may be another user's.
        path.parent.mkdir(mode=0o711, parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
        with os.fdopen(descriptor, "r+", encoding="utf-8") as file:
            return _found_or_made(file, name, length)
    except OSError as error:
        raise ConfigurationError(
            "DATA_DIR", f"cannot write {path}: {error.strerror}", "Name a folder that the portal may write to"
        ) from None


def _found_or_made(file: TextIO, name: str, length: int) -> str:
    import fcntl

    fcntl.flock(file, fcntl.LOCK_EX)
    file.seek(0)
    for line in file:
        key, _, value = line.rstrip("\n").partition("=")
        if key == name:
            return value
    made = secrets.token_urlsafe(length)[:length]
    file.write(f"{name}={made}\n")
    file.flush()
    os.fsync(file.fileno())
    return made
