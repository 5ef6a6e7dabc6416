"""Maps of the interfaces under test, and how well their screens and ways are reached, worst first.

The counts are the platform's own running ones (`node_metrics`, `edge_metrics`): since the map was made, not of a time
range. A rate is taken from the counts; the stored one (0 to 1) stands in where a database has no counts.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import Avg, Count, F, FloatField, Max, Min, QuerySet, Sum
from django.db.models.functions import Cast

from apps.accounts.audit import without_secrets
from apps.accounts.scope import TeamScope
from apps.mirror import shape
from apps.mirror.models import (
    EdgeMetric,
    ExecutionResult,
    MirrorModel,
    NavigationEdge,
    NavigationNode,
    NavigationTree,
    NodeMetric,
    UserInterface,
)
from apps.portal import links
from apps.portal.components import State

GOOD, FAIR = 0.95, 0.8
"""From these rates on a way is ok, or a warning; below them it fails too often to test on."""
MOST_TREES: Final = 2000
MOST_PARTS: Final = 3000
"""So many screens and ways of one map are read; a map of more is drawn in part, and says so."""
LATEST_FAILURES: Final = 10
FAILURES_SINCE: Final = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Reach:
    """How often something was tried and reached. Durations in milliseconds."""

    total: int = 0
    good: int = 0
    stored_rate: float | None = None
    avg_ms: float | None = None
    kpi_ms: float | None = None
    kpi_low_ms: float | None = None
    kpi_high_ms: float | None = None
    kpi_total: int = 0

    @property
    def rate(self) -> float | None:
        """0 to 1; None for what was never tried."""
        if self.total:
            return min(1.0, self.good / self.total)
        return self.stored_rate or None

    @property
    def state(self) -> State:
        if self.rate is None:
            return "unknown"
        return "ok" if self.rate >= GOOD else "warning" if self.rate >= FAIR else "failing"

    def __add__(self, other: Reach) -> Reach:
        """Both together; the average duration by the number of tries."""
        tries = self.total + other.total
        sums = [one.avg_ms * one.total for one in (self, other) if one.avg_ms is not None]
        return Reach(tries, self.good + other.good, None, sum(sums) / tries if sums and tries else None)


@dataclass(frozen=True, slots=True)
class TreeRow:
    """A map with its size and how well it is walked."""

    tree: NavigationTree
    screens: int
    ways: int
    reach: Reach
    seen: Reach

    @property
    def url(self) -> str:
        return links.page("tree", self.tree.pk)

    @property
    def depth(self) -> int:
        return self.tree.tree_depth or 0


@dataclass(frozen=True, slots=True)
class InterfaceRow:
    """An interface, or the maps that belong to none (`interface` is None)."""

    interface: UserInterface | None
    trees: Sequence[TreeRow]

    @property
    def name(self) -> str:
        return (self.interface.name or "unnamed") if self.interface else "Maps without an interface"

    @property
    def url(self) -> str:
        if self.interface is not None:
            return links.page("interface", self.interface.pk)
        return self.trees[0].url if len(self.trees) == 1 else ""

    @property
    def team(self) -> str:
        """The team's name: two teams may test interfaces of the same name."""
        return (self.interface.team.name or "") if self.interface and self.interface.team else ""

    @property
    def models(self) -> str:
        return ", ".join(self.interface.device_models or ()) if self.interface else ""

    @property
    def tree_names(self) -> str:
        """For the text filter."""
        return " ".join(row.tree.name or "" for row in self.trees)

    @property
    def reach(self) -> Reach:
        """How well the ways of all its maps are walked."""
        return sum((row.reach for row in self.trees), Reach())

    @property
    def seen(self) -> Reach:
        """How well the screens of all its maps are recognised."""
        return sum((row.seen for row in self.trees), Reach())

    @property
    def screens(self) -> int:
        return sum(row.screens for row in self.trees)

    @property
    def ways(self) -> int:
        return sum(row.ways for row in self.trees)

    @property
    def updated_at(self) -> datetime | None:
        return max((row.tree.updated_at for row in self.trees if row.tree.updated_at), default=None)


def interfaces(*, scope: TeamScope, only: UUID | None = None) -> list[InterfaceRow]:
    """The interfaces and their maps, the worst walked first. Six queries, however many there are."""
    rows, trees = UserInterface.objects.visible_to(scope), NavigationTree.objects.visible_to(scope)
    if only is not None:
        rows, trees = rows.filter(pk=only), trees.filter(userinterface_id=only)
    known = {row.pk: row for row in rows.select_related("team").order_by("name", "pk")[:MOST_TREES]}
    maps = list(trees.order_by("tree_depth", "name", "pk")[:MOST_TREES])
    grouped: dict[UUID | None, list[TreeRow]] = defaultdict(list)
    for row in _tree_rows(scope, maps):
        grouped[row.tree.userinterface_id if row.tree.userinterface_id in known else None].append(row)
    found = [InterfaceRow(interface, grouped.get(id, [])) for id, interface in known.items()]
    if only is None and grouped.get(None):
        found.append(InterfaceRow(None, grouped[None]))
    return sorted(found, key=lambda one: (_badness(one.reach), one.name))


