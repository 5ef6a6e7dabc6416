"""The sync is killed again and again, wherever it is; then one clean run, and all is as if nothing had happened."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from django.db import connection
from pytest_django import Settings

from apps.dashboards.models import Cause, Dashboard
from apps.grafana.models import FolderPlacement, GrafanaInstance, Placement, SyncRun
from apps.grafana.verdict import State
from tests.grafana.double import Double
from tests.grafana.double.server import PASSWORD
from tests.grafana.sync.site import VARIABLE, Site, sync
from vptmonitor.environment import Environment

pytestmark = [pytest.mark.soak, pytest.mark.timeout(1800), pytest.mark.django_db(transaction=True)]

ROOT = Path(__file__).resolve().parents[2]
DASHBOARDS, EDITED = 200, 40
KILLS = 50
LONGEST_SECONDS = 2.5
"""A run lives a part of this, at random; all of the first takes longer."""


def test_fifty_kills_leave_no_trace(settings: Settings) -> None:
    """Some dashboards get new revisions here all the time, others are edited in Grafana: each write must be one
    version there, each edit one revision here, whenever the process ended."""
    chance = random.Random(7)
    double = Double()
    site = Site(double)
    settings.ENV = Environment({VARIABLE: site.password})
    instance = site.instance()
    names = [f"d{number}" for number in range(DASHBOARDS)]
    titles: dict[str, list[str]] = {}

    def change(name: str) -> None:
        titles.setdefault(name, []).append(f"{name} {len(titles.get(name, []))}")
        site.register(name, folders=("Lab", f"Rack {int(name[1:]) % 5}"), title=titles[name][-1])

    for name in names:
        change(name)
    edits: dict[str, int] = {}
    killed = 0
    for round_ in range(10 * KILLS):
        if killed == KILLS:
            break
        if round_ > 5:
            for name in chance.sample(names[EDITED:], 15):
                change(name)
            for name in quiet(instance, chance, names[:EDITED], site, double):
                edits[name] = edits.get(name, 0) + 1
                double.edit(site.uid(name), refresh=f"{10 + edits[name]}m")
        killed += run_and_kill(instance, chance.uniform(0, LONGEST_SECONDS))
    assert killed == KILLS
    sync(instance)
    report = sync(instance)
    assert not report.steps
    assert set(Placement.objects.values_list("state", "intent")) == {(State.IN_SYNC.value, "")}
    assert set(FolderPlacement.objects.values_list("state", "created_by_us")) == {(State.IN_SYNC.value, True)}
    assert Placement.objects.filter(created_by_us=True).count() == DASHBOARDS
    for name in names:
        history_is_clean(double, site, name, titles[name], edits.get(name, 0))
    assert SyncRun.objects.filter(status=SyncRun.Status.INTERRUPTED).count() <= KILLS
    assert not SyncRun.objects.filter(status=SyncRun.Status.RUNNING).exists()
    assert sum(edits.values()) > KILLS
    site.clean()
    double.close()


def quiet(instance: GrafanaInstance, chance: random.Random, names: list[str], site: Site, double: Double) -> list[str]:
    """Some of the dashboards that were found in sync since the last edit, so that no edit is over another."""
    rows = Placement.objects.filter(instance=instance, state=State.IN_SYNC.value, futile=0, intent="")
    known = set(rows.values_list("dashboard__uid", flat=True))
    here = double.store.dashboards
    ready = [name for name in names if site.uid(name) in known and "refresh" not in here[site.uid(name)].body]
    return chance.sample(ready, min(4, len(ready)))


def run_and_kill(instance: GrafanaInstance, seconds: float) -> bool:
    """Whether it was still at work when it was killed."""
    name = str(connection.settings_dict["NAME"])
    child = subprocess.Popen(
        [sys.executable, "-m", "tests.soak.sync_child", name, str(instance.pk)],
        cwd=ROOT,
        env={**os.environ, VARIABLE: PASSWORD},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "begins\n"
    try:
        child.wait(seconds)
    except subprocess.TimeoutExpired:
        os.kill(child.pid, signal.SIGKILL)
    code = child.wait()
    child.stdout.close()
    assert code in (0, -signal.SIGKILL)
    deadline = time.monotonic() + 30
    # The database lets go of the dead process's lock when it sees the connection's end.
    while code and locks() and time.monotonic() < deadline:
        time.sleep(0.02)
    return code != 0


def locks() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'")
        return int(cursor.fetchone()[0])


def history_is_clean(double: Double, site: Site, name: str, titles: list[str], edits: int) -> None:
    """Grafana has each write once and in order, the registry each revision and each edit once."""
    live = double.store.dashboards[site.uid(name)]
    assert live.version == len(live.history), name
    written = [one.body["title"] for one in live.history]
    if edits:
        assert live.version == 1 + 2 * edits, name
    else:
        assert written == sorted(set(written), key=titles.index), name
    assert written[-1] == titles[-1]
    assert "refresh" not in live.body
    dashboard = Dashboard.objects.get(uid=site.uid(name))
    causes = list(dashboard.revisions.values_list("cause", flat=True))
    assert causes.count(Cause.FOUND) == edits, name
    assert len(causes) == len(titles) + edits, name
