"""The verdicts, first as the table tells them, then as properties over all combinations."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from apps.dashboards.models import Dashboard
from apps.grafana.verdict import FUTILE_WRITES, Action, Circumstances, Digests, Policy, State, Verdict, judge

IN_SYNC = Digests("d", "d", "b", "b")
AHEAD = Digests("d2", "d", "b", "b")
DRIFTED = Digests("d", "d", "b", "l")
CONFLICT = Digests("d2", "d", "b", "l")
MISSING = Digests("d", "d", "b", None)
RETIRED = Digests(None, "d", "b", "b")
FOREIGN = Digests("d", None, None, "l")
NEW = Digests("d", None, None, None)


@pytest.mark.parametrize(
    ("digests", "state", "action"),
    [
        (IN_SYNC, State.IN_SYNC, Action.NONE),
        (AHEAD, State.AHEAD, Action.UPDATE),
        (DRIFTED, State.DRIFTED, Action.RESTORE),
        (CONFLICT, State.CONFLICT, Action.NONE),
        (MISSING, State.MISSING, Action.CREATE),
        (RETIRED, State.RETIRED, Action.NONE),
        (FOREIGN, State.FOREIGN, Action.NONE),
        (NEW, State.AHEAD, Action.CREATE),
        (Digests("l", "d", "b", "l"), State.IN_SYNC, Action.LEARN),
        (Digests(None, None, None, "l"), State.RETIRED, Action.NONE),
    ],
)
def test_the_table(digests: Digests, state: State, action: Action) -> None:
    assert judge(digests, Circumstances()) == Verdict(state, action)


@pytest.mark.parametrize(
    ("policy", "drifted", "ahead"),
    [
        (Policy.ENFORCE, Action.RESTORE, Action.UPDATE),
        (Policy.OBSERVE, Action.NONE, Action.UPDATE),
        (Policy.ADOPT, Action.ADOPT, Action.UPDATE),
        (Policy.LOCKED, Action.NONE, Action.NONE),
    ],
)
def test_the_policies(policy: Policy, drifted: Action, ahead: Action) -> None:
    assert judge(DRIFTED, Circumstances(policy=policy)) == Verdict(State.DRIFTED, drifted)
    assert judge(AHEAD, Circumstances(policy=policy)) == Verdict(State.AHEAD, ahead)
    assert judge(CONFLICT, Circumstances(policy=policy)) == Verdict(State.CONFLICT, Action.NONE)


def test_the_policies_are_those_of_the_registry() -> None:
    assert [policy.value for policy in Policy] == [policy.value for policy in Dashboard.Policy]


def test_pruning_takes_the_word_and_our_own_making() -> None:
    asked = Circumstances(prune=True)
    assert judge(RETIRED, asked).action is Action.PRUNE
    assert judge(RETIRED, replace(asked, ours=False)).action is Action.NONE
    assert judge(Digests(None, "d", "b", None), asked).action is Action.NONE
    assert judge(IN_SYNC, asked).action is Action.NONE


def test_flapping_stops_and_goes_on_with_a_change_or_a_word() -> None:
    tired = Circumstances(futile=FUTILE_WRITES)
    assert judge(DRIFTED, tired) == Verdict(State.FLAPPING)
    assert judge(MISSING, tired) == Verdict(State.FLAPPING)
    assert judge(AHEAD, tired).action is Action.UPDATE
    assert judge(DRIFTED, replace(tired, force=True)).action is Action.RESTORE
    assert judge(IN_SYNC, tired) == Verdict(State.IN_SYNC)


def test_every_state_has_words() -> None:
    assert all(state.words.endswith(".") for state in State)


digest = st.sampled_from(["a", "b", "c"])
anything = st.builds(
    Digests, desired=st.none() | digest, sent=digest, base=digest, live=st.none() | digest
) | st.builds(Digests, desired=st.none() | digest, sent=st.none(), base=st.none(), live=st.none() | digest)
circumstances = st.builds(
    Circumstances,
    policy=st.sampled_from(Policy),
    answered=st.booleans(),
    manager=st.sampled_from(["", "a file"]),
    blocked=st.sampled_from(["", "no data source"]),
    futile=st.integers(0, 5),
    ours=st.booleans(),
    force=st.booleans(),
    pull=st.booleans(),
    prune=st.booleans(),
)


@given(anything, circumstances)
def test_an_edit_is_never_written_over_unkept(digests: Digests, given: Circumstances) -> None:
    """CREATE and UPDATE keep nothing, so that they may only meet nothing, or what we wrote ourselves."""
    action = judge(digests, given).action
    if action is Action.CREATE:
        assert digests.live is None
    if action is Action.UPDATE:
        assert digests.live == digests.base


@given(anything, circumstances)
def test_what_is_not_ours_is_never_written(digests: Digests, given: Circumstances) -> None:
    action = judge(digests, given).action
    never = given.manager or not given.answered or given.policy in (Policy.RELEASED, Policy.LOCKED)
    if never or (digests.base is None and digests.live is not None):
        assert not action.writes
        assert action is not Action.ADOPT


@given(anything, circumstances)
def test_only_the_word_deletes(digests: Digests, given: Circumstances) -> None:
    if judge(digests, given).action is Action.PRUNE:
        assert given.prune
        assert given.ours
        assert digests.desired is None
        assert digests.base is not None


@given(anything, circumstances)
def test_a_conflict_is_only_ended_by_a_word(digests: Digests, given: Circumstances) -> None:
    verdict = judge(digests, given)
    if verdict.state is State.CONFLICT and verdict.action is not Action.NONE:
        assert given.force or given.pull


@given(anything, circumstances)
def test_a_grafana_that_is_away_changes_nothing(digests: Digests, given: Circumstances) -> None:
    verdict = judge(digests, replace(given, answered=False))
    assert verdict.state in (State.UNKNOWN, State.RELEASED)
    assert verdict.action is Action.NONE


@given(anything, circumstances)
def test_after_what_a_sync_did_there_is_nothing_left_to_do(digests: Digests, given: Circumstances) -> None:
    """The next run, with Grafana returning the written body in its own way (or the adopted one), finds it in sync."""
    action = judge(digests, given).action
    if action in (Action.CREATE, Action.UPDATE, Action.RESTORE):
        after = Digests(digests.desired, digests.desired, "answered", "answered")
    elif action in (Action.ADOPT, Action.LEARN):
        after = Digests(digests.live, digests.live, digests.live, digests.live)
    elif action is Action.PRUNE:
        after = Digests(None, digests.sent, digests.base, None)
        assert judge(after, given) == Verdict(State.RETIRED)
        return
    else:
        return
    assert judge(after, given) == Verdict(State.IN_SYNC)