def answer(rows: Sequence[InterfaceRow]) -> str:
    """The sentence that the list opens with."""
    walked = [row for row in rows if row.reach.rate is not None]
    if not rows:
        return "No map is known yet."
    bad = [row for row in walked if row.reach.state != "ok"]
    if not walked:
        return f"{_count(len(rows), 'interface')}; nothing was walked on their maps yet."
    if not bad:
        return f"The maps of {'all ' if len(walked) > 1 else ''}{_count(len(walked), 'interface')} hold."
    some = f"{len(bad)} of {_count(len(walked), 'interface')}"
    return f"On {some} fewer than {GOOD:.0%} of the ways walked lead where they should; {bad[0].name} is worst."


def answer_of_one(row: InterfaceRow) -> str:
    """The sentence that an interface's page opens with."""
    if row.reach.rate is None:
        return "Nothing was walked on its maps yet." if row.trees else "No map of it is drawn yet."
    if row.reach.state == "ok":
        return "Its maps can be relied on."
    return f"Fewer than {GOOD:.0%} of the ways walked lead where they should."


@dataclass(frozen=True, slots=True)
class Part:
    """A screen or a way of a map. `subtree_url` leads to the map that hangs on a screen."""

    id: str
    name: str
    kind: str
    reach: Reach
    anchor: str = ""
    subtree_url: str = ""
    subtree_name: str = ""


@dataclass(frozen=True, slots=True)
class Shape:
    """A screen as the map draws it, in the map's own units."""

    x: float
    y: float
    label: str
    title: str
    state: State
    words: str
    url: str


@dataclass(frozen=True, slots=True)
class Line:
    """A way as the map draws it, from border to border."""

    x1: float
    y1: float
    x2: float
    y2: float
    state: State
    title: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """A map to draw: its size, its screens and its ways."""

    width: float
    height: float
    shapes: Sequence[Shape]
    lines: Sequence[Line]


@dataclass(frozen=True, slots=True)
class TreeDetails:
    """A map: its drawing, its parts worst first, its place among the others, and what failed on it lately."""

    tree: NavigationTree
    interface: UserInterface | None
    parent: NavigationTree | None
    ways: Sequence[Part]
    screens: Sequence[Part]
    subtrees: Sequence[NavigationTree]
    drawing: Drawing
    failures: Sequence[ExecutionResult]
    cut: bool

    @property
    def reach(self) -> Reach:
        return sum((part.reach for part in self.ways), Reach())

    @property
    def seen(self) -> Reach:
        return sum((part.reach for part in self.screens), Reach())

    @property
    def answer(self) -> str:
        """The sentence that the page opens with."""
        tried = [part for part in self.ways if part.reach.rate is not None]
        if not tried:
            return "Nothing was walked on this map yet."
        bad = [part for part in tried if part.reach.state == "failing"]
        if not bad:
            return f"No way of this map fails often; {len(tried)} of {len(self.ways)} were walked."
        return f"{_count(len(bad), 'way')} reached less than {FAIR:.0%}; “{bad[0].name}” is worst."


def tree(*, scope: TeamScope, now: datetime, id: UUID) -> TreeDetails | None:
    """The map `id`; None when it is not there or not the viewer's. Seven queries at most."""
    rows = NavigationTree.objects.visible_to(scope).select_related("userinterface", "parent_tree")
    row: Any = rows.filter(pk=id).first()
    if row is None:
        return None
    nodes = list(NavigationNode.objects.visible_to(scope).filter(tree_id=id).order_by("label", "pk")[: MOST_PARTS + 1])
    edges = list(NavigationEdge.objects.visible_to(scope).filter(tree_id=id).order_by("label", "pk")[: MOST_PARTS + 1])
    subtrees = list(NavigationTree.objects.visible_to(scope).filter(parent_tree_id=id).order_by("name", "pk")[:200])
    reached, seen = _edge_reach(scope, id), _node_reach(scope, id)
    labels = {node.node_id: node.label or node.node_id for node in nodes}
    hanging = {one.parent_node_id: one for one in subtrees}
    return TreeDetails(
        tree=row,
        interface=row.userinterface,
        parent=row.parent_tree,
        ways=sorted(_ways(edges[:MOST_PARTS], labels, reached), key=lambda one: (_badness(one.reach), one.name)),
        screens=sorted(
            (_screen(node, seen, hanging) for node in nodes[:MOST_PARTS]),
            key=lambda one: (_badness(one.reach), one.name),
        ),
        subtrees=subtrees,
        drawing=draw(nodes[:MOST_PARTS], edges[:MOST_PARTS], seen, reached, hanging),
        failures=_failures(scope, now, id),
        cut=max(len(nodes), len(edges)) > MOST_PARTS,
    )


