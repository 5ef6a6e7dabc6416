"""Who sees which row: the owner's teammate does, a stranger does not, and doubt means no."""

from __future__ import annotations

from uuid import uuid4

import pytest

from apps.accounts.scope import TeamScope
from apps.mirror.models import DeploymentExecution, Heatmap, MirrorModel, ScriptResult
from apps.mirror.querysets import MirrorQuerySet
from apps.mirror.shape import mirrored_models
from tests.mirror.reduced import without_column, without_table
from tests.mirror.rows import Lab

pytestmark = pytest.mark.django_db(databases=["default", "source"])


@pytest.mark.parametrize("model", mirrored_models(), ids=lambda model: model._meta.db_table)
def test_a_team_sees_its_own_rows_and_a_stranger_none(model: type[MirrorModel]) -> None:
    mine, theirs = Lab(), Lab(name="Lab Two", host="host-2")
    ours = TeamScope(team_ids=frozenset({mine.team_id}), host_names=frozenset({mine.host}))
    assert list(model.objects.visible_to(ours)) == [mine.of(model)]
    assert list(model.objects.visible_to(TeamScope())) == []
    assert list(model.objects.visible_to(TeamScope(team_ids=frozenset({uuid4()})))) == []
    assert set(model.objects.visible_to(TeamScope(everything=True))) == {mine.of(model), theirs.of(model)}


def test_a_row_without_a_team_is_for_those_who_see_everything() -> None:
    lab = Lab()
    Heatmap.objects.update(team=None)
    assert not Heatmap.objects.visible_to(TeamScope(team_ids=frozenset({lab.team_id}))).exists()
    assert Heatmap.objects.visible_to(TeamScope(everything=True)).exists()


def test_without_the_column_of_the_team_nothing_is_shown_to_a_team() -> None:
    lab = Lab()
    scope = TeamScope(team_ids=frozenset({lab.team_id}), host_names=frozenset({lab.host}))
    with without_column("script_results", "team_id"):
        assert not ScriptResult.objects.visible_to(scope).exists()
    with without_table("deployments"):
        assert not DeploymentExecution.objects.visible_to(scope).exists()


def test_a_model_that_says_nothing_about_teams_shows_nothing_to_a_team(monkeypatch: pytest.MonkeyPatch) -> None:
    lab = Lab()
    monkeypatch.setattr(ScriptResult, "team_lookup", None)
    rows: MirrorQuerySet[ScriptResult] = ScriptResult.objects.all()
    assert not rows.visible_to(TeamScope(team_ids=frozenset({lab.team_id}))).exists()
