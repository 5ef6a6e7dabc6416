"""As whom the server runs.

PostgreSQL refuses to run as root. For root it runs as the unprivileged user that owns the data directory, or as
`nobody` for a new one. That user must reach the data and the programs; where a folder above them is closed to it (a
clone below /root, say), the server keeps one capability, the right to search and read past permissions, in place of
opened folders. Nothing above the data directory ever changes its mode or owner.
"""

import ctypes
import os
import pwd
import signal
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from vptmonitor.embedded.errors import EmbeddedError

LINUX = sys.platform.startswith("linux")

# From linux/prctl.h and linux/capability.h.
_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_CAPABILITY_VERSION_3 = 0x20080522
_CAP_CHOWN, _CAP_DAC_OVERRIDE, _CAP_DAC_READ_SEARCH, _CAP_SETGID, _CAP_SETUID = 0, 1, 2, 6, 7

_OTHER_WAYS = "run as an ordinary user, or name a database server in DATABASE_URL and PORTAL_DATABASE_URL"

# Loaded once: a child between fork and exec must not import or load anything.
_libc = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True)
class Identity:
    """The user that the server runs as; `capability` is kept over the change of user, where one is needed."""

    uid: int
    gid: int
    changes: bool
    capability: int | None = None


def server_identity(data: Path, needed: Iterable[Path]) -> Identity:
    """Who runs the server on `data`, which must reach the paths `needed`. Raises EmbeddedError when nobody can."""
    owner = data.stat().st_uid if data.exists() else None
    if os.geteuid() != 0:
        if owner is not None and owner != os.geteuid():
            raise EmbeddedError(
                f"{data} belongs to {user_name(owner)}, not to {user_name(os.geteuid())}: start as {user_name(owner)}, "
                "or remove the folder to begin with an empty database."
            )
        if owner is None and user_name(os.geteuid()).startswith("user "):
            raise EmbeddedError(
                f"User number {os.geteuid()} has no name in /etc/passwd, and PostgreSQL makes no database without one: "
                "add a line for it there, " + _OTHER_WAYS + "."
            )
        return Identity(os.geteuid(), os.getegid(), changes=False)
    if owner:
        uid, gid = owner, data.stat().st_gid
    else:
        try:
            entry = pwd.getpwnam("nobody")
        except KeyError:
            raise EmbeddedError(
                "PostgreSQL does not run as root, and this system has no user nobody to run it as: " + _OTHER_WAYS + "."
            ) from None
        uid, gid = entry.pw_uid, entry.pw_gid
    if not LINUX:
        return Identity(uid, gid, changes=True)
    permitted = _permitted_capabilities()
    for capability in (_CAP_CHOWN, _CAP_DAC_OVERRIDE, _CAP_SETGID, _CAP_SETUID):
        if not permitted >> capability & 1:
            raise EmbeddedError(
                "PostgreSQL does not run as root, and this container does not let root become another user: "
                + _OTHER_WAYS
                + "."
            )
    if all(_reachable(path, uid, gid) for path in needed):
        return Identity(uid, gid, changes=True)
    weaker_first = _CAP_DAC_READ_SEARCH if permitted >> _CAP_DAC_READ_SEARCH & 1 else _CAP_DAC_OVERRIDE
    return Identity(uid, gid, changes=True, capability=weaker_first)


def become(identity: Identity) -> None:
    """Turn this process into the server's user for good. Call it with one thread only. Raises OSError."""
    if not identity.changes:
        return
    if identity.capability is not None:
        _prctl(_PR_SET_KEEPCAPS, 1)
    os.setgroups([])
    os.setgid(identity.gid)
    os.setuid(identity.uid)
    if identity.capability is not None:
        bit = 1 << identity.capability
        header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
        # Two blocks (low and high capabilities) of effective, permitted, inheritable.
        sets = (ctypes.c_uint32 * 6)(bit, bit, bit, 0, 0, 0)
        if _libc.capset(header, sets) != 0:
            raise OSError(ctypes.get_errno(), "capset failed")
        _prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, identity.capability)


def die_with_parent(parent: int, number: signal.Signals) -> None:
    """Ask the kernel (Linux) to send this child the signal when its parent ends. Call it after any change of user,
    which forgets the wish."""
    if not LINUX:
        return
    _prctl(_PR_SET_PDEATHSIG, number)
    if os.getppid() != parent:
        os._exit(1)


def user_name(uid: int) -> str:
    """The name of a user, or its number where it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"user {uid}"


def _prctl(option: int, first: int, second: int = 0) -> None:
    arguments = [ctypes.c_ulong(value) for value in (first, second, 0, 0)]
    if _libc.prctl(option, *arguments) != 0:
        raise OSError(ctypes.get_errno(), f"prctl {option} failed")


def _permitted_capabilities() -> int:
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("CapPrm:"):
            return int(line.split()[1], 16)
    return 0


def _reachable(path: Path, uid: int, gid: int) -> bool:
    """Whether every folder on the way to `path` (resolved) lets this user pass."""
    for folder in path.resolve().parents:
        status = folder.stat()
        if status.st_uid == uid:
            passes = status.st_mode & 0o100
        elif status.st_gid == gid:
            passes = status.st_mode & 0o010
        else:
            passes = status.st_mode & 0o001
        if not passes:
            return False
    return True
