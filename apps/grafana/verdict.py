"""What became of a dashboard in a Grafana, and what a sync does about it: pure functions over four digests.

As in a three-way merge, what the registry wants and what Grafana has are each compared with what both had after our
last write. A server writes a body in its own way, so that there are two of the latter: `sent`, what we wanted then, and
`base`, what Grafana returned then.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

FUTILE_WRITES: Final = 3
"""After so many writes in a row that changed nothing in the end, a sync stops writing."""


class State(StrEnum):
    """Where a dashboard stands in one Grafana."""

    IN_SYNC = "in-sync"
    AHEAD = "ahead"
    DRIFTED = "drifted"
    CONFLICT = "conflict"
    MISSING = "missing"
    RETIRED = "retired"
    FOREIGN = "foreign"
    BLOCKED = "blocked"
    FLAPPING = "flapping"
    UNKNOWN = "unknown"
    RELEASED = "released"

    @property
    def words(self) -> str:
        """For people, in one sentence."""
        return _WORDS[self]


_WORDS: Final = {
    State.IN_SYNC: "Grafana has what is registered.",
    State.AHEAD: "The registry changed; Grafana does not have it yet.",
    State.DRIFTED: "It was edited in Grafana.",
    State.CONFLICT: "It was changed here and edited in Grafana; a person decides.",
    State.MISSING: "It was deleted in Grafana.",
    State.RETIRED: "It is registered no more.",
    State.FOREIGN: "Grafana has it from somewhere else; it is never written from here.",
    State.BLOCKED: "Something that it needs is missing there.",
    State.FLAPPING: "Writing it changed nothing in the end, again and again; the sync stopped.",
    State.UNKNOWN: "Grafana could not be asked.",
    State.RELEASED: "It was released and is Grafana's alone.",
}


class Policy(StrEnum):
    """What a sync does about an edit that somebody made in Grafana; the values of `Dashboard.Policy`."""

    ENFORCE = "enforce"
    OBSERVE = "observe"
    ADOPT = "adopt"
    LOCKED = "locked"
    RELEASED = "released"

    @property
    def counts_values(self) -> bool:
        """Whether the value of a variable that a viewer saved is an edit, as it is where every part is enforced."""
        return self in (Policy.ENFORCE, Policy.LOCKED)


class Action(StrEnum):
    """What a sync does."""

    NONE = "none"
    CREATE = "create"
    UPDATE = "update"
    RESTORE = "restore"
    """Keep the edit as a revision, then write ours over it."""
    ADOPT = "adopt"
    """Take what Grafana has as the new revision."""
    LEARN = "learn"
    """Both sides came to the same by themselves: note it."""
    PRUNE = "prune"
    """Keep a copy, then delete it in Grafana."""

    @property
    def writes(self) -> bool:
        """Whether it changes something in Grafana."""
        return self in (Action.CREATE, Action.UPDATE, Action.RESTORE, Action.PRUNE)


@dataclass(frozen=True)
class Digests:
    """Of one dashboard in one Grafana. `desired` is None when it is registered no more, `sent` and `base` before our
    first write, `live` when Grafana has none."""

    desired: str | None
    sent: str | None
    base: str | None
    live: str | None


@dataclass(frozen=True)
class Circumstances:
    """What else decides.

    `answered`: Grafana was read. `manager`: whose it is when somebody else's, such as 'a file of Grafana's'. `blocked`:
    why it cannot be written. `futile`: how many writes in a row changed nothing. `ours`: we created it. The rest are
    the caller's explicit words: `force` ours upon an edit, `pull` theirs, `prune` what is registered no more.
    """

    policy: Policy = Policy.ENFORCE
    answered: bool = True
    manager: str = ""
    blocked: str = ""
    futile: int = 0
    ours: bool = True
    force: bool = False
    pull: bool = False
    prune: bool = False


@dataclass(frozen=True)
class Verdict:
    state: State
    action: Action = Action.NONE


def judge(digests: Digests, given: Circumstances) -> Verdict:
    """The state, and what a sync does. Somebody's edit is only ever written over once it is kept, or on a word."""
    if given.policy is Policy.RELEASED:
        return Verdict(State.RELEASED)
    if not given.answered:
        return Verdict(State.UNKNOWN)
    if given.manager:
        return Verdict(State.FOREIGN)
    verdict = _compared(digests, given)
    if not verdict.action.writes:
        return verdict
    if verdict.action is not Action.PRUNE:
        if given.blocked:
            return Verdict(State.BLOCKED)
        if given.futile >= FUTILE_WRITES and digests.desired == digests.sent and not given.force:
            return Verdict(State.FLAPPING)
    return verdict


def _compared(digests: Digests, given: Circumstances) -> Verdict:
    locked = given.policy is Policy.LOCKED
    if digests.desired is None:
        prune = given.prune and given.ours and not locked and None not in (digests.base, digests.live)
        return Verdict(State.RETIRED, Action.PRUNE if prune else Action.NONE)
    if digests.base is None:
        if digests.live is not None:
            return Verdict(State.FOREIGN)
        return Verdict(State.AHEAD, Action.NONE if locked else Action.CREATE)
    if digests.live is None:
        return Verdict(State.MISSING, Action.NONE if locked else Action.CREATE)
    if digests.live == digests.base:
        if digests.desired == digests.sent:
            return Verdict(State.IN_SYNC)
        return Verdict(State.AHEAD, Action.NONE if locked else Action.UPDATE)
    if digests.desired == digests.live:
        return Verdict(State.IN_SYNC, Action.LEARN)
    state = State.DRIFTED if digests.desired == digests.sent else State.CONFLICT
    return Verdict(state, _about_an_edit(state, given))


def _about_an_edit(state: State, given: Circumstances) -> Action:
    if given.policy is Policy.LOCKED:
        return Action.NONE
    if given.pull:
        return Action.ADOPT
    if given.force:
        return Action.RESTORE
    if state is State.CONFLICT:
        return Action.NONE
    return {Policy.ENFORCE: Action.RESTORE, Policy.ADOPT: Action.ADOPT}.get(given.policy, Action.NONE)
