"""Every mirrored table over REST: its members, whose rows, at what cost, and what happens where a part is missing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings

from apps.accounts import throttling, tokens
from apps.accounts.models import HostTeam, User
from apps.accounts.roles import Role
from apps.mirror.api.urls import router
from apps.mirror.shape import mirrored_models
from apps.triage.urls import router as triage_router
from tests.mirror.reduced import like_an_installation, without_column, without_table
from tests.mirror.rows import Lab
from tests.people import make_person, program

pytestmark = pytest.mark.django_db(databases=["default", "source"])

COLLECTIONS: dict[str, Any] = {
    prefix: view for prefix, view, _ in [*router.registry, *triage_router.registry] if prefix != "alert-decisions"
}


@pytest.fixture
def lab() -> Lab:
    """A team with one of everything, a moment ago."""
    lab = Lab(at=datetime.now(UTC) - timedelta(minutes=3))
    HostTeam.objects.create(host_name=lab.host, team_id=lab.team_id, team_name=lab.name)
    return lab


@pytest.fixture(autouse=True)
def _no_limit() -> Iterator[None]:
    throttling.forget()
    tokens.forget()
    yield
    throttling.forget()


@pytest.fixture
def root(db: None) -> Client:
    """A program that sees everything."""
    return program(User.objects.create_superuser("root"))


def test_each_mirrored_table_has_one_address_with_all_its_columns() -> None:
    assert {view.model for view in COLLECTIONS.values()} == set(mirrored_models())
    assert len(COLLECTIONS) == len(mirrored_models())
    for view in COLLECTIONS.values():
        assert view.fields == tuple(field.attname for field in view.model._meta.concrete_fields), view


def test_lists_are_ordered_by_what_an_index_serves() -> None:
    for prefix, view in COLLECTIONS.items():
        for order in view.orders.values():
            names = list(order.key)
            served = names == [view.model._meta.pk.name] or any(
                [field.lstrip("-") for field in index.fields][: len(names)] == names
                for index in view.model._meta.indexes
            )
            assert served, (prefix, names)


def test_every_row_in_its_list_and_by_itself(lab: Lab, root: Client) -> None:
    for prefix, view in COLLECTIONS.items():
        answer = root.get(f"/api/v1/{prefix}")
        assert answer.status_code == 200, (prefix, answer.content)
        body = answer.json()
        assert (body["next"], body["previous"], body["missing"]) == (None, None, [])
        (row,) = body["results"]
        assert list(row) == [*view.fields, *view.computed()], prefix
        stored = lab.of(view.model)
        stored.refresh_from_db()
        for name in view.fields:
            _same(row[name], getattr(stored, name))
        address = f"/api/v1/{prefix}/{stored.pk}"
        assert root.get(address).json() == row
        lines = b"".join(root.get(f"/api/v1/{prefix}?format=csv&limit=5")).decode().splitlines()
        assert lines[0].split(",") == list(row)
        assert len(lines) > 1


def _same(shown: Any, stored: Any) -> None:
    if isinstance(stored, datetime):
        assert datetime.fromisoformat(shown) == stored
    elif isinstance(stored, dict | list | int | float | bool) or stored is None:
        assert shown == stored
    else:
        assert shown == str(stored)


def test_the_owner_and_the_teammate_see_a_row_that_a_stranger_does_not(lab: Lab) -> None:
    other = Lab(name="Lab Two", host="host-2", at=lab.at)
    HostTeam.objects.create(host_name=other.host, team_id=other.team_id)
    owner = program(make_person("owner", Role.OPERATOR, lab.team_id))
    mate = program(make_person("mate", Role.VIEWER, lab.team_id))
    stranger = program(make_person("stranger", Role.OPERATOR, other.team_id))
    homeless = program(make_person("homeless", Role.ADMIN))
    for prefix, view in COLLECTIONS.items():
        own, foreign = lab.of(view.model).pk, other.of(view.model).pk
        pk = view.model._meta.pk.attname

        def seen(client: Client, prefix: str = prefix, pk: str = pk) -> list[Any]:
            return [row[pk] for row in client.get(f"/api/v1/{prefix}").json()["results"]]

        key = own if isinstance(own, int) else str(own)
        assert seen(owner) == seen(mate) == [key], prefix
        assert key not in seen(stranger), prefix
        assert seen(homeless) == [], prefix
        assert owner.get(f"/api/v1/{prefix}/{own}").status_code == 200
        for client in (stranger, homeless):
            answer = client.get(f"/api/v1/{prefix}/{own}")
            assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json"), prefix
        assert stranger.get(f"/api/v1/{prefix}/{foreign}").status_code == 200
        csv = b"".join(stranger.get(f"/api/v1/{prefix}?format=csv&limit=9")).decode()
        assert lab.host not in csv, prefix
        assert isinstance(own, int) or str(own) not in csv, prefix


def test_a_list_is_one_query_of_the_source_and_at_most_one_of_the_portal(lab: Lab) -> None:
    client = program(make_person("owner", Role.OPERATOR, lab.team_id))
    client.get("/api/v1/teams")
    for prefix in COLLECTIONS:
        with (
            CaptureQueriesContext(connections["source"]) as source,
            CaptureQueriesContext(connections["default"]) as own,
        ):
            assert client.get(f"/api/v1/{prefix}").status_code == 200
        assert len(source) == 1, (prefix, [one["sql"] for one in source])
        assert len(own) == (1 if prefix == "alerts" else 0), (prefix, [one["sql"] for one in own])
        assert "COUNT(" not in source.captured_queries[0]["sql"].upper()
        assert " LIMIT 101" in source.captured_queries[0]["sql"]


def test_where_a_table_is_missing_its_address_says_so(lab: Lab, root: Client) -> None:
    for prefix, view in COLLECTIONS.items():
        table = view.model._meta.db_table
        with without_table(table):
            for address in (f"/api/v1/{prefix}", f"/api/v1/{prefix}/{lab.of(view.model).pk}"):
                answer = root.get(address)
                assert answer.status_code == 404, prefix
                assert table in answer.json()["detail"]
                assert answer.json()["table"] == table


@pytest.mark.parametrize("prefix", COLLECTIONS)
def test_where_a_column_is_missing_the_rows_come_without_it(lab: Lab, root: Client, prefix: str) -> None:
    view = COLLECTIONS[prefix]
    wanted = {view.model.time_field, view.model.host_lookup, view.fields[-1], "status", "team_id", "discard"}
    for name, field in view.shape.columns.items():
        if name not in wanted:
            continue
        with without_column(view.model._meta.db_table, str(field.column)):
            answer = root.get(f"/api/v1/{prefix}")
            assert answer.status_code == 200, (name, answer.content)
            assert answer.json()["missing"] == [name]
            (row,) = answer.json()["results"]
            assert list(row) == [one for one in (*view.fields, *view.computed()) if one != name]
            assert root.get(f"/api/v1/{prefix}/{lab.of(view.model).pk}").json() == row
            csv = b"".join(root.get(f"/api/v1/{prefix}?format=csv&limit=5")).decode()
            assert name not in csv.splitlines()[0].split(",")


def test_a_real_installation_answers_everywhere(lab: Lab, root: Client) -> None:
    with like_an_installation():
        statuses = {prefix: root.get(f"/api/v1/{prefix}").status_code for prefix in COLLECTIONS}
        assert {prefix for prefix, status in statuses.items() if status == 404} == {"campaigns", "controllers"}
        assert set(statuses.values()) == {200, 404}
        refused = root.get("/api/v1/devices?status=online")
        assert refused.status_code == 400
        assert "has no column status" in refused.json()["detail"]


def test_every_filter_answers_or_says_what_is_wrong(lab: Lab, root: Client, settings: Settings) -> None:
    """Each filter alone, with values that fit and values that do not: never a fault of the portal."""
    settings.API_REQUESTS_PER_MINUTE = 0
    tried = 0
    for prefix, view in COLLECTIONS.items():
        for name in view.filters:
            for value in ("x", "true", "now-1h", str(lab.team_id), "\x00", "é" * 300, "9" * 30):
                query = {name: value} if name in {"from", "to"} else {name: value, "from": "now-1h"}
                if "from" not in view.filters:
                    query = {name: value}
                answer = root.get(f"/api/v1/{prefix}", query)
                assert answer.status_code in {200, 400}, (prefix, name, value, answer.content)
                tried += answer.status_code == 200
    assert tried > 200
