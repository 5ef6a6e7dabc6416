"""The recipe in docs/ingest.md, run as it stands there, against a server; and the lab that writes with its client."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import StringIO
from pathlib import Path
from random import Random
from typing import Any

import pytest
import requests
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django.live_server_helper import LiveServer

from apps.accounts.models import User
from apps.ingest import client
from apps.ingest.client import Sender
from apps.ingest.lab import RemoteLife
from apps.mirror.demo.clear import clear
from apps.mirror.demo.lab import Lab
from apps.mirror.demo.load import load
from apps.mirror.models import ExecutionResult, PlatformAlert, ScriptResult, SystemMetric, Team
from tests.ingest import rows
from tests.ingest.sending import Host
from tests.people import TEAM_A

DOCUMENT = (Path(__file__).resolve().parents[2] / "docs" / "ingest.md").read_text()
every = pytest.mark.django_db(databases=["default", "source"], transaction=True)


def block(language: str, holding: str) -> str:
    """The block of code of the document that holds a text."""
    (found,) = [code for code in re.findall(rf"```{language}\n(.*?)```", DOCUMENT, re.DOTALL) if holding in code]
    return str(found)


def environment(server: LiveServer, host: Host) -> dict[str, str]:
    return {"PATH": os.environ["PATH"], "VPT_URL": server.url, "VPT_TOKEN": host.token}


@every
def test_the_python_of_the_document(live_server: LiveServer, admin: User, team_a: Team, tmp_path: Path) -> None:
    shutil.copy(str(client.__file__), tmp_path / "ingest_client.py")
    (tmp_path / "job.py").write_text(block("python", "ingest_client"))
    done = subprocess.run(
        [sys.executable, "job.py"], cwd=tmp_path, env=environment(live_server, Host(admin)), capture_output=True,
        text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    script, step = ScriptResult.objects.get(), ExecutionResult.objects.get()
    assert (script.success, script.execution_time_ms, script.team_id) == (True, 2100, TEAM_A)
    assert (step.kpi_measurement_ms, step.script_result_id) == (900, script.id)


@every
@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl here")
def test_the_curl_of_the_document(live_server: LiveServer, admin: User) -> None:
    done = subprocess.run(
        ["sh", "-e"], input=block("sh", "curl -sS"), env=environment(live_server, Host(admin)), capture_output=True,
        text=True, timeout=60, check=True,
    )  # fmt: skip
    assert '"stored":1' in done.stdout
    assert '"updated":1' in done.stdout
    assert PlatformAlert.objects.get().status == "resolved"


@every
def test_a_lab_writes_through_the_door(live_server: LiveServer, admin: User) -> None:
    lab = Lab(team_count=2, device_count=4)
    load(lab, days=1, until=timezone.now())
    try:
        before = SystemMetric.objects.count()
        told = StringIO()
        os.environ["RACK_TOKEN"] = Host(admin).token
        call_command(
            "simulate", via_api=live_server.url, token_env="RACK_TOKEN", devices=4, once=True, seed=3, stdout=told
        )
        assert re.search(r"\d+ rows sent, 0 still wait, 0 dropped", told.getvalue())
        assert SystemMetric.objects.count() >= before + 2

        sender = Sender(live_server.url, os.environ["RACK_TOKEN"])
        life = RemoteLife(lab, Random(5), 30.0, sender, timezone.now())
        at = timezone.now()
        for second in range(45):
            life.step(at + timedelta(seconds=second))
        assert sender.waiting > 20
        assert sender.flush(60)
        assert list(sender.refused) == []
        assert ScriptResult.objects.filter(execution_time_ms__isnull=False, started_at__gte=at).exists()
        sender.close()
    finally:
        os.environ.pop("RACK_TOKEN", None)
        clear()


def test_a_lab_without_a_token_is_told_how_to_get_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("VPT_TOKEN", raising=False)
    with pytest.raises(CommandError, match="API tokens"):
        call_command("simulate", via_api="http://127.0.0.1:9", once=True)


# The client by itself -------------------------------------------------------------------------------------------------


class Script:
    """A server that answers as it is told, and remembers what came."""

    def __init__(self, *statuses: int) -> None:
        self.statuses = list(statuses)
        self.bodies: list[tuple[str, str, bytes]] = []

    def handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.bodies.append((self.command, self.path, body))
                status = outer.statuses.pop(0) if outer.statuses else 201
                if status == 0:
                    self.close_connection = True
                    return
                content = b'{"rows": []}'
                self.send_response(status)
                self.send_header("Content-Length", str(len(content)))
                self.send_header("Retry-After", "0")
                self.end_headers()
                self.wfile.write(content)

            do_PATCH = do_POST  # noqa: N815

            def log_message(self, *_: Any) -> None:
                pass

        return Handler


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "FIRST_WAIT", 0.001)
    monkeypatch.setattr(client, "LONGEST_WAIT", 0.004)


@pytest.fixture
def script() -> Iterator[tuple[Script, str]]:
    told = Script()
    server = ThreadingHTTPServer(("127.0.0.1", 0), told.handler())
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield told, f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.usefixtures("_impatient")
def test_the_client_sends_the_same_batch_until_it_is_answered(script: tuple[Script, str]) -> None:
    told, url = script
    told.statuses = [503, 429, 0, 500, 201]
    sender = Sender(url, "vpt_x", batch=2)
    sender.add("alerts", rows.alert())
    assert sender.flush(20)
    sender.close()
    assert len(told.bodies) == 5
    assert len(set(told.bodies)) == 1
    assert (sender.sent, sender.waiting) == (1, 0)


@pytest.mark.usefixtures("_impatient")
def test_the_client_keeps_order_and_batches(script: tuple[Script, str]) -> None:
    told, url = script
    sender = Sender(url, "vpt_x", batch=2)
    for _ in range(3):
        key = sender.add("script-results", {"a": 1})
    sender.change("script-results", key, success=True)
    sender.add("alerts", {"b": 1})
    sender.flush()
    sender.close()
    assert [(method, path.rpartition("/")[2]) for method, path, _ in told.bodies] == [
        ("POST", "script-results"), ("POST", "script-results"), ("PATCH", "script-results"), ("POST", "alerts"),
    ]  # fmt: skip


def test_the_client_s_queue_is_bounded() -> None:
    sender = Sender("http://127.0.0.1:9", "vpt_x", batch=10, most_waiting=100)
    for _ in range(1000):
        sender.add("alerts", {})
    assert not sender.flush(0)
    sender.close()
    assert sender.waiting <= 100
    assert sender.waiting + sender.lost == 1000


@pytest.mark.usefixtures("_impatient")
def test_the_client_says_what_the_portal_will_never_take(script: tuple[Script, str]) -> None:
    told, url = script
    told.statuses = [403]
    sender = Sender(url, "vpt_x")
    sender.add("alerts", {})
    with pytest.raises(requests.HTTPError, match="403"):
        sender.flush()
    sender.close()
    assert sender.waiting == 1