WIDE, HIGH = 150.0, 44.0
"""The size of a screen as it is drawn; the platform's own editor draws them about as large."""
MARGIN: Final = 24.0
LONGEST_SIDE: Final = 6000.0
"""A map is scaled down to this, so that a stray position does not make a page of kilometres."""


def draw(
    nodes: Sequence[NavigationNode],
    edges: Iterable[NavigationEdge],
    seen: Mapping[str, Reach],
    reached: Mapping[tuple[str, str], Reach],
    hanging: Mapping[str | None, NavigationTree],
) -> Drawing:
    """The map as its editor placed the screens, moved to the origin and scaled to at most `LONGEST_SIDE`."""
    places = {node.node_id: (node.position_x or 0.0, node.position_y or 0.0) for node in nodes if node.node_id}
    if not places:
        return Drawing(0, 0, (), ())
    left, top = min(x for x, _ in places.values()), min(y for _, y in places.values())
    span = max(max(x for x, _ in places.values()) - left, max(y for _, y in places.values()) - top)
    scale = min(1.0, LONGEST_SIDE / span) if span else 1.0
    centres = {
        id: (MARGIN + WIDE / 2 + (x - left) * scale, MARGIN + HIGH / 2 + (y - top) * scale)
        for id, (x, y) in places.items()
    }
    shapes = []
    for node in nodes:
        if node.node_id not in centres:
            continue
        x, y = centres[node.node_id]
        reach = seen.get(node.node_id, Reach())
        name = node.label or node.node_id
        nested = hanging.get(node.node_id)
        shapes.append(
            Shape(
                x=x - WIDE / 2,
                y=y - HIGH / 2,
                label=name if len(name) <= 20 else f"{name[:19]}…",
                title=f"{name}: {_words(reach)}",
                state=reach.state,
                words=_words(reach),
                url=links.page("tree", nested.pk) if nested else f"#screen-{node.pk}",
            )
        )
    totals: dict[str, Reach] = defaultdict(Reach)
    for (id, _), reach in reached.items():
        totals[id] += reach
    lines = []
    for edge in edges:
        start, end = centres.get(edge.source_node_id), centres.get(edge.target_node_id)
        if start is None or end is None or start == end:
            continue
        total = totals.get(edge.edge_id, Reach())
        x1, y1 = _border(start, end)
        x2, y2 = _border(end, start)
        lines.append(Line(x1, y1, x2, y2, total.state, f"{edge.label or edge.edge_id}: {_words(total)}"))
    width = max(x for x, _ in centres.values()) + WIDE / 2 + MARGIN
    height = max(y for _, y in centres.values()) + HIGH / 2 + MARGIN
    return Drawing(round(width), round(height), shapes, lines)


def _border(start: tuple[float, float], end: tuple[float, float]) -> tuple[float, float]:
    """Where the line from the centre `start` to `end` leaves the screen at `start`."""
    across, down = end[0] - start[0], end[1] - start[1]
    reach = min(
        WIDE / 2 / abs(across) if across else float("inf"),
        HIGH / 2 / abs(down) if down else float("inf"),
        0.5,
    )
    return round(start[0] + across * reach, 1), round(start[1] + down * reach, 1)


def _words(reach: Reach) -> str:
    return "never tried" if reach.rate is None else f"{reach.state}, {reach.rate:.0%}"


def _badness(reach: Reach) -> float:
    """What was never tried comes last."""
    return 2.0 if reach.rate is None else reach.rate


def _tree_rows(scope: TeamScope, trees: Sequence[NavigationTree]) -> list[TreeRow]:
    """The maps with their counts. Four queries."""
    ids = [row.pk for row in trees]
    counts = {
        model: dict(_of_trees(model, scope, ids).values_list("tree_id").annotate(n=Count("pk")))
        for model in (NavigationNode, NavigationEdge)
    }
    reach = {
        model: {row["tree_id"]: _reach(row) for row in _sums(_of_trees(model, scope, ids), "tree_id")}
        for model in (EdgeMetric, NodeMetric)
    }
    return [
        TreeRow(
            row,
            counts[NavigationNode].get(row.pk, 0),
            counts[NavigationEdge].get(row.pk, 0),
            reach[EdgeMetric].get(row.pk, Reach()),
            reach[NodeMetric].get(row.pk, Reach()),
        )
        for row in trees
    ]


