"""Who draws a dashboard's panels for whom."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import jwt
import pytest

from apps.accounts.models import User
from apps.accounts.roles import Role
from apps.dashboards.importing import import_dashboard
from apps.grafana import availability, embedding, identity
from apps.grafana.availability import Availability, Kind, State
from apps.grafana.versions import Version
from tests.people import TEAM_A, make_person, signed_in

pytestmark = pytest.mark.django_db(databases=["default", "source"])

NEW, OLD = Version(12, 4, 0), Version(11, 2, 9)


class Grafana:
    """What stands in Grafana's place answers about one dashboard, `known`."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.tokens: list[str] = []
        self.state = State.HEALTHY
        self.version: Version | None = NEW

    def now(self, wait: float = 0) -> Availability:
        return Availability(self.state, Kind.OWN, f"{self.url}/grafana", self.version)


@pytest.fixture
def grafana(monkeypatch: pytest.MonkeyPatch) -> Iterator[Grafana]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made.tokens.append(self.headers["X-JWT-Assertion"])
            self.send_response(200 if self.path == "/grafana/api/dashboards/uid/known" else 404)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    made = Grafana(f"http://127.0.0.1:{server.server_port}")
    monkeypatch.setattr(availability, "current", made.now)
    embedding.forget()
    yield made
    embedding.forget()
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def viewer(db: None) -> User:
    return make_person("vera", Role.VIEWER, all_teams=True)


def test_grafana_draws_what_it_has_while_it_is_well(grafana: Grafana, viewer: User) -> None:
    drawer = embedding.drawer_for("known", viewer)
    assert (drawer.by, drawer.panel, drawer.reachable, drawer.follows) == ("grafana", "panel-", True, True)
    (token,) = grafana.tokens
    (key,) = identity.public_keys()["keys"]
    assert jwt.decode(token, jwt.PyJWK(key), algorithms=["ES256"], audience="grafana")["login"] == "vera@portal"
    assert embedding.drawer_for("unknown", viewer).by == "portal"
    for state in (State.DOWN, State.STARTING):
        grafana.state = state
        drawer = embedding.drawer_for("known", viewer)
        assert (drawer.by, drawer.reachable, drawer.follows) == ("portal", True, True)


def test_it_is_not_asked_each_time_whether_it_has_a_dashboard(grafana: Grafana, viewer: User) -> None:
    for _ in range(5):
        embedding.drawer_for("known", viewer)
        embedding.drawer_for("unknown", viewer)
    assert len(grafana.tokens) == 2


def test_people_limited_to_teams_get_the_portals_drawings(grafana: Grafana) -> None:
    for user in (make_person("tom", Role.ADMIN, TEAM_A), make_person("norole", Role.NONE, all_teams=True)):
        assert embedding.drawer_for("known", user) == embedding.Drawer("portal")
        assert not embedding.is_reachable(user)
    assert grafana.tokens == []


def test_without_a_grafana_nothing_is_said_of_it(grafana: Grafana, viewer: User) -> None:
    grafana.state = State.ABSENT
    assert embedding.drawer_for("known", viewer) == embedding.Drawer("portal")
    assert not embedding.is_reachable(viewer)


@pytest.mark.parametrize(("panels", "by"), [("portal", "portal"), ("grafana", "grafana")])
def test_the_setting_decides_for_good(grafana: Grafana, viewer: User, settings: Any, panels: str, by: str) -> None:
    settings.PANELS = panels
    for state in (State.HEALTHY, State.DOWN):
        grafana.state = state
        drawer = embedding.drawer_for("unknown", viewer)
        assert (drawer.by, drawer.follows, drawer.reachable) == (by, False, True)


@pytest.mark.parametrize(
    ("version", "word"),
    [(Version(9, 3, 2), ""), (OLD, ""), (Version(11, 3, 0), "panel-"), (NEW, "panel-"), (None, "panel-")],
)
def test_panels_are_named_as_that_version_does(version: Version | None, word: str) -> None:
    assert embedding.panel_prefix(version) == word


def test_pages_say_who_draws_and_lead_to_grafana(grafana: Grafana, viewer: User) -> None:
    body = {"uid": "known", "title": "Known", "schemaVersion": 41, "panels": [{"id": 1, "type": "text", "title": "t"}]}
    import_dashboard(body)
    client = signed_in(viewer)
    page = client.get("/d/known/?from=now-2h&to=now").text
    assert 'data-by="grafana"' in page
    assert 'data-drawer="/dashboards/known/drawer/"' in page
    assert 'href="/grafana/d/known/?from=now-2h&amp;to=now"' in page
    assert 'href="/grafana/d/known/"' in client.get("/dashboards/").text
    answer = client.get("/dashboards/known/drawer/")
    assert answer.json() == {"by": "grafana", "panel": "panel-", "moves": True}
    assert answer.headers["Cache-Control"] == "no-store"
    assert client.get("/dashboards/nothing/drawer/").status_code == 404
    tom = signed_in(make_person("tom", Role.VIEWER, TEAM_A))
    for path in ("/d/known/", "/dashboards/"):
        assert "/grafana/" not in tom.get(path).text
