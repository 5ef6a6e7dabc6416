"""The pages of interfaces and their maps."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from apps.accounts.models import User
from apps.accounts.scope import EVERYTHING
from apps.mirror.models import (
    EdgeMetric,
    ExecutionResult,
    NavigationEdge,
    NavigationNode,
    NavigationTree,
    NodeMetric,
    Team,
    UserInterface,
)
from apps.portal.selectors import navigation
from tests.mirror.reduced import without_column, without_table
from tests.people import HOST_A, signed_in
from tests.portal.test_runs import text

pytestmark = pytest.mark.django_db(databases=["default", "source"])


def new_tree(team: Team, name: str = "horizon", interface: UserInterface | None = None, **given: Any) -> NavigationTree:
    row: NavigationTree = NavigationTree.objects.create(team=team, name=name, userinterface=interface, **given)
    return row


def new_node(tree: NavigationTree, id: str, label: str, x: float = 0, y: float = 0) -> None:
    NavigationNode.objects.create(team=tree.team, tree=tree, node_id=id, label=label, position_x=x, position_y=y)


def new_edge(tree: NavigationTree, id: str, source: str, target: str) -> None:
    NavigationEdge.objects.create(
        team=tree.team, tree=tree, edge_id=id, label=f"{source} → {target}",
        source_node_id=source, target_node_id=target,
        action_sets=[{"id": f"{source}_to_{target}", "label": f"{source} to {target}"}],
        default_action_set_id=f"{source}_to_{target}",
    )  # fmt: skip


def count_edge(tree: NavigationTree, id: str, total: int, good: int, **given: Any) -> None:
    EdgeMetric.objects.create(
        team=tree.team, tree=tree, edge_id=id, total_executions=total, successful_executions=good,
        success_rate=good / total, **{"avg_execution_time_ms": 1000, **given},
    )  # fmt: skip


@pytest.fixture
def horizon(team_a: Team) -> NavigationTree:
    """A map of three screens and two ways, one of which fails often, with a map nested in a screen."""
    interface = UserInterface.objects.create(team=team_a, name="horizon", device_models=["stb"])
    tree = new_tree(team_a, interface=interface)
    for id, label, x, y in (("a", "Home", -400, 0), ("b", "Guide <b>", 0, 0), ("c", "Settings", 0, 300)):
        new_node(tree, id, label, x, y)
    new_edge(tree, "e1", "a", "b")
    new_edge(tree, "e2", "a", "c")
    count_edge(tree, "e1", 100, 99, action_set_id="a_to_b")
    count_edge(
        tree, "e2", 10, 5, action_set_id="a_to_c", avg_execution_time_ms=3000, avg_kpi_ms=1500, min_kpi_ms=900,
        max_kpi_ms=2100, total_kpi_measurements=5, successful_kpi_measurements=4,
    )  # fmt: skip
    NodeMetric.objects.create(
        team=team_a, tree=tree, node_id="b", total_executions=4, successful_executions=2, success_rate=0.5
    )
    new_tree(
        team_a, "settings in detail", interface, parent_tree=tree, parent_node_id="c", is_root_tree=False, tree_depth=1
    )
    return tree


def test_interfaces_are_listed_worst_first(alice: User, team_a: Team, horizon: NavigationTree) -> None:
    good = new_tree(team_a, "good map", UserInterface.objects.create(team=team_a, name="perseus"))
    count_edge(good, "e", 10, 10)
    UserInterface.objects.create(team=team_a, name="untouched")
    new_tree(team_a, "orphan")
    page = text(signed_in(alice).get("/navigation/"))
    order = [page.index(f">{name}<") for name in ("horizon", "perseus", "untouched", "orphan")]
    assert order[0] < order[1] < order[2]
    assert "On 1 of 2 interfaces fewer than 95% of the ways walked lead where they should; horizon is worst." in page
    assert "94.5\u202f%" in page
    found = text(signed_in(alice).get("/navigation/?q=in%20detail"))
    assert ">horizon<" in found
    assert "perseus" not in found


def test_rates_are_of_the_counts_and_duplicates_are_added_up(team_a: Team) -> None:
    tree = new_tree(team_a)
    new_edge(tree, "e", "a", "b")
    # The platform writes one row for each execution where the action set is NULL.
    for good in (1, 1, 0, 1):
        count_edge(tree, "e", 1, good, avg_execution_time_ms=1000 * (good + 1))
    found = navigation.tree(scope=EVERYTHING, now=timezone.now(), id=tree.pk)
    assert found is not None
    [way] = found.ways
    assert (way.reach.rate, way.reach.total, way.reach.avg_ms, way.reach.state) == (0.75, 4, 1750, "failing")


def test_the_map_is_drawn_to_scale_inside_its_frame(horizon: NavigationTree) -> None:
    found = navigation.tree(scope=EVERYTHING, now=timezone.now(), id=horizon.pk)
    assert found is not None
    drawn = found.drawing
    places = {shape.label: (shape.x, shape.y) for shape in drawn.shapes}
    assert places["Guide <b>"][0] - places["Home"][0] == 400
    assert places["Settings"][1] - places["Home"][1] == 300
    assert all(0 < x < drawn.width - 149 and 0 < y < drawn.height - 43 for x, y in places.values())
    assert sorted(line.state for line in drawn.lines) == ["failing", "ok"]


def test_a_stray_position_does_not_make_a_page_of_kilometres(team_a: Team) -> None:
    tree = new_tree(team_a)
    new_node(tree, "a", "Home")
    new_node(tree, "b", "Far", x=9e9, y=-9e9)
    found = navigation.tree(scope=EVERYTHING, now=timezone.now(), id=tree.pk)
    assert found is not None
    assert found.drawing.width < 6500
    assert found.drawing.height < 6500


def test_the_page_of_a_map_says_the_same_in_tables(alice: User, team_a: Team, horizon: NavigationTree) -> None:
    ExecutionResult.objects.create(
        team=team_a, tree=horizon, edge_id="e2", execution_type="action", host_name=HOST_A, success=False,
        message="Settings not reached", executed_at=timezone.now(), script_result_id=uuid4(),
    )  # fmt: skip
    page = text(signed_in(alice).get(f"/navigation/trees/{horizon.pk}/"))
    assert "1 way reached less than 80%; “a to c” is worst." in page
    assert page.index("a to c</td>") < page.index("a to b</td>")
    for shown in (
        "Guide &lt;b&gt;",
        "settings in detail",
        "900\u202fms to 2.1\u202fs",
        "Settings not reached",
        "never tried",
    ):
        assert shown in page
    assert "<b>" not in page.split("map-screen")[1]
    anchors = re.findall(r'href="#(screen-[0-9a-f-]+)"', page)
    assert anchors
    assert all(f'id="{anchor}"' in page for anchor in anchors)


def test_the_page_of_an_interface_leads_to_its_maps(alice: User, horizon: NavigationTree) -> None:
    page = text(signed_in(alice).get(f"/navigation/{horizon.userinterface_id}/"))
    assert "Fewer than 95% of the ways walked lead where they should." in page
    assert f"/navigation/trees/{horizon.pk}/" in page
    assert "nested, level 1" in page


def test_a_stranger_finds_nothing(charlie: User, horizon: NavigationTree) -> None:
    client = signed_in(charlie)
    assert "horizon" not in text(client.get("/navigation/"))
    assert client.get(f"/navigation/{horizon.userinterface_id}/").status_code == 404
    assert client.get(f"/navigation/trees/{horizon.pk}/").status_code == 404


def test_an_empty_list_says_what_fills_it(alice: User) -> None:
    assert "draws its map" in text(signed_in(alice).get("/navigation/"))


def test_query_counts_are_the_same_for_few_and_many_rows(
    alice: User, team_a: Team, horizon: NavigationTree, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    client = signed_in(alice)
    for wanted in (2, 10):
        for number in range(wanted):
            tree = new_tree(team_a, f"t{number}", UserInterface.objects.create(team=team_a, name=f"i{number}"))
            count_edge(tree, "e", 5, 5)
            new_node(horizon, f"{wanted}-{number}", "more")
        # Interfaces, maps, screens and ways of the maps, and the metrics of both.
        with django_assert_num_queries(6, using="source"):
            client.get("/navigation/")
        # The map with interface and parent, screens, ways, nested maps, both metrics, failures.
        with django_assert_num_queries(7, using="source"):
            client.get(f"/navigation/trees/{horizon.pk}/")


@pytest.mark.parametrize(
    "model", [UserInterface, NavigationTree, NavigationNode, NavigationEdge, EdgeMetric, NodeMetric]
)
def test_without_a_column_or_the_table_the_pages_still_open(admin: User, horizon: NavigationTree, model: Any) -> None:
    client = signed_in(admin)
    addresses = (f"/navigation/{horizon.userinterface_id}/", f"/navigation/trees/{horizon.pk}/")
    for field in model._meta.concrete_fields:
        with without_column(model._meta.db_table, field.column):
            assert client.get("/navigation/").status_code == 200, field.column
            for address in addresses:
                assert client.get(address).status_code in {200, 404}, field.column
    with without_table(model._meta.db_table):
        assert client.get("/navigation/").status_code == 200
        for address in addresses:
            assert client.get(address).status_code in {200, 404}


def test_an_interface_s_page_says_whether_its_maps_can_be_relied_on(alice: User, team_a: Team) -> None:
    interface = UserInterface.objects.create(team=team_a, name="perseus")
    address = f"/navigation/{interface.pk}/"
    assert "No map of it is drawn yet." in text(signed_in(alice).get(address))
    tree = new_tree(team_a, interface=interface)
    assert "Nothing was walked on its maps yet." in text(signed_in(alice).get(address))
    count_edge(tree, "e", 10, 10)
    assert "Its maps can be relied on." in text(signed_in(alice).get(address))
    assert "The maps of 1 interface hold." in text(signed_in(alice).get("/navigation/"))