def _of_trees(model: type[MirrorModel], scope: TeamScope, ids: Sequence[UUID]) -> Any:
    rows: Any = model.objects.visible_to(scope)
    return rows.filter(tree_id__in=ids).order_by()


def _sums(rows: QuerySet[Any], *keys: str, **more: Any) -> Iterable[dict[str, Any]]:
    """Counts and the average duration by `keys`. Duplicates of a key, which the platform makes, are added up."""
    tries = Cast(F("avg_execution_time_ms"), FloatField()) * F("total_executions")
    found: Iterable[dict[str, Any]] = (
        rows.order_by()
        .values(*keys)
        .annotate(
            total=Sum("total_executions"),
            good=Sum("successful_executions"),
            stored=Avg("success_rate"),
            time=Sum(tries, output_field=FloatField()),
            **more,
        )
    )
    return found


def _reach(row: Mapping[str, Any]) -> Reach:
    total = row["total"] or 0
    measured = row.get("kpi_good") or 0
    return Reach(
        total=total,
        good=row["good"] or 0,
        stored_rate=row["stored"],
        avg_ms=row["time"] / total if row["time"] is not None and total else None,
        kpi_ms=row["kpi_time"] / measured if measured and row.get("kpi_time") is not None else None,
        kpi_low_ms=row.get("kpi_low"),
        kpi_high_ms=row.get("kpi_high"),
        kpi_total=row.get("kpi_total") or 0,
    )


def _edge_reach(scope: TeamScope, tree: UUID) -> dict[tuple[str, str], Reach]:
    """By way and action set. One query."""
    rows = EdgeMetric.objects.visible_to(scope).filter(tree_id=tree)
    measured = Cast(F("avg_kpi_ms"), FloatField()) * F("successful_kpi_measurements")
    found = _sums(
        rows, "edge_id", "action_set_id",
        kpi_total=Sum("total_kpi_measurements"), kpi_good=Sum("successful_kpi_measurements"),
        kpi_time=Sum(measured, output_field=FloatField()), kpi_low=Min("min_kpi_ms"), kpi_high=Max("max_kpi_ms"),
    )  # fmt: skip
    return {(row["edge_id"] or "", row["action_set_id"] or ""): _reach(row) for row in found}


def _node_reach(scope: TeamScope, tree: UUID) -> dict[str, Reach]:
    """By screen. One query."""
    rows = NodeMetric.objects.visible_to(scope).filter(tree_id=tree)
    return {row["node_id"] or "": _reach(row) for row in _sums(rows, "node_id")}


def _ways(
    edges: Iterable[NavigationEdge], labels: Mapping[str, str], reached: Mapping[tuple[str, str], Reach]
) -> Iterable[Part]:
    """A part for each action set of each way that was tried, and one for each way that was not."""
    by_edge: dict[str, list[tuple[str, Reach]]] = defaultdict(list)
    for (id, action_set), reach in reached.items():
        by_edge[id].append((action_set, reach))
    for edge in edges:
        source, target = (labels.get(id, id or "?") for id in (edge.source_node_id, edge.target_node_id))
        sets = {one.get("id"): one.get("label") for one in edge.action_sets or () if isinstance(one, Mapping)}
        for action_set, reach in by_edge.get(edge.edge_id, [("", Reach())]):
            name = sets.get(action_set) or (action_set.replace("_", " ") if action_set else "")
            yield Part(edge.edge_id, name or edge.label or f"{source} → {target}", edge.edge_type or "", reach)


def _screen(node: NavigationNode, seen: Mapping[str, Reach], hanging: Mapping[str | None, NavigationTree]) -> Part:
    nested = hanging.get(node.node_id)
    return Part(
        id=node.node_id,
        name=node.label or node.node_id or "unnamed",
        kind=node.node_type or "",
        reach=seen.get(node.node_id, Reach()),
        anchor=f"screen-{node.pk}",
        subtree_url=links.page("tree", nested.pk) if nested else "",
        subtree_name=(nested.name or "a nested map") if nested else "",
    )


def _failures(scope: TeamScope, now: datetime, tree: UUID) -> list[ExecutionResult]:
    """The newest failed steps on the map of the last day, where a database keeps the map with the steps. One query."""
    if not shape.has_field(ExecutionResult, "tree"):
        return []
    rows = ExecutionResult.objects.visible_to(scope).filter(
        tree_id=tree, success=False, executed_at__gte=now - FAILURES_SINCE
    )
    found = list(rows.order_by("-executed_at", "-pk")[:LATEST_FAILURES])
    for row in found:
        row.error_details = without_secrets(row.error_details)
    return found


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
