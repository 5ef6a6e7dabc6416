"""Which files belong to a cluster, and the locks among them.

Beside the data directory `postgres` lie

    postgres.secrets            passwords, mode 0600
    postgres.run/users.lock     every process that needs the server holds a shared lock on it
    postgres.run/start.lock     held by the one process that starts a keeper
    postgres.run/keeper.lock    held by the keeper; its content tells where the server listens
    postgres.run/postgres.log   what the keeper and the server say
    postgres.run/socket/        the server's socket, where the path is short enough

The locks are of the flock kind: the kernel frees them when their process ends, even by kill -9, and they work between
containers that share the folder.
"""

import errno
import fcntl
import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

_STATE_BYTES = 4096


@dataclass(frozen=True)
class Layout:
    """The paths of one cluster; `data` is the resolved data directory."""

    data: Path

    @property
    def secrets(self) -> Path:
        return self.data.with_name(self.data.name + ".secrets")

    @property
    def run(self) -> Path:
        return self.data.with_name(self.data.name + ".run")

    @property
    def users_lock(self) -> Path:
        return self.run / "users.lock"

    @property
    def start_lock(self) -> Path:
        return self.run / "start.lock"

    @property
    def keeper_lock(self) -> Path:
        return self.run / "keeper.lock"

    @property
    def log(self) -> Path:
        return self.run / "postgres.log"

    @property
    def socket(self) -> Path:
        return self.run / "socket"

    def make_folders(self) -> None:
        """Make the folder of the data directory and the run folder. Folders that exist keep their mode and owner.

        For root they are searchable by others (0711), since the server then runs as another user.
        """
        mode = 0o711 if os.geteuid() == 0 else 0o700
        self.data.parent.mkdir(mode=mode, parents=True, exist_ok=True)
        self.run.mkdir(mode=mode, exist_ok=True)


@dataclass(frozen=True)
class State:
    """What the keeper tells in its lock file; `status` is starting, ready or stopping."""

    status: str
    keeper_pid: int
    server_pid: int
    host: str
    port: int


def open_lock(path: Path) -> int:
    """Open a lock file, made when absent; a symbolic link is refused. Raises OSError."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)


def lock_until(descriptor: int, operation: int, deadline: float) -> bool:
    """Take a flock (LOCK_SH or LOCK_EX); False when `deadline` (time.monotonic) passes first.

    flock has no time limit of its own, and an alarm signal is not ours to use in a library, hence the polling.
    """
    while True:
        if try_lock(descriptor, operation):
            return True
        if time.monotonic() >= deadline:
            return False
        time.sleep(0.01)


def same_file(descriptor: int, path: Path) -> bool:
    """Whether the open file is still the one at `path` (it is not after `rm -r` of the folder)."""
    try:
        return os.path.samestat(os.fstat(descriptor), path.lstat())
    except FileNotFoundError:
        return False


def try_lock(descriptor: int, operation: int) -> bool:
    """Take a flock if it is free."""
    try:
        fcntl.flock(descriptor, operation | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno in (errno.EWOULDBLOCK, errno.EACCES):
            return False
        raise
    return True


def write_state(descriptor: int, state: State) -> None:
    """Write the state into the keeper's lock file (one small write; a reader who meets half of it reads again)."""
    # Always the same length in place: this works on a full disk too.
    os.pwrite(descriptor, json.dumps(asdict(state)).encode().ljust(_STATE_BYTES), 0)


def clear_state(descriptor: int) -> None:
    """Forget what an earlier keeper told."""
    os.pwrite(descriptor, b" " * _STATE_BYTES, 0)


def read_state(path: Path) -> State | None:
    """The state that a live keeper tells; None when no keeper lives or it has not said anything yet."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    try:
        body = os.pread(descriptor, _STATE_BYTES, 0)
        if not body.strip() or try_lock(descriptor, fcntl.LOCK_SH):
            return None
        return State(**json.loads(body))
    except (ValueError, TypeError):
        return None
    finally:
        os.close(descriptor)
