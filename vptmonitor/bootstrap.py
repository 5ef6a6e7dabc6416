"""Make the virtual environment: `python3 vptmonitor/bootstrap.py [--dev]`, before anything else is installed.

It uses the standard library only, and its first lines run on Pythons that are too old for the rest, so that such a
Python gets a sentence and not a syntax error. The lock files carry hashes; nothing is installed that they do not name.
A stamp with the lock's hash makes the second call a matter of milliseconds.
"""

import hashlib
import os
import subprocess
import sys
import venv
from typing import NoReturn, Sequence  # noqa: UP035 -- old Pythons get here too

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))  # noqa: PTH100, PTH120 -- old Pythons get here too
OLDEST = (3, 11)


def fail(sentence: str) -> NoReturn:
    """End with one line that says what is wrong and what to do."""
    sys.stderr.write("vptmonitor: " + sentence + "\n")
    raise SystemExit(1)


def main(arguments: Sequence[str]) -> None:
    """Install what the lock files name into `.venv`; exit 1 with one clear line when that cannot be done."""
    if sys.version_info < OLDEST:
        fail(
            "Python %d.%d or newer is needed, this is %d.%d. Name another one: make PYTHON=python3.12 run"  # noqa: UP031
            % (OLDEST + sys.version_info[:2])
        )
    folder = os.path.join(ROOT, ".venv")  # noqa: PTH118
    locks = ["base.lock"] + (["dev.lock"] if "--dev" in arguments else [])
    paths = [os.path.join(ROOT, "requirements", name) for name in locks]  # noqa: PTH118
    digest = hashlib.sha256(sys.version.encode())
    for path in paths:
        with open(path, "rb") as lock:  # noqa: PTH123
            digest.update(lock.read())
    stamp = os.path.join(folder, ".locked-dev" if "--dev" in arguments else ".locked")  # noqa: PTH118
    if os.path.exists(stamp):  # noqa: PTH110
        with open(stamp) as file:  # noqa: PTH123
            if file.read() == digest.hexdigest():
                return
    python = os.path.join(folder, "Scripts" if os.name == "nt" else "bin", "python")  # noqa: PTH118
    sys.stderr.write("vptmonitor: installing the locked dependencies into .venv (once)\n")
    try:
        if not os.path.exists(python):  # noqa: PTH110
            venv.create(folder, with_pip=True)
        command = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes"]
        for path in paths:
            command += ["-r", path]
        subprocess.run(command, check=True)
    except subprocess.CalledProcessError as error:
        if "ensurepip" in str(error.cmd):
            fail("this Python has no ensurepip; install its venv package (on Debian: apt install python3-venv)")
        fail("the dependencies could not be installed; pip's own message is above")
    except OSError as error:
        fail("cannot write %s: %s" % (folder, error.strerror))  # noqa: UP031
    with open(stamp, "w") as file:  # noqa: PTH123
        file.write(digest.hexdigest())


if __name__ == "__main__":
    main(sys.argv[1:])
