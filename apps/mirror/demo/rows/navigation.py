"""Interfaces, their trees of screens, and the running counts of how well screens and ways are reached."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from apps.mirror.demo.cast import Interface, Tree, Way, demo_id
from apps.mirror.demo.lab import Lab
from apps.mirror.demo.rhythm import Story
from apps.mirror.demo.rows.fleet import LAB_AGE
from apps.mirror.demo.stream import Row


def _dates(story: Story) -> dict[str, object]:
    return {"created_at": story.start - LAB_AGE + timedelta(days=10), "updated_at": story.start - timedelta(days=12)}


def userinterfaces(lab: Lab, story: Story) -> Iterator[Row]:
    for interface in lab.interfaces.values():
        yield {
            "id": interface.id,
            "name": interface.name,
            "models": (interface.model,),
            "min_version": "",
            "max_version": "",
            "team_id": interface.team.id,
            **_dates(story),
        }


def trees(lab: Lab, story: Story) -> Iterator[Row]:
    """Roots before what hangs on them."""
    for depth in (0, 1):
        for interface in lab.interfaces.values():
            tree = interface.trees[depth]
            yield {
                "id": tree.id,
                "name": tree.name,
                "userinterface_id": interface.id,
                "team_id": interface.team.id,
                "description": "Settings in detail" if depth else "The whole interface",
                "root_node_id": _node_id(tree, tree.screens[0].node_id),
                "parent_tree_id": tree.parent_id,
                "parent_node_id": tree.parent_node,
                "tree_depth": depth,
                "is_root_tree": depth == 0,
                **_dates(story),
            }


def _node_id(tree: Tree, node: str) -> UUID:
    return demo_id("node", tree.id, node)


def nodes(lab: Lab, story: Story) -> Iterator[Row]:
    for interface in lab.interfaces.values():
        root, nested = interface.trees
        for tree in interface.trees:
            for screen in tree.screens:
                holds = tree is root and screen.node_id == nested.parent_node
                yield {
                    "id": _node_id(tree, screen.node_id),
                    "tree_id": tree.id,
                    "node_id": screen.node_id,
                    "label": screen.label,
                    "position_x": screen.x,
                    "position_y": screen.y,
                    "node_type": screen.kind,
                    "style": {},
                    "data": {"type": screen.kind, "description": f"{screen.label} of {interface.name}"},
                    "verifications": _verifications(screen.node_id),
                    "has_subtree": holds,
                    "subtree_count": int(holds),
                    "is_system_protected": screen.node_id in {"entry-node", "home"},
                    "team_id": interface.team.id,
                    **_dates(story),
                }


def _verifications(node: str) -> list[object]:
    if node == "entry-node":
        return []
    return [{"command": "waitForImageToAppear", "params": {"image_path": f"{node}.png", "threshold": 0.8}}]


def edges(lab: Lab, story: Story) -> Iterator[Row]:
    for interface in lab.interfaces.values():
        for tree in interface.trees:
            labels = {screen.node_id: screen.label for screen in tree.screens}
            for way in tree.ways:
                there, back = labels[way.source], labels[way.target]
                yield {
                    "id": demo_id("edge", tree.id, way.edge_id),
                    "tree_id": tree.id,
                    "edge_id": way.edge_id,
                    "source_node_id": way.source,
                    "target_node_id": way.target,
                    "label": f"{there} → {back}",
                    "edge_type": "navigation",
                    "style": {},
                    "data": {},
                    "action_sets": [
                        _action_set(way.forth, f"{there} → {back}", way.command),
                        _action_set(way.back, f"{back} → {there}", "press_back"),
                    ],
                    "default_action_set_id": way.forth,
                    "final_wait_time": 2000,
                    "is_system_protected": way.source == "entry-node",
                    "team_id": interface.team.id,
                    **_dates(story),
                }


def _action_set(name: str, label: str, command: str) -> dict[str, object]:
    actions = [{"command": command, "params": {"wait_time": 500}, "action_type": "remote"}]
    return {"id": name, "label": label, "actions": actions, "retry_actions": [], "failure_actions": []}


@dataclass
class _Count:
    total: int = 0
    good: int = 0
    milliseconds: int = 0
    kpis: list[int] = field(default_factory=lambda: [0, 0, 0])
    """Measured, of these with success, their sum in milliseconds."""
    least: int | None = None
    most: int | None = None


class Tally:
    """Counts steps as they pass by, and tells the metrics of ways and screens from them."""

    def __init__(self) -> None:
        self._ways: dict[tuple[Any, Any, Any, Any], _Count] = {}
        self._screens: dict[tuple[Any, Any, Any], _Count] = {}

    def watch(self, steps: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """The same steps."""
        for step in steps:
            edge = step["edge_id"]
            if edge is None:
                key = (step["team_id"], step["tree_id"], step["node_id"])
                count = self._screens.get(key) or self._screens.setdefault(key, _Count())
            else:
                way = (step["team_id"], step["tree_id"], edge, step["action_set_id"])
                count = self._ways.get(way) or self._ways.setdefault(way, _Count())
                if step["kpi_measurement_success"] is not None:
                    _add_kpi(count, step)
            count.total += 1
            count.good += step["success"]
            count.milliseconds += step["execution_time_ms"]
            yield step

    def add_kpi(self, step: dict[str, Any]) -> None:
        """A KPI that arrived for a step which was counted before."""
        way = (step["team_id"], step["tree_id"], step["edge_id"], step["action_set_id"])
        _add_kpi(self._ways.setdefault(way, _Count()), step)

    def edge_metrics(self, created: datetime) -> Iterator[Row]:
        for (team, tree, edge, action_set), count in self._ways.items():
            measured, good, total_ms = count.kpis
            yield {
                "id": demo_id("edge metric", tree, edge, action_set),
                "edge_id": edge,
                "tree_id": tree,
                "team_id": team,
                "action_set_id": action_set,
                "created_at": created,
                **_rates(count),
                "total_kpi_measurements": measured,
                "successful_kpi_measurements": good,
                "avg_kpi_ms": total_ms // good if good else 0,
                "min_kpi_ms": count.least,
                "max_kpi_ms": count.most,
                "kpi_success_rate": round(good / measured, 4) if measured else 0,
            }

    def node_metrics(self, created: datetime) -> Iterator[Row]:
        for (team, tree, node), count in self._screens.items():
            yield {
                "id": demo_id("node metric", tree, node),
                "node_id": node,
                "tree_id": tree,
                "team_id": team,
                "created_at": created,
                **_rates(count),
            }


def _add_kpi(count: _Count, step: dict[str, Any]) -> None:
    milliseconds: int | None = step["kpi_measurement_ms"]
    count.kpis[0] += 1
    if milliseconds is not None:
        count.kpis[1] += 1
        count.kpis[2] += milliseconds
        count.least = milliseconds if count.least is None else min(count.least, milliseconds)
        count.most = milliseconds if count.most is None else max(count.most, milliseconds)


def _rates(count: _Count) -> dict[str, object]:
    return {
        "total_executions": count.total,
        "successful_executions": count.good,
        "success_rate": round(count.good / count.total, 4) if count.total else 0,
        "avg_execution_time_ms": count.milliseconds // count.total if count.total else 0,
    }


@dataclass(frozen=True)
class Move:
    """A way as it can be walked from a screen: where it leads, and by which action set."""

    tree: UUID
    way: Way
    action_set: str
    target: str
    label: str


def moves(interface: Interface) -> dict[str, tuple[Move, ...]]:
    """From each screen, what can be done next. Nobody goes back to the entry."""
    found: dict[str, list[Move]] = {}
    for tree in interface.trees:
        labels = {screen.node_id: screen.label for screen in tree.screens}
        for way in tree.ways:
            found.setdefault(way.source, []).append(Move(tree.id, way, way.forth, way.target, labels[way.target]))
            if way.source != "entry-node":
                found.setdefault(way.target, []).append(Move(tree.id, way, way.back, way.source, labels[way.source]))
    return {screen: tuple(options) for screen, options in found.items()}
