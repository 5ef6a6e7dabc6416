"""`manage.py run_worker` and `run_grafana`, as processes and as calls."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import timedelta
from importlib import import_module
from pathlib import Path

import psycopg2
import pytest
from django.conf import settings as configured
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.db import connections
from django.utils import timezone
from pytest_django import Settings

from apps.accounts.models import SignInAttempt
from apps.mirror.demo import presence
from apps.mirror.models import SystemMetric
from apps.worker import jobs
from apps.worker.loop import Job, Loop


@pytest.mark.django_db(databases=["default", "source"], transaction=True)
def test_once_clears_what_has_expired_and_nothing_else() -> None:
    store = import_module(configured.SESSION_ENGINE).SessionStore
    for seconds in (-60, 60):
        session = store()
        session.set_expiry(timezone.now() + timedelta(seconds=seconds))
        session.save()
    window = timedelta(seconds=configured.SIGN_IN_LIMIT["window_seconds"])
    SignInAttempt.objects.create(key="old", window_start=timezone.now() - 2 * window, attempts=3)
    SignInAttempt.objects.create(key="new", window_start=timezone.now(), attempts=3)
    call_command("run_worker", "--once")
    assert Session.objects.count() == 1
    assert list(SignInAttempt.objects.values_list("key", flat=True)) == ["new"]


@pytest.mark.parametrize(
    ("demo", "access", "simulated"), [(True, "own", True), (False, "own", False), (True, "read", False)]
)
def test_only_a_lab_of_our_own_is_simulated(settings: Settings, demo: bool, access: str, simulated: bool) -> None:
    settings.DEMO, settings.SOURCE_ACCESS = demo, access
    assert ("simulate the demo lab" in [job.name for job in jobs.registered()]) is simulated


@pytest.mark.django_db(databases=["default", "source"])
def test_the_demo_lab_lives_when_its_rows_are_there(settings: Settings) -> None:
    settings.DEMO = True
    step = next(job for job in jobs.registered() if job.name == "simulate the demo lab").run
    step()
    assert not SystemMetric.objects.exists()
    until = timezone.now() - timedelta(hours=6)
    call_command("load_demo", "--days", "1", "--devices", "4", "--until", until.isoformat(), verbosity=0)
    presence.forget()
    step()
    # The six hours in which nobody looked after the lab are filled.
    assert SystemMetric.objects.latest("timestamp").timestamp > timezone.now() - timedelta(minutes=10)


@pytest.mark.django_db(databases=["default", "source"])  # the loop looks after connections that earlier tests left
def test_once_names_the_job_that_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "registered", lambda: [Job("divide", 1, lambda: 1 // 0)])
    with pytest.raises(CommandError, match="divide"):
        call_command("run_worker", "--once")


@pytest.mark.django_db(transaction=True)
def test_a_job_goes_on_after_its_connection_was_lost() -> None:
    connection = connections["default"]

    def ask() -> None:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")

    loop = Loop([Job("ask", 1, ask)])
    connection.settings_dict["CONN_MAX_AGE"] = 600
    assert loop.run_once() == []
    lost = connection.connection.info.backend_pid
    entry = connection.settings_dict
    killer = psycopg2.connect(
        host=entry["HOST"], port=entry["PORT"], dbname=entry["NAME"], user=entry["USER"], password=entry["PASSWORD"]
    )
    with killer, killer.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [lost])
    killer.close()
    assert loop.run_once() == []
    assert connection.connection.info.backend_pid != lost


class Process:
    """A `manage.py` command of its own, with its log lines."""

    def __init__(self, folder: Path, command: str) -> None:
        self.log = folder / f"{command}.log"
        environment = {"PATH": os.environ["PATH"], "ENV_FILE": "", "DATA_DIR": str(folder / "data"), "DEMO": "false"}
        # Nothing listens there: the worker must come up, and go down, without its database.
        environment["DATABASE_URL"] = "postgresql://nobody:c4nary@127.0.0.1:1/nothing"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "manage.py", command], cwd=configured.ROOT, env=environment, stdout=log, stderr=log
            )

    def wait_for(self, text: str) -> None:
        deadline = time.monotonic() + 30
        while text not in self.log.read_text():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.02)

    def stop(self, number: signal.Signals) -> tuple[int, float]:
        """The exit code and the seconds that it took."""
        started = time.monotonic()
        self.process.send_signal(number)
        return self.process.wait(10), time.monotonic() - started


@pytest.fixture
def processes() -> Iterator[list[Process]]:
    started: list[Process] = []
    yield started
    for one in started:
        one.process.kill()
        one.process.wait()


@pytest.mark.parametrize(
    ("command", "said"), [("run_worker", "clear sessions failed"), ("run_grafana", "no Grafana is installed")]
)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_within_a_second(
    tmp_path: Path, processes: list[Process], command: str, said: str, number: signal.Signals
) -> None:
    one = Process(tmp_path, command)
    processes.append(one)
    one.wait_for(said)
    code, seconds = one.stop(number)
    assert code == 0, one.log.read_text()
    # A busy machine needs time to end an interpreter.
    assert seconds < 2
    assert "Traceback" not in one.log.read_text()
    assert "c4nary" not in one.log.read_text()


def test_a_defect_of_the_loop_ends_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Loop, "run", lambda loop: None)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        with pytest.raises(CommandError, match="by itself"):
            call_command("run_worker")
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
