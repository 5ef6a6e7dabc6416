"""What people can order for dashboards in Grafanas, from the admin: words, who may, and the call of the service."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from apps.dashboards.author import Author
from apps.grafana import service
from apps.grafana.errors import GrafanaError
from apps.grafana.models import GrafanaInstance, Placement, SyncRun
from apps.grafana.plan_file import Plan
from apps.grafana.run import GuardError
from apps.grafana.selection import SelectionError
from apps.grafana.service import Deed, Follow
from apps.grafana.verdict import State

Call = Callable[[list[Placement], Author, Follow], list[SyncRun]]


@dataclass(frozen=True)
class Order:
    """Something that can be done about some rows.

    `deed` is what a plan is shown for before it is done; without one the rows alone are shown. `states`, where given,
    are those of the rows that it is for; the others are left out. `permission` is a codename's first word.
    """

    name: str
    label: str
    verb: str
    sentence: str
    call: Call
    deed: Deed | None = None
    states: frozenset[State] | None = None
    permission: str = "sync"
    danger: bool = False

    def concerns(self, row: Placement) -> bool:
        """Whether the row is one that this is for."""
        return self.states is None or State(row.state) in self.states


def _without_runs(call: Callable[[Iterable[Placement], Author], None]) -> Call:
    def done(rows: list[Placement], author: Author, follow: Follow) -> list[SyncRun]:
        call(rows, author)
        return []

    return done


EDITED: Final = frozenset({State.DRIFTED})


def _ours(rows: list[Placement], author: Author, follow: Follow) -> list[SyncRun]:
    return service.resolve(rows, "ours", author, follow=follow)


def _theirs(rows: list[Placement], author: Author, follow: Follow) -> list[SyncRun]:
    return service.resolve(rows, "theirs", author, follow=follow)


ORDERS: Final = (
    Order(
        "push", "Sync now…", "Sync now",
        "What the registry has goes to Grafana, as each policy says. Nothing that somebody edited there is lost.",
        lambda rows, author, follow: service.push(rows, author, follow=follow), Deed.PUSH,
    ),
    Order(
        "adopt", "Adopt edits…", "Adopt", "What was edited in Grafana becomes the registered revision.",
        lambda rows, author, follow: service.adopt(rows, author, follow=follow), Deed.PULL, EDITED,
    ),
    Order(
        "reject", "Reject edits…", "Write ours over them",
        "The edits are kept in the history, then the registered revision is written over them.",
        lambda rows, author, follow: service.reject(rows, author, follow=follow), Deed.REJECT, EDITED, danger=True,
    ),
    Order(
        "ours", "End conflicts: keep ours…", "Keep ours",
        "Grafana gets the registered revision. What was edited there is kept in the history.",
        _ours, Deed.REJECT, frozenset({State.CONFLICT}), danger=True,
    ),
    Order(
        "theirs", "End conflicts: take theirs…", "Take theirs",
        "What was edited in Grafana becomes the registered revision. Ours stays in the history.",
        _theirs, Deed.PULL, frozenset({State.CONFLICT}),
    ),
    Order(
        "release", "Release…", "Release",
        "They are left to Grafana: neither read nor written any more. Nothing is deleted, and it can be undone.",
        _without_runs(service.release), states=frozenset(State) - {State.RELEASED},
    ),
    Order(
        "take_back", "Take back what was released…", "Take back",
        "The sync looks after them again. What was edited meanwhile is found as an edit.",
        _without_runs(service.take_back), states=frozenset({State.RELEASED}),
    ),
    Order(
        "take_over", "Take over what somebody else made there…", "Take over",
        "What is in Grafana goes into the history and counts as the common base. Nothing is written there now.",
        lambda rows, author, follow: service.take_over(rows, author), states=frozenset({State.FOREIGN}),
    ),
    Order(
        "restore", "Register again and push…", "Restore",
        "They are registered again and written to Grafana with the uid, folder and permissions that they had.",
        lambda rows, author, follow: service.restore(rows, author), states=frozenset({State.RETIRED}),
    ),
    Order(
        "prune", "Delete in Grafana what is retired…", "Delete in Grafana",
        "Only what the portal created there is deleted, after a copy of it was kept; it can be restored.",
        lambda rows, author, follow: service.prune(rows, author, follow=follow), Deed.PRUNE,
        frozenset({State.RETIRED}), "prune", True,
    ),
)  # fmt: skip


@dataclass(frozen=True)
class Preview:
    """What an order would do in one Grafana: a plan, or why there is none."""

    instance: GrafanaInstance
    rows: tuple[Placement, ...]
    plan: Plan | None = None
    problem: str = ""


def previews(order: Order, rows: Iterable[Placement]) -> list[Preview]:
    """One per Grafana, of the rows that the order is for; a Grafana that cannot be asked hinders no other."""
    grouped: dict[int, list[Placement]] = {}
    for row in rows:
        if order.concerns(row):
            grouped.setdefault(row.instance_id, []).append(row)
    found = []
    for own in grouped.values():
        instance = own[0].instance
        if order.deed is None:
            found.append(Preview(instance, tuple(own)))
            continue
        try:
            plan = service.preview(own, order.deed)[0]
        except GrafanaError as problem:
            found.append(Preview(instance, tuple(own), problem=problem.text))
        except (GuardError, SelectionError) as problem:
            found.append(Preview(instance, tuple(own), problem=str(problem)))
        else:
            found.append(Preview(instance, tuple(own), plan))
    return found
